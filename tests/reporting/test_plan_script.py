"""A plan as a bash script: kept byte by byte, read by bash, and nothing of a log gets out of its quotes or comments."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension

from triage.playbook import PlanPreview, Risk, ShownValue, StepKind, StepPreview
from triage.reporting.outlet import Outlet
from triage.reporting.plan_script import script_lines
from triage.safety.redact import Redactor

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

SECRET = "hf_SENTINELSENTINELSENTINELSENTINEL"


def step(identifier: str, **more: Any) -> StepPreview:
    """A step that would run."""
    made = StepPreview(
        id=identifier, title="Do it", why="So.", kind=StepKind.CHANGE, risk=Risk.REVERSIBLE, state="ready", command=("/bin/echo", "a b's"),
        user="root", timeout_s=120.0, digest="0123456789ab",
    )  # fmt: skip
    return replace(made, **more)


def plan(*steps: StepPreview, **more: Any) -> PlanPreview:
    """A plan of steps."""
    made = PlanPreview(id="sample", title="Put it right", diagnosis="port-in-use", values=(), steps=steps)
    return replace(made, **more)


def script(of: PlanPreview) -> str:
    """The script, with a salt that never changes."""
    return "".join(f"{line}\n" for line in script_lines(of, Outlet(Redactor(b"golden"))))


EVERYTHING = plan(
    step("run", env=(("A", "1 2"), ("HF_TOKEN", SECRET)), cwd="/srv/a b", already_done="it is there", undo="/bin/rm x", notes=("a note",)),
    step("edit", command=(), diff=("-A=1", "+A=2")),
    step("hand", kind=StepKind.MANUAL, state="shown", command=(), reason="run this on the host", text="One.\nTwo.", commands=(("reboot", "a b"),)),
    step("out", state="left-out", reason="not needed here: gpu.count is 1"),
    step("lost", state="unavailable", reason="cannot be prepared: no program x"),
    values=(ShownValue("port", "30000", "server.log:12", ("1 + 1 = 2",)), ShownValue("name", "", problem="ask: the name")),
    after=("all is well",), watch_for="fired up",
)  # fmt: skip


def test_golden(snapshot: SnapshotAssertion) -> None:
    """Every step is there, what cannot run as a comment."""
    extension = type("Golden", (SingleFileSnapshotExtension,), {"file_extension": "sh"})
    assert script(EVERYTHING).encode() == snapshot.use_extension(extension)


def test_no_secret() -> None:
    """A placeholder stands for it."""
    assert "SENTINEL" not in script(EVERYTHING)


HOSTILE = [
    "$(touch {mark})", "`touch {mark}`", "x\ntouch {mark}", "x\rtouch {mark}", "'; touch {mark}; '", "x\u2028touch {mark}", "x\x85touch {mark}",
    '"; touch {mark}; "', "\\\ntouch {mark}", "x\x0btouch {mark}", "x\x0ctouch {mark}", "\x1b]0;x\x07\ntouch {mark}",
]  # fmt: skip
PLACES: dict[str, Callable[[str], PlanPreview]] = {
    "title": lambda s: plan(step("a"), title=s), "step": lambda s: plan(step("a", title=s, why=s, already_done=s, undo=s, notes=(s,))),
    "text": lambda s: plan(step("a", state="shown", command=(), reason=s, text=s, commands=((s, s),))),
    "left out": lambda s: plan(step("a", state="left-out", reason=s)), "diff": lambda s: plan(step("a", command=(), diff=(s, "+" + s))),
    "values": lambda s: plan(values=(ShownValue(s, s, s, (s,)), ShownValue(s, "", problem=s))),
    "after": lambda s: plan(step("a"), after=(s,), watch_for=s), "command": lambda s: plan(step("a", command=("/bin/echo", s, "--a=" + s))),
    "server": lambda s: plan(step("a", env=(("A", s),), log="/dev/null", cwd="/")), "log": lambda s: plan(step("a", log="/dev/null/" + s)),
    "variable": lambda s: plan(step("a", env=(("A", s),))), "folder": lambda s: plan(step("a", cwd=s)),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_nothing_but_the_commands_runs(tmp_path: Path, place: str) -> None:
    """Run for real with hostile text in each place: nothing happens but an echo."""
    mark = tmp_path / "mark"
    for number, text in enumerate(HOSTILE):
        made = script(PLACES[place](text.replace("{mark}", str(mark))))
        path = tmp_path / f"{number}.sh"
        path.write_text(made, encoding="utf-8")
        done = subprocess.run(["/bin/bash", str(path)], capture_output=True, cwd=tmp_path, timeout=20, check=False)
        assert not mark.exists(), text
        assert done.returncode == 0 or place in ("folder", "log"), done.stderr
        assert b"syntax error" not in done.stderr


def test_the_values_arrive_as_they_are(tmp_path: Path) -> None:
    """Quotes and variables around a word are not part of it."""
    made = script(
        plan(
            step(
                "a",
                command=("/usr/bin/printf", "%s|", "a b", "$HOME", "it's", ""),
                env=(("A", "1 2"),),
                cwd=str(tmp_path),
            )
        )
    )
    done = subprocess.run(["/bin/bash", "-c", made], capture_output=True, timeout=20, check=True)
    assert done.stdout == b"a b|$HOME|it's||"


def test_it_stops_at_the_first_failure() -> None:
    """What follows rests on what came before."""
    made = script(plan(step("a", command=("/bin/false",)), step("b")))
    done = subprocess.run(["/bin/bash", "-c", made], capture_output=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (1, b"")


def test_a_server_is_started_as_the_plan_says(tmp_path: Path) -> None:
    """With the plan's variables, in its folder, in the background; the script ends, and the server's output goes to its log."""
    log = tmp_path / "new" / "server.log"
    log.parent.mkdir()
    os.mkfifo(log)
    server = ("/bin/sh", "-c", 'read line; echo "$A|$PWD|$line"')
    made = script(plan(step("a", command=server, env=(("A", "1 $x"),), cwd=str(tmp_path), log=str(log))))
    with subprocess.Popen(["/bin/bash", "-c", made], stdin=subprocess.PIPE) as running:
        told = log.read_text(encoding="utf-8")
        assert running.wait(timeout=20) == 0
    assert told == f"1 $x|{tmp_path}|\n"


def test_no_second_server_beside_the_first(tmp_path: Path) -> None:
    """While the process that is to end runs, the script stops in front of the step, and ends nothing itself."""
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as process:
        made = script(plan(step("a", command=("/bin/touch", str(tmp_path / "mark")), ends=process.pid)))
        done = subprocess.run(["/bin/bash", "-c", made], capture_output=True, timeout=20, check=False)
        assert (done.returncode, done.stderr) == (1, f"end process {process.pid} first\n".encode())
        assert process.poll() is None
    assert subprocess.run(["/bin/bash", "-c", made], timeout=20, check=False).returncode == 0
    assert (tmp_path / "mark").exists()
