"""Files that the script of a plan writes: run by a real bash, they hold byte for byte what they were to hold."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.playbook import FileContent, PlanPreview, Risk, StepKind, StepPreview
from triage.reporting.outlet import Outlet
from triage.reporting.plan_script import script_lines
from triage.safety.redact import Redactor


def change(path: Path, text: str, mode: int = 0o600) -> FileContent:
    """What the file is to hold, given what it holds now."""
    before = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
    return FileContent(str(path), text, before, mode)


def script(*files: FileContent) -> str:
    """The script of a plan whose steps write these files."""
    steps = tuple(
        StepPreview(f"s{at}", "Write it", "So.", StepKind.CHANGE, Risk.REVERSIBLE, "ready", file=file, undo="by its copy")
        for at, file in enumerate(files)
    )  # fmt: skip
    plan = PlanPreview("sample", "Put it right", "port-in-use", values=(), steps=steps)
    return "".join(f"{line}\n" for line in script_lines(plan, Outlet(Redactor(hide_prompts=False))))


def bash(text: str) -> subprocess.CompletedProcess[str]:
    """Run it for real."""
    return subprocess.run(["/bin/bash"], input=text, capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize(
    "text",
    [
        "A=2\n",
        "A=2",
        "",
        "\n\n",
        "A=1\n\n",
        "\tA='$(id)' \"`id`\" \\\n  ${HOME} $((1+1)) !! \\\\\n",
        "END_OF_FILE\nA=1\nEND_OF_FILE_2\n",
        "END_OF_FILE",
        ")\" > /dev/null\n",
        "é … 漢字\n",
        "#!/bin/bash\nexec python3 <<'EOF'\nprint('x')\nEOF\n",
    ],
)  # fmt: skip
def test_a_file_is_written_and_comes_back(tmp_path: Path, text: str) -> None:
    """Every byte arrives, the mode stays, a copy is kept, and the command for the undo restores it."""
    path = tmp_path / "a b's.env"
    before = b"A=1\n# \xff\n"
    path.write_bytes(before)
    path.chmod(0o640)
    made = script(change(path, text))
    done = bash(made)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert path.read_bytes() == text.encode()
    assert path.stat().st_mode & 0o777 == 0o640
    undo = next(line for line in made.splitlines() if line.startswith("#    undo: "))
    assert bash(undo.removeprefix("#    undo: ")).returncode == 0
    assert path.read_bytes() == before


@settings(max_examples=25)
@given(st.text(st.sampled_from("aE_$`'\"\\!(){}<>&|;#\n\t é*~="), max_size=40))
def test_any_text(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Nothing of the text is read by the shell."""
    path = tmp_path_factory.mktemp("any") / "new.env"
    done = bash(script(change(path, text)))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert path.read_bytes().decode() == text


def test_a_new_file(tmp_path: Path) -> None:
    """It has the mode that was meant, and its undo removes it."""
    path = tmp_path / "new.sh"
    made = script(change(path, "#!/bin/sh\ntrue\n", 0o700))
    assert bash(made).returncode == 0
    assert path.stat().st_mode & 0o777 == 0o700
    assert f"undo: rm -- {path}" in made


def test_a_file_that_is_not_as_it_was(tmp_path: Path) -> None:
    """Somebody changed it, or put one there, or the copy is there already: the script ends before it writes anything."""
    path = tmp_path / "server.env"
    fresh = script(change(path, "A=2\n"))
    path.write_text("A=1\n")
    made = script(change(path, "A=2\n"))
    assert bash(fresh).returncode != 0
    (tmp_path / "server.env.before-step-1").write_text("kept")
    assert bash(made).returncode != 0
    assert (tmp_path / "server.env.before-step-1").read_text() == "kept"
    path.write_text("A=3\n")
    (tmp_path / "server.env.before-step-1").unlink()
    assert bash(made).returncode != 0
    assert path.read_text() == "A=3\n"
    assert [item.name for item in tmp_path.iterdir()] == ["server.env"]


SECRET = "hf_SENTINELSENTINELSENTINELSENTINEL"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    "text", [f"HF_TOKEN={SECRET}\n", KEY, "A=1\r\n", "A=\x1b[31m\n", "A=\udcff\n", "A=\u202e\n", "x" * (65 << 10)]
)
def test_what_a_script_cannot_hold(tmp_path: Path, text: str) -> None:
    """Secrets, and what does not show, are left to the program itself: the script says so, and writes nothing."""
    path = tmp_path / "server.env"
    made = script(change(path, text))
    assert bash(made).returncode == 0
    assert not path.exists()
    assert f"{path} is not written by this script" in made
    assert "SENTINEL" not in made
    assert "MIIEvQ" not in made


def test_two_steps_on_one_file(tmp_path: Path) -> None:
    """The second was worked out from what the file holds now: it would take the first back."""
    path = tmp_path / "server.env"
    path.write_text("A=1\nB=1\n")
    made = script(change(path, "A=2\nB=1\n"), change(path, "A=1\nB=2\n"))
    assert bash(made).returncode == 0
    assert path.read_text() == "A=2\nB=1\n"
    assert "(an earlier step writes it): use sgltriage fix for this step" in made
