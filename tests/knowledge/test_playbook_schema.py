"""The format of a playbook file: every slip is told with its place, all of them at once, and editors see them too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from triage.knowledge.errors import KnowledgeError, Problems
from triage.knowledge.pack import PackFile
from triage.knowledge.playbook_schema import playbook_schema
from triage.knowledge.playbooks import decode_playbooks, load_playbook, playbook_ids, playbook_roots
from triage.playbook import (
    Check,
    Edit,
    EndProcess,
    LaunchChange,
    OnFailure,
    Parameter,
    ParameterType,
    Playbook,
    Restart,
    Risk,
    Run,
    StepKind,
    Words,
)

VALID = """\
id: sample
title: A sample
fixes: [port-in-use, other-cause]
applies: {gpu.count: {gt: 1}}
parameters:
  port: {type: port, from: [capture port, fact server.port, compute free-port, ask], default: 30000, help: the port}
  level: {type: int, from: ask, minimum: -1, maximum: 9.5}
  mode: {type: enum, choices: [one, two], from: ask}
steps:
  - id: run
    title: Run
    why: So.
    kind: change
    argv: [echo, "{port}", "7", "1.50"]
    env: {A_B: "{port}"}
    cwd: /tmp
    when: {gpu.name: {matches: H100}}
    where: host
    needs: [root, gpu-idle, restart]
    risk: destructive
    already_done: {argv: [test, -e, x], exit: 1, matches: a, lacks: b, label: l}
    preview: {pip: [install, --dry-run, x]}
    verify: {probe: python-packages, fact: {torch.installs: 1}}
    undo: {text: Undo it.}
    timeout: 7
    on_failure: continue
  - {id: pip, title: T, why: W, kind: check, pip: [show, x]}
  - {id: edit, title: T, why: W, kind: change, edit: {file: /x, set: {A: b}, unset: [B], replace: {old: new}}}
  - {id: launch, title: T, why: W, kind: change, launch: {set: {port: 1, flag: true}, remove: [a-b], env: {A: b}, unset: [C], rename: {--a: --b, OLD: NEW}, target: router}}
  - {id: end, title: T, why: W, kind: change, end_process: "{port}"}
  - {id: restart, title: T, why: W, kind: restart, restart: {pid: "{port}"}}
  - {id: again, title: T, why: W, kind: restart, restart: {}}
  - {id: hand, title: T, why: W, kind: manual, text: Do it., commands: [[a, b], [c]]}
