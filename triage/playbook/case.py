"""What is known of one failure, and the values that come of it. Frozen values only."""

from __future__ import annotations

from collections.abc import Mapping

from triage.model import Value
from triage.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of one failure: facts by name and captures of the diagnosis's lines by name, each with where it was read.
    All of it is tainted: logs and probes say what strangers wrote."""

    diagnosis: str = ""
    facts: Mapping[str, Value] = field(default_factory=dict)
    captures: Mapping[str, Value] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Typed:
    """A value that converted: its text as it enters a command, where it comes from, and the sum if it was computed."""

    text: str
    value: Value
    origin: str
    sum: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """A value that there is not, and why: in words for the operator."""

    reason: str
