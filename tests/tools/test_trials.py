"""What a table is judged on: each log with and without its cause's signature, and what an answer costs."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tools.corpus import read_cases
from tools.trials import Judge, Outcome, Trial, figures, loss, trials
from tools.weight_table import AUTHORS
from triage.knowledge.base import KnowledgeBase
from triage.model import Observation

if TYPE_CHECKING:
    from triage.knowledge.compiled import Knowledge


def trial(kind: str = "labelled", *, answerable: bool = True) -> Trial:
    """One that nobody needs to answer."""
    return Trial("x", "x", kind, frozenset({"x"}), answerable, Observation(), KnowledgeBase({}), ())


def test_a_surer_right_answer_costs_less() -> None:
    """The loss is that of a logarithmic score, and saying more than 98 % gains nothing."""
    assert loss(trial(), Outcome(0.5, right=True)) == pytest.approx(log(2))
    assert loss(trial(), Outcome(0.9, right=True)) < loss(trial(), Outcome(0.6, right=True))
    assert loss(trial(), Outcome(0.98, right=True)) == loss(trial(), Outcome(1.0, right=True))


def test_a_surer_wrong_answer_costs_more_and_an_over_claim_five_times_as_much() -> None:
    """Up to 0.8 it is the logarithmic score, beyond it each nat counts five times."""
    assert loss(trial(), Outcome(0.8, right=False)) == pytest.approx(log(5))
    added = loss(trial(), Outcome(0.9, right=False)) - loss(trial(), Outcome(0.8, right=False))
    assert added == pytest.approx(5 * log(2))


def test_silence_is_free_only_where_nothing_could_be_said() -> None:
    """Hiding a fair answer costs as much as the least sure one that is shown."""
    assert loss(trial(answerable=False), Outcome(None, right=False)) == 0
    assert loss(trial(), Outcome(None, right=False)) == pytest.approx(loss(trial(), Outcome(0.1, right=True)))


def test_each_case_is_tried_with_and_without_its_signature(
    write_case: Callable[..., Path], tiny_knowledge: Knowledge
) -> None:
    """A case whose cause we know makes two trials of one group, one that we do not know and a healthy log make one."""
    write_case("a", "the vessel has burst", "all-words")
    write_case("b", "frost on the pipe\nthe vessel has burst", "cold-morning", accept=("all-words",))
    write_case("c", "something else", "not-yet-written")
    found = trials(read_cases(tiny_knowledge, write_case("quiet", "all is well")), tiny_knowledge.base)
    assert [(item.name, item.kind, item.group, item.answerable) for item in found] == [
        ("a", "labelled", "all-words", True),
        ("a", "left-out", "all-words", False),
        ("b", "labelled", "cold-morning", True),
        ("b", "left-out", "cold-morning", True),
        ("c", "labelled", "not-yet-written", False),
        ("quiet", "healthy", "quiet", False),
    ]
    outcomes = Judge(found).outcomes(AUTHORS)
    assert [(item.confidence is not None, item.right) for item in outcomes] == [
        (True, True),
        (False, False),
        (True, True),
        (True, True),
        (False, False),
        (False, False),
    ]


def test_an_alarm_on_a_healthy_log_is_a_wrong_answer(
    write_case: Callable[..., Path], tiny_knowledge: Knowledge
) -> None:
    """Nobody's fault is blamed on the surest cause."""
    root = write_case("quiet", "the vessel has burst\nfrost on the pipe")
    judge = Judge(trials([case for case in read_cases(tiny_knowledge, root) if case.is_healthy], tiny_knowledge.base))
    (found,) = judge.outcomes(AUTHORS)
    assert found.is_over_claim
    assert figures([(judge.trials[0], found)])["alarms"] == 1


@pytest.mark.parametrize("name", AUTHORS)
def test_what_a_trial_does_not_depend_on_changes_nothing(
    name: str, write_case: Callable[..., Path], tiny_knowledge: Knowledge
) -> None:
    """Answers are remembered by the numbers that they depend on: no other may change them."""
    write_case("a", "the vessel leaks badly\na valve is warm", "all-words")
    write_case("b", "frost on the pipe, pressure fell at once", "cold-morning")
    write_case("c", "the moon is in the way", "seldom-seen")
    write_case("d", "KeyError: the inner drawer", "outer-failure")
    write_case("e", "the vessel leaks badly, pressure fell at once", "all-words")
    root = write_case("quiet", "pressure is steady now")
    found = trials(read_cases(tiny_knowledge, root), tiny_knowledge.base)
    others = [item for item in found if name not in item.depends_on]
    assert others
    for item in others:
        moved = {**AUTHORS, name: AUTHORS[name] + 1.0}
        assert Judge([item]).outcomes(moved) == Judge([item]).outcomes(AUTHORS)


def test_figures() -> None:
    """Shares of the labelled and of the left-out logs, the Brier score of what was said, and the worst defects."""
    judged = [
        (trial(), Outcome(0.9, right=True)),
        (trial(), Outcome(0.9, right=False)),
        (trial("left-out"), Outcome(0.6, right=False)),
        (trial("left-out"), Outcome(0.3, right=False)),
        (trial("left-out", answerable=False), Outcome(None, right=False)),
        (trial("left-out"), Outcome(0.7, right=True)),
        (trial("healthy", answerable=False), Outcome(0.2, right=False)),
    ]
    found = figures(judged)
    assert found["top1"] == 0.5
    assert found["honest"] == 0.75
    assert found["over-claims"] == 1
    assert found["alarms"] == 1
    assert found["brier"] == pytest.approx((0.01 + 0.81 + 0.36 + 0.09 + 0.09) / 5)
    assert found["loss"] == pytest.approx(sum(loss(*pair) for pair in judged) / 7)
