"""The only writer to stderr: one line a message, made visible and redacted."""

from __future__ import annotations

import contextlib
import sys

from triage.safety.redact import Redactor
from triage.safety.visible import visible


def tell(message: str) -> None:
    """One line on stderr; nothing when stderr is closed."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"sgltriage: {visible(Redactor().redact(message))}\n")
        sys.stderr.flush()
