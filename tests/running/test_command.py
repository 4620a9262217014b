"""Which file a command's first word runs, held against what a shell does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from triage.running.command import CannotRun, find_program

ROOT = Path(__file__).parents[2]


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path) -> Path:
    """Programs of all kinds that cannot be run, and one that can."""
    (tmp_path / "plain").write_text("no program\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "nowhere").symlink_to(tmp_path / "absent")
    for name, text in (
        ("orphan", "#!/absent/interpreter\n"),
        ("binary", "\x7fELF\0\0\0"),
        ("good", "#!/bin/sh\nexit 4\n"),
    ):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    "word",
    ["nosuch", "plain", "./plain", "./folder", "./nowhere", "./orphan", "./binary", "good", "./good", "./plain/x"],
)
def test_status_is_that_of_a_shell(runner: list[str], folder: Path, word: str) -> None:
    """127 for what is not there, 126 for what cannot be run, and one line that names it."""
    path = f"{folder}:/usr/bin:/bin"
    shell = subprocess.run(["bash", "-c", word], cwd=folder, env={"PATH": path}, capture_output=True, check=False)
    ours = subprocess.run(
        [*runner, word], cwd=folder, env={"PATH": path, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    assert ours.returncode == shell.returncode
    assert ours.stderr.count(b"\n") == (0 if word.endswith("good") else 1)
    assert word.endswith("good") or ours.stderr.startswith(word.encode() + b": ")


def test_the_first_program_of_the_path(folder: Path, tmp_path: Path) -> None:
    """Files that cannot be run are passed over, as a shell passes over them."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "plain").symlink_to(sys.executable)
    assert find_program("plain", {"PATH": f"{folder}:{other}"}) == str(other / "plain")
    with pytest.raises(CannotRun, match="Permission denied"):
        find_program("plain", {"PATH": str(folder)})


def test_no_command_holds_a_nul() -> None:
    """The kernel could not be given it."""
    with pytest.raises(CannotRun):
        find_program("a\0b", {})
