"""The script from a corpus to a stored table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tools import calibrate
from tools.corpus import corpus_root, read_cases
from tools.fit import HeldOut
from tools.trials import Judge, Outcome, figures, trials
from tools.weight_table import AUTHORS, table_source
from triage.reasoning.weights_table import TABLE

if TYPE_CHECKING:
    from triage.knowledge.compiled import Knowledge

LINES = {
    "all-words": "the vessel leaks badly",
    "inner-failure": "KeyError: the inner drawer",
    "outer-failure": "RuntimeError: the outer cupboard",
    "cold-morning": "frost on the pipe",
}


@pytest.fixture(name="table_file")
def table_file_fixture(
    tmp_path: Path, write_case: Callable[..., Path], tiny_knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Where the script is made to write; the corpus is one in which a strong line is always right."""
    for identifier, line in LINES.items():
        for number in range(4):
            write_case(f"{identifier}-{number}", line, identifier)
    monkeypatch.setenv("SGLTRIAGE_CORPUS", str(write_case("quiet", "all is well")))
    monkeypatch.setattr(calibrate, "load", lambda: tiny_knowledge)
    monkeypatch.setattr(calibrate, "TABLE_FILE", tmp_path / "table.py")
    return tmp_path / "table.py"


def test_prints_and_writes_nothing_unasked(table_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The account has the tables, the scores of both and the reliability bins; the file stays as it is."""
    assert calibrate.main([]) == 0
    printed = capsys.readouterr().out
    assert not table_file.exists()
    assert "logs: 16 labelled, 16 again with their signature off, 1 healthy" in printed
    for word in (*AUTHORS, "brier", "held out", "said", "right"):
        assert word in printed


def test_writes_what_did_better(table_file: Path, tiny_knowledge: Knowledge) -> None:
    """The fitted table is stored when it does better on held-out causes."""
    judge = Judge(trials(read_cases(tiny_knowledge, corpus_root()), tiny_knowledge.base))
    table, lines = calibrate.calibrate(judge)
    assert table != AUTHORS
    assert lines[-1].endswith("use the numbers fitted")
    assert calibrate.main(["--write"]) == 0
    assert table_file.read_text(encoding="utf-8") == table_source(table)


def test_keeps_the_authors_numbers_when_the_fit_did_worse(
    tiny_knowledge: Knowledge, table_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fit that is worse on held-out causes is not adopted."""
    monkeypatch.setattr(calibrate, "fit", lambda _judge, _members: {**AUTHORS, "strong": 8.5})
    judge = Judge(trials(read_cases(tiny_knowledge, corpus_root()), tiny_knowledge.base))
    table, lines = calibrate.calibrate(judge)
    assert table == AUTHORS
    assert lines[-1].endswith("use the numbers of the authors")
    assert not table_file.exists()


def test_a_further_over_claim_is_no_improvement() -> None:
    """A lower loss does not buy a confident wrong answer."""

    def found(score: float, confidence: float) -> HeldOut:
        return HeldOut((Outcome(confidence, right=False),), (score,), (AUTHORS,))

    assert calibrate.is_better(found(0.2, 0.79), found(0.1, 0.79))
    assert not calibrate.is_better(found(0.2, 0.79), found(0.1, 0.81))
    assert not calibrate.is_better(found(0.2, 0.79), found(0.2, 0.79))


def test_reliability_bins(tiny_knowledge: Knowledge, table_file: Path) -> None:
    """Each line counts the answers of its range, how sure they were and how many were right; silence is in none."""
    assert not table_file.exists()
    tried = trials(read_cases(tiny_knowledge, corpus_root()), tiny_knowledge.base)[:4]
    outcomes = [
        Outcome(0.72, right=True),
        Outcome(0.78, right=False),
        Outcome(1.0, right=True),
        Outcome(None, right=False),
    ]
    assert list(calibrate.reliability(tried, outcomes)) == [
        "  0.70-0.80     2  said 0.75  right 0.50",
        "  0.95-1.00     1  said 1.00  right 1.00",
    ]


@pytest.mark.corpus
def test_numbers_in_use_suit_the_labelled_corpus(knowledge: Knowledge) -> None:
    """Those that are shipped lose no more than the authors' own, and no answer is wrong and sure."""
    try:
        root = corpus_root()
    except SystemExit as reason:
        pytest.skip(str(reason))
    judge = Judge(trials(read_cases(knowledge, root), knowledge.base))
    used, authors = (figures(list(zip(judge.trials, judge.outcomes(table), strict=True))) for table in (TABLE, AUTHORS))
    assert used["loss"] <= authors["loss"]
    assert used["brier"] <= authors["brier"]
    assert used["over-claims"] <= max(authors["over-claims"], 0.05 * len(judge.trials))
