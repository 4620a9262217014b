"""A table on trial: what it must promise, that the whole of the reasoning weighs by it, and how it is stored."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tools.weight_table import AUTHORS, TABLE_FILE, in_force, keeps_promises, table_source
from triage.engine import observe_text
from triage.model import Fact
from triage.reasoning.diagnose import diagnose
from triage.reasoning.weights_table import TABLE

if TYPE_CHECKING:
    from triage.knowledge.compiled import Knowledge

CHAIN = b"""Traceback (most recent call last):
  File "/srv/drawer.py", line 3, in pull
    handle()
KeyError: the inner drawer

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/cupboard.py", line 9, in open_door
    pull()
RuntimeError: the outer cupboard
"""
LOGS = {
    "decisive": b"the vessel has burst\n",
    "strong": b"the vessel leaks badly\n",
    "supports": b"pressure fell at once\n",
    "hints": b"the vessel leaks badly\na valve is warm\n",
    "contradicts": b"the vessel has burst\npressure is steady now\n",
    "rules-out": b"the vessel has burst\nthe vessel was replaced\n",
    "common": b"the vessel has burst\n",
    "occasional": b"KeyError: the inner drawer\n",
    "rare": b"the moon is in the way\n",
    "same-family-cap": b"the vessel has burst, the vessel leaks badly\n",
    "outside-versions": b"the vessel has burst\n",
    "later-in-chain": CHAIN,
}
"""For each number a log on which it counts."""


def answers(name: str, knowledge: Knowledge) -> dict[str, tuple[float, float]]:
    """(decibans, confidence) of every cause considered on the log of that number."""
    release = "0.4.1" if name == "outside-versions" else "0.5.1"
    facts = (Fact("sglang.version", release, "<text>:1", "<text>"),)
    report = diagnose(replace(observe_text(LOGS[name], knowledge), facts=facts), knowledge.base)
    return {item.id: (item.decibans, item.confidence) for item in report.diagnoses} | {
        item.id: (item.decibans, 0.0) for item in report.rejected
    }


def test_every_number_has_a_log() -> None:
    """The logs below cover the whole table."""
    assert set(LOGS) == set(AUTHORS) == set(TABLE)


@pytest.mark.parametrize("name", AUTHORS)
def test_a_number_on_trial_is_the_one_that_counts(name: str, tiny_knowledge: Knowledge) -> None:
    """Moving a single number changes what is answered: no module weighs by a copy that the trial does not reach."""
    with in_force(AUTHORS):
        before = answers(name, tiny_knowledge)
    with in_force({**AUTHORS, name: AUTHORS[name] + 1.0}):
        after = answers(name, tiny_knowledge)
    assert before.keys() == after.keys() != set()
    assert before != after


def test_a_trial_leaves_nothing_behind(tiny_knowledge: Knowledge) -> None:
    """Afterwards everything weighs as before, whatever went wrong within."""
    before = {name: answers(name, tiny_knowledge) for name in LOGS}
    doubled = {name: 2 * value for name, value in TABLE.items()}
    with pytest.raises(KeyError), in_force(doubled):
        tiny_knowledge.base.get("no such cause")
    assert {name: answers(name, tiny_knowledge) for name in LOGS} == before


def test_authors_and_present_numbers_keep_the_promises() -> None:
    """What is fitted from and what is shipped is in order."""
    assert keeps_promises(AUTHORS)
    assert keeps_promises(TABLE)


@pytest.mark.parametrize(
    "broken",
    [
        {"strong": 27.0},
        {"supports": 15.5},
        {"hints": 7.0},
        {"hints": 0.0},
        {"contradicts": 0.0},
        {"contradicts": -39.0},
        {"occasional": -11.0},
        {"rare": -12.0},
        {"common": 1.0},
        {"same-family-cap": 4.0},
        {"same-family-cap": 0.0},
        {"outside-versions": 0.0},
        {"later-in-chain": 3.0},
        {"decisive": 25.0},
        {"strong": 16.0},
        {"strong": 5.0},
        {"supports": 10.0, "contradicts": -12.0},
        {"contradicts": -8.0},
        {"rules-out": -26.0},
    ],
    ids=str,
)
def test_a_broken_promise_is_seen(broken: dict[str, float]) -> None:
    """Words out of order or without their meaning make no table."""
    assert not keeps_promises({**AUTHORS, **broken})


def test_stored_and_read_back() -> None:
    """The text is a literal that gives the same numbers in the authors' order, and the file is one that was so written."""
    table = {**AUTHORS, "hints": 4.5}
    tree = ast.parse(table_source(table))
    value = next(node.value for node in tree.body if isinstance(node, ast.AnnAssign))
    assert value is not None
    assert list(ast.literal_eval(value).items()) == list(table.items())
    assert TABLE_FILE.read_text(encoding="utf-8") == table_source(TABLE)
