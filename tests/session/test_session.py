"""A session: what follows from what is known, what each change moves, and what is asked next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.session.conftest import ROOT, Begin, clock
from triage.engine import scan_inputs
from triage.host_view import with_answers, with_host
from triage.knowledge.compiled import Knowledge
from triage.model import Fact
from triage.probing.catalogue import all_probes
from triage.probing.snapshot import Snapshot
from triage.reading.inputs import open_inputs
from triage.session.questions import AnswerError
from triage.session.session import FrozenSessionError, Session
from triage.session.state import RunNote

SYMBOL = b"ImportError: /usr/local/lib/python3.12/dist-packages/sgl_kernel/sm100/common_ops.abi3.so: undefined symbol: _ZN3c104cuda29c10_cuda_check_implementationEiPKcS2_ib\n"
GLOO = (
    b"[2026-03-01 10:00:00 TP8] Init torch distributed begin.\n"
    b"[rank8]: RuntimeError: Gloo connectFullMesh failed with [../third_party/gloo/gloo/transport/tcp/pair.cc:144] "
    b"no error (timed out after 30000ms)\n"
)
FIREWALL = "network.firewall_between_nodes"
Host = Callable[[str], Snapshot]


def test_the_report_is_that_of_the_core(begin: Begin, host: Host) -> None:
    """With a host and with an answer a session says what the functions behind ``scan`` say."""
    first = begin(text=SYMBOL)
    second = first.with_host(host("torch-twice"), "host.json").session
    assert second.report == with_host(first.report, first.knowledge, all_probes(), host("torch-twice"))
    third = begin(text=GLOO)
    fourth = third.answer(FIREWALL, "yes").session
    assert fourth.report == with_answers(third.report, third.knowledge, [Fact(FIREWALL, True, "answer")])


def test_a_scan_need_not_be_weighed_again(knowledge: Knowledge) -> None:
    """What a scan reports is what a session on the same logs says, also after something new: for every example."""
    for folder in sorted((ROOT / "examples").iterdir()):
        paths = [str(path) for path in sorted(folder.glob("*.log"))]
        found = scan_inputs(open_inputs(paths, stdin=None), knowledge).report
        given = Session.begin(found.observation, knowledge, report=found, now=clock)
        weighed = Session.begin(found.observation, knowledge, now=clock)
        assert given.report is found
        assert weighed.report == found
        assert given.note("x").report == weighed.note("x").report


def test_a_host_decides_and_the_moves_say_so(begin: Begin, host: Host) -> None:
    """Two causes of one line: the host's packages raise one of them and take the others away."""
    session = begin(text=SYMBOL)
    step = session.next_step()
    assert step is not None
    assert (step.kind, step.name) == ("probe", "python-packages")
    change = session.with_host(host("torch-twice"), "host.json")
    moves = {move.id: move for move in change.moves}
    assert change.moves[0].id == "torch-duplicate-install"
    assert (moves["torch-duplicate-install"].after or 0) > 0.9 > (moves["torch-duplicate-install"].before or 1)
    assert moves["sgl-kernel-torch-abi-mismatch"].after is None
    (action,) = change.session.state.actions
    assert (action.time, action.kind, action.moves) == ("2026-03-01T12:00:00+00:00", "host", change.moves)
    assert session.state.actions == (), "the old session stays as it was"


def test_a_recorded_host_is_not_asked_and_not_mixed(begin: Begin, host: Host) -> None:
    """Every probe of it was tried, so none is the next step; probes of this host are refused."""
    session = begin(text=SYMBOL).with_host(host("minimal-container")).session
    assert session.next_step() is None
    assert session.is_elsewhere
    with pytest.raises(ValueError, match="does not belong"):
        session.with_probe(host("h100-healthy"))


