"""Model values without secrets and prompts, with their structure as it was: what a session file may hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar, cast

from triage.model import Difference, Fact, Hit, Launch, LedgerEntry, Value
from triage.records import replace
from triage.safety.redact import Redactor
from triage.safety.secret_names import secret_name

T = TypeVar("T")


def redacted(value: T, redactor: Redactor) -> T:
    """``value`` (dataclasses, tuples and scalars) with every text in it redacted; a value that has a name, by its name too."""
    return cast("T", _clean(value, redactor))


def _clean(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str) and not isinstance(value, Enum):
        return redactor.redact(value)
    if isinstance(value, tuple):
        return tuple(_clean(item, redactor) for item in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changes = {item.name: _clean(getattr(value, item.name), redactor) for item in fields(value)}
    if isinstance(value, Fact):
        changes["value"] = _named(value.name, value.value, redactor)
    elif isinstance(value, (Hit, LedgerEntry)):
        changes["captures"] = _all_named(value.captures, redactor)
    elif isinstance(value, Launch):
        changes["command"] = redactor.redact_arguments(value.command)
    elif isinstance(value, Difference):
        changes["usual"] = _named(value.fact, value.usual, redactor)
        changes["odd"] = tuple((source, _named(value.fact, item, redactor)) for source, item in value.odd)
    return replace(value, **changes)


def _all_named(pairs: Sequence[tuple[str, Value]], redactor: Redactor) -> tuple[tuple[str, Value], ...]:
    return tuple((name, _named(name, value, redactor)) for name, value in pairs)


def _named(name: str, value: Value, redactor: Redactor) -> Value:
    if isinstance(value, str):
        return redactor.redact_named(name, value)
    if not isinstance(value, tuple):
        return value
    texts = [item for item in value if isinstance(item, str)]
    if len(texts) == len(value) and secret_name(name.rpartition(".")[2]) is None:
        # A list of words is taken for a command: an option tells whether the word behind it is a secret.
        return redactor.redact_arguments(texts)
    return tuple(_named(name, item, redactor) for item in value)