verify: [{argv: [ls]}]
watch_for: ready
references: ["https://example.org/a"]
"""
Decode = Callable[[str], tuple[Playbook | None, list[str]]]


@pytest.fixture
def decode_text() -> Decode:
    """Text to the playbook (None where it is wrong) and every problem, as it is told."""

    def run(text: str) -> tuple[Playbook | None, list[str]]:
        problems = Problems(collect=True)
        found = list(decode_playbooks([PackFile("test/sample.yaml", "test", text.encode())], problems))
        return (found[0].playbook if found else None), [str(problem) for problem in problems.found]

    return run


def test_every_key_is_read_as_meant(decode_text: Decode) -> None:
    """One step with everything, and one of each action."""
    # A word of a command may look like a number, and stays as it is written; editors want it in quotes.
    playbook, problems = decode_text(VALID.replace('"7", "1.50"', "7, 1.50"))
    assert problems == []
    assert playbook is not None
    port, level, mode = playbook.parameters
    assert port == Parameter(
        "port", ParameterType.PORT, ("capture port", "fact server.port", "compute free-port", "ask"), 30000, help="the port"
    )  # fmt: skip
    assert (level.minimum, level.maximum, level.sources) == (-1, 9.5, ("ask",))
    assert mode.choices == ("one", "two")
    run, pip, edit, launch, end, restart, again, hand = playbook.steps
    assert run.action == Run(("echo", "{port}", "7", "1.50"))
    assert run.preview == Run(("install", "--dry-run", "x"), pip=True)
    assert run.already_done == Check(Run(("test", "-e", "x")), exit_code=1, matches="a", lacks="b", label="l")
    assert run.verify is not None
    assert run.verify.probe == "python-packages"
    assert (run.undo, run.timeout_s, run.on_failure) == (Words("Undo it."), 7.0, OnFailure.CONTINUE)
    assert (run.where, run.needs, run.risk) == ("host", ("root", "gpu-idle", "restart"), Risk.DESTRUCTIVE)
    assert (run.env, run.cwd) == ((("A_B", "{port}"),), "/tmp")
    assert (pip.action, pip.risk, pip.timeout_s) == (Run(("show", "x"), pip=True), Risk.READ, 120.0)
    assert edit.action == Edit("/x", (("A", "b"),), ("B",), (("old", "new"),))
    assert edit.risk is Risk.REVERSIBLE
    assert launch.action == LaunchChange(
        (("port", "1"), ("flag", None)), ("a-b",), (("A", "b"),), ("C",), (("--a", "--b"), ("OLD", "NEW")), "router"
    )
    assert end.action == EndProcess("{port}")
    assert (restart.action, again.action, restart.risk) == (Restart("{port}"), Restart(""), Risk.DISRUPTIVE)
    assert hand.action == Words("Do it.", (("a", "b"), ("c",)))
    assert hand.kind is StepKind.MANUAL
    assert playbook.area == "test"


# What is put in the place of what, and the line and column that are told.
SLIPS = {
    "no id form": ("id: sample", "id: Sample_1", "1:5"), "an empty title": ("title: A sample", 'title: ""', "2:8"),
    "fixes nothing": ("[port-in-use, other-cause]", "[]", "3:8"), "a list in place of a map": ("{gpu.count: {gt: 1}}", "[a]", "4:10"),
    "no such type": ("type: port", "type: prot", "6:16"), "no such source": ("capture port,", "guess port,", "6:29"),
    "a bound in words": ("minimum: -1", "minimum: low", "7:42"), "a bound in quotes": ("maximum: 9.5", 'maximum: "9"', "7:55"),
    "no choices": ("[one, two]", "[]", "8:31"), "a parameter's name": ("  mode:", "  Mode:", "8:3"),
    "an unknown key of a parameter": ("help: the port", "halp: the port", "6:102"),
    "a command as text": ('[echo, "{port}", "7", "1.50"]', "echo", "14:11"), "an empty command": ('[echo, "{port}", "7", "1.50"]', "[]", "14:11"),
    "two actions": ("    cwd: /tmp", "    pip: [show, x]", "10:5"), "a variable's name": ("A_B:", "A-B:", "15:11"),
    "no such place": ("where: host", "where: moon", "18:12"), "no such need": ("gpu-idle", "gpu-free", "19:19"),
    "no such risk": ("risk: destructive", "risk: none", "20:11"), "a check of nothing": ("{argv: [test, -e, x], exit: 1, ", "{exit: 1, ", "21:19"),
    "a regex that is none": ("matches: a,", 'matches: "(",', "21:59"), "no time": ("timeout: 7", "timeout: 0", "25:14"),
    "time in words": ("timeout: 7", "timeout: long", "25:14"), "no such answer": ("on_failure: continue", "on_failure: retry", "26:17"),
    "an unknown key of a step": ("on_failure: continue", "on_fialure: continue", "26:5"), "an edit without file": ("{file: /x, set", "{set", "28:54"),
    "an option with dashes": ("{port: 1,", "{--port: 1,", "29:65"), "no such target": ("target: router", "target: nobody", "29:165"),
    "a process by name": ('end_process: "{port}"', "end_process: sglang", "30:60"),
    "a process by number": ('restart: {pid: "{port}"}', "restart: {pid: 12}", "31:67"),
    "commands as text": ("[[a, b], [c]]", "[a, b]", "33:73"), "no address": ("https://example.org/a", "file:///etc/passwd", "36:14"),
}  # fmt: skip


@pytest.fixture(scope="module")
def editor() -> Draft202012Validator:
    """What editors check a file with."""
    return Draft202012Validator(playbook_schema())


# What no schema can say.
BEYOND = {"a regex that is none"}


@pytest.mark.parametrize("slip", SLIPS)
def test_slips(decode_text: Decode, editor: Draft202012Validator, slip: str) -> None:
    """Told with line and column, the playbook is not built, and the JSON Schema says no too."""
    old, new, place = SLIPS[slip]
    assert VALID.count(old) == 1, VALID.count(old)
    text = VALID.replace(old, new)
    playbook, problems = decode_text(text)
    assert playbook is None
    assert problems[0].startswith(f"test/sample.yaml:{place}: "), problems
    assert editor.is_valid(yaml.safe_load(text)) == (slip in BEYOND)


def test_all_slips_at_once(decode_text: Decode) -> None:
    """One pass tells them all, in the order of the file."""
    text = VALID
    independent = [
        slip for slip in SLIPS if slip not in ("two actions", "an empty command", "an unknown key of a step")
    ]
    for slip in independent:
        old, new, _ = SLIPS[slip]
        text = text.replace(old, new)
    _, problems = decode_text(text)
    lines = {int(problem.split(":")[1]) for problem in problems}
    assert lines == {int(SLIPS[slip][2].split(":")[0]) for slip in independent}
    # Two slips of one line each have a problem of their own.
    assert len(problems) >= len(independent) - 2


@pytest.mark.parametrize("key", ["id", "title", "fixes", "steps"])
def test_required_keys(decode_text: Decode, editor: Draft202012Validator, key: str) -> None:
    """A playbook that lacks one is none, for us as for an editor."""
    data = {name: value for name, value in yaml.safe_load(VALID).items() if name != key}
    assert not editor.is_valid(data)
    assert decode_text(yaml.safe_dump(data))[0] is None


@pytest.mark.parametrize("key", ["id", "title", "why", "kind", "pip"])
def test_required_keys_of_a_step(decode_text: Decode, editor: Draft202012Validator, key: str) -> None:
    """Nor is a step, nor one without an action."""
    data: dict[str, Any] = yaml.safe_load(VALID)
    del data["steps"][1][key]
    assert not editor.is_valid(data)
    assert decode_text(yaml.safe_dump(data))[0] is None


def test_schema_and_decoder_agree_on_what_is_valid(decode_text: Decode, editor: Draft202012Validator) -> None:
    """The sample above, and every playbook that we ship."""
    Draft202012Validator.check_schema(playbook_schema())
    data = yaml.safe_load(VALID)
    assert [error.message for error in editor.iter_errors(data)] == []
    for path in sorted(playbook_roots()[0].rglob("*.yaml")):
        shown = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        found = [error.message for error in editor.iter_errors(shown) if error.validator != "type"]
        assert found == [], path


@pytest.mark.parametrize(("text", "place"), [
    ("id: sample\nid: sample\n", "2:1"), ("id: &a sample\n", "1:5"), ("id: !!python/object:os.system x\n", "1:5"),
    ("id: [\n", "2:1"), ("- a\n", "1:1"), ("id: sample\n\ttitle: x\n", "2:1"),
])  # fmt: skip
def test_what_is_no_plain_yaml(decode_text: Decode, text: str, place: str) -> None:
    """Doubled keys, anchors, tags and broken files have a place, and no object is made of them."""
    playbook, problems = decode_text(text)
    assert playbook is None
    assert problems[0].startswith(f"test/sample.yaml:{place}: "), problems


def test_names_of_files(decode_text: Decode) -> None:
    """The id is the file's name, and nobody else's."""
    _, problems = decode_text(VALID.replace("id: sample\n", "id: sampel\n"))
    assert problems == ["test/sample.yaml:1:1: the file of 'sampel' must be named sampel.yaml"]
    found = Problems(collect=True)
    files = [PackFile(f"{area}/sample.yaml", area, VALID.encode()) for area in ("one", "two")]
    assert len(list(decode_playbooks(files, found))) == 1
    assert [str(item) for item in found.found] == ["two/sample.yaml:1:1: id 'sample' is taken by one/sample.yaml"]
    broken = Problems(collect=True)
    assert list(decode_playbooks([PackFile("test/sample.yaml", "test", b"id: \xff\n")], broken)) == []
    assert "not UTF-8 at byte 4" in str(broken.found[0])


def test_loading_one(tmp_path: Path) -> None:
    """The first root's counts; a broken one is told, and others are not looked at."""
    for root in ("one", "two"):
        (tmp_path / root / "playbooks" / "test").mkdir(parents=True)
        (tmp_path / root / "playbooks" / "test" / "sample.yaml").write_text(VALID.replace("A sample", f"Of {root}"))
    (tmp_path / "two" / "playbooks" / "test" / "broken.yaml").write_text("id: broken\n")
    roots = [tmp_path / "one" / "playbooks", tmp_path / "two" / "playbooks"]
    found = load_playbook("sample", roots)
    assert found is not None
    assert found.title == "Of one"
    assert load_playbook("nobody", roots) is None
    assert playbook_ids(roots) == ("broken", "sample")
    with pytest.raises(KnowledgeError, match=r"broken\.yaml:1:1: "):
        load_playbook("broken", roots)
    assert playbook_roots([tmp_path / "one", tmp_path])[1:] == (roots[0],)
