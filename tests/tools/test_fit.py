"""The fit follows the labels as far as it may, and never judges itself on causes that it was fitted on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.corpus import read_cases
from tools.fit import FOLDS, fit, fold_of_groups, held_out, ridge
from tools.trials import Judge, trials
from tools.weight_table import AUTHORS, Table, keeps_promises

if TYPE_CHECKING:
    from triage.knowledge.compiled import Knowledge

STRONG = {
    "all-words": "the vessel leaks badly",
    "inner-failure": "KeyError: the inner drawer",
    "outer-failure": "RuntimeError: the outer cupboard",
    "seldom-seen": "the moon is in the way",
    "cold-morning": "frost on the pipe",
}
FITTED_FROM_STRONG = {"strong", "common", "occasional", "rare"}


def judge_of(write_case: Callable[..., Path], knowledge: Knowledge, *, right: bool, copies: int = 6) -> Judge:
    """Logs of one strong line each; what it speaks for is always the cause, or never."""
    root = Path()
    for identifier, line in STRONG.items():
        for number in range(copies):
            cause = identifier if right else f"unknown-{identifier}"
            root = write_case(f"{identifier}-{number}", line, cause)
    return Judge(trials(read_cases(knowledge, root), knowledge.base))


def test_lines_that_are_always_right_gain(write_case: Callable[..., Path], tiny_knowledge: Knowledge) -> None:
    """The score of a strong line rises, but no further than its promise; what was never seen keeps the authors' number."""
    judge = judge_of(write_case, tiny_knowledge, right=True)
    table = fit(judge, range(len(judge.trials)))
    assert table["strong"] + table["occasional"] > AUTHORS["strong"] + AUTHORS["occasional"]
    assert keeps_promises(table)
    assert {name for name in AUTHORS if table[name] != AUTHORS[name]} <= FITTED_FROM_STRONG
    assert sum(judge.losses(table)) + ridge(table) < sum(judge.losses(AUTHORS))


def test_lines_that_are_always_wrong_lose(write_case: Callable[..., Path], tiny_knowledge: Knowledge) -> None:
    """The score of a strong line falls, but not out of the bounds."""
    judge = judge_of(write_case, tiny_knowledge, right=False)
    table = fit(judge, range(len(judge.trials)))
    assert table["strong"] + table["common"] < AUTHORS["strong"] + AUTHORS["common"]
    assert keeps_promises(table)
    assert all(abs(table[name] - AUTHORS[name]) <= max(2.0, 0.3 * abs(AUTHORS[name])) for name in AUTHORS)


def test_the_fit_is_the_same_each_time(write_case: Callable[..., Path], tiny_knowledge: Knowledge) -> None:
    """Nothing in it is left to chance, nor to what was asked before."""
    judge = judge_of(write_case, tiny_knowledge, right=True, copies=2)
    everything = range(len(judge.trials))
    assert fit(judge, everything) == fit(Judge(judge.trials), everything) == fit(judge, everything)


def test_nothing_to_fit_on_leaves_the_authors_numbers() -> None:
    """Without logs the ridge alone decides."""
    assert fit(Judge([]), []) == AUTHORS
    assert ridge(AUTHORS) == 0
    assert ridge({**AUTHORS, "hints": 5.0}) == pytest.approx(0.5)


@given(st.lists(st.sampled_from("abcdefghijkl"), max_size=60), st.integers(1, 7))
def test_no_group_is_split(groups: list[str], count: int) -> None:
    """Each group has one fold, and no fold holds more than its share and one more group."""
    folds = fold_of_groups(groups, count)
    assert set(folds) == set(groups)
    assert all(0 <= fold < count for fold in folds.values())
    sizes = [sum(folds[group] == fold for group in groups) for fold in range(count)]
    largest = max((groups.count(group) for group in groups), default=0)
    assert max(sizes) - min(sizes) <= largest
    assert folds == fold_of_groups(sorted(groups), count)


def test_held_out_causes_are_not_fitted_on(write_case: Callable[..., Path], tiny_knowledge: Knowledge) -> None:
    """Every trial is answered once, by a table made of none of its cause's trials."""
    judge = judge_of(write_case, tiny_knowledge, right=True, copies=2)
    groups = [trial.group for trial in judge.trials]
    seen: list[set[str]] = []

    def fitted(_: Judge, members: Sequence[int]) -> Table:
        seen.append({groups[index] for index in members})
        return {**AUTHORS, "strong": 14.0 - len(seen) * 0.5}

    found = held_out(judge, fitted)
    folds = fold_of_groups(groups)
    assert len(seen) == len(found.tables) == len(found.fold_losses) == min(FOLDS, len(set(groups)))
    for number, known in enumerate(seen):
        assert known == {group for group in groups if folds[group] != number}
    for index, group in enumerate(groups):
        assert found.outcomes[index] == judge.outcomes(found.tables[folds[group]])[index]
    assert found.score == pytest.approx(sum(found.fold_losses) / len(found.fold_losses))
