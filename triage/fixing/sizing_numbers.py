"""What the formulas share: the numbers of a case, asked for by name, and the way a formula says that it lacks one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import wraps

from triage.model import Value
from triage.playbook import Case, Missing
from triage.records import dataclass

GIB = 1 << 30
"""What SGLang, PyTorch and nvidia-smi call a gigabyte."""
_MOST = 1e15


@dataclass(frozen=True, slots=True)
class Sized:
    """A value that was computed, and the calculation as lines for people."""

    value: int | float
    sum: tuple[str, ...]


class LackingError(Exception):
    """A formula cannot say anything; the text says what it lacks or what speaks against a value."""


Formula = Callable[[Case], "Sized | Missing"]


def formula(compute: Callable[[Case], Sized]) -> Formula:
    """``compute`` with what it lacks as a Missing instead of an exception."""

    @wraps(compute)
    def answer(case: Case) -> Sized | Missing:
        try:
            return compute(case)
        except LackingError as lack:
            return Missing(str(lack))

    return answer


def number(case: Case, *names: str) -> float | None:
    """The first of these facts that is a finite number of 0 or more, or None."""
    return _first(case.facts.get(name) for name in names)


def whole(case: Case, *names: str) -> int | None:
    """The first of these facts that is a whole number of at least 1, or None."""
    found = (number(case, name) for name in names)
    return next((int(value) for value in found if value is not None and value >= 1 and value == int(value)), None)


def captured(case: Case, name: str) -> float | None:
    """The capture if it is a finite number of 0 or more, or None."""
    return _first((case.captures.get(name),))


def captured_whole(case: Case, name: str) -> int | None:
    """The capture if it is a whole number of at least 1, or None."""
    value = captured(case, name)
    return int(value) if value is not None and value >= 1 and value == int(value) else None


def need(value: float | None, what: str) -> float:
    """``value``, if there is one.

    Raises:
        LackingError: there is none; ``what`` names it for people.
    """
    if value is None:
        raise LackingError(f"cannot be computed: the log does not tell {what}")
    return value


def need_whole(value: int | None, what: str) -> int:
    """``value``, if there is one.

    Raises:
        LackingError: there is none; ``what`` names it for people.
    """
    return int(need(value, what))


def _first(values: Iterable[Value]) -> float | None:
    for value in values:
        if (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and math.isfinite(value)
            and 0 <= value < _MOST
        ):
            return float(value)
    return None
