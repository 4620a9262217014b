"""Every rule for playbooks has a playbook that breaks it, and is told with its place; a clean one is clean."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from triage.fixing.lint import check_playbooks, check_references
from triage.knowledge.base import KnowledgeBase
from triage.knowledge.errors import Problems
from triage.knowledge.loading import decode_files
from triage.knowledge.pack import PackFile, read_pack
from triage.knowledge.playbooks import decode_playbooks

SIGNATURE = """\
id: {id}
title: A sample
component: sglang
severity: error
role: root
prevalence: rare
explanation: Because.
fix: Mend it.
{playbook}evidence:
  - id: the-line
    log: 'frobnicator {id} lost port (?P<port_number>\\d+)'
    strength: decisive
examples:
  - frobnicator {id} lost port 12
near_misses:
  - frobnicator is fine
"""
# Lines are counted by the tests.
CLEAN = """\
id: sample
title: A sample
fixes: [sample-cause]
parameters:
  port: {type: port, from: [capture port_number, ask], help: the port}
  pid: {type: pid, from: ask, help: the process}
steps:
  - id: look
    title: Look at {port}
    why: To see it.
    kind: check
    argv: [ss, -l, "sport = :{port}"]
  - id: end
    title: End it
    why: It is in the way.
    kind: change
    risk: destructive
    end_process: "{pid}"
verify:
  - {probe: listening-ports, fact: {server.port_taken: false}}
watch_for: ready
"""
PROBES = ("listening-ports", "python-packages")
Lint = Callable[..., list[str]]


@pytest.fixture(scope="module")
def base() -> KnowledgeBase:
    """Two signatures, of which one names the playbook."""
    texts = {"sample-cause": "playbook: sample\n", "other-cause": ""}
    files = [
        PackFile(f"test/{name}.yaml", "test", SIGNATURE.replace("{id}", name).replace("{playbook}", line).encode())
        for name, line in texts.items()
    ]
    return decode_files(files, Problems())


@pytest.fixture
def lint(base: KnowledgeBase) -> Lint:
    """Every problem of a playbook's text, as it is told."""

    def run(text: str, area: str = "test") -> list[str]:
        problems = Problems(collect=True)
        files = list(decode_playbooks([PackFile("test/sample.yaml", area, text.encode())], problems))
        check_playbooks(files, base, PROBES, problems)
        return [str(problem) for problem in problems.found]

    return run


def test_a_clean_playbook(lint: Lint) -> None:
    """Nothing to say."""
    assert lint(CLEAN) == []


