"""Where the values of a playbook come from, in which order, and what is said when there is none."""

from __future__ import annotations

import pytest

from triage.fixing.parameters import ParameterError, questions, resolve
from triage.playbook import Case, Missing, Parameter, ParameterType, Typed

CASE = Case(
    "port-in-use",
    facts={"server.port": 30000, "server.host": "$(id)", "server.nothing": None, "scheduler.max_total_num_tokens": 29648,
           "scheduler.context_len": 131072},
    captures={"port": "30001", "name": ";reboot"},
    origins={"server.port": "server.log:1", "capture port": "server.log:12", "capture name": "server.log:13"},
)  # fmt: skip


def one(parameter: Parameter, given: dict[str, str] | None = None) -> Typed | Missing:
    """The value of a single parameter."""
    return resolve([parameter], CASE, given or {})[parameter.name]


def test_sources_in_order() -> None:
    """The first source that says something is taken, with its place."""
    both = ("capture port", "fact server.port")
    assert one(Parameter("p", ParameterType.PORT, both)) == Typed("30001", 30001, "server.log:12")
    assert one(Parameter("p", ParameterType.PORT, both[::-1])) == Typed("30000", 30000, "server.log:1")
    assert one(Parameter("p", ParameterType.PORT, ("fact server.nothing", "capture gone", *both))) == Typed(
        "30001", 30001, "server.log:12"
    )


def test_default_is_last() -> None:
    """The default counts when no source says anything, and converts as well."""
    assert one(Parameter("p", ParameterType.PORT, ("fact gone",), 8000)) == Typed(
        "8000", 8000, "the playbook's default"
    )
    assert isinstance(one(Parameter("p", ParameterType.PORT, ("fact gone",), 0)), Missing)
    assert one(Parameter("p", ParameterType.PORT, ("fact server.port",), 8000)) == Typed("30000", 30000, "server.log:1")


def test_a_refused_value_is_not_replaced() -> None:
    """What a stranger wrote must not decide that the next source or the default is taken."""
    found = one(Parameter("n", ParameterType.IDENT, ("capture name", "fact server.port"), "sglang"))
    assert found == Missing("value from server.log:13 is not an identifier: ;reboot")


def test_set_wins_and_converts() -> None:
    """``--set`` comes before all sources, and is checked like them."""
    parameter = Parameter("p", ParameterType.PORT, ("fact server.port",))
    assert one(parameter, {"p": "9000"}) == Typed("9000", 9000, "--set p")
    assert one(parameter, {"p": "--x"}) == Missing("value from --set p is not a port: --x")


def test_unknown_set() -> None:
    """A name that no parameter has is an error with a hint."""
    parameter = Parameter("port", ParameterType.PORT)
    with pytest.raises(ParameterError, match=r"no parameter 'prot'; it has port; did you mean 'port'\?"):
        resolve([parameter], CASE, {"prot": "1"})
    with pytest.raises(ParameterError, match="it has none"):
        resolve([], CASE, {"prot": "1"})


def test_ask() -> None:
    """Who is asked and has not answered is told how to; an answer is a ``--set``."""
    parameter = Parameter("unit", ParameterType.IDENT, ("fact gone", "ask"), help="the systemd unit")
    values = resolve([parameter], CASE, {})
    assert values["unit"] == Missing("ask: the systemd unit (--set unit=VALUE) (no fact 'gone' is known)")
    assert questions([parameter], values) == (parameter,)
    answered = resolve([parameter], CASE, {"unit": "sglang"})
    assert answered["unit"] == Typed("sglang", "sglang", "--set unit")
    assert questions([parameter], answered) == ()


def test_ask_alone() -> None:
    """Nothing but the question."""
    assert one(Parameter("unit", ParameterType.IDENT, ("ask",), help="the unit")) == Missing(
        "ask: the unit (--set unit=VALUE)"
    )


def test_nothing_known() -> None:
    """Each source that was silent is named."""
    found = one(Parameter("p", ParameterType.PORT, ("fact gone", "capture other")))
    assert found == Missing("no fact 'gone' is known; no capture 'other' is known")
    assert one(Parameter("p", ParameterType.PORT)) == Missing("nothing tells 'p'")


def test_computed_with_its_sum() -> None:
    """A formula's value is converted, bounded, and keeps its sum."""
    parameter = Parameter("c", ParameterType.INT, ("compute context-length-in-pool",))
    found = one(parameter)
    assert isinstance(found, Typed)
    assert (found.value, found.origin) == (29440, "the sum 'context-length-in-pool'")
    assert found.sum[0] == "the pool holds 29648 tokens, so a request may have 29647"
    assert isinstance(one(Parameter("c", ParameterType.INT, parameter.sources, maximum=100)), Missing)


def test_a_formula_that_lacks_something_gives_way() -> None:
    """The next source is asked; if there is none, what was lacking is told."""
    sources = ("compute mem-fraction-for-runtime", "ask")
    found = one(Parameter("f", ParameterType.FLOAT, sources, help="the fraction"))
    assert isinstance(found, Missing)
    assert found.reason.startswith("ask: the fraction (--set f=VALUE) (cannot be computed: the log does not tell ")
    assert one(Parameter("f", ParameterType.FLOAT, sources, 0.8)) == Typed("0.8", 0.8, "the playbook's default")
    assert one(Parameter("f", ParameterType.FLOAT, ("compute gone",))) == Missing("there is no formula 'gone'")
