"""Checks carried out for real: yes, no or not known, each with its proof."""

from __future__ import annotations

import socket
import sys
import time
from dataclasses import replace

import pytest

from triage.fixing import checks
from triage.fixing.checks import SETTLING_SECONDS, carry_out, carry_out_after_change, in_words
from triage.fixing.workshop import Workshop
from triage.model import FactTest
from triage.playbook import Check, Run
from triage.probing import catalogue


def program(*code: str) -> Run:
    """Python code, as a command of this interpreter."""
    return Run((sys.executable, *code))


@pytest.mark.parametrize(("check", "holds"), [
    (Check(Run(("true",))), True), (Check(Run(("false",))), False), (Check(Run(("false",)), exit_code=1), True),
    (Check(Run(("true",)), exit_code=1), False), (Check(Run(("echo", "abc")), matches="b"), True),
    (Check(Run(("echo", "abc")), matches="^b"), False), (Check(Run(("echo", "abc")), lacks="x"), True),
    (Check(Run(("echo", "abc")), lacks="c$"), False), (Check(Run(("echo", "abc")), matches="a", lacks="c"), False),
    (Check(Run(("echo", "abc")), matches="a", lacks="x"), True), (Check(Run(("no-such-program-here",))), None),
    (Check(Run(("sh", "-c", "true"))), None),
])  # fmt: skip
def test_commands(workshop: Workshop, check: Check, holds: bool | None) -> None:
    """The exit status first, then both regexes; what cannot be run tells nothing."""
    answer = carry_out(check, workshop)
    assert answer.holds is holds
    assert answer.proof


def test_the_proof_says_what_was_seen(workshop: Workshop) -> None:
    """The command, its status, and the words that were found."""
    answer = carry_out(Check(Run(("echo", "Version: 2.9.1")), matches=r"Version: \d+"), workshop)
    assert answer.proof == "echo 'Version: 2.9.1': exit status 0, its output has 'Version: 2'"
    answer = carry_out(Check(Run(("echo", "x")), matches="y"), workshop)
    assert answer.proof == "echo x: exit status 0, its output lacks 'y'"


def test_a_check_that_is_killed_tells_nothing(workshop: Workshop) -> None:
    """A crash is no "no"."""
    answer = carry_out(Check(program("-c", "import os; os.kill(os.getpid(), 9)")), workshop)
    assert answer.holds is None
    assert answer.proof.endswith("ended by signal 9")


