"""A plan carried out with real processes and files: what is asked, done, noted, verified and taken back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from triage.fixing.journal import Journal
from triage.fixing.plan import Plan
from triage.fixing.processes import identity
from triage.fixing.runner import Decision, ready_steps, run_plan
from triage.fixing.runs import verify
from triage.fixing.step_records import StepProgress, state_of
from triage.fixing.workshop import Workshop

if TYPE_CHECKING:
    from tests.fixing.conftest import Operator

PATHS = """
parameters:
  file: {type: path, from: ask, help: a file}
"""
TOUCH = """
  - id: %s
    title: Make the file %s
    why: To leave a trace.
    kind: change
    argv: [touch, "{file}-%s"]
    undo: {argv: [rm, "{file}-%s"]}
"""
FAIL = """
  - id: fail
    title: Fail
    why: To see what becomes of the rest.
    kind: change
    argv: ["false"]
    on_failure: %s
"""


def touch(name: str) -> str:
    """A step that makes a file."""
    return TOUCH % (name, name, name, name)


def steps(*texts: str) -> str:
    """A playbook of steps."""
    return PATHS + "steps:" + "".join(texts)


def there(path: Path) -> list[str]:
    """The traces in a folder."""
    return sorted(item.name.partition("-")[2] for item in path.iterdir() if item.name.startswith("x-"))


Planned = Callable[..., Plan]
Operators = Callable[..., "Operator"]


def test_done_in_order_and_noted(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path
) -> None:
    """Each step is asked about, begun, ended; the journal holds all of that, and stands."""
    watcher = operator()
    result = run_plan(planned(steps(touch("a"), touch("b")), file=str(tmp_path / "x")), workshop, journal, watcher)
    assert result.outcomes == (("a", "done"), ("b", "done"))
    assert result.changed
    assert not result.failed
    assert watcher.asked == ["a", "b"]
    assert there(tmp_path) == ["a", "b"]
    events = [(item.event, item.step) for item in journal.records()[1:]]
    assert events == [(event, step) for step in "ab" for event in ("approve", "begin", "end")]
    assert verify(journal.path) is None


def test_no_and_enough(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path
) -> None:
    """A step that is skipped is left; after a stop nothing more is asked."""
    watcher = operator(Decision.SKIP, Decision.RUN, Decision.STOP)
    plan = planned(steps(*map(touch, "abcd")), file=str(tmp_path / "x"))
    result = run_plan(plan, workshop, journal, watcher)
    assert result.outcomes == (("a", "skipped"), ("b", "done"), ("c", "stopped"))
    assert result.stopped
    assert there(tmp_path) == ["b"]


def test_done_already_is_proven_and_skipped(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path
) -> None:
    """What is there is not done again, and the proof is told."""
    text = steps(touch("a") + '    already_done: {argv: [test, -e, "{file}"]}\n')
    (tmp_path / "x").touch()
    watcher = operator()
    result = run_plan(planned(text, file=str(tmp_path / "x")), workshop, journal, watcher)
    assert result.outcomes == (("a", "already"),)
    assert not result.changed
    assert watcher.heard[0][2] == f"test -e {tmp_path / 'x'}: exit status 0"
    assert there(tmp_path) == []


@pytest.mark.parametrize(("on_failure", "outcomes", "left"), [
    ("stop", [("a", "done"), ("fail", "failed")], ["a"]),
    ("continue", [("a", "done"), ("fail", "failed"), ("b", "done")], ["a", "b"]),
    ("undo", [("a", "done"), ("fail", "failed"), ("a", "undone")], []),
])  # fmt: skip
def test_what_a_failure_means(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path,
    on_failure: str, outcomes: list[tuple[str, str]], left: list[str],
) -> None:  # fmt: skip
    """The run stops, goes on, or takes back what was done."""
    plan = planned(steps(touch("a"), FAIL % on_failure, touch("b")), file=str(tmp_path / "x"))
    result = run_plan(plan, workshop, journal, operator())
    assert list(result.outcomes) == outcomes
    assert result.failed
    assert result.stopped == (on_failure != "continue")
    assert there(tmp_path) == left


def test_a_step_whose_verification_says_no_has_failed(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path
) -> None:
    """Exit status 0 alone is no success, and what the step did is taken back where the playbook says so."""
    text = steps(touch("a") + '    verify: {argv: [test, -e, "{file}"]}\n    on_failure: undo\n')
    watcher = operator()
    result = run_plan(planned(text, file=str(tmp_path / "x")), workshop, journal, watcher)
    assert result.outcomes == (("a", "failed"), ("a", "undone"))
    assert "exit status 1" in watcher.heard[0][2]
    assert there(tmp_path) == []


def test_what_changes_while_it_is_approved_does_not_run(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path
) -> None:
    """The file is another one than that which was shown, so the agreement is for nothing."""
    path = tmp_path / "x"
    path.write_text("A=1\n")
    edit = '\n  - {id: edit, title: Edit, why: So., kind: change, edit: {file: "{file}", set: {A: "2"}}}\n'
    slow = operator(on_approve=lambda: path.write_text("A=3\n"))
    result = run_plan(planned(steps(edit), file=str(path)), workshop, journal, slow)
    assert result.outcomes == (("edit", "failed"),)
    assert path.read_text() == "A=3\n"
    assert "begin" not in [item.event for item in journal.records()]


LONG = """
  - id: long
    title: Write twice
    why: To be watched.
    kind: change
    argv: ["{python}", "-c", "import sys, time, pathlib; print('one', flush=True); time.sleep(0.4); print('two'); pathlib.Path(sys.argv[1]).touch()", "{file}-long"]
    undo: {argv: [rm, -f, "{file}-long"]}
