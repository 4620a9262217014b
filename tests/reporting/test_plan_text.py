"""A plan as people read it before they agree, kept byte by byte; and nothing of a log gets out of its line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension

from triage.playbook import PlanPreview, Risk, ShownValue, StepKind, StepPreview
from triage.reporting.outlet import Outlet
from triage.reporting.page import Page
from triage.reporting.plan_text import plan_lines, shell_text, step_lines
from triage.reporting.view import View
from triage.safety.redact import Redactor

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

SECRET = "hf_SENTINELSENTINELSENTINELSENTINEL"
BOX = "\x1b[2J\x1b[H+------+\n| step ok, press y |\n+------+\r\u202e"


def ready(identifier: str = "run", **more: Any) -> StepPreview:
    """A step that would run."""
    step = StepPreview(
        id=identifier, title="Install the package", why="The server misses it.", kind=StepKind.CHANGE, risk=Risk.REVERSIBLE,
        state="ready", command=("/usr/bin/python3", "-m", "pip", "install", "a b's"), cwd="/srv", user="root", timeout_s=120.0,
        digest="0123456789ab",
    )  # fmt: skip
    return replace(step, **more)


def everything() -> PlanPreview:
    """A plan with every kind of step and every field."""
    return PlanPreview(
        id="sample", title="Put it right", diagnosis="port-in-use",
        values=(
            ShownValue("port", "30000", "server.log:12"), ShownValue("fraction", "0.85", "the sum 'f'", ("79.1 - 3 = 76.1 GB", "= 0.85")),
            ShownValue("name", "", problem="ask: the name (--set name=VALUE)"), ShownValue("api_key", SECRET, "--set api_key"),
        ),
        steps=(
            ready(env=(("A", "1"), ("HF_TOKEN", SECRET)), preview=("/usr/bin/ls", "x"), already_done="it is there",
                  verify="pip show x ends with 0", undo="/usr/bin/rm x", needs=("root", "gpu-idle", "restart"), notes=("in a container",)),
            ready("edit", command=(), diff=("--- /x", "+++ /x", "@@ -1 +1 @@", "-A=1", "+A=2", " B=3"), undo="the copy is put back"),
            ready("look", kind=StepKind.CHECK, risk=Risk.READ), ready("start", kind=StepKind.RESTART, risk=Risk.DISRUPTIVE),
            ready("wipe", risk=Risk.DESTRUCTIVE),
            ready("hand", kind=StepKind.MANUAL, state="shown", command=(), reason="run this on the host", text="One.\nTwo.",
                  commands=(("reboot", "--why=a b"), ("login", "--token", SECRET)), digest=""),
            ready("out", state="left-out", reason="not needed here: gpu.count is 1", digest=""),
            ready("lost", state="unavailable", reason="cannot be prepared: no program x", digest=""),
        ),
        after=("all is well",), watch_for="fired up", notes=("this playbook does not apply here: a is 1",),
        references=("https://example.org/a",),
    )  # fmt: skip


def text(plan: PlanPreview, view: View) -> str:
    """All lines, with a salt that never changes."""
    return "".join(f"{line}\n" for line in plan_lines(plan, Outlet(Redactor(b"golden")), view))


@pytest.mark.parametrize("name", ["plain", "color", "ascii"])
def test_golden(snapshot: SnapshotAssertion, name: str) -> None:
    """Every field has its place, for pipes, colour terminals and terminals without our typography."""
    view = {"plain": View(), "color": View(color=True), "ascii": View(ascii_only=True)}[name]
    extension = type("Golden", (SingleFileSnapshotExtension,), {"file_extension": "txt"})
    assert text(everything(), view).encode() == snapshot.use_extension(extension)


def test_no_secret() -> None:
    """Neither of a value, a variable nor a command."""
    assert "SENTINEL" not in text(everything(), View(color=True))


FIELDS: list[Callable[[str], PlanPreview]] = [
    lambda s: replace(everything(), title=s), lambda s: replace(everything(), diagnosis=s), lambda s: replace(everything(), after=(s,)),
    lambda s: replace(everything(), watch_for=s), lambda s: replace(everything(), notes=(s,)), lambda s: replace(everything(), references=(s,)),
    lambda s: replace(everything(), values=(ShownValue(s, s, s, (s,)),)), lambda s: replace(everything(), values=(ShownValue(s, "", problem=s),)),
    *(
        lambda s, key=key: replace(everything(), steps=(ready(**{key: s}),))
        for key in ("id", "title", "why", "cwd", "user", "already_done", "verify", "undo")
    ),
    lambda s: replace(everything(), steps=(ready(state="shown", reason=s),)), lambda s: replace(everything(), steps=(ready(command=(s, s)),)),
    lambda s: replace(everything(), steps=(ready(env=((s, s),)),)), lambda s: replace(everything(), steps=(ready(preview=(s,)),)),
    lambda s: replace(everything(), steps=(ready(notes=(s,)),)), lambda s: replace(everything(), steps=(ready(diff=(s, "+" + s)),)),
    lambda s: replace(everything(), steps=(ready(commands=((s, s),)),)),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(FIELDS)))
def test_hostile_text_stays_in_its_line(number: int) -> None:
    """A drawn box is text: as many lines as with a harmless word, no control character, no line that begins with it."""
    made = FIELDS[number]
    shown, harmless = text(made(BOX), View()), text(made("x"), View())
    assert shown.count("\n") == harmless.count("\n")
    assert not any(char in shown for char in "\x1b\r\u202e")
    assert "press y" in shown
    assert not any(line.startswith(("|", "+------")) for line in shown.splitlines())


def test_a_text_for_people_may_have_lines() -> None:
    """Each of them behind its label."""
    lines = list(step_lines(ready(state="shown", text=BOX), 1, Page(Outlet(Redactor()), View())))
    shown = [line for line in lines if "press y" in line]
    assert shown
    assert all(line.startswith("   do") for line in shown)


def test_a_command_can_be_copied() -> None:
    """Quoted as a shell needs it."""
    page = Page(Outlet(Redactor()), View())
    assert shell_text(("echo", "a b", "$(id)", "it's", ""), page) == "echo 'a b' '$(id)' 'it'\"'\"'s' ''"
