"""``sgltriage scan --python``: where the installed software prints what nothing explains, as users see it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

CRASH = b"ImportError: libcudnn.so.9: cannot open shared object file: No such file or directory\n"
LINE = b"[2026-03-01 10:00:00 TP3] PoolError: the quokka pool of rank 3 holds 9 pages and not 12\n"
POOL = """\
raise SystemExit("sglang was imported")
class Pool:
    def take(self, count):
        if count > self.free:
            raise PoolError(
                f"the quokka pool of rank {self.rank} "
                f"holds {self.free} pages and not {count}"
            )
"""
ORIGIN = "sglang/srt/mem_cache/pool.py:6 in take (sglang 0.5.1)"


@pytest.fixture(name="server")
def server_fixture(sgltriage: Command) -> Path:
    """An environment with a broken Python and an sglang that may not be run, in the folder of the command."""
    server = sgltriage.folder / "server"
    package = server / "lib" / "python3.11" / "site-packages" / "sglang"
    (package / "srt" / "mem_cache").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('sglang was imported')\n", encoding="utf-8")
    (package / "version.py").write_text('__version__ = "0.5.1"\n', encoding="utf-8")
    (package / "srt" / "mem_cache" / "pool.py").write_text(POOL, encoding="utf-8")
    (package / "srt" / "old.py").write_text("print 'of another Python'\n", encoding="utf-8")
    os.mkfifo(package / "srt" / "pipe.py")
    python = server / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(f"#!/bin/sh\ntouch '{server}/was-started'\n", encoding="utf-8")
    python.chmod(0o755)
    return server


def unexplained(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    """The unexplained lines of a JSON report, which ended as one with findings does."""
    assert (done.returncode, done.stderr) == (1, b"")
    found = json.loads(done.stdout)["unexplained"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("name", ["server", "server/bin/python3", "./server/"])
def test_the_place_is_in_the_json_report(sgltriage: Command, server: Path, name: str) -> None:
    """An environment's folder or its interpreter; neither that nor the package is run."""
    (item,) = unexplained(sgltriage("scan", "--python", name, "--format", "json", stdin=LINE))
    assert (item["line"], item["origin"]) == (1, ORIGIN)
    assert not (server / "was-started").exists()


@pytest.mark.parametrize("fmt", ["text", "markdown", "jsonl", "sarif"])
def test_the_place_is_in_other_formats(sgltriage: Command, server: Path, fmt: str) -> None:
    """Wherever the line is shown with what is known about it."""
    done = sgltriage("scan", "--python", server, "--format", fmt, stdin=LINE)
    assert (done.returncode, done.stderr) == (1, b"")
    assert ORIGIN in done.stdout.decode()
    assert ORIGIN not in sgltriage("scan", "--format", fmt, stdin=LINE).stdout.decode()


def test_text_shows_it_under_its_line(sgltriage: Command, server: Path) -> None:
    """People read the line first, and where it comes from below."""
    lines = sgltriage("scan", "--python", server, stdin=LINE).stdout.decode().splitlines()
    (at,) = [number for number, line in enumerate(lines) if "the quokka pool" in line]
    assert lines[at + 1].strip().startswith(f"printed in {ORIGIN}")


@pytest.mark.parametrize("variable", ["VIRTUAL_ENV", "PATH"])
def test_the_active_environment_is_the_default(sgltriage: Command, server: Path, variable: str) -> None:
    """Without the option the environment is used that a user of the shell would get."""
    value = str(server) if variable == "VIRTUAL_ENV" else f"{server / 'bin'}{os.pathsep}{sgltriage.environment['PATH']}"
    (item,) = unexplained(sgltriage("scan", "--format", "json", stdin=LINE, env={variable: value}))
    assert item["origin"] == ORIGIN
    assert not (server / "was-started").exists()


def test_a_confirmed_cause_needs_no_look(sgltriage: Command, server: Path) -> None:
    """A report that has its answer is not kept waiting, unless the option asks for it."""
    log = CRASH + b"[2026-03-01 10:00:00] hello\n" * 3 + LINE
    active = {"VIRTUAL_ENV": str(server)}
    done = sgltriage("scan", "--format", "json", stdin=log, env=active)
    assert json.loads(done.stdout)["verdict"] == "confirmed"
    assert [item["origin"] for item in unexplained(done)] == [""]
    asked = sgltriage("scan", "--format", "json", "--python", "server", stdin=log)
    assert json.loads(asked.stdout)["verdict"] == "confirmed"
    assert [item["origin"] for item in unexplained(asked)] == [ORIGIN]


def test_the_status_is_that_of_the_log(sgltriage: Command, server: Path) -> None:
    """Knowing the place changes neither the verdict nor the exit status."""
    for stdin in (b"", CRASH, LINE):
        plain, asked = sgltriage("scan", stdin=stdin), sgltriage("scan", "--python", "server", stdin=stdin)
        assert asked.returncode == plain.returncode
        assert asked.stdout.splitlines()[-1] == plain.stdout.splitlines()[-1]


def test_an_interpreter_that_does_not_exist(sgltriage: Command) -> None:
    """It is a usage error in words that name it, before anything is read."""
    done = sgltriage("scan", "--python", "nowhere/python3", stdin=LINE)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"nowhere/python3" in done.stderr


@pytest.mark.parametrize("value", ["x" * 300, "gone", "/dev/null", "/proc/self/mem", "loop"])
def test_an_odd_active_environment(sgltriage: Command, value: str) -> None:
    """Whatever the variables hold, the report is given."""
    (sgltriage.folder / "loop").symlink_to("loop")
    path = f"{value}{os.pathsep}{sgltriage.environment['PATH']}"
    (item,) = unexplained(sgltriage("scan", "--format", "json", stdin=LINE, env={"VIRTUAL_ENV": value, "PATH": path}))
    assert item["origin"] == ""


@pytest.mark.parametrize("fmt", ["text", "json", "markdown", "sarif"])
def test_what_a_package_is_called_is_shown_as_text(sgltriage: Command, server: Path, fmt: str) -> None:
    """Names of files and versions are as little to be trusted as a log: no escape of theirs gets out."""
    package = server / "lib" / "python3.11" / "site-packages" / "sglang"
    (package / "version.py").write_bytes(b"__version__ = '0.5\x1b[2J\xff\n1'\n")
    odd = package / os.fsdecode(b"odd \xff\x1b[2J\n.py")
    odd.write_text("raise OSError('a wombat sleeps in an odd file')\n", encoding="utf-8")
    log = b"OSError: a wombat sleeps in an odd file\n"
    done = sgltriage("scan", "--python", "server", "--format", fmt, stdin=log)
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"\x1b" not in done.stdout
    assert "odd " in done.stdout.decode("utf-8")


def test_the_help_names_it(sgltriage: Command) -> None:
    """``scan --help`` says what the option is for."""
    assert b"--python PATH" in sgltriage("scan", "--help").stdout
