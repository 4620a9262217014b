"""From a playbook and a case to a plan, and through the journal back to the same plan."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from triage.fixing.journal_store import JournalUnavailable
from triage.fixing.opening import OpenFix, case_of_record, needed_facts, open_fix, plan_record, server_of_record
from triage.fixing.parameters import ParameterError
from triage.fixing.runner import ready_steps
from triage.model import Value
from triage.playbook import Case, Missing, Playbook, Typed

Read = Callable[[str], Playbook]
TEXT = """
applies: {a.applies: 1}
parameters:
  port: {type: port, from: [capture port, ask], help: the port}
  name: {type: ident, from: [fact a.name, ask], help: a name}
steps:
  - {id: a, title: A, why: So., kind: check, argv: [echo, "{port}", "{name}"], when: {a.when: true}}
"""
FACTS: dict[str, Value] = {"a.applies": 1, "a.name": "eth0", "a.when": True}
PYTHON = Path(sys.executable)
SECRET = "hf_SENTINELSENTINELSENTINELSENTINEL"


def opened(playbook: Playbook, case: Case, tmp_path: Path, **given: str) -> OpenFix:
    """The plan, with a home in the folder of the test."""
    return open_fix(playbook, case, given, {"HOME": str(tmp_path)}, python=PYTHON)


def test_a_plan(playbook: Read, tmp_path: Path) -> None:
    """Values from their sources, the interpreter that was named, a place for copies."""
    fix = opened(playbook(TEXT), Case(facts=FACTS, captures={"port": 30000}), tmp_path)
    values = {name: value.text for name, value in fix.plan.values.items() if isinstance(value, Typed)}
    assert values == {"port": "30000", "name": "eth0", "python": sys.executable}
    assert fix.plan.applies is True
    assert fix.workshop.backups == tmp_path / ".local/state/sgltriage/backups"


def test_given_values_win(playbook: Read, tmp_path: Path) -> None:
    """What the operator says counts, and is converted like anything else."""
    case = Case(facts=FACTS, captures={"port": 30000})
    fix = opened(playbook(TEXT), case, tmp_path, port="31000", name="{port}")
    assert fix.plan.values["port"] == Typed("31000", 31000, "--set port")
    assert isinstance(fix.plan.values["name"], Missing)
    for wrong in ({"prot": "1"}, {"python": "relative\n"}, {"launch_file": ""}):
        with pytest.raises(ParameterError):
            open_fix(playbook(TEXT), case, wrong, {"HOME": str(tmp_path)})


def test_an_interpreter_that_is_not_known(playbook: Read, tmp_path: Path) -> None:
    """It is never guessed: what would change it is not possible then, and says how to name it."""
    fix = open_fix(playbook(TEXT), Case(facts=FACTS), {"port": "1"}, {"HOME": str(tmp_path)})
    assert fix.plan.values["python"] == Missing("the server's interpreter is not known (--set python=PATH)")


def test_no_place_for_the_journal(playbook: Read) -> None:
    """Without a home nothing can be kept, so nothing is opened."""
    with pytest.raises(JournalUnavailable):
        open_fix(playbook(TEXT), Case(facts=FACTS), {"port": "1"}, {}, python=PYTHON)


def test_what_is_needed(playbook: Read) -> None:
    """The facts of parameters and conditions, and no others."""
    assert needed_facts(playbook(TEXT), Case(facts=FACTS)) == {"a.applies", "a.name", "a.when"}


def test_what_a_formula_needs(playbook: Read, tmp_path: Path) -> None:
    """What a formula looks up counts, as far as it comes with this case; the host is asked for it, and the journal keeps it."""
    text = TEXT.replace("from: [capture port, ask]", "from: [compute free-port, ask]")
    own = {"a.applies", "a.name", "a.when"}
    assert needed_facts(playbook(text), Case(facts=FACTS)) == own | {"server.port"}
    taken = Case(facts=FACTS, captures={"port": 30000})
    assert needed_facts(playbook(text), taken) == own | {"network.listening_ports"}
    assert isinstance(opened(playbook(text), taken, tmp_path).plan.values["port"], Typed)
    told = replace(taken, facts={**FACTS, "network.listening_ports": (30000, 31000)})
    record = json.loads(json.dumps(plan_record(opened(playbook(text), told, tmp_path), [])))
    assert record["facts"]["network.listening_ports"] == [30000, 31000]
    assert record["values"]["port"] == "32000"


def test_what_a_formula_of_sizes_needs(playbook: Read) -> None:
    """Of a model's and a launch's facts those that the rules of preflight read, not all that there are."""
    text = TEXT.replace("type: port, from: [capture port, ask]", "type: int, from: [compute tp-that-divides, ask]")
    facts: dict[str, Value] = {**FACTS, "server.tp_size": 6, "model.num_attention_heads": 32, "os.name": "x"}
    needed = needed_facts(playbook(text), Case(facts=facts))
    assert {"server.tp_size", "model.num_attention_heads", "gpu.count"} <= needed
    assert "os.name" not in needed


def test_what_the_log_says_of_itself_stays(playbook: Read, tmp_path: Path) -> None:
    """A host that is asked too does not talk over the log."""
    text = TEXT.replace("fact a.name", "fact os.name").replace("a.applies: 1", "host.cpu_count: {exists: true}")
    fix = opened(playbook(text), Case(facts={"os.name": "of-the-log"}), tmp_path, port="1")
    value = fix.plan.values["name"]
    assert isinstance(value, Typed)
    assert value.text == "of-the-log"


def test_through_the_journal_and_back(playbook: Read, tmp_path: Path) -> None:
    """A resumed run has the same values, facts and digests, from any folder, and what it does not need is not kept."""
    case = Case("x", {**FACTS, "unneeded": "u"}, {"port": 30000}, {"capture port": "a.log:3"}, ("a.log",))
    fix = opened(playbook(TEXT), case, tmp_path)
    record = json.loads(json.dumps(plan_record(fix, [Path("pack")])))
    assert record["packs"] == [str(Path.cwd() / "pack")]
    assert "unneeded" not in record["facts"]
    again = opened(playbook(TEXT), case_of_record(record), tmp_path, **{**record["values"], "python": record["python"]})
    assert replace(again.plan.case, facts={}) == replace(case, facts={})
    assert [item.digest for item in ready_steps(again.plan, again.workshop)] == [
        item.digest for item in ready_steps(fix.plan, fix.workshop)
    ]


def test_a_record_keeps_no_secret(playbook: Read, tmp_path: Path) -> None:
    """Neither of a fact, a capture, a value nor the launch command; a value that is not kept is asked for again."""
    launch = ("HF_TOKEN=" + SECRET, "python3", "-m", "sglang.launch_server", "--model-path", "/m", "--api-key", SECRET)
    case = Case("x", {**FACTS, "a.name": SECRET, "launch.command": launch}, {"port": 30000, "line": f"token {SECRET}"})
    fix = opened(playbook(TEXT), case, tmp_path)
    record = plan_record(fix, [])
    assert "SENTINEL" not in json.dumps(record)
    assert record["values"] == {"port": "30000", "python": sys.executable}
    given = opened(playbook(TEXT), Case(facts=FACTS), tmp_path, port="1", name=SECRET)
    assert "SENTINEL" not in json.dumps(plan_record(given, []))


def test_a_launch_command_from_a_journal_is_not_started_with_placeholders(playbook: Read, tmp_path: Path) -> None:
    """The secrets of the command are not there any more, so starting it is for people."""
    text = "\nsteps:\n  - {id: a, title: A, why: So., kind: restart, restart: {}}\n"
    launch = (f"HF_TOKEN={SECRET}", sys.executable, "-m", "sglang.launch_server", "--model-path", "/m")
    fix = opened(playbook(text), Case("x", {"launch.command": launch}), tmp_path)
    fix = replace(
        fix, workshop=replace(fix.workshop, surroundings=replace(fix.workshop.surroundings, supervisor="plain"))
    )
    again = case_of_record(json.loads(json.dumps(plan_record(fix, []))))
    resumed = opened(playbook(text), again, tmp_path)
    workshop = replace(resumed.workshop, surroundings=fix.workshop.surroundings)
    (step,) = ready_steps(resumed.plan, workshop)
    assert step.state.value == "shown"
    assert step.start is None


def test_the_server_of_a_record(playbook: Read, tmp_path: Path) -> None:
    """Its number counts for a resumed run while that very process runs, and for no other that has the number later."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        fix = open_fix(
            playbook(TEXT), Case(facts=FACTS), {"port": "1"}, {"HOME": str(tmp_path)}, python=PYTHON, pid=process.pid
        )
        record = json.loads(json.dumps(plan_record(fix, [])))
        assert server_of_record(record) == process.pid
        later = {**record, "server": {**record["server"], "start_ticks": record["server"]["start_ticks"] + 1}}
        assert server_of_record(later) is None
    assert server_of_record(record) is None
    for none in ({}, {"server": None}, {"server": 5}, {"server": {"pid": "x"}}):
        assert server_of_record(none) is None


@pytest.mark.parametrize("record", [
    {}, {"facts": 1, "captures": [], "origins": None, "launch": "x", "inputs": 3}, {"facts": {"a": [1, "b"]}, "launch": []},
])  # fmt: skip
def test_any_record_is_a_case(record: dict[str, object]) -> None:
    """A journal of another version has other keys: what is not there is not known."""
    case = case_of_record(record)
    assert case.captures == {}
    assert case.facts in ({}, {"a": (1, "b")})
