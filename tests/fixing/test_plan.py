"""A playbook filled with the values of a case: what each step becomes, and that values stay what they are."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.fixing.parameters import resolve
from triage.fixing.plan import Plan, StepState, make_plan
from triage.knowledge.errors import Problems
from triage.knowledge.pack import PackFile
from triage.knowledge.playbooks import decode_playbooks
from triage.model import Value
from triage.playbook import Case, Edit, EndProcess, LaunchChange, Missing, Playbook, Restart, Run, Typed, Words

Planned = Callable[..., Plan]

TYPES = {
    "int": ("12", "{minimum: -5}"), "float": ("0.5", ""), "size": ("1024", ""), "port": ("30000", ""), "pid": ("4321", ""),
    "path": ("/srv/a", ""), "ident": ("eth0", ""), "version": ("1.2.3", ""), "enum": ("one", "{choices: [one, two]}"),
    "bool": ("true", ""),
}  # fmt: skip


def _everything() -> Playbook:
    """A playbook in which a value of each type stands everywhere that values may stand."""
    names = [f"v_{kind}" for kind in TYPES]
    parameters = "".join(
        f"  v_{kind}: {{type: {kind}, from: [capture v_{kind}]{', ' + more[1:-1] if more else ''}}}\n"
        for kind, (_, more) in TYPES.items()
    )
    words = "".join(f', "--x={{{name}}}", "a {{{name}}} b {{{{other}}}}"' for name in names)
    alone = "".join(f', "{{{name}}}"' for name in names)
    text = f"""
id: everything
title: All of it
fixes: [port-in-use]
parameters:
{parameters}  other: {{type: ident, default: SECRET}}
steps:
  - {{id: argv, title: "t {{v_ident}}", why: So., kind: check, argv: [echo, literal, "--"{words}{alone}], cwd: "{{v_path}}", env: {{A: "{{v_ident}}", B: "{{v_int}}"}}}}
  - {{id: pip, title: t, why: So., kind: check, pip: [show{words}]}}
  - {{id: edit, title: t, why: So., kind: change, edit: {{file: "{{v_path}}", set: {{A: "{{v_ident}}"}}, replace: {{"{{v_version}}": "x{{v_enum}}"}}}}}}
  - {{id: launch, title: t, why: So., kind: change, launch: {{set: {{port: "{{v_port}}"}}, env: {{A: "{{v_ident}}"}}}}}}
  - {{id: end, title: t, why: So., kind: change, end_process: "{{v_pid}}"}}
  - {{id: restart, title: t, why: So., kind: restart, restart: {{pid: "{{v_pid}}"}}}}
  - {{id: hand, title: t, why: So., kind: manual, text: "x {{v_size}}", commands: [[echo{words}]]}}
