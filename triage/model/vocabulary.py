"""The words that every noun is made of: enumerations, values, and a place in a file."""

from __future__ import annotations

from enum import Enum

from triage.records import dataclass

Value = str | int | float | bool | None | tuple["Value", ...]
"""What a capture or a fact may hold once it is typed."""


class Severity(str, Enum):
    """How bad a cause is for the server. ``fatal``: the server cannot start or go on."""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for info up to 3 for fatal, so that severities compare."""
        return _SEVERITY_ORDER.index(self)


_SEVERITY_ORDER = (Severity.INFO, Severity.WARNING, Severity.ERROR, Severity.FATAL)


class Role(str, Enum):
    """``root`` can be the answer; ``cascade`` follows from another failure; ``advice`` is worth knowing, never the cause."""

    ROOT = "root"
    CASCADE = "cascade"
    ADVICE = "advice"


class Prevalence(str, Enum):
    """How often the cause is met: it sets the prior."""

    COMMON = "common"
    OCCASIONAL = "occasional"
    RARE = "rare"


class Strength(str, Enum):
    """What one piece of evidence is worth, in the words authors use; the engine maps words to decibans."""

    DECISIVE = "decisive"
    STRONG = "strong"
    SUPPORTS = "supports"
    HINTS = "hints"
    CONTRADICTS = "contradicts"
    RULES_OUT = "rules-out"

    @property
    def is_for(self) -> bool:
        """True when the evidence speaks for the cause."""
        return self not in (Strength.CONTRADICTS, Strength.RULES_OUT)


class Phase(str, Enum):
    """Where in its life the server was when a line was printed."""

    UNKNOWN = "unknown"
    INSTALL = "install"
    LAUNCH = "launch"
    WEIGHTS = "weights"
    MEMORY_POOL = "memory-pool"
    GRAPH_CAPTURE = "graph-capture"
    WARMUP = "warmup"
    SERVING = "serving"
    SHUTDOWN = "shutdown"


class Verdict(str, Enum):
    """How the whole report ends."""

    CONFIRMED = "confirmed"
    LIKELY = "likely"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"
    HEALTHY = "healthy"


class Context(str, Enum):
    """What kind of record a line belongs to: only ``normal`` lines are surely the software speaking for itself.

    ``suspect``: after a request whose text was printed raw and not closed, so a client may have written the line.
    """

    NORMAL = "normal"
    REQUEST_DUMP = "request-dump"
    CONFIG_DUMP = "config-dump"
    BENIGN = "benign"
    SUSPECT = "suspect"


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file that a person edits: 1-based line and column."""

    path: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"
