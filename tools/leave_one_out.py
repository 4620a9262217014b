"""With a cause's signature switched off, does the tool say that it does not know?

    python -m tools.leave_one_out [-v]

For each labelled case the signature of its first cause is taken out. The answer is honest when the verdict is unknown or
healthy, or the first answer has a confidence below 0.5, or is one that the label calls fair. Exit status 1 below 90 %.
"""

from __future__ import annotations

import sys

from tools.corpus import corpus_root, is_fair, read_cases
from triage.engine import load
from triage.model import Verdict
from triage.reasoning.diagnose import diagnose

LEAST = 0.90
MOST_CONFIDENT = 0.5


def main(argv: list[str]) -> int:
    """Print the share, and with ``-v`` each case that claims too much."""
    knowledge = load()
    claims: list[str] = []
    tried = 0
    for case in read_cases(knowledge, corpus_root()):
        if case.is_healthy or not case.causes or case.causes[0] not in knowledge.base:
            continue
        tried += 1
        report = diagnose(case.observation, knowledge.base.without(frozenset({case.causes[0]})))
        first = report.diagnoses[0] if report.diagnoses else None
        modest = first is None or first.confidence < MOST_CONFIDENT or report.verdict is Verdict.UNKNOWN
        if not modest and first is not None and not is_fair(case, report):
            claims.append(f"{case.causes[0]:<40} {case.name:<28} -> {first.id} {first.confidence:.2f}")
    share = 1 - len(claims) / max(1, tried)
    if "-v" in argv:
        print("\n".join(sorted(claims)))
    print(f"{tried} cases, {len(claims)} overclaims, {share:.1%} honest (least {LEAST:.0%})")
    return 0 if share >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
