"""The file that a new signature starts from."""

from __future__ import annotations

_TEMPLATE = """\
# See docs/signatures.md. Check with: sgltriage kb lint DIR; sgltriage kb test --kb DIR {id}
id: {id}
title: One phrase that names the cause
component: sglang
severity: error          # fatal: the server cannot start or go on | error | warning | info
role: root               # root | cascade: follows from another failure | advice: never the cause
prevalence: occasional   # common | occasional | rare
explanation: |
  Why it happens, for someone who has never seen it.
fix: What mends it, in one line.
safety: What must not be taken for it.
evidence:
  - id: the-line
    log: 'the shortest part of the message that never changes'
    strength: decisive   # decisive | strong | supports | hints | contradicts | rules-out
references:
  - https://docs.sglang.ai/
examples:
  - |
    [2026-01-01 10:00:00 TP0] the shortest part of the message that never changes, as it is printed
near_misses:
  - |
    [2026-01-01 10:00:00 TP0] a line that a hasty reader would take for it
"""


def signature_template(identifier: str) -> str:
    """A complete signature file for ``identifier``, to be filled in."""
    return _TEMPLATE.format(id=identifier)
