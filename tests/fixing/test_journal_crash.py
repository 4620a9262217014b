"""Processes killed for real in the middle of a run: what is left tells exactly how far each step got."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from triage.fixing.journal import Journal
from triage.fixing.journal_store import JournalUnavailable
from triage.fixing.runs import latest, verify
from triage.fixing.step_records import StepProgress, state_of

RUN = """
import os, signal, sys
from pathlib import Path
from triage.fixing.execution import execute
from triage.fixing.journal import Journal
from triage.fixing.runs import latest
from triage.fixing.step_records import StepProgress, command_data, outcome_data, state_of
from triage.safety.redact import Redactor

folder, effects, fault = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
EFFECT = "import sys, time; open(sys.argv[1], 'a').write(sys.argv[2] + '\\\\n'); print('done', flush=True); time.sleep(float(sys.argv[3]))"
# It goes on for a while after its output only where it is to be killed then.
REST = "0.3" if fault == "during-exec" else "0"

def point(name):
    if name == fault:
        os.kill(os.getpid(), signal.SIGKILL)

def half(event):
    # The disk gets half of the record, and then the machine is off.
    real = os.write
    def write(file, data):
        real(file, data[: len(data) // 2])
        os.fsync(file)
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == f"during-journal-write-{event}":
        os.write = write

def carry_out(journal, step):
    argv = (sys.executable, "-I", "-c", EFFECT, effects, step, REST)
    last = step == "second"
    last and point("before-begin")
    last and half("begin")
    journal.append("begin", step=step, **command_data(argv, Redactor()))
    last and point("after-begin-before-exec")
    done = execute(argv, cwd=Path("/"), environment={}, timeout_s=20, on_output=lambda _: last and point("during-exec"),
                   use_pty=False, stop=lambda: False)
    last and point("after-exec-before-end")
    last and half("end")
    journal.append("end", step=step, ok=done.exit_code == 0, **outcome_data(done))
    last and point("during-verify")
    journal.append("verify", step=step, ok=step in Path(effects).read_text())

found = latest(folder)
journal = Journal.reopen(found.path) if found else Journal.create(folder, {"playbook": "two-steps"})
for step in ("first", "second"):
    progress = state_of(journal.records()).get(step)
    if progress is StepProgress.BEGUN:
        # The operator, asked, looks: the effect tells whether it must be repeated.
        if step in Path(effects).read_text():
            journal.append("end", step=step, ok=True, by="operator")
            continue
        progress = None
    if progress is None:
        carry_out(journal, step)
journal.append("verdict", verdict="fixed")
"""

# What is left of the second step: its progress, whether its effect is there (None: it may be), and whether the last record is torn.
POINTS = {
    "before-begin": (None, False, False),
    "during-journal-write-begin": (None, False, True),
    "after-begin-before-exec": (StepProgress.BEGUN, False, False),
    "during-exec": (StepProgress.BEGUN, True, False),
    "after-exec-before-end": (StepProgress.BEGUN, True, False),
    "during-journal-write-end": (StepProgress.BEGUN, True, True),
    "during-verify": (StepProgress.FINISHED, True, False),
}


def run(folder: Path, effects: Path, fault: str) -> int:
    """Carry the run out, or go on with it; the exit status."""
    arguments = (sys.executable, "-c", RUN, str(folder), str(effects), fault)
    return subprocess.run(arguments, check=False, timeout=60).returncode


@pytest.mark.parametrize("fault", POINTS)
def test_killed_and_taken_up_again(tmp_path: Path, fault: str) -> None:
    """The chain up to the kill verifies; a step is finished exactly if its end stands; and the resumed run repeats nothing that
    had its effect, and leaves nothing out."""
    folder, effects = tmp_path / "state" / "journal", tmp_path / "effects"
    assert run(folder, effects, fault) == -signal.SIGKILL
    progress, had_effect, torn = POINTS[fault]
    found = latest(folder)
    assert found is not None
    assert not found.live
    assert (found.broken is not None, found.broken is not None and found.broken.torn) == (torn, torn)
    events = [(item.event, item.step) for item in found.records]
    assert (("end", "second") in events) == (progress is StepProgress.FINISHED)
    expected = {"first": StepProgress.FINISHED} | ({"second": progress} if progress else {})
    assert state_of(found.records) == expected
    assert effects.read_text(encoding="utf-8").splitlines() == ["first", "second"][: 1 + had_effect]
    if fault == "during-exec":
        time.sleep(0.5)  # the orphan of the killed run ends by itself

    assert run(folder, effects, "none") == 0
    after = latest(folder)
    assert after is not None
    assert after.path == found.path
    assert verify(after.path) is None
    assert state_of(after.records) == {"first": StepProgress.FINISHED, "second": StepProgress.FINISHED}
    assert effects.read_text(encoding="utf-8").splitlines() == ["first", "second"]
    told = [item.event for item in after.records]
    assert told.count("torn") == int(torn)
    assert told[-1] == "verdict"
    assert after.records[: len(found.records)] == found.records


def test_killed_while_the_first_record_is_written(tmp_path: Path) -> None:
    """Nothing was begun: there is nothing to take up, and that is said."""
    folder = tmp_path / "state" / "journal"
    with Journal.create(folder, {"playbook": "p"}) as journal:
        path = journal.path
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(JournalUnavailable, match="was not written to its end"):
        Journal.reopen(path)
