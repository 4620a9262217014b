"""Checks carried out: yes, no or unknown, each with its proof in words."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from triage.fixing.execution import NotStartedError, execute
from triage.fixing.step_output import TAIL
from triage.fixing.workshop import Workshop
from triage.model import FactTest, Value
from triage.playbook import Check, Missing
from triage.probing.catalogue import all_probes
from triage.probing.host import answers, look_at
from triage.probing.probe import Target
from triage.reasoning.conditions import all_hold, holds
from triage.records import dataclass
from triage.safety.redact import Redactor

CHECK_SECONDS = 60.0
SETTLING_SECONDS = (0.2, 0.5, 1.0, 2.0)
"""Pauses between the looks at what follows a change with a delay."""
_SEARCH_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """``holds``: None where it cannot be told. ``proof``: what was seen, or why nothing was."""

    holds: bool | None
    proof: str
    facts: tuple[tuple[str, Value], ...] = ()


def carry_out(check: Check, workshop: Workshop) -> CheckAnswer:
    """The answer of a check whose parameters are filled in. Never raises for what the machine lacks."""
    return _probed(check, workshop) if check.probe else _ran(check, workshop)


def carry_out_after_change(check: Check, workshop: Workshop, rest: Callable[[float], None] = time.sleep) -> CheckAnswer:
    """The answer of a check right after something was done. What probes look at follows with a delay (GPU memory, ports and
    services are given back some moments after a process ended), so a no is asked again for a few seconds."""
    answer = carry_out(check, workshop)
    for pause in SETTLING_SECONDS if check.probe else ():
        if answer.holds is not False:
            break
        rest(pause)
        answer = carry_out(check, workshop)
    return answer


def in_words(check: Check) -> str:
    """What a check asks, for people."""
    if check.label:
        return check.label
    if check.probe:
        return f"probe {check.probe}: " + ", ".join(map(_test_in_words, check.facts))
    assert check.run is not None
    command = shlex.join((("pip",) if check.run.pip else ()) + check.run.argv)
    told = [f"ends with {check.exit_code}"]
    told += [f"its output has {text!r}" for text in (check.has, check.matches) if text]
    told += [f"its output lacks {check.lacks!r}"] if check.lacks else []
    return f"{command} {' and '.join(told)}"


def _test_in_words(test: FactTest) -> str:
    words = {
        "eq": "is",
        "ne": "is not",
        "lt": "below",
        "gt": "above",
        "le": "at most",
        "ge": "at least",
        "in": "one of",
    }
    operand = ", ".join(map(str, test.operand)) if isinstance(test.operand, tuple) else test.operand
    if test.operator == "exists":
        return f"{test.name} {'is known' if test.operand else 'is not there'}"
    return f"{test.name} {words.get(test.operator, test.operator)} {operand}"


def _probed(check: Check, workshop: Workshop) -> CheckAnswer:
    probe = next((item for item in all_probes() if item.name == check.probe), None)
    if probe is None:
        return CheckAnswer(None, f"no probe {check.probe}")
    target = Target(workshop.surroundings.python, workshop.pid, workshop.facts, dict(workshop.environment))
    (answer,) = answers([probe], look_at([probe], target, Redactor()))
    if answer.outcome != "ok":
        return CheckAnswer(None, f"probe {probe.name}: {answer.outcome}: {answer.reason}")
    facts = {fact.name: fact.value for fact in answer.facts}
    result = all_hold(_with_absent(check.facts, facts), facts)
    return CheckAnswer(result, f"probe {probe.name}: {_seen(check.facts, facts)}", tuple(facts.items()))


def _with_absent(tests: tuple[FactTest, ...], facts: Mapping[str, Value]) -> list[FactTest]:
    """A probe that answered tells all that it can: what it does not state is not there."""
    return [test for test in tests if not (test.operator == "exists" and not test.operand and test.name not in facts)]


def _seen(tests: tuple[FactTest, ...], facts: Mapping[str, Value]) -> str:
    return ", ".join(
        f"{test.name} is {facts[test.name]}" + ("" if holds(test, facts) else f", wanted: {_test_in_words(test)}")
        if test.name in facts
        else f"{test.name} is not told"
        for test in tests
    )


def _ran(check: Check, workshop: Workshop) -> CheckAnswer:
    assert check.run is not None
    argv = workshop.argv(check.run)
    if isinstance(argv, Missing):
        return CheckAnswer(None, argv.reason)
    try:
        done = execute(
            argv,
            cwd=Path("/"),
            environment=workshop.child_environment({"LC_ALL": "C", "NO_COLOR": "1"}),
            timeout_s=CHECK_SECONDS,
            on_output=lambda _: None,
            use_pty=False,
            stop=lambda: True,
        )
    except NotStartedError as error:
        return CheckAnswer(None, str(error))
    shown = shlex.join(Redactor().redact_arguments((Path(argv[0]).name, *argv[1:])))
    if done.signal is not None and not done.timed_out:
        return CheckAnswer(None, f"{shown}: ended by signal {done.signal}")
    if done.timed_out or done.exit_code is None:
        return CheckAnswer(None, f"{shown}: no answer within {CHECK_SECONDS:g} s")
    proof = f"{shown}: exit status {done.exit_code}"
    if done.exit_code != check.exit_code:
        return CheckAnswer(False, proof)
    for pattern, wanted in ((check.matches, True), (check.lacks, False)):
        if not pattern:
            continue
        try:
            found = _search(pattern, done.tail)
        except TimeoutError:
            return CheckAnswer(None, f"{proof}, it takes too long to look for {pattern!r} in its output")
        if found is None and done.bytes > TAIL:
            return CheckAnswer(None, f"{proof}, the last {TAIL >> 10} KiB of its output lack {pattern!r}")
        if (found is not None) is not wanted:
            return CheckAnswer(False, f"{proof}, {_told(pattern, found)}")
        proof = f"{proof}, {_told(pattern, found)}"
    return CheckAnswer(True, f"{proof}, {_told(check.has, check.has)}" if check.has else proof)


def _search(pattern: str, text: str) -> str | None:
    """What of ``text`` the pattern finds.

    Raises:
        TimeoutError: it takes too long.
    """
    import regex

    found = regex.search(pattern, text, timeout=_SEARCH_SECONDS)
    return None if found is None else re.sub(r"\s+", " ", found[0])[:120]


def _told(pattern: str, found: str | None) -> str:
    return f"its output has {found!r}" if found is not None else f"its output lacks {pattern!r}"
