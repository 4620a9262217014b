"""Bundled playbooks on real environments with real wheels: repaired, verified, taken back."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

WHEELS = ("setproctitle==1.3.5", "setproctitle==1.3.6")
LOG = """[2026-03-01 09:00:00] server_args=ServerArgs(model_path='/models/m', host='127.0.0.1', port=30000, tp_size=1)
Traceback (most recent call last):
  File "/opt/server/lib/python3.11/site-packages/sglang/launch_server.py", line 7, in <module>
    from sglang.srt.server_args import prepare_server_args
ModuleNotFoundError: No module named 'setproctitle'
"""


@pytest.fixture
def sgltriage(warm_sgltriage: Command) -> Command:
    """The start of the command is not the point here."""
    return warm_sgltriage


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases of a small real package, fetched once; no test without a package index."""
    folder = tmp_path_factory.mktemp("wheels")
    for wheel in WHEELS:
        argv = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--only-binary",
            ":all:",
            "-d",
            str(folder),
            wheel,
        ]
        if subprocess.run(argv, capture_output=True, check=False).returncode:
            pytest.skip(f"no package index gives {wheel}")
    return folder


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with pip; to make one takes many times as long as to copy it."""
    folder = tmp_path_factory.mktemp("environment") / "server"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return folder


@pytest.fixture
def environment(tmp_path: Path, template: Path) -> Path:
    """A server's virtual environment; its interpreter."""
    shutil.copytree(template, tmp_path / "server", symlinks=True)
    return tmp_path / "server" / "bin" / "python"


def installed(python: Path) -> str:
    """The version of the package in an environment, or an empty text."""
    code = "import importlib.metadata as m; print(*(d.version for d in m.distributions() if d.name == 'setproctitle'))"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def token(shown: bytes, step: str) -> str:
    """What agrees to a step as it was shown."""
    found = re.search(rf"--yes-to ({step}@[0-9a-f]{{12}})".encode(), shown)
    assert found is not None, shown.decode()
    return found[1].decode()


def test_a_missing_module_is_installed_and_taken_back(
    sgltriage: Command, environment: Path, wheels: Path, tmp_path: Path
) -> None:
    """From the log that names it to a server environment that can import it, and back."""
    (tmp_path / "server.log").write_text(LOG)
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    words = ("fix", "missing-python-module", "--log", "server.log", "--set", f"python={environment}")
    shown = sgltriage(*words, env=index)
    assert installed(environment) == ""
    done = sgltriage(*words, "--yes-to", token(shown.stdout, "install-package"), env=index)
    assert re.search(rb"^fixed$", done.stdout, re.MULTILINE), done.stdout.decode()
    assert done.returncode == 0
    assert installed(environment) == "1.3.6"
    again = sgltriage(*words, "--yes-to", token(sgltriage(*words, env=index).stdout, "install-package"), env=index)
    assert b"already done  install-package" in again.stdout
    first = sgltriage("fix", "--history").stdout.decode()
    assert first.count("install-missing-python-module") == 2
    # The newest run changed nothing, so there is nothing of it to take back.
    assert b"nothing is left to take back" in sgltriage("fix", "--undo").stdout


def test_a_wrong_version_is_replaced_and_comes_back(
    sgltriage: Command, environment: Path, wheels: Path, tmp_path: Path
) -> None:
    """The undo puts back just the version that was there."""
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    argv = [str(environment), "-m", "pip", "install", "-q", "--no-index", "--find-links", str(wheels), WHEELS[0]]
    subprocess.run(argv, check=True, capture_output=True)
    given = {"python": str(environment), "package": "setproctitle", "wanted": "1.3.6", "present": "1.3.5"}
    words = ("fix", "install-pinned-packages", *(word for item in given.items() for word in ("--set", "=".join(item))))
    done = sgltriage(*words, "--yes-to", token(sgltriage(*words, env=index).stdout, "install-one"), env=index)
    assert b"done  install-one" in done.stdout, done.stdout.decode()
    assert b"setproctitle 1.3.6 is there" in done.stdout
    assert installed(environment) == "1.3.6"
    offered = sgltriage("fix", "--undo", env=index)
    assert sgltriage("fix", "--undo", "--yes-to", token(offered.stdout, "install-one"), env=index).returncode == 0
    assert installed(environment) == "1.3.5"


TORCH = {
    "METADATA": "Metadata-Version: 2.1\nName: torch\nVersion: {version}\n",
    "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "RECORD": "torch/__init__.py,,\ntorch-{version}.dist-info/METADATA,,\ntorch-{version}.dist-info/WHEEL,,\ntorch-{version}.dist-info/RECORD,,\n",
    "INSTALLER": "pip\n",
}


def put_torch(site: Path, version: str) -> None:
    """A package that is called torch, as pip leaves it; its files are small, its records real."""
    (site / "torch").mkdir(parents=True)
    (site / "torch" / "__init__.py").write_text(f"__version__ = {version!r}\n")
    info = site / f"torch-{version}.dist-info"
    info.mkdir()
    for name, text in TORCH.items():
        (info / name).write_text(text.format(version=version))


def test_a_duplicate_of_the_user_is_removed(sgltriage: Command, tmp_path: Path) -> None:
    """The copy under ~/.local goes, the one of the interpreter stays."""
    base = Path(sys.base_prefix)
    minor = f"python{sys.version_info.major}.{sys.version_info.minor}"
    python = next(path for path in (base / "bin" / minor, base / "bin" / "python3") if path.exists())
    # An interpreter's own folders are not ours to write to: its copy stands in a folder on PYTHONPATH instead.
    put_torch(tmp_path / "site", "2.9.1")
    put_torch(tmp_path / ".local" / "lib" / minor / "site-packages", "2.8.0")
    own = {"PYTHONPATH": f"{Path(__file__).parents[2]}:{tmp_path / 'site'}"}
    words = ("fix", "torch-duplicate-install", "--set", f"python={python}", "--set", "torch=2.8.0")
    shown = sgltriage(*words, env=own).stdout
    if b"remove-user-torch@" not in shown:
        pytest.skip("this interpreter shows no copy under ~/.local")
    done = sgltriage(*words, "--yes-to", token(shown, "remove-user-torch"), env=own)
    assert not (tmp_path / ".local" / "lib" / minor / "site-packages" / "torch").exists(), done.stdout.decode()
    assert (tmp_path / "site" / "torch" / "__init__.py").exists()