LOOK = 'kind: check\n    argv: [ss, -l, "sport = :{port}"]'
PORT = "{type: port, from: [capture port_number, ask], help: the port}"
CHANGE = "kind: change\n    "
# What is put in the place of what, the place that is told, and words of the message.
BROKEN = {
    "a signature that there is not": ("[sample-cause]", "[sample-cuase]", "3:9", "'sample-cuase' is no signature; did you mean 'sample-cause'?"),
    "a signature that names it not": ("[sample-cause]", "[sample-cause, other-cause]", "3:23", "'other-cause' does not name this playbook"),
    "a step twice": ("id: end\n", "id: look\n", "13:5", "step 'look' stands twice"),
    "nothing tells whether it worked": (
        "verify:\n  - {probe: listening-ports, fact: {server.port_taken: false}}\nwatch_for: ready\n", "", "1:1", "nothing tells whether it worked"),
    "a name that is there always": ("  port: {", "  python: {type: path, from: ask, help: x}\n  port: {", "5:3", "'python' is there always"),
    "a parameter that nobody uses": ("  port: {", "  idle: {type: int, from: ask, help: x}\n  port: {", "5:3", "no step uses 'idle'"),
    "choices without enum": (PORT, "{type: port, from: ask, help: x, choices: [a]}", "5:3", "'choices' belongs to the type enum"),
    "enum without choices": (PORT, "{type: enum, from: ask, help: x}", "5:3", "'choices' belongs to the type enum"),
    "no source": (PORT, "{type: port}", "5:3", "has neither 'from' nor 'default'"),
    "a default that is none": (PORT, "{type: port, default: 70000}", "5:22", "value from 'default' is not a port: 70000"),
    "asked for what": (PORT, "{type: port, from: ask}", "5:3", "give 'help'"),
    "no such formula": (PORT, "{type: port, from: compute tp-that-divide}", "5:22", "no formula 'tp-that-divide'; did you mean 'tp-that-divides'?"),
    "no such capture": (PORT, "{type: port, from: capture port_nubmer}", "5:22", "captures 'port_nubmer'; did you mean 'port_number'?"),
    "an unknown parameter": ("Look at {port}", "Look at {prot}", "8:5", "no parameter 'prot'; did you mean 'port'? in 'Look at {prot}'"),
    "a brace that is none": ("Look at {port}", "'Look at { {port}'", "8:5", "a brace at character 9"),
    "an unknown parameter in a label": (LOOK, LOOK + "\n    verify: {argv: [ls], label: 'x {prot}'}", "8:5", "no parameter 'prot'"),
    "a brace in a label of the end": ("{probe: listening-ports, ", "{label: '}', probe: listening-ports, ", "20:5", "a brace at character 1"),
    "the wrong kind": (LOOK, "kind: check\n    text: x {port}", "11:5", "a step of kind 'check' cannot do that"),
    "an option of docker that is none": (LOOK, CHANGE + "launch: {container: {set: {shm-siez: '{port}'}}}", "12:5", "docker run has no option --shm-siez; did you mean 'shm-size'?"),
    "an option that may be given often, set": (LOOK, CHANGE + "launch: {container: {set: {ulimit: '{port}'}}}", "12:5", "--ulimit may be given often: put it under 'add'"),
    "an option that counts once, added": (LOOK, CHANGE + "launch: {container: {add: {shm-size: '{port}'}}}", "12:5", "--shm-size counts once: put it under 'set'"),
    "a switch with a value": (LOOK, CHANGE + "launch: {container: {set: {privileged: '{port}'}}}", "12:5", "--privileged takes no value"),
    "an option without its value": (LOOK, CHANGE + "launch: {container: {set: {shm-size: true}, add: {device: '/x{port}'}}}", "12:5", "--shm-size takes a value"),
    "a variable among the options": (LOOK, CHANGE + "launch: {container: {add: {env: 'A={port}'}}}", "12:5", "variables stand under 'env'"),
    "a container beside other changes": (LOOK, CHANGE + "launch: {set: {port: '{port}'}, container: {set: {ipc: host}}}", "12:5", "'container' stands by itself"),
    "a restart that edits": (LOOK, "kind: restart\n    edit: {file: '/x{port}', set: {A: b}}", "11:5", "a step of kind 'restart' cannot do that"),
    "a check that changes": (LOOK, LOOK + "\n    risk: reversible", "13:5", "a step of kind 'check' cannot have the risk 'reversible'"),
    "a change that only reads": ("risk: destructive", "risk: read", "17:5", "a step of kind 'change' cannot have the risk 'read'"),
    "reversible without undo": ("risk: destructive", "risk: reversible", "17:5", "is called reversible, but has no 'undo'"),
    "a change without check": (
        LOOK, CHANGE + "argv: [touch, '/x{port}']\n    undo: {argv: [rm, '/x{port}']}", "11:5", "a change needs 'verify' or 'already_done'"),
    "an edit of nothing": (LOOK, CHANGE + "edit: {file: '/x{port}'}", "12:5", "changes nothing"),
    "a process by what is none": ("pid: {type: pid,", "pid: {type: ident,", "18:5", "'pid' must have the type pid"),
    "no such verb of pip": (LOOK, "kind: check\n    pip: [instal, 'x{port}']", "8:5", "pip instal is not for a playbook; did you mean 'install'?"),
    "a shell": (LOOK, "kind: check\n    argv: [sh, -c, 'ss {port}']", "8:5", "sh: no step runs a shell"),
    "a shell in a check": (LOOK, LOOK + "\n    already_done: {argv: [bash, x]}", "8:5", "bash: no step runs a shell"),
    "a shell in an undo": (LOOK, LOOK + "\n    undo: {argv: [dash, x]}", "8:5", "dash: no step runs a shell"),
    "a shell in a preview": (LOOK, LOOK + "\n    preview: {argv: [zsh, x]}", "8:5", "zsh: no step runs a shell"),
    "an absolute program": (LOOK, "kind: check\n    argv: [/tmp/tool, '{port}']", "8:5", "/tmp/tool: programs are called by their plain names"),
    "a program that starts another": (LOOK, "kind: check\n    argv: [sudo, ss, '{port}']", "8:5", "sudo starts another program"),
    "a process by its name": (LOOK, "kind: check\n    argv: [pkill, '{port}']", "8:5", "pkill: processes are ended by a step of that kind"),
    "a program from a value": (LOOK, "kind: check\n    argv: ['{port}']", "8:5", "the program must be literal, or {python}"),
    "code with a value in it": (LOOK, "kind: check\n    argv: ['{python}', -c, 'x={port}']", "8:5", "a value stands in code"),
    "no such probe": ("probe: listening-ports", "probe: listening-prots", "20:5", "no probe 'listening-prots'; did you mean 'listening-ports'?"),
    "a probe without facts": (", fact: {server.port_taken: false}", "", "20:5", "a probe is asked for facts"),
    "facts without a probe": ("probe: listening-ports", "argv: [ls]", "20:5", "'fact' stands beside 'probe'"),
    "a shell that decides": ("probe: listening-ports, fact: {server.port_taken: false}", "argv: [ksh, x]", "20:5", "ksh: no step runs a shell"),
}  # fmt: skip


