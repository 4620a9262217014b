"""Fit the table of weights to the labelled corpus, and say whether the fit is any better on causes it has not seen.

    python -m tools.calibrate [--write]

Prints the authors' numbers, those in use and the fitted ones, the scores of authors' and fitted table on held-out causes, and
how often answers of each confidence were right. ``--write`` puts the fitted table into triage/reasoning/weights_table.py if it
did better than the authors' numbers, and else the authors' numbers. docs/calibration.md says what is fitted and why so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tools.corpus import corpus_root, read_cases
from tools.fit import HeldOut, fit, held_out
from tools.trials import Judge, Outcome, Trial, figures, trials
from tools.weight_table import AUTHORS, TABLE_FILE, Table, table_source
from triage.engine import load
from triage.reasoning.weights_table import TABLE

_BINS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)


def calibrate(judge: Judge) -> tuple[Table, list[str]]:
    """The table to adopt, and the account of why."""
    fitted = fit(judge, range(len(judge.trials)))
    before = held_out(judge, lambda _judge, _members: AUTHORS)
    after = held_out(judge, fit)
    better = is_better(before, after)
    kinds = [trial.kind for trial in judge.trials]
    groups = len({trial.group for trial in judge.trials})
    lines = [
        f"logs: {kinds.count('labelled')} labelled, {kinds.count('left-out')} again with their signature off, {kinds.count('healthy')} healthy",
        f"{groups} groups in {len(after.tables)} folds",
        "",
        *_table_lines(fitted, after.tables),
        "",
        *_score_lines(judge, before, after, judge.outcomes(fitted)),
        "",
        "held-out answers, authors' table:",
        *reliability(judge.trials, before.outcomes),
        "held-out answers, fitted tables:",
        *reliability(judge.trials, after.outcomes),
        "",
        f"held-out loss {before.score:.4f} -> {after.score:.4f}: use the numbers {'fitted' if better else 'of the authors'}",
    ]
    return (fitted if better else AUTHORS), lines


def is_better(before: HeldOut, after: HeldOut) -> bool:
    """A lower loss on held-out causes, without a single further over-claim."""
    claims = [sum(item.is_over_claim for item in found.outcomes) for found in (before, after)]
    return after.score < before.score and claims[1] <= claims[0]


def _table_lines(fitted: Table, tables: Sequence[Table]) -> Iterator[str]:
    yield f"{'decibans':<18}{'authors':>9}{'in use':>9}{'fitted':>9}   over the folds"
    for name, value in AUTHORS.items():
        seen = [table[name] for table in tables]
        yield f"{name:<18}{value:>9}{TABLE[name]:>9}{fitted[name]:>9}   {min(seen)} to {max(seen)}"


def _score_lines(judge: Judge, before: HeldOut, after: HeldOut, seen: Sequence[Outcome]) -> Iterator[str]:
    rows = {
        "authors": figures(list(zip(judge.trials, before.outcomes, strict=True))),
        "fitted, held out": figures(list(zip(judge.trials, after.outcomes, strict=True))),
        "fitted, all seen": figures(list(zip(judge.trials, seen, strict=True))),
    }
    yield f"{'':<18}" + "".join(f"{name:>13}" for name in rows["authors"])
    for row, values in rows.items():
        yield f"{row:<18}" + "".join(f"{value:>13.4g}" for value in values.values())
    for row, losses in (("authors", before.fold_losses), ("fitted, held out", after.fold_losses)):
        yield f"loss by fold, {row}: " + "  ".join(f"{value:.4f}" for value in losses)


def reliability(tried: Sequence[Trial], outcomes: Sequence[Outcome]) -> Iterator[str]:
    """One line for each range of confidence: how many answers of failures, how sure, how often right."""
    firsts = [
        (found.confidence, found.right)
        for trial, found in zip(tried, outcomes, strict=True)
        if found.confidence is not None and trial.kind != "healthy"
    ]
    for low, high in pairwise(_BINS):
        inside = [item for item in firsts if low <= item[0] < high or item[0] == high == 1.0]
        if inside:
            sure, right = (sum(item[column] for item in inside) / len(inside) for column in (0, 1))
            yield f"  {low:.2f}-{high:.2f}  {len(inside):4}  said {sure:.2f}  right {right:.2f}"


def main(argv: list[str]) -> int:
    """Print the account; with ``--write`` put the table to be used in its place."""
    knowledge = load()
    table, lines = calibrate(Judge(trials(read_cases(knowledge, corpus_root()), knowledge.base)))
    print("\n".join(lines))
    if "--write" in argv:
        TABLE_FILE.write_text(table_source(table), encoding="utf-8")
        print(f"written: {TABLE_FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
