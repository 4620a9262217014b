"""Plans of a session's diagnoses, and runs of them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.session.conftest import Begin
from triage.fixing.runner import Decision
from triage.model import Location
from triage.playbook import Typed
from triage.probing.snapshot import Snapshot
from triage.session.fix_run import (
    NoPlaybookError,
    begin_run,
    carry_out,
    mending_playbook,
    open_playbook,
    run_note,
    why_untrusted,
)


class Unwilling:
    """An operator who agrees to nothing."""

    def __init__(self) -> None:
        self.told_of: list[tuple[str, str]] = []

    def approve(self, prepared: object) -> Decision:
        """No."""
        return Decision.STOP

    def unfinished(self, prepared: object) -> Decision:
        """No."""
        return Decision.STOP

    def told(self, step: str, outcome: str, text: str) -> None:
        """Kept."""
        self.told_of.append((step, outcome))

    def output(self, line: str) -> None:
        """Nothing runs."""
        raise AssertionError(line)

    def stop(self) -> bool:
        """Yes."""
        return True

    def wants_end(self) -> bool:
        """Nothing runs."""
        return False


def test_a_plan_has_the_values_of_the_session(begin: Begin, tmp_path: Path) -> None:
    """The sum of the example's fraction, from its log."""
    session = begin("examples/gpu-oom-kv-pool")
    fix = open_playbook(session, "gpu-oom-kv-pool", {}, {"XDG_STATE_HOME": str(tmp_path)}, asks_host=False)
    value = fix.plan.values["fraction"]
    assert isinstance(value, Typed)
    assert value.text == "0.92"


def test_a_recorded_host_is_not_mixed_with_this_one(
    begin: Begin, host: Callable[[str], Snapshot], tmp_path: Path
) -> None:
    """What the plan lacks is not asked of the machine that happens to show it."""
    session = begin("examples/pd-direct-to-prefill").with_host(host("roce-prefill")).session
    fix = open_playbook(session, session.report.diagnoses[0].id, {}, {"XDG_STATE_HOME": str(tmp_path)})
    said = {fact.name for fact in session.report.observation.facts}
    own = {"launch.command", "diagnosis.phase"}
    assert set(fix.plan.case.facts) <= said | own


def test_what_there_is_no_playbook_for() -> None:
    """The words of the signature stand in for it."""
    with pytest.raises(NoPlaybookError) as wrong:
        mending_playbook("some-cause", None, "Do this.", ())
    assert str(wrong.value) == "there is no playbook for 'some-cause'; what mends it: Do this."


def test_no_such_diagnosis(begin: Begin) -> None:
    """A KeyError with the id."""
    with pytest.raises(KeyError, match="nothing"):
        open_playbook(begin(text=b"x\n"), "nothing", {}, {})


def test_bundled_playbooks_are_trusted_and_others_are_not(begin: Begin, tmp_path: Path) -> None:
    """Another file runs only when its very content is named."""
    environment = {"XDG_STATE_HOME": str(tmp_path)}
    playbook = open_playbook(
        begin("examples/gpu-oom-kv-pool"), "gpu-oom-kv-pool", {}, environment, asks_host=False
    ).plan.playbook
    assert why_untrusted(playbook, None) == ""
    path = tmp_path / "own.yaml"
    path.write_text("id: own\n")
    other = replace(playbook, location=Location(str(path)))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert digest[:12] in why_untrusted(other, None)
    assert why_untrusted(other, digest[:12]) == ""
    assert why_untrusted(other, digest[:11]) != "", "too short to name one file"
    path.write_text("id: changed\n")
    assert why_untrusted(other, digest[:12]) != ""


def test_a_run_that_is_refused_changes_nothing(begin: Begin, tmp_path: Path) -> None:
    """It is in the journal and can be recorded; nothing is checked where nothing was done."""
    log = b"ModuleNotFoundError: No module named 'setproctitle'\n"
    session = begin(text=log)
    environment = {"XDG_STATE_HOME": str(tmp_path)}
    fix = open_playbook(session, "missing-python-module", {}, environment, python=Path(sys.executable), asks_host=False)
    operator = Unwilling()
    with begin_run(fix, (), environment) as journal:
        done = carry_out(fix, journal, operator)
    assert (done.found, done.is_fixed, done.verdict) == (None, False, "nothing was changed")
    assert operator.told_of[-1][1] == "stopped"
    note = run_note(fix, done, session.time)
    assert (note.run, note.diagnosis, note.playbook) == (done.run, "missing-python-module", fix.plan.playbook.id)
    assert session.record_run(note).state.runs == (note,)
