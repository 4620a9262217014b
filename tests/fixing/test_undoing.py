"""What was done is taken back, the last first, as the journal keeps it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from triage.fixing.execution import InterruptedStepError
from triage.fixing.journal import Journal
from triage.fixing.plan import Plan
from triage.fixing.runner import run_plan
from triage.fixing.step_records import StepProgress, state_of
from triage.fixing.undoing import steps_to_undo, take_back_all
from triage.fixing.workshop import Workshop

if TYPE_CHECKING:
    from tests.fixing.conftest import Operator

Planned = Callable[..., Plan]
Operators = Callable[..., "Operator"]

STEPS = """
parameters:
  file: {type: path, from: ask, help: a file}
steps:
  - {id: edit, title: Edit, why: So., kind: change, edit: {file: "{file}", set: {A: "2"}}}
  - {id: make, title: Make, why: So., kind: change, argv: [touch, "{file}-made"], undo: {argv: [rm, "{file}-made"]}}
  - {id: look, title: Look, why: So., kind: check, argv: [ls, "{file}"]}
  - {id: hand, title: By hand, why: So., kind: change, argv: ["true"], undo: {text: "Turn the knob back."}}
"""


@pytest.fixture
def done(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path
) -> tuple[Journal, Path]:
    """A run of the steps above, and the file that was edited."""
    path = tmp_path / "x"
    path.write_text("A=1\n")
    path.chmod(0o640)
    result = run_plan(planned(STEPS, file=str(path)), workshop, journal, operator())
    assert [outcome for _, outcome in result.outcomes] == ["done"] * 4
    return journal, path


def test_the_last_first(done: tuple[Journal, Path], workshop: Workshop, operator: Operators) -> None:
    """What has an undo is taken back, in order; the first that cannot be ends it; nothing is done twice."""
    journal, path = done
    assert [item.step for item in steps_to_undo(journal.records())] == ["hand", "look", "make", "edit"]
    watcher = operator()
    assert list(take_back_all(workshop, journal, watcher)) == [("hand", "failed")]
    assert watcher.heard == [("hand", "failed", "to be done by hand: Turn the knob back.")]
    assert path.read_text() == "A=2\n"
    watcher = operator()
    taken = list(take_back_all(workshop, journal, watcher, lambda item: item.step != "hand"))
    assert taken == [("make", "undone"), ("edit", "undone")]
    assert [(step, outcome) for step, outcome, _ in watcher.heard][:2] == [("hand", "kept"), ("look", "kept")]
    assert path.read_text() == "A=1\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert not Path(f"{path}-made").exists()
    assert [item.step for item in steps_to_undo(journal.records())] == ["hand", "look"]


def test_only_what_is_agreed_to(done: tuple[Journal, Path], workshop: Workshop, operator: Operators) -> None:
    """Each step for itself."""
    journal, path = done
    assert list(take_back_all(workshop, journal, operator(), lambda item: item.step == "edit")) == [("edit", "undone")]
    assert path.read_text() == "A=1\n"
    assert Path(f"{path}-made").exists()


def test_a_file_that_somebody_changed_since(
    done: tuple[Journal, Path], workshop: Workshop, operator: Operators
) -> None:
    """It is left as it is, and where the copy lies is told."""
    journal, path = done
    path.write_text("A=2\nB=3\n")
    watcher = operator()
    assert list(take_back_all(workshop, journal, watcher, lambda item: item.step == "edit")) == [("edit", "failed")]
    assert path.read_text() == "A=2\nB=3\n"
    assert "was changed by somebody else since" in watcher.heard[-1][2]
    assert str(workshop.backups) in watcher.heard[-1][2]
    assert state_of(journal.records())["edit"] is StepProgress.FAILED


def test_an_undo_that_fails_ends_it(done: tuple[Journal, Path], workshop: Workshop, operator: Operators) -> None:
    """What lies below may rest on it."""
    journal, path = done
    Path(f"{path}-made").unlink()
    taken = list(take_back_all(workshop, journal, operator(), lambda item: item.step != "hand"))
    assert taken == [("make", "failed")]
    assert path.read_text() == "A=2\n"


def test_an_agreement_is_for_one_undo(done: tuple[Journal, Path]) -> None:
    """Digests of different steps differ, and the same record has the same one."""
    journal, _ = done
    first, again = steps_to_undo(journal.records()), steps_to_undo(journal.records())
    assert [item.digest for item in first] == [item.digest for item in again]
    assert len({item.digest for item in first}) == 4


def test_what_failed_may_have_done_something(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path
) -> None:
    """A step with an undo that failed is offered; one that never started is not."""
    text = STEPS.split("steps:")[0] + "steps:"
    text += '\n  - {id: a, title: A, why: So., kind: change, argv: [ls, "{file}"], undo: {argv: ["true"]}, on_failure: continue}'
    text += '\n  - {id: b, title: B, why: So., kind: change, argv: [ls], cwd: "{file}", undo: {argv: ["true"]}}\n'
    run_plan(planned(text, file=str(tmp_path / "gone")), workshop, journal, operator())
    assert [item.step for item in steps_to_undo(journal.records())] == ["a"]


SLOW = """
steps:
  - id: slow
    title: Slow
    why: So.
    kind: change
    argv: ["true"]
    undo: {argv: ["{python}", "-c", "import time; print('one', flush=True); time.sleep(20)"]}