"""


def broken(_: str) -> None:
    """A screen that is gone."""
    raise BrokenPipeError


def test_a_screen_that_breaks_does_not_end_the_step(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path
) -> None:
    """What nobody can see any more goes on to its end, which the journal holds; then the error is told."""
    watcher = operator(on_output=broken)
    with pytest.raises(BrokenPipeError):
        run_plan(planned(steps(LONG, touch("b")), file=str(tmp_path / "x")), workshop, journal, watcher)
    assert there(tmp_path) == ["long"]
    last = journal.records()[-1]
    assert (last.event, last.step, last.data["ok"]) == ("end", "long", True)
    assert last.data["undo"]["kind"] == "command"
    assert state_of(journal.records()) == {"long": StepProgress.FINISHED}


def test_broken_off(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path
) -> None:
    """A step that the operator has ended counts as a change, has its end in the journal, and can be taken back."""
    watcher = operator(on_output=lambda _: os.kill(os.getpid(), signal.SIGINT))
    result = run_plan(planned(steps(LONG, touch("b")), file=str(tmp_path / "x")), workshop, journal, watcher)
    assert result.outcomes == (("long", "broken-off"),)
    assert result.stopped
    assert result.changed
    assert there(tmp_path) == []
    last = journal.records()[-1]
    assert (last.event, last.data["ok"], last.data["undo"]["kind"]) == ("end", False, "command")


def test_a_step_goes_on_when_the_operator_says_so(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path
) -> None:
    """Ctrl-C and then no: nothing happened."""
    watcher = operator(
        on_output=lambda line: os.kill(os.getpid(), signal.SIGINT) if line == "one" else None, stops=False
    )
    result = run_plan(planned(steps(LONG), file=str(tmp_path / "x")), workshop, journal, watcher)
    assert result.outcomes == (("long", "done"),)
    assert there(tmp_path) == ["long"]


def begun(journal: Journal, plan: Plan, workshop: Workshop, number: int = 0) -> None:
    """A record of an earlier run that began a step and was cut off."""
    from triage.fixing.perform import begin_data
    from triage.safety.redact import Redactor

    journal.append("begin", **begin_data(list(ready_steps(plan, workshop))[number], workshop, Redactor()))


@pytest.mark.parametrize(("decision", "outcome", "left"), [
    (Decision.RUN, "done", ["a", "b"]), (Decision.SKIP, "already", ["b"]), (Decision.STOP, "stopped", []),
])  # fmt: skip
def test_a_step_without_end_is_asked_about(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path,
    decision: Decision, outcome: str, left: list[str],
) -> None:  # fmt: skip
    """Repeat it, believe that it was done, or stop: never by itself. What is believed can be taken back."""
    plan = planned(steps(touch("a"), touch("b")), file=str(tmp_path / "x"))
    begun(journal, plan, workshop)
    watcher = operator(decision)
    result = run_plan(plan, workshop, journal, watcher)
    assert watcher.in_doubt == ["a"]
    assert result.outcomes[0] == ("a", outcome)
    assert there(tmp_path) == left
    if decision is Decision.SKIP:
        end = next(item for item in journal.records() if item.event == "end" and item.step == "a")
        assert end.data["undo"]["argv"][1:] == [f"{tmp_path}/x-a"]


def test_an_undo_without_end_is_asked_about(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path
) -> None:
    """Whether the step stands is not known then either."""
    plan = planned(steps(touch("a")), file=str(tmp_path / "x"))
    run_plan(plan, workshop, journal, operator())
    journal.append("undo-begin", step="a")
    watcher = operator(Decision.STOP)
    assert run_plan(plan, workshop, journal, watcher).outcomes == (("a", "stopped"),)
    assert watcher.in_doubt == ["a"]


def test_a_step_without_end_that_cannot_be_repeated_is_asked_about_too(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path
) -> None:
    """A replacement that was made is not possible a second time: that is no reason to pass the step over."""
    path = tmp_path / "x"
    path.write_text("old\n")
    edit = '\n  - {id: edit, title: Edit, why: So., kind: change, edit: {file: "{file}", replace: {old: new}}}\n'
    plan = planned(steps(edit), file=str(path))
    begun(journal, plan, workshop)
    path.write_text("new\n")
    watcher = operator(Decision.SKIP)
    assert run_plan(plan, workshop, journal, watcher).outcomes == (("edit", "already"),)
    assert watcher.in_doubt == ["edit"]
    assert state_of(journal.records()) == {"edit": StepProgress.FINISHED}


def test_an_edit_without_end_that_was_made_is_not_made_again(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path
) -> None:
    """The file says so already; the step then counts as finished, with the undo that was noted when it was begun."""
    path = tmp_path / "x"
    path.write_text("A=1\n")
    edit = '\n  - {id: edit, title: Edit, why: So., kind: change, edit: {file: "{file}", set: {A: "2"}}}\n'
    plan = planned(steps(edit), file=str(path))
    begun(journal, plan, workshop)
    path.write_text("A=2\n")
    assert run_plan(plan, workshop, journal, operator()).outcomes == (("edit", "already"),)
    last = journal.records()[-1]
    assert (last.event, last.data["undo"]["edit"]["path"]) == ("end", str(path))


END = """
parameters:
  pid: {type: pid, from: ask, help: a process}
