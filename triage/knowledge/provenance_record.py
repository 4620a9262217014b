"""A survey of releases as stored data: one line a pattern, so that a change of one signature is a change of its lines."""

from __future__ import annotations

import json

from triage.knowledge.provenance import Claim, Survey, span_text


def survey_record(found: Survey) -> str:
    """JSON: ``releases`` (those that were searched), and under ``patterns`` for each key of a pattern that is said to come
    from SGLang ``releases`` and ``literals`` (text to releases), as `span_text` writes them. Keys are sorted.
    """
    lines = []
    for item in sorted(found.patterns, key=lambda item: item.key):
        if item.claim is not Claim.OTHER:
            literals = {text: span_text(names, found.releases) for text, names in item.literals}
            entry = {"releases": span_text(item.releases, found.releases), "literals": literals}
            lines.append(f"    {json.dumps(item.key)}: {json.dumps(entry, ensure_ascii=False)}")
    body = ",\n".join(lines)
    return f'{{\n  "releases": {json.dumps(found.releases)},\n  "patterns": {{\n{body}\n  }}\n}}\n'