watch_for: ready
"""
    item = PackFile("test/everything.yaml", "test", text.encode())
    return next(decode_playbooks([item], Problems())).playbook


EVERYTHING = _everything()
HARMLESS: dict[str, Value] = {f"v_{kind}": value for kind, (value, _) in TYPES.items()}


def filled(captures: dict[str, Value]) -> Plan:
    """The plan of the playbook above."""
    case = Case(captures=captures)
    values: dict[str, Typed | Missing] = resolve(EVERYTHING.parameters, case, {})
    values["python"] = Typed(sys.executable, sys.executable, "this host")
    return make_plan(EVERYTHING, case, values)


def words_of(plan: Plan) -> list[list[str]]:
    """Every list of words that a plan could hand to a program, or to a person to type; [] for a step that cannot be prepared."""
    found: list[list[str]] = []
    for planned in plan.steps:
        action = planned.step.action
        if planned.state is StepState.UNAVAILABLE:
            found.append([])
        elif isinstance(action, Run):
            found.append([*action.argv, planned.step.cwd, *(text for _, text in planned.step.env)])
        elif isinstance(action, Edit):
            found.append([action.file, *(text for pair in (*action.set, *action.replace) for text in pair)])
        elif isinstance(action, LaunchChange):
            found.append([str(text) for pair in (*action.set, *action.env) for text in pair])
        elif isinstance(action, (EndProcess, Restart)):
            found.append([action.pid])
        else:
            found.append([word for words in action.commands for word in words])
    return found


REFERENCE = words_of(filled(HARMLESS))
HOSTILE = [
    "{other}", "{v_port}", "{{other}}", "{{7*7}}", "{python}", "{", "}", "$(id)", "`id`", ";reboot", "--config=/etc/passwd",
    "-rf", "--", "a\nb", "a\0b", "../../etc", "/a/../etc", " eth0", "eth0 ", "e th", "x" * 10_000, "", "\x1b[31m", "\u202e", "1e999",
    "true", "-1", "0x10", "٣", "/srv/{other}", "/a b;c", "1.2.3+{other}", "*", "~root", "a=b", "\ud800",
]  # fmt: skip


def same_words(plan: Plan, values: Sequence[str]) -> None:
    """Each step has the words of the harmless plan, but for the one value in its place, or is not possible at all."""
    for found, expected in zip(words_of(plan), REFERENCE, strict=True):
        if not found:
            continue
        assert len(found) == len(expected)
        for word, harmless in zip(found, expected, strict=True):
            if word != harmless:
                assert any(text in word for text in values), (word, harmless)
            assert "SECRET" not in word
            assert "\0" not in word
            assert "\n" not in word
            if word.startswith("-"):
                assert harmless.startswith("-") or word.lstrip("-").isdecimal(), (word, harmless)


@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_captures(name: str, text: str) -> None:
    """One value by another: it converts and stands in its place, or the steps that use it are not possible."""
    plan = filled({**HARMLESS, name: text})
    value = plan.values[name]
    same_words(plan, [value.text] if isinstance(value, Typed) else [])
    if isinstance(value, Missing):
        unavailable = [planned for planned in plan.steps if planned.state is StepState.UNAVAILABLE]
        assert unavailable
        assert all(planned.reason.startswith("cannot be prepared: ") for planned in unavailable)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(
    st.sampled_from(sorted(HARMLESS)),
    st.one_of(
        st.text(max_size=40), st.sampled_from(HOSTILE), st.integers(), st.floats(), st.booleans(), st.none(),
        st.lists(st.text(max_size=5), max_size=3).map(tuple), st.from_regex(r"[/a-z0-9.{}$-]{1,20}", fullmatch=True),
    ),
    min_size=1,
))  # fmt: skip
def test_any_capture_at_all(captures: dict[str, Value]) -> None:
    """Number and place of the words do not depend on what a log says, and nothing enters but what converted."""
    plan = filled({**HARMLESS, **captures})
    same_words(plan, [value.text for value in plan.values.values() if isinstance(value, Typed)])


def test_braces_of_the_playbook_are_braces() -> None:
    """A doubled brace is a brace, and what it encloses is never looked up."""
    assert "a eth0 b {other}" in words_of(filled(HARMLESS))[0]


WHEN = """
steps:
  - {id: a, title: A, why: So., kind: manual, text: x, when: {gpu.count: {gt: 1}}}
