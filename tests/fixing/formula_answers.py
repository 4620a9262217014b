"""What the tests of the formulas share: a formula asked for its answer, its value, or the reason why it gives none."""

from __future__ import annotations

from triage.fixing.sizing import FORMULAS
from triage.fixing.sizing_numbers import Sized
from triage.model import Value
from triage.playbook import Case, Missing


def run(
    name: str, facts: dict[str, Value], captures: dict[str, Value] | None = None, diagnosis: str = "x"
) -> Sized | Missing:
    """A formula's answer for these facts and captures."""
    return FORMULAS[name](Case(diagnosis, facts, captures or {}))


def value(name: str, facts: dict[str, Value], captures: dict[str, Value] | None = None, diagnosis: str = "x") -> float:
    """The value that a formula gives."""
    found = run(name, facts, captures, diagnosis)
    assert isinstance(found, Sized), found
    return found.value


def reason(name: str, facts: dict[str, Value], captures: dict[str, Value] | None = None) -> str:
    """Why a formula gives none."""
    found = run(name, facts, captures)
    assert isinstance(found, Missing), found
    return found.reason
