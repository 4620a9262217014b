"""The JSON Schema of signature files, for editors; made from the very description that decodes them."""

from __future__ import annotations

from typing import Any

from triage.knowledge.signature_schema import SIGNATURE


def signature_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of one signature file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sgltriage signature",
        "description": "One diagnosable cause and the evidence for it. See docs/signatures.md.",
        **SIGNATURE.schema(),
    }