def test_a_check_that_hangs(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended in its time, and tells nothing."""
    monkeypatch.setattr(checks, "CHECK_SECONDS", 0.3)
    began = time.monotonic()
    answer = carry_out(Check(Run(("sleep", "30"))), workshop)
    assert (answer.holds, answer.proof) == (None, "sleep 30: no answer within 0.3 s")
    assert time.monotonic() - began < 10


def test_what_was_cut_from_the_output_may_have_said_it(workshop: Workshop) -> None:
    """Only the end of a long output is kept: what is not in it may have stood before."""
    long = program("-c", "print('needle'); print('x' * 70 + '\\n', end='')\nfor _ in range(2000): print('y' * 70)")
    for check in (Check(long, matches="needle"), Check(long, lacks="needle")):
        answer = carry_out(check, workshop)
        assert answer.holds is None
        assert "the last 64 KiB of its output lack 'needle'" in answer.proof
    assert carry_out(Check(long, matches="y{70}"), workshop).holds is True
    assert carry_out(Check(long, lacks="y{70}"), workshop).holds is False


SLOW = Check(Run(("echo", "1," * 3000)))
PATTERN = "(.*?,){25}P"


@pytest.mark.parametrize("check", [replace(SLOW, matches=PATTERN), replace(SLOW, lacks=PATTERN)])
def test_a_regex_that_takes_too_long_tells_nothing(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, check: Check
) -> None:
    """Neither that something is there nor that it is not."""
    monkeypatch.setattr(checks, "_SEARCH_SECONDS", 0.05)
    answer = carry_out(check, workshop)
    assert answer.holds is None
    assert "takes too long" in answer.proof


def test_no_secret_in_a_proof(workshop: Workshop) -> None:
    """Neither of the command nor of its output."""
    secret = "sk-SENTINEL0123456789abcdefghij"
    shown = carry_out(Check(Run(("echo", "--api-key", secret)), matches=r"\S+$"), workshop).proof
    assert "SENTINEL" not in shown
    assert "echo --api-key" in shown


def test_a_check_sees_little_of_our_environment(workshop: Workshop) -> None:
    """What is not known to be needed is not handed on; messages are in English and without colours."""
    mine = replace(
        workshop,
        environment={"AWS_KEY": "x", "HOME": "/h", "LC_ALL": "de_DE", "PYTHONPATH": "/evil", "LD_PRELOAD": "/evil.so"},
    )
    asked = program("-c", "import os; print(sorted(os.environ.items()))")
    check = Check(asked, matches=r"'HOME', '/h'.*'LC_ALL', 'C'.*'NO_COLOR', '1'", lacks="AWS_KEY|evil")
    answer = carry_out(check, mine)
    assert answer.holds is True, answer.proof


def test_probes(workshop: Workshop) -> None:
    """Facts of this host, as it is now."""
    name = "python-packages"
    assert name in [probe.name for probe in catalogue.all_probes()]
    wanted = FactTest("python.version", "matches", r"^3\.")
    answer = carry_out(Check(probe=name, facts=(wanted,)), workshop)
    facts = dict(answer.facts)
    assert facts, answer.proof
    known = next(item for item in facts if facts[item] is not None)
    right = carry_out(Check(probe=name, facts=(FactTest(known, "eq", facts[known]),)), workshop)
    assert right.holds is True
    wrong = carry_out(Check(probe=name, facts=(FactTest(known, "eq", "no such value"),)), workshop)
    assert wrong.holds is False
    assert f"wanted: {known} is no such value" in wrong.proof
    absent = carry_out(Check(probe=name, facts=(FactTest("no.such.fact", "exists", False),)), workshop)
    assert absent.holds is True
    unknown = carry_out(Check(probe=name, facts=(FactTest("no.such.fact", "eq", 1),)), workshop)
    assert (unknown.holds, unknown.proof) == (None, f"probe {name}: no.such.fact is not told")


def test_what_follows_a_change_with_a_delay(workshop: Workshop) -> None:
    """A probe that says no right after a change is asked again, until it says yes or its time is over; a command is not."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        facts = {"server.disaggregation_mode": "prefill", "server.disaggregation_bootstrap_port": port}
        workshop = replace(workshop, facts=facts)
        check = Check(probe="listening-ports", facts=(FactTest("pd.bootstrap_port_listening", "eq", True),))
        rests: list[float] = []
        assert carry_out_after_change(check, workshop, rests.append).holds is False
        assert tuple(rests) == SETTLING_SECONDS

        def begins(pause: float) -> None:
            rests.append(pause)
            if len(rests) == 2:
                server.listen()

        rests.clear()
        assert carry_out_after_change(check, workshop, begins).holds is True
        assert tuple(rests) == SETTLING_SECONDS[:2]
        rests.clear()
        assert carry_out_after_change(Check(Run(("false",))), workshop, rests.append).holds is False
        assert rests == []


def test_a_probe_that_there_is_not(workshop: Workshop) -> None:
    """A playbook that was not linted."""
    assert carry_out(Check(probe="nonsense", facts=(FactTest("a", "eq", 1),)), workshop).proof == "no probe nonsense"


@pytest.mark.parametrize(("check", "words"), [
    (Check(Run(("ss", "-l")), label="nobody listens"), "nobody listens"), (Check(Run(("ss", "-l"))), "ss -l ends with 0"),
    (Check(Run(("show", "a b"), pip=True), exit_code=1), "pip show 'a b' ends with 1"),
    (Check(Run(("ss",)), matches="a", lacks="b"), "ss ends with 0 and its output has 'a' and its output lacks 'b'"),
    (Check(probe="p", facts=(FactTest("a", "eq", 1), FactTest("b", "in", (1, 2)), FactTest("c", "exists", True),
                             FactTest("d", "exists", False), FactTest("e", "ge", 2), FactTest("f", "matches", "x"))),
     "probe p: a is 1, b one of 1, 2, c is known, d is not there, e at least 2, f matches x"),
])  # fmt: skip
def test_in_words(check: Check, words: str) -> None:
    """What people read before they agree."""
    assert in_words(check) == words