def test_probes_one_after_the_other_are_joined(begin: Begin, host: Host) -> None:
    """What was asked first stays known; what was tried is not offered again."""
    whole = host("torch-twice")
    part = {name: replace(whole, transcripts={name: whole.transcripts[name]}) for name in ("os", "python-packages")}
    session = begin(text=SYMBOL).with_probe(part["os"]).session
    step = session.next_step()
    assert step is not None
    assert step.name == "python-packages"
    session = session.with_probe(part["python-packages"]).session
    outcomes = {item.name: item.outcome for item in session.report.probes if item.outcome != "not-run"}
    assert outcomes == {"os": "ok", "python-packages": "ok"}
    assert session.diagnosis("torch-duplicate-install").confidence > 0.9
    assert [action.kind for action in session.state.actions] == ["probe", "probe"]


def test_a_preview_is_what_the_answer_does(begin: Begin) -> None:
    """For each answer the very moves that it makes when it is given."""
    session = begin(text=GLOO)
    (prompt,) = session.prompts
    previews = {item.answer: item.moves for item in session.previews(prompt)}
    assert set(previews) == {"yes", "no"}
    for answer, moves in previews.items():
        assert session.answer(FIREWALL, answer).moves == moves
    assert previews["yes"] != previews["no"]


def test_an_answered_or_skipped_question_is_not_asked_again(begin: Begin) -> None:
    """Neither as the next step nor in the list."""
    session = begin(text=GLOO)
    assert session.next_step() is not None
    for after in (session.answer(FIREWALL, "no").session, session.skip(FIREWALL).session):
        assert after.prompts == ()
        step = after.next_step()
        assert step is None or step.name != FIREWALL
    with pytest.raises(KeyError):
        session.skip(FIREWALL).session.answer(FIREWALL, "yes")


def test_a_wrong_answer_changes_nothing(begin: Begin) -> None:
    """It is an error with the question in it."""
    with pytest.raises(AnswerError, match=r"neither yes nor no: Is there a firewall"):
        begin(text=GLOO).answer(FIREWALL, "perhaps")


def test_more_of_the_log_keeps_what_was_answered(begin: Begin) -> None:
    """A live session takes in what was read since, and says what moved."""
    early = begin(text=GLOO.split(b"\n")[0] + b"\n")
    change = early.with_observation(begin(text=GLOO).state.observation)
    assert [move.id for move in change.moves if move.before is None]
    answered = change.session.answer(FIREWALL, "yes").session
    again = answered.with_observation(begin(text=GLOO + b"more\n").state.observation).session
    assert again.state.answers == answered.state.answers
    assert again.report.diagnoses[0].id == "firewall-between-nodes"
    assert len(again.state.actions) == 1, "reading is no action"


def test_origins_stay(begin: Begin) -> None:
    """Where an unexplained line is printed is remembered through later changes."""
    session = begin(text=b"ValueError: nobody knows this text of ours\n")
    line = session.report.unexplained[0]
    found = replace(session.report, unexplained=(replace(line, origin="somewhere.py:7"),))
    after = session.with_origins(found).note("looked")
    assert after.report.unexplained[0].origin == "somewhere.py:7"


def test_a_run_is_recorded(begin: Begin) -> None:
    """With its verdict, among the actions."""
    run = RunNote("t", "r", "port-in-use", "free-port", "fixed")
    session = begin(text=GLOO).record_run(run)
    assert session.state.runs == (run,)
    assert session.state.actions[-1].text == "free-port for port-in-use: fixed"


def test_a_frozen_session_cannot_be_changed(begin: Begin, host: Host) -> None:
    """It shows the recorded report, offers nothing and refuses every change."""
    session = begin(text=GLOO)
    frozen = Session(session.state, session.knowledge, recorded=session.report)
    assert frozen.is_frozen
    assert frozen.report is session.report
    assert (frozen.prompts, frozen.next_step()) == ((), None)
    with pytest.raises(FrozenSessionError):
        frozen.answer(FIREWALL, "yes")
    with pytest.raises(FrozenSessionError):
        frozen.with_host(host("torch-twice"))
    with pytest.raises(FrozenSessionError):
        frozen.with_observation(session.state.observation)


def test_without(begin: Begin) -> None:
    """A signature that was left out stays out, whatever is learned."""
    session = begin(text=GLOO)
    leading = session.report.diagnoses[0].id
    other = Session.begin(session.state.observation, session.knowledge, without=[leading])
    assert leading not in [item.id for item in other.report.diagnoses]