@pytest.mark.parametrize("rule", BROKEN)
def test_every_rule(lint: Lint, rule: str) -> None:
    """The playbook that breaks just this rule, with line and column."""
    old, new, place, said = BROKEN[rule]
    assert CLEAN.count(old) == 1
    found = lint(CLEAN.replace(old, new))
    assert any(line.startswith(f"test/sample.yaml:{place}: ") and said in line for line in found), found


def test_a_launch_change_of_nothing(lint: Lint) -> None:
    """Only the name of what would be changed."""
    found = lint(CLEAN.replace(LOOK, CHANGE + "launch: {target: router}"))
    assert "test/sample.yaml:12:5: changes nothing" in found


def test_a_value_that_could_be_an_option(lint: Lint) -> None:
    """A number that may be negative begins an argument only behind ``--`` or ``=``."""
    number = CLEAN.replace(PORT, "{type: int, minimum: -5, from: ask, help: x}")
    bare = number.replace('"sport = :{port}"', '"{port}"')
    assert [line for line in lint(bare) if "'port' could begin with a dash" in line]
    assert lint(number) == []
    assert lint(bare.replace("-l, ", "--, ")) == []
    assert lint(bare.replace('"{port}"', '"--port={port}"')) == []


def test_an_area(lint: Lint) -> None:
    """A playbook lies in a folder."""
    assert lint(CLEAN, area="") == ["test/sample.yaml:1:1: a playbook lies in the folder of its area"]


def test_all_of_it_at_once(lint: Lint) -> None:
    """What is wrong in one place hides nothing that is wrong in another."""
    text = CLEAN.replace("[sample-cause]", "[no-such-cause]").replace("{port}", "{prot}").replace("[ss, ", "[sh, ")
    text = text.replace("listening-ports", "nonsense").replace("type: pid", "type: ident")
    places = {int(line.split(":")[1]) for line in lint(text)}
    assert places == {3, 5, 8, 18, 20}


def test_signatures_that_name_no_playbook_or_another(base: KnowledgeBase) -> None:
    """The other way round: told with the place in the signature's file."""
    problems = Problems(collect=True)
    check_references([], base, problems)
    assert [re.sub(r":\d+:\d+: ", ": ", str(item)) for item in problems.found] == [
        "test/sample-cause.yaml: no playbook 'sample'"
    ]
    text = CLEAN.replace("[sample-cause]", "[other-cause]")
    files = list(decode_playbooks([PackFile("test/sample.yaml", "test", text.encode())], Problems()))
    problems = Problems(collect=True)
    check_references([item.playbook for item in files], base, problems)
    (found,) = problems.found
    assert found.message == "the playbook 'sample' does not name 'sample-cause' under 'fixes'"
    assert found.location.line > 1


TRICKS = {
    "tag": ("title: !!python/object:os.system A\n", 2), "anchor": ("title: &a A\n", 2), "alias": ("title: &a A\nwatch_for: *a\n", 2),
    "twice": ("title: A\ntitle: B\n", 3), "unknown": ("title: A\nsurprise: 1\n", 3),
}  # fmt: skip


def test_a_pack_of_tricks(tmp_path: Path, base: KnowledgeBase) -> None:
    """Tags, anchors, doubled and unknown keys, shells and absolute programs: each file is told with its place, none is built,
    and nothing of them is carried out."""
    folder = tmp_path / "test"
    folder.mkdir()
    body = "fixes: [sample-cause]\nwatch_for: x\nsteps:\n  - {id: a, title: A, why: So., kind: check, argv: [ls]}\n"
    for name, (line, _) in TRICKS.items():
        (folder / f"{name}.yaml").write_text(
            f"id: {name}\n{line}" + body.replace("watch_for: x\n", "" if "watch_for" in line else "watch_for: x\n")
        )
    for name, argv in {"shell": '[sh, -c, "id"]', "absolute": "[/tmp/x]"}.items():
        (folder / f"{name}.yaml").write_text(f"id: {name}\ntitle: A\n" + body.replace("[ls]", argv))
    problems = Problems(collect=True)
    files = list(decode_playbooks(read_pack(tmp_path, problems), problems))
    check_playbooks(files, base, PROBES, problems)
    assert sorted(item.playbook.id for item in files) == ["absolute", "shell"]
    for name, (_, at) in TRICKS.items():
        found = [item.location.line for item in problems.found if item.location.path.endswith(f"/{name}.yaml")]
        assert at in found, (name, found)
    told = " ".join(map(str, problems.found))
    assert "sh: no step runs a shell" in told
    assert "/tmp/x: programs are called by their plain names" in told
