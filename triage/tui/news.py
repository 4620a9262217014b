"""What the reading beside the screen has to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from triage.records import dataclass
from triage.tui.log_file import LogFile

if TYPE_CHECKING:
    from triage.knowledge.compiled import Knowledge
    from triage.model import Report
    from triage.session.session import Session
    from triage.watching.live_state import LiveState


@dataclass(frozen=True, slots=True)
class Opened:
    """An input whose lines can be looked at from now on."""

    file: LogFile


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an input was read; ``size`` in bytes is None where nobody knows it."""

    label: str
    read: int
    size: int | None


@dataclass(frozen=True, slots=True)
class Reported:
    """What is known by now, and by what knowledge. ``is_final``: nothing more comes."""

    report: Report
    knowledge: Knowledge
    without: frozenset[str]
    is_final: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that could not be read, in one line; the rest is read on."""

    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Reading ended by an error: nothing more comes."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Live:
    """How watched servers stand."""

    state: LiveState


@dataclass(frozen=True, slots=True)
class Restored:
    """The session of a file."""

    session: Session


News: TypeAlias = Opened | Progress | Live | Reported | Restored | Trouble | Failed