steps:
  - {id: end, title: End it, why: It is in the way., kind: change, end_process: "{pid}", risk: destructive}
"""


def test_a_process_that_an_earlier_run_ended(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators
) -> None:
    """It was begun with its number and start; gone, the step is done, and its number is not looked for anew."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    plan = planned(END, pid=str(process.pid))
    begun(journal, plan, workshop)
    process.kill()
    process.wait()
    watcher = operator(Decision.STOP)
    result = run_plan(plan, workshop, journal, watcher)
    assert result.outcomes == (("end", "already"),)
    assert watcher.in_doubt == []
    assert f"process {process.pid}, which was to end, does not run any more" in watcher.heard[0][2]


def test_a_process_that_still_runs_is_asked_about(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators
) -> None:
    """Begun and not ended: the operator decides, and just that process ends."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    reaper = threading.Thread(target=process.wait)
    reaper.start()
    try:
        assert identity(process.pid) is not None
        plan = planned(END, pid=str(process.pid))
        begun(journal, plan, workshop)
        watcher = operator(Decision.RUN)
        assert run_plan(plan, workshop, journal, watcher).outcomes == (("end", "done"),)
        assert watcher.in_doubt == ["end"]
    finally:
        process.kill()
        reaper.join()


def test_what_an_earlier_run_finished_is_not_asked_about(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path
) -> None:
    """A second run of the same journal does what is left, and nothing else."""
    plan = planned(steps(touch("a"), touch("b")), file=str(tmp_path / "x"))
    run_plan(plan, workshop, journal, operator(Decision.RUN, Decision.STOP))
    (tmp_path / "x-a").unlink()
    watcher = operator()
    assert run_plan(plan, workshop, journal, watcher).outcomes == (("a", "already"), ("b", "done"))
    assert watcher.asked == ["b"]
    assert there(tmp_path) == ["b"]


def test_a_failed_step_can_be_tried_again(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path
) -> None:
    """Failed is not finished."""
    text = steps('\n  - {id: a, title: Look, why: So., kind: check, argv: [test, -e, "{file}"]}\n')
    plan = planned(text, file=str(tmp_path / "x"))
    assert run_plan(plan, workshop, journal, operator()).outcomes == (("a", "failed"),)
    (tmp_path / "x").touch()
    assert run_plan(plan, workshop, journal, operator()).outcomes == (("a", "done"),)


def test_steps_for_people_and_steps_without_a_value_are_told(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators
) -> None:
    """They are neither asked about nor run, and the journal says why."""
    text = steps(touch("a"), "\n  - {id: b, title: By hand, why: So., kind: manual, text: Do it.}\n")
    watcher = operator()
    assert run_plan(planned(text), workshop, journal, watcher).outcomes == (("a", "unavailable"), ("b", "shown"))
    assert watcher.asked == []
    events = [(item.event, item.step) for item in journal.records()[1:]]
    assert events == [("refuse", "a"), ("skip", "b")]
    assert "ask: a file" in journal.records()[1].data["reason"]


def test_a_program_that_is_not_there(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Operators, tmp_path: Path
) -> None:
    """A folder that is gone when the step starts: it failed, nothing was done, and there is nothing to take back."""
    text = steps('\n  - {id: a, title: Go, why: So., kind: check, argv: [pwd], cwd: "{file}"}\n')
    result = run_plan(planned(text, file=str(tmp_path / "gone")), workshop, journal, operator())
    assert result.outcomes == (("a", "failed"),)
    assert journal.records()[-1].data["undo"] is None


def test_a_preview_is_of_the_whole(planned: Planned, workshop: Workshop, tmp_path: Path) -> None:
    """Every step in order, each as if those before it had been done; nothing happens."""
    began = time.monotonic()
    plan = planned(steps(*map(touch, "abc")), file=str(tmp_path / "x"))
    assert [item.command[1:] for item in ready_steps(plan, workshop)] == [(f"{tmp_path}/x-{name}",) for name in "abc"]
    assert there(tmp_path) == []
    assert time.monotonic() - began < 5
