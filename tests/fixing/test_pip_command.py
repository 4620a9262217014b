"""pip's command as each environment needs it."""

from __future__ import annotations

import subprocess
import venv
from dataclasses import replace
from pathlib import Path

import pytest

from triage.fixing.pip_command import pip_argv, pip_notes
from triage.fixing.surroundings import Surroundings, look
from triage.playbook import Missing

PYTHON = Path("/srv/env/bin/python")
PIP = ("/srv/env/bin/python", "-m", "pip", "--no-input", "--disable-pip-version-check")
VENV = Surroundings(python=PYTHON, is_venv=True, has_pip=True)
SYSTEM = Surroundings(python=PYTHON, externally_managed=True, has_pip=True)
UV = Surroundings(python=PYTHON, is_venv=True, made_by_uv=True, uv=Path("/bin/uv"))
OF_UV = ("/bin/uv", "pip")


@pytest.mark.parametrize(
    ("surroundings", "arguments", "argv"),
    [
        (VENV, ("install", "--no-deps", "x==1"), (*PIP, "install", "--no-deps", "x==1")),
        (VENV, ("uninstall", "x"), (*PIP, "uninstall", "--yes", "x")),
        (VENV, ("uninstall", "-y", "x"), (*PIP, "uninstall", "-y", "x")),
        (SYSTEM, ("install", "x"), (*PIP, "install", "--break-system-packages", "x")),
        (SYSTEM, ("install", "--break-system-packages", "x"), (*PIP, "install", "--break-system-packages", "x")),
        (SYSTEM, ("uninstall", "x"), (*PIP, "uninstall", "--break-system-packages", "--yes", "x")),
        (SYSTEM, ("list", "--format", "json"), (*PIP, "list", "--format", "json")),
        (replace(SYSTEM, is_venv=True), ("install", "x"), (*PIP, "install", "x")),
        (replace(UV, has_pip=True), ("install", "x"), (*PIP, "install", "x")),
        (UV, ("install", "--force-reinstall", "--no-deps", "x==1"), (*OF_UV, "install", "--python", str(PYTHON), "--reinstall", "--no-deps", "x==1")),
        (UV, ("install", "--no-cache-dir", "--pre", "--index-url=https://e/"), (*OF_UV, "install", "--python", str(PYTHON), "--no-cache", "--prerelease=allow", "--index-url=https://e/")),
        (UV, ("uninstall", "-y", "x"), (*OF_UV, "uninstall", "--python", str(PYTHON), "x")),
        (replace(UV, is_venv=False, externally_managed=True), ("install", "x"), (*OF_UV, "install", "--python", str(PYTHON), "--break-system-packages", "x")),
    ],
)  # fmt: skip
def test_argv(surroundings: Surroundings, arguments: tuple[str, ...], argv: tuple[str, ...]) -> None:
    """The server's own interpreter is asked, with what its environment needs; uv where there is no pip. Never sudo."""
    assert pip_argv(arguments, surroundings) == argv


@pytest.mark.parametrize(
    ("surroundings", "arguments", "reason"),
    [
        (VENV, (), "without a command"),
        (VENV, ("config", "set"), "pip config is none"),
        (VENV, ("--python", "/x", "install"), "is none that a playbook may use"),
        (VENV, ("install", "--user", "x"), "no packages of the user"),
        (Surroundings(has_pip=True), ("install", "x"), "not known"),
        (Surroundings(python=PYTHON), ("install", "x"), "ensurepip"),
        (replace(UV, uv=None), ("install", "x"), "uv, which made this environment, is not found"),
        (UV, ("download", "x"), "uv pip has no download"),
        (UV, ("install", "--global-option", "x"), "has no --global-option"),
        (replace(VENV, is_elsewhere=True, container_runtime="docker", container_name="s1"), ("install", "x"), "docker exec s1 /srv/env/bin/python -m pip install x"),
    ],
)  # fmt: skip
def test_missing(surroundings: Surroundings, arguments: tuple[str, ...], reason: str) -> None:
    """Where it cannot be done from here the reason says what can."""
    found = pip_argv(arguments, surroundings)
    assert isinstance(found, Missing)
    assert reason in found.reason


def test_preview() -> None:
    """What would be installed can be asked; what would be removed is what is named."""
    assert pip_argv(("install", "x"), VENV, dry_run=True) == (*PIP, "install", "--dry-run", "x")
    assert pip_argv(("install", "x"), UV, dry_run=True) == (
        *OF_UV,
        "install",
        "--python",
        str(PYTHON),
        "--dry-run",
        "x",
    )
    assert isinstance(pip_argv(("uninstall", "x"), VENV, dry_run=True), Missing)


def test_notes() -> None:
    """People are told what they would not expect."""
    assert pip_notes(VENV) == ()
    notes = " ".join(pip_notes(replace(SYSTEM, is_conda=True, in_container=True)))
    assert all(word in notes for word in ("conda", "distribution", "image"))


def test_real_environment(tmp_path: Path) -> None:
    """The command works in a real environment, on the packages of that environment."""
    venv.create(tmp_path / "env", with_pip=True, symlinks=True)
    surroundings = look(tmp_path / "env/bin/python", None, {})
    assert surroundings.has_pip
    argv = pip_argv(("show", "--files", "pip"), surroundings)
    assert not isinstance(argv, Missing)
    shown = subprocess.run(argv, capture_output=True, check=True, text=True, env={"PATH": "/nowhere"})
    assert str(tmp_path / "env") in shown.stdout