"""


@pytest.mark.parametrize(("facts", "state", "reason"), [
    ({"gpu.count": 1}, StepState.LEFT_OUT, "not needed here: gpu.count is 1"), ({"gpu.count": 2}, StepState.SHOWN, ""),
    ({}, StepState.SHOWN, ""),
])  # fmt: skip
def test_when(planned: Planned, facts: dict[str, int], state: StepState, reason: str) -> None:
    """A step is left out where a fact says so, and stays where it is not known."""
    (step,) = planned(WHEN, Case(facts=facts)).steps
    assert (step.state, step.reason) == (state, reason)


@pytest.mark.parametrize(("facts", "expected"), [({"gpu.count": 1}, False), ({"gpu.count": 2}, True), ({}, None)])
def test_applies(planned: Planned, facts: dict[str, int], expected: bool | None) -> None:
    """Yes, no, or not known."""
    text = "applies: {gpu.count: {gt: 1}}\nsteps:\n  - {id: a, title: A, why: So., kind: manual, text: x}\n"
    assert planned(text, Case(facts=facts)).applies is expected


ASK = "\nparameters:\n  name: {type: ident, from: ask, help: the name}\nsteps:\n"


@pytest.mark.parametrize("step", [
    'kind: check, argv: [echo, "{name}"]', 'kind: check, argv: [echo], env: {A: "{name}"}', 'kind: check, argv: [echo], cwd: "/{name}"',
    'kind: check, argv: [echo], already_done: {argv: [echo, "{name}"]}', 'kind: check, argv: [echo], verify: {pip: [show, "{name}"]}',
    'kind: change, argv: [echo], undo: {argv: [echo, "{name}"]}', 'kind: check, argv: [echo], preview: {argv: [echo, "{name}"]}',
    'kind: manual, text: x, commands: [[echo, "{name}"]]', 'kind: change, edit: {file: /x, set: {A: "{name}"}}',
])  # fmt: skip
def test_a_value_that_is_not_known(planned: Planned, step: str) -> None:
    """Wherever it would be needed for something to run, the step is not possible, and says how to give it."""
    text = ASK + f"  - {{id: a, title: A, why: So., {step}}}\n"
    (found,) = planned(text).steps
    assert found.state is StepState.UNAVAILABLE
    assert found.reason == "cannot be prepared: ask: the name (--set name=VALUE)"
    assert planned(text, name="eth0").steps[0].state is not StepState.UNAVAILABLE


def test_words_for_people_do_without_values(planned: Planned) -> None:
    """A text is no command: what is not known is named in it."""
    text = ASK + '  - {id: a, title: "Ask {name}", why: "For {name}.", kind: manual, text: "Call {name}."}\n'
    (found,) = planned(text).steps
    assert found.state is StepState.SHOWN
    assert (found.step.title, found.step.why) == ("Ask <name>", "For <name>.")
    assert found.step.action == Words("Call <name>.")


@pytest.mark.parametrize("step", [
    'kind: check, argv: [echo, "{"]', 'kind: check, argv: [echo, "{nobody}"]', 'kind: manual, text: "{ x }"',
    'kind: check, argv: [echo], verify: {argv: [echo], label: "}"}',
])  # fmt: skip
def test_a_playbook_that_was_not_linted(planned: Planned, step: str) -> None:
    """A brace that is none, or a name that there is not, makes its step impossible and nothing else."""
    text = f"\nsteps:\n  - {{id: a, title: A, why: So., {step}}}\n  - {{id: b, title: B, why: So., kind: manual, text: x}}\n"
    first, second = planned(text).steps
    assert (first.state, second.state) == (StepState.UNAVAILABLE, StepState.SHOWN)
    assert "brace" in first.reason or "no parameter 'nobody'" in first.reason


def test_what_decides_in_the_end(planned: Planned) -> None:
    """A check that lacks a value is not carried out, and says which."""
    text = (
        ASK
        + '  - {id: a, title: A, why: So., kind: manual, text: x}\nverify:\n  - {argv: [echo, "{name}"]}\n  - {argv: [echo, b]}\n'
    )
    first, second = planned(text).verify
    assert first == Missing("ask: the name (--set name=VALUE)")
    assert not isinstance(second, Missing)


def test_a_client_does_it_elsewhere(planned: Planned) -> None:
    """A step of the client is always shown only."""
    (step,) = planned("\nsteps:\n  - {id: a, title: A, why: So., kind: check, argv: [echo], where: client}\n").steps
    assert (step.state, step.reason) == (StepState.SHOWN, "run this where the requests come from")
