"""Did it work? The deciding checks, carried out for real."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from triage.fixing.plan import Plan
from triage.fixing.verdict import FixVerdict, decide
from triage.fixing.workshop import Workshop

Planned = Callable[..., Plan]
HEAD = "\nparameters:\n  name: {type: ident, from: ask, help: the name}\nsteps:\n  - {id: a, title: A, why: So., kind: manual, text: x}\n"
YES, NO, LOST = '{argv: ["true"]}', '{argv: ["false"], label: it is well}', "{argv: [no-such-program-here]}"


@pytest.mark.parametrize(("checks", "verdict"), [
    ([YES], FixVerdict.FIXED), ([YES, YES], FixVerdict.FIXED), ([NO], FixVerdict.NOT_FIXED), ([YES, NO], FixVerdict.NOT_FIXED),
    ([LOST], FixVerdict.CANNOT_TELL), ([YES, LOST], FixVerdict.CANNOT_TELL), ([NO, LOST], FixVerdict.NOT_FIXED),
    ([LOST, NO], FixVerdict.NOT_FIXED), ([], FixVerdict.CANNOT_TELL), (['{argv: [echo, "{name}"]}'], FixVerdict.CANNOT_TELL),
])  # fmt: skip
def test_three_answers(planned: Planned, workshop: Workshop, checks: list[str], verdict: FixVerdict) -> None:
    """One no decides; one that cannot tell leaves it open; only yes throughout is fixed, and nothing at all tells nothing."""
    text = HEAD + ("verify:\n" + "".join(f"  - {check}\n" for check in checks) if checks else "")
    found = decide(planned(text), workshop)
    assert found.verdict is verdict
    assert len(found.seen) == len(checks)


def test_what_was_seen_is_kept(planned: Planned, workshop: Workshop) -> None:
    """Each check in words, with its proof; and what to look for, unless it is well."""
    found = decide(planned(f"{HEAD}verify:\n  - {NO}\n"), workshop)
    assert [(name, answer.proof) for name, answer in found.seen] == [("it is well", "false: exit status 1")]
    assert found.watch_for == "ready"
    assert decide(planned(f"{HEAD}verify:\n  - {YES}\n"), workshop).watch_for == ""


def test_a_value_that_is_not_known_is_the_reason(planned: Planned, workshop: Workshop) -> None:
    """A check that could not be filled in says what it lacks."""
    (seen,) = decide(planned(HEAD + 'verify:\n  - {argv: [echo, "{name}"]}\n'), workshop).seen
    assert seen[0] == "ask: the name (--set name=VALUE)"
    found = decide(planned(HEAD + 'verify:\n  - {argv: [echo, "{name}"], matches: eth}\n', name="eth0"), workshop)
    assert found.verdict is FixVerdict.FIXED
