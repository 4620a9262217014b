"""The nouns of what was seen in logs, before anything is concluded."""

from __future__ import annotations

from triage.model.vocabulary import Context, Phase, Value
from triage.records import dataclass


@dataclass(frozen=True, slots=True)
class Prefix:
    """What the front of a line says about it.

    ``format`` is a name of matching/prefix.py; ``time`` is the log's own time text; ``seconds`` is that time on a naive
    UTC scale (None when the date is not known); ``end`` is the index in the text where the message begins.
    """

    format: str = ""
    time: str | None = None
    seconds: float | None = None
    rank: str | None = None
    level: str | None = None
    pid: int | None = None
    node: str | None = None
    wrappers: tuple[str, ...] = ()
    end: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stands: 1-based line as ``grep -n`` counts, byte offset of the line's first byte."""

    source: str
    line: int
    offset: int
    time: str | None = None
    seconds: float | None = None
    rank: str | None = None
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One confirmed match of one pattern on one line. ``block`` is the first line of the traceback or record it stands in."""

    key: str
    place: Place
    text: str
    captures: tuple[tuple[str, Value], ...] = ()
    context: Context = Context.NORMAL
    block: int = 0
    phase: Phase = Phase.UNKNOWN


@dataclass(frozen=True, slots=True)
class Finding:
    """All hits of one pattern in one source: counted, with the first of each rank, a few samples and the last kept."""

    key: str
    source: str
    count: int
    hits: tuple[Hit, ...]
    last: Place
    count_exact: bool = True

    @property
    def first(self) -> Hit:
        """The earliest hit of the source."""
        return self.hits[0]


@dataclass(frozen=True, slots=True)
class Fact:
    """A typed value about the world and where it comes from (``file:line``, a probe's name, an answer).

    ``source`` is the input that it holds for, empty when it holds for everything; ``node`` the container, pod or host that
    printed it, where one input carries several.
    """

    name: str
    value: Value
    origin: str
    source: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """A line that speaks of an error; ``origin`` is the last source frame above it (``module.py:line in function``), if known."""

    text: str
    place: Place
    block: int
    origin: str = ""


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The clock behind the times of a source went back by ``seconds``; ``line`` (1-based) is the first with an earlier time,
    ``node`` the container, pod or host whose clock it is, where lines name one."""

    line: int
    seconds: float
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """One source as it was read. ``notes`` say in plain words what was cut, capped or decoded; ``clock_steps``: where its
    clock went back by more than a minute, by line."""

    path: str
    bytes: int = 0
    lines: int = 0
    decode_errors: int = 0
    truncated: bool = False
    notes: tuple[str, ...] = ()
    clock_steps: tuple[ClockStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Launch:
    """One start of a server seen in a log, and what became of it. Lines are 1-based; 0 means not seen.

    ``last_batch`` is the last line that shows a batch of requests at work; ``node`` the container, pod or host that
    started, where one input carries several.
    """

    source: str
    line: int
    ready_line: int = 0
    last_batch: Place | None = None
    command: tuple[str, ...] = ()
    node: str = ""


@dataclass(frozen=True, slots=True)
class Milestone:
    """A step of a server's start, named as in matching/markers.py, where a source first shows it in its last launch."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything matching saw in all sources: what reasoning works on."""

    inputs: tuple[Input, ...] = ()
    findings: tuple[Finding, ...] = ()
    facts: tuple[Fact, ...] = ()
    errors: tuple[ErrorLine, ...] = ()
    error_count: int = 0
    launches: tuple[Launch, ...] = ()
    first_time: str | None = None
    last_time: str | None = None
    ranks: tuple[str, ...] = ()
    limits_hit: tuple[str, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    planned: tuple[tuple[str, Hit], ...] = ()
    """Facts of a launch that has not happened yet, with the words of the command that say so: they count as evidence seen."""

    @property
    def lines(self) -> int:
        """How many were read, of all inputs together."""
        return sum(item.lines for item in self.inputs)
