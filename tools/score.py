"""How often the first answers on the labelled corpus are right, in one process (seconds instead of minutes).

    python -m tools.score [-v] [--reliability]

Prints top-1, top-3, over-claims (a wrong first answer at 0.8 or more), the Brier score of the first answer's confidence and
false alarms on healthy logs; ``--reliability`` prints how often answers of each confidence were right.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise

from tools.corpus import Case, corpus_root, is_fair, read_cases
from triage.engine import load
from triage.knowledge.compiled import Knowledge
from triage.model import Report, Severity
from triage.reasoning.diagnose import diagnose

OVER_CLAIM = 0.8
_BINS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)


def score(judged: Sequence[tuple[Case, Report]]) -> dict[str, float]:
    """The figures, shares from 0 to 1."""
    cases = [(case, report) for case, report in judged if not case.is_healthy]
    firsts = [(case, report.diagnoses[0]) for case, report in cases if report.diagnoses]
    alarms = sum(
        any(item.severity in (Severity.ERROR, Severity.FATAL) for item in report.diagnoses)
        for case, report in judged
        if case.is_healthy
    )
    number = max(1, len(cases))
    return {
        "cases": len(cases),
        "top1": sum(is_fair(case, report) for case, report in cases) / number,
        "top3": sum(
            is_fair(case, report) or any(item.id in case.accepted for item in report.diagnoses[:3])
            for case, report in cases
        )
        / number,
        "overclaim": sum(item.confidence >= OVER_CLAIM and item.id not in case.accepted for case, item in firsts)
        / number,
        "brier": sum((item.confidence - (item.id in case.accepted)) ** 2 for case, item in firsts)
        / max(1, len(firsts)),
        "false_alarms": alarms,
    }


def judge(cases: Sequence[Case], knowledge: Knowledge) -> list[tuple[Case, Report]]:
    """Each case with its report."""
    return [(case, diagnose(case.observation, knowledge.base)) for case in cases]


def reliability(judged: Sequence[tuple[Case, Report]]) -> list[str]:
    """One line for each range of confidence: how many first answers, how sure, how often right."""
    firsts = [(case, report.diagnoses[0]) for case, report in judged if report.diagnoses and not case.is_healthy]
    lines = []
    for low, high in pairwise(_BINS):
        inside = [
            (case, item) for case, item in firsts if low <= item.confidence < high or item.confidence == high == 1
        ]
        if inside:
            sure = sum(item.confidence for _, item in inside) / len(inside)
            right = sum(item.id in case.accepted for case, item in inside) / len(inside)
            lines.append(f"{low:.2f}-{high:.2f}  {len(inside):4}  said {sure:.2f}  right {right:.2f}")
    return lines


def main(argv: list[str]) -> int:
    """Print the figures, and with ``-v`` the misses."""
    knowledge = load()
    judged = judge(read_cases(knowledge, corpus_root()), knowledge)
    if "-v" in argv:
        for case, report in judged:
            first = report.diagnoses[0] if report.diagnoses else None
            if not case.is_healthy and not is_fair(case, report):
                said = ", ".join(f"{item.id} {item.confidence:.2f}" for item in report.diagnoses[:3]) or "-"
                print(f"{case.name:<28} {'/'.join(case.causes):<45} {report.verdict.value:<9} {said}")
            elif case.is_healthy and first is not None and first.severity in (Severity.ERROR, Severity.FATAL):
                print(f"{case.name:<28} healthy, but {first.id} {first.confidence:.2f}")
    if "--reliability" in argv:
        print("\n".join(reliability(judged)))
    print("  ".join(f"{name} {value:.4g}" for name, value in score(judged).items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
