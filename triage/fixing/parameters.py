"""The parameters of a playbook for one case: each source asked in turn, what it says converted, or the reason why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from triage.fixing.package_names import LOOKUPS
from triage.fixing.sizing import FORMULAS
from triage.fixing.values import convert
from triage.knowledge.errors import did_you_mean
from triage.playbook import Case, Missing, Parameter, Typed
from triage.records import replace

ASK = "ask"


class ParameterError(ValueError):
    """A value was given for a parameter that there is not."""


def resolve(parameters: Sequence[Parameter], case: Case, given: Mapping[str, str]) -> dict[str, Typed | Missing]:
    """Every parameter by name. ``given`` (``--set NAME=VALUE``) wins over all sources, and converts like them.

    The first source that says anything decides: a value that does not convert is refused, not replaced by the next one,
    since what a stranger wrote must not steer which value is taken. A formula that lacks something says nothing.

    Raises:
        ParameterError: ``given`` names a parameter that is not among ``parameters``.
    """
    known = [item.name for item in parameters]
    for name in given:
        if name not in known:
            there = f"it has {', '.join(known)}" if known else "it has none"
            raise ParameterError(f"the playbook has no parameter '{name}'; {there}{did_you_mean(name, known)}")
    return {item.name: _value(item, case, given.get(item.name)) for item in parameters}


def questions(parameters: Iterable[Parameter], values: Mapping[str, Typed | Missing]) -> tuple[Parameter, ...]:
    """The parameters that an operator should be asked for: nobody and nothing has told them yet."""
    return tuple(item for item in parameters if ASK in item.sources and isinstance(values.get(item.name), Missing))


def _value(parameter: Parameter, case: Case, given: str | None) -> Typed | Missing:
    if given is not None:
        return convert(parameter, given, f"--set {parameter.name}")
    lacking: list[str] = []
    for source in parameter.sources:
        kind, _, name = source.partition(" ")
        if kind == ASK:
            continue
        found = _computed(parameter, case, name) if kind == "compute" else _read(parameter, case, kind, name)
        if isinstance(found, Typed) or (isinstance(found, Missing) and kind != "compute"):
            return found
        lacking.append(found.reason if found is not None else f"no {kind} '{name}' is known")
    if parameter.default is not None:
        return convert(parameter, parameter.default, "the playbook's default")
    if ASK in parameter.sources:
        told = f" ({'; '.join(lacking)})" if lacking else ""
        return Missing(f"ask: {parameter.help or parameter.name} (--set {parameter.name}=VALUE){told}")
    return Missing("; ".join(lacking) or f"nothing tells '{parameter.name}'")


def _read(parameter: Parameter, case: Case, kind: str, name: str) -> Typed | Missing | None:
    """What a fact or a capture says; None if nothing is known."""
    value = (case.facts if kind == "fact" else case.captures).get(name)
    if value is None:
        return None
    origin = case.origins.get(name if kind == "fact" else f"capture {name}") or f"{kind} {name}"
    return convert(parameter, value, origin)


def _computed(parameter: Parameter, case: Case, name: str) -> Typed | Missing:
    formula = FORMULAS.get(name) or LOOKUPS.get(name)
    if formula is None:
        return Missing(f"there is no formula '{name}'")
    sized = formula(case)
    if isinstance(sized, Missing):
        return sized
    found = convert(parameter, sized.value, f"the sum '{name}'")
    return replace(found, sum=sized.sum) if isinstance(found, Typed) else found