"""


def test_an_undo_that_is_broken_off_has_its_end(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators
) -> None:
    """Ctrl-C, and yes: it is ended, noted as failed, and offered again."""
    run_plan(planned(SLOW), workshop, journal, operator())
    watcher = operator(on_output=lambda _: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(InterruptedStepError):
        list(take_back_all(workshop, journal, watcher))
    last = journal.records()[-1]
    assert (last.event, last.data["ok"], last.data["told"]) == ("undo-end", False, "broken off")
    assert [item.step for item in steps_to_undo(journal.records())] == ["slow"]


def test_a_screen_that_breaks_does_not_end_an_undo(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators
) -> None:
    """It goes on to its end, which is noted; then the error is told."""
    run_plan(planned(SLOW.replace("sleep(20)", "sleep(0.1)")), workshop, journal, operator())

    def broken(_: str) -> None:
        raise BrokenPipeError

    watcher = operator(on_output=broken)
    with pytest.raises(BrokenPipeError):
        list(take_back_all(workshop, journal, watcher))
    assert journal.records()[-1].data["ok"] is True
    assert state_of(journal.records()) == {"slow": StepProgress.UNDONE}


SECRET = "hf_SENTINELSENTINELSENTINELSENTINEL"


@pytest.mark.parametrize("step", [
    f'argv: ["true"], undo: {{argv: [echo, "--token", "{SECRET}"]}}',
    f'argv: ["true"], env: {{HF_TOKEN: "{SECRET}"}}, undo: {{argv: ["true"]}}',
    f'argv: ["true"], undo: {{text: "Put {SECRET} back."}}',
    f'argv: [echo, "--token={SECRET}"], undo: {{argv: ["true"]}}',
    f'argv: ["true"], verify: {{argv: [echo, "--api-key", "{SECRET}"]}}',
    f'argv: ["true"], already_done: {{argv: [ls, "--token={SECRET}"]}}',
])  # fmt: skip
def test_no_secret_in_the_journal(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, step: str
) -> None:
    """Wherever a playbook puts it, no record has it; an undo that would need it is for people then."""
    watcher = operator()
    run_plan(
        planned(f"\nsteps:\n  - {{id: a, title: A, why: So., kind: change, {step}}}\n"), workshop, journal, watcher
    )
    assert state_of(journal.records()) == {"a": StepProgress.FINISHED}
    assert "SENTINEL" not in journal.path.read_text()
    assert "SENTINEL" not in "".join([*watcher.lines, *(text for _, _, text in watcher.heard)])
    (item,) = steps_to_undo(journal.records())
    if "undo" in step and "token=" not in step:
        assert item.undo is not None
        assert item.undo["kind"] == "words"
