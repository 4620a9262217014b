"""What a probe is: read-only looks at a host, and how their transcripts become facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from triage.model import Fact, Value
from triage.records import dataclass, field

OK, NOT_APPLICABLE, UNAVAILABLE, TIMED_OUT, UNPARSABLE = (
    "ok", "not-applicable", "unavailable", "timed-out", "unparsable",
)  # fmt: skip
"""How a probe ends."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is looked at. ``python``: the interpreter or environment of the server; ``pid``: a running server; ``facts``: what
    is known from logs or a launch command (addresses, ports, the model's folder), by name; ``environment``: the variables
    of the process that asks."""

    python: Path | None = None
    pid: int | None = None
    facts: Mapping[str, Value] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """Run ``argv`` without a shell; standard error is read with standard output. Never one that changes anything.

    ``tail``: of an output that is too long the end is kept, as a log needs it.
    """

    argv: tuple[str, ...]
    timeout_s: float = 5.0
    tail: bool = False

    @property
    def label(self) -> str:
        """How the transcript is called."""
        return " ".join(self.argv)


@dataclass(frozen=True, slots=True)
class File:
    """Read a file, or every file that ``pattern`` (shell wildcards) names, each under a line ``==> path <==``."""

    pattern: str

    @property
    def label(self) -> str:
        """How the transcript is called."""
        return self.pattern


@dataclass(frozen=True, slots=True)
class Look:
    """Call ``function`` for the text of the transcript: for what has neither a command nor a file (a socket, a listing).

    It may raise OSError (unavailable) and must end by itself within ``timeout_s``.
    """

    label: str
    function: Callable[[], str]
    timeout_s: float = 5.0


Read: TypeAlias = "Command | File | Look"


@dataclass(frozen=True, slots=True)
class Transcript:
    """What one read gave. ``status``: ``ok`` (also with an exit code other than 0), ``absent`` (no such command or file),
    ``denied``, ``timed-out``, ``failed``; ``reason`` in words; ``text`` is redacted and capped."""

    label: str
    status: str
    text: str = ""
    exit_code: int | None = None
    reason: str = ""
    seconds: float = 0.0


class NotApplicable(Exception):  # noqa: N818  (an answer, not an error)
    """Raised by a probe's ``parse`` when the question makes no sense on this host; the text says why."""


class Unavailable(ValueError):  # noqa: N818  (an answer, not an error)
    """Raised by a probe's ``parse`` when what was read is a refusal or a failure of the tool and no answer; the text says
    which."""


Parse = Callable[[Sequence[Transcript]], Iterable[tuple[str, Value]]]
"""Transcripts (one for each read, in order, whatever its status) to (fact, value) pairs.

Raises NotApplicable or Unavailable, or ValueError when a transcript is not what the parser knows. A fact that a transcript does not tell is
left out. Pure: it must give the same for a transcript that was recorded elsewhere.
"""


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to a host. ``reads`` says what to look at for a target (empty: not applicable there); ``cost_s`` is what
    it usually takes; ``is_log`` marks transcripts that are scanned like a log too (dmesg)."""

    name: str
    title: str
    reads: Callable[[Target], Sequence[Read]]
    parse: Parse
    cost_s: float = 0.2
    is_log: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """How a probe ended, and the facts it gave."""

    name: str
    outcome: str
    reason: str = ""
    seconds: float = 0.0
    facts: tuple[Fact, ...] = ()


def fixed(*reads: Read) -> Callable[[Target], Sequence[Read]]:
    """Reads that are the same for every target."""
    return lambda _: reads


def by_label(transcripts: Sequence[Transcript], start: str) -> Transcript | None:
    """The first readable transcript whose label begins with ``start``."""
    return next((item for item in transcripts if item.label.startswith(start) and item.status == "ok"), None)
