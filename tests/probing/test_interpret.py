"""How a probe ends, from what its reads gave and what its parser makes of that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest

from triage.model import Value
from triage.probing.interpret import interpret
from triage.probing.probe import NotApplicable, Probe, Transcript, Unavailable, fixed

READ = Transcript("a", "ok", "1", seconds=0.25)
ABSENT = Transcript("b", "absent", reason="no command b", seconds=0.5)
SLOW = Transcript("c", "timed-out", reason="took more than 5 s", seconds=5.0)


def probe(parse: Callable[[Sequence[Transcript]], Iterable[tuple[str, Value]]]) -> Probe:
    """A probe with this parser."""
    return Probe("mine", "What I look at", fixed(), parse)


def raising(error: Exception) -> Probe:
    """A probe whose parser gives a fact and then fails."""

    def parse(_: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
        yield "mine.half", True
        raise error

    return probe(parse)


COUNT = probe(lambda items: [("mine.count", len(items)), ("mine.ok", True)])


def test_facts_say_which_probe_told_them() -> None:
    """The origin is what the ledger shows; the time is that of all reads."""
    answer = interpret(COUNT, (READ, ABSENT))
    assert (answer.name, answer.outcome, answer.reason, answer.seconds) == ("mine", "ok", "", 0.75)
    assert [(fact.name, fact.value, fact.origin) for fact in answer.facts] == [
        ("mine.count", 2, "probe mine"),
        ("mine.ok", True, "probe mine"),
    ]


def test_of_a_fact_told_twice_the_last_counts() -> None:
    """A parser may correct itself; two values of one name would be a contradiction."""
    answer = interpret(probe(lambda _: [("mine.x", 1), ("mine.x", 2)]), (READ,))
    assert [fact.value for fact in answer.facts] == [2]


def test_nothing_to_read_is_not_applicable() -> None:
    """The parser is not asked."""
    assert interpret(raising(AssertionError()), ()).outcome == "not-applicable"


@pytest.mark.parametrize(
    ("items", "outcome", "reason"),
    [
        ((ABSENT,), "unavailable", "no command b"),
        ((ABSENT, ABSENT), "unavailable", "no command b"),
        ((ABSENT, SLOW), "timed-out", "no command b; took more than 5 s"),
        ((Transcript("d", "denied"),), "unavailable", "denied"),
    ],
)
def test_nothing_readable(items: tuple[Transcript, ...], outcome: str, reason: str) -> None:
    """Each reason is told once, and the parser is not asked; one that took too long decides the word."""
    answer = interpret(raising(AssertionError()), items)
    assert (answer.outcome, answer.reason, answer.facts) == (outcome, reason, ())


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (NotApplicable("no GPU here"), "not-applicable", "no GPU here"),
        (Unavailable("nvidia-smi gave up"), "unavailable", "nvidia-smi gave up"),
        (ValueError("not a table"), "unparsable", "ValueError: not a table"),
        (KeyError("name"), "unparsable", "KeyError: 'name'"),
        (IndexError("range"), "unparsable", "IndexError: range"),
        (TypeError("None"), "unparsable", "TypeError: None"),
    ],
)
def test_a_parser_that_gives_up(error: Exception, outcome: str, reason: str) -> None:
    """Half an answer is none: what it had told before is dropped."""
    answer = interpret(raising(error), (READ,))
    assert (answer.outcome, answer.reason, answer.facts, answer.seconds) == (outcome, reason, (), 0.25)


def test_a_reason_is_short() -> None:
    """A parser may quote what it did not understand, and that can be long."""
    assert len(interpret(raising(ValueError("x" * 5000)), (READ,)).reason) == 200
