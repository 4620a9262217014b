"""A table of weights fitted to trials, and judged on causes that it has not seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.trials import Judge, Outcome
from tools.weight_table import AUTHORS, PRIORS, Table, keeps_promises

_STEPS = (2.0, 1.0, 0.5)
"""Decibans. The last is the grain of the table: nobody believes in tenths of a deciban."""
_RIDGE_SHARE, _RIDGE_LEAST = 0.15, 1.0
"""How far from the authors' number one would expect the right one: a share of it, and at least so many decibans."""
_PRIOR_DISTANCE = 1.0
"""Decibans. The corpus has about one log for each cause, however often it is met: it cannot tell what is common."""
_FARTHEST = 2.0
"""In those distances: where the corpus says little, a number must not run away."""
_LEAST_GAIN = 1e-6
FOLDS = 5


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What was answered on the groups that each fold's fit had not seen: outcomes in the order of the trials, the mean loss
    of each fold (nats), and the tables (the authors' own for the comparison)."""

    outcomes: tuple[Outcome, ...]
    fold_losses: tuple[float, ...]
    tables: tuple[Table, ...]

    @property
    def score(self) -> float:
        """Mean over the folds; less is better."""
        return sum(self.fold_losses) / len(self.fold_losses)


def ridge(table: Table) -> float:
    """Nats that a table costs for being far from the authors': those of a normal error around each number."""
    return sum(((table[name] - value) / _distance(name)) ** 2 / 2.0 for name, value in AUTHORS.items())


def _distance(name: str) -> float:
    return _PRIOR_DISTANCE if name in PRIORS else max(_RIDGE_LEAST, _RIDGE_SHARE * abs(AUTHORS[name]))


def fit(judge: Judge, members: Sequence[int]) -> Table:
    """The table with the least loss on the trials ``members`` plus ridge, by coordinate descent from the authors'."""

    def cost(table: Table) -> float:
        losses = judge.losses(table)
        return sum(losses[index] for index in members) + ridge(table)

    table, best = AUTHORS, cost(AUTHORS)
    for step in _STEPS:
        while True:
            moved, after = _round(table, best, step, cost)
            if moved == table:
                break
            table, best = moved, after
    return table


def _round(table: Table, best: float, step: float, cost: Callable[[Table], float]) -> tuple[Table, float]:
    """Every number moved once, up or down by ``step``, where that lowers the cost."""
    for name in AUTHORS:
        for value in (table[name] - step, table[name] + step):
            moved = {**table, name: value}
            if abs(value - AUTHORS[name]) > _FARTHEST * _distance(name) or not keeps_promises(moved):
                continue
            if (after := cost(moved)) < best - _LEAST_GAIN:
                table, best = moved, after
                break
    return table, best


def fold_of_groups(groups: Sequence[str], count: int = FOLDS) -> dict[str, int]:
    """A fold for each group: the largest first into the emptiest, so that folds are of like size and no group is split."""
    sizes = Counter(groups)
    filled = [0] * count
    fold: dict[str, int] = {}
    for group in sorted(sizes, key=lambda name: (-sizes[name], name)):
        fold[group] = filled.index(min(filled))
        filled[fold[group]] += sizes[group]
    return fold


def held_out(judge: Judge, fitted: Callable[[Judge, Sequence[int]], Table], count: int = FOLDS) -> HeldOut:
    """Each fold answered with the table that ``fitted`` makes of the other folds."""
    folds = fold_of_groups([trial.group for trial in judge.trials], count)
    numbers = range(len(judge.trials))
    outcomes: dict[int, Outcome] = {}
    means, tables = [], []
    for fold in range(count):
        inside = [index for index in numbers if folds[judge.trials[index].group] == fold]
        if not inside:
            continue
        table = fitted(judge, [index for index in numbers if folds[judge.trials[index].group] != fold])
        found, losses = judge.outcomes(table), judge.losses(table)
        outcomes |= {index: found[index] for index in inside}
        means.append(sum(losses[index] for index in inside) / len(inside))
        tables.append(table)
    return HeldOut(tuple(outcomes[index] for index in numbers), tuple(means), tuple(tables))
