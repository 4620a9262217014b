"""Every example of every signature against all signatures: who comes first, who else speaks up, who must stay silent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from triage.knowledge.base import KnowledgeBase
from triage.model import Report
from triage.records import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """An example that another cause won, or a near miss that was taken for the cause."""

    id: str
    sample: str
    message: str

    def __str__(self) -> str:
        return f"{self.id}: {self.sample}: {self.message}"


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Confidence of each column's cause on the examples of each row's owner (the highest seen), and what failed."""

    table: dict[str, dict[str, float]]
    failures: tuple[Failure, ...]
    examples: int
    near_misses: int


def self_test(base: KnowledgeBase, report_on: Callable[[bytes], Report], only: Sequence[str] = ()) -> SelfTest:
    """Run the samples of ``only`` (default: all ids) through ``report_on``, which must know all signatures."""
    table: dict[str, dict[str, float]] = {}
    failures: list[Failure] = []
    examples = near_misses = 0
    for identifier in only or base.ids():
        signature = base.get(identifier)
        row = table.setdefault(identifier, {})
        for number, text in enumerate(signature.examples, 1):
            examples += 1
            report = report_on(text.encode())
            for diagnosis in report.diagnoses:
                row[diagnosis.id] = max(row.get(diagnosis.id, 0.0), diagnosis.confidence)
            first = report.diagnoses[0] if report.diagnoses else None
            if first is None or first.id != identifier:
                found = f"'{first.id}' ({first.confidence:.0%}) comes first" if first else "nothing is found"
                failures.append(Failure(identifier, f"example {number}", found))
        for number, text in enumerate(signature.near_misses, 1):
            near_misses += 1
            taken = next((item for item in report_on(text.encode()).diagnoses if item.id == identifier), None)
            if taken is not None:
                failures.append(Failure(identifier, f"near miss {number}", f"is taken for it ({taken.confidence:.0%})"))
    return SelfTest(table, tuple(failures), examples, near_misses)


def matrix(test: SelfTest, columns: Sequence[str]) -> list[str]:
    """The table as text: a row for each owner of examples, a column for each cause; tenths of confidence, ``.`` for silence."""
    width = max((len(name) for name in test.table), default=0)
    lines = []
    for name, row in test.table.items():
        cells = "".join("." if cause not in row else str(min(9, int(row[cause] * 10))) for cause in columns)
        lines.append(f"{columns.index(name) + 1:4} {name:<{width}} {cells}")
    return lines
