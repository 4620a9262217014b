"""How a report is to be shown; what does not apply to a format is ignored by it."""

from __future__ import annotations

from collections.abc import Sequence

from triage.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from triage.model import Diagnosis, Report


@dataclass(frozen=True, slots=True)
class View:
    """Choices of the reader. ``width`` is in terminal cells, None for pipes; ``elapsed`` in seconds.

    ``top`` caps the diagnoses, ``unexplained`` the error lines that the formats for people show. ``gone``: inputs that nobody can
    read again, such as what was piped in.
    """

    color: bool = False
    ascii_only: bool = False
    width: int | None = None
    top: int | None = None
    unexplained: int = 3
    elapsed: float | None = None
    fail_on: str = "error"
    gone: frozenset[str] = frozenset({"-"})

    def diagnoses(self, report: Report) -> tuple[Diagnosis, ...]:
        """The diagnoses to show, in rank order."""
        return self.capped(report.diagnoses)

    def capped(self, diagnoses: Sequence[Diagnosis]) -> tuple[Diagnosis, ...]:
        """At most ``top`` of ``diagnoses``."""
        return tuple(diagnoses if self.top is None else diagnoses[: max(0, self.top)])
