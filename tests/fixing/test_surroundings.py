"""Where a fix is carried out: real environments, and machines made of files."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from triage.fixing.pip_command import pip_argv
from triage.fixing.surroundings import Surroundings, look
from triage.playbook import Missing

NUMBER = "ab" * 32
SERVER = "python3 -m sglang.launch_server --tp 8"


def _machine(root: Path, pid: int, group: str, line: list[tuple[int, str, str]], files: tuple[str, ...] = ()) -> Path:
    """A machine on which ``pid`` runs in ``group``; ``line``: it and what it descends from as (number, name, command)."""
    for place, (number, name, command) in enumerate(line):
        folder = root / "proc" / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        parent = line[place + 1][0] if place + 1 < len(line) else 0
        (folder / "stat").write_text(f"{number} ({name}) S {parent} 0 0")
        (folder / "cmdline").write_bytes(command.replace(" ", "\0").encode() + b"\0")
    (root / f"proc/{pid}/cgroup").write_text(group + "\n")
    (root / "proc/1").mkdir(exist_ok=True)
    (root / "proc/1/cgroup").write_text("0::/init.scope\n")
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return root


HOST = [(50, "python3", SERVER), (1, "systemd", "/sbin/init")]
BY_HAND = [(50, "python3", SERVER), (40, "bash", "-bash"), (30, "sshd", "sshd: u@pts/0"), (1, "systemd", "/sbin/init")]


@pytest.mark.parametrize(
    ("group", "line", "files", "supervisor", "unit"),
    [
        ("0::/system.slice/sglang.service", HOST, ("run/systemd/system/x",), "systemd", "sglang.service"),
        ("0::/system.slice/system-sglang.slice/sglang@a.service", HOST, ("run/systemd/system/x",), "systemd", "sglang@a.service"),
        ("0::/system.slice/sglang.service", HOST, (), "plain", ""),
        ("0::/user.slice/user-1.slice/session-3.scope", BY_HAND, ("run/systemd/system/x",), "plain", ""),
        ("0::/system.slice/ssh.service", HOST, ("run/systemd/system/x",), "plain", ""),
        ("0::/system.slice/odd.service", BY_HAND, ("run/systemd/system/x",), "plain", ""),
        ("0::/user.slice/user-1.slice/user@1.service/app.slice/sglang.service", [HOST[0], (9, "systemd", "systemd --user"), HOST[1]], ("run/systemd/system/x",), "systemd", "sglang.service"),
        ("0::/system.slice/docker.service", HOST, ("run/systemd/system/x",), "plain", ""),
        (f"0::/system.slice/docker-{NUMBER}.scope", HOST, ("run/systemd/system/x",), "docker", ""),
        (f"12:devices:/docker/{NUMBER}", HOST, (), "docker", ""),
        (f"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{NUMBER}.scope", HOST, (), "kubernetes", ""),
        ("0::/system.slice/slurmstepd.scope/job_77/step_0/user/task_0", HOST, (), "slurm", "77"),
        ("0::/", [HOST[0], (20, "raylet", "raylet"), HOST[1]], (), "ray", ""),
        ("0::/", [HOST[0], (1, "launch.sh", SERVER)], (".dockerenv",), "docker", ""),
        ("0::/system.slice/sglang.service", HOST, (".dockerenv", "run/systemd/system/x"), "systemd", "sglang.service"),
        ("0::/", [HOST[0], (1, "tini", "tini -- /start.sh")], (".dockerenv",), "docker", ""),
        ("0::/", [HOST[0], (1, "bash", "bash")], (".dockerenv",), "plain", ""),
        ("0::/", [HOST[0], (7, "bash", "bash"), (1, "bash", "bash /entry.sh")], (".dockerenv",), "docker", ""),
        ("0::/", [HOST[0], (1, "sleep", "sleep infinity")], (".dockerenv",), "plain", ""),
        ("0::/", [HOST[0], (40, "bash", "bash")], (".dockerenv",), "plain", ""),
        (f"1:x:/docker/{NUMBER}", [HOST[0], (40, "bash", "bash")], (".dockerenv",), "plain", ""),
        ("0::/", [(50, "python3", SERVER)], (), "plain", ""),
    ],
)  # fmt: skip
def test_supervisor(
    tmp_path: Path, group: str, line: list[tuple[int, str, str]], files: tuple[str, ...], supervisor: str, unit: str
) -> None:
    """Control groups and the line of parents tell who keeps the server running."""
    found = look(None, 50, {}, _machine(tmp_path, 50, group, line, files))
    assert (found.supervisor, found.unit) == (supervisor, unit)
    assert found.is_user_unit is ("user@1.service" in group)
    assert found.in_container is (".dockerenv" in files)
    assert found.is_elsewhere is (NUMBER in group and ".dockerenv" not in files)


def test_no_process(tmp_path: Path) -> None:
    """Without a process nobody is known to keep it, but for the job that we are in ourselves; one that has ended is the same."""
    assert look(None, None, {}, tmp_path).supervisor == "unknown"
    assert look(None, 50, {}, tmp_path).supervisor == "unknown"
    assert look(None, None, {"SLURM_JOB_ID": "12"}, tmp_path).unit == "12"
    assert look(None, None, {"SLURM_JOB_ID": "x; y"}, tmp_path).unit == ""


def test_slurm_by_variable(tmp_path: Path) -> None:
    """Where control groups say nothing of the job, the server's variables do."""
    root = _machine(tmp_path, 50, "0::/", HOST)
    (root / "proc/50/environ").write_bytes(b"A=1\0SLURM_JOB_ID=8\0")
    assert (look(None, 50, {}, root).supervisor, look(None, 50, {}, root).unit) == ("slurm", "8")


def test_container_names(tmp_path: Path) -> None:
    """From the host a container has its name where docker's files may be read, else its short number; from inside the host's name."""
    root = _machine(tmp_path, 50, f"0::/system.slice/docker-{NUMBER}.scope", HOST)
    assert look(None, 50, {}, root).container_name == NUMBER[:12]
    config = root / "var/lib/docker/containers" / NUMBER / "config.v2.json"
    config.parent.mkdir(parents=True)
    for text, name in (('{"Name": "/sglang-1"}', "sglang-1"), ('{"Name": "--x; y"}', NUMBER[:12]), ("[", NUMBER[:12])):
        config.write_text(text)
        assert look(None, 50, {}, root).container_name == name
    assert look(None, 50, {}, root).container_runtime == "docker"
    (root / ".dockerenv").touch()
    (root / f"proc/{50}/cgroup").write_text("0::/\n")
    assert look(None, 50, {"HOSTNAME": "0123456789ab"}, root).container_name == "0123456789ab"
    assert (
        look(None, None, {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "pod-0"}, root).container_runtime
        == "kubernetes"
    )


def test_real_environment(tmp_path: Path) -> None:
    """A real virtual environment: its own interpreter, not the one it links to; the base's pip is not its own."""
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    expected = {
        "is_venv": True,
        "made_by_uv": False,
        "externally_managed": False,
        "has_pip": False,
        "is_conda": False,
    }
    found = look(python, None, {})
    assert found.python == python
    assert {name: getattr(found, name) for name in expected} == expected
    assert (found.is_root, bool(found.user)) == (os.geteuid() == 0, True)


@contextlib.contextmanager
def _running(*argv: str | Path) -> Iterator[int]:
    """The number of a process that has said something, and so is what it was started as; it ends with the block."""
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


ANSWER = "import os; print(os.getpid(), flush=True); os.read(0, 1)"


def test_real_process(tmp_path: Path) -> None:
    """A real process that runs in an environment: the environment's interpreter is found by its number alone."""
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    with _running(python, "-c", ANSWER) as pid:
        found = look(None, pid, {})
    assert found.python is not None
    assert found.python.parent == python.parent
    assert found.is_venv


TITLED = """
import os, subprocess, sys
child = subprocess.Popen(["sglang::scheduler", "-I", "-c", sys.argv[1]], executable=sys.executable, env={})
child.wait()
"""


def test_a_title_hides_the_interpreter_but_not_the_parents(tmp_path: Path) -> None:
    """A scheduler whose title stands where its command line was runs in the environment of the server that started it."""
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    with _running(python, "-c", TITLED, ANSWER) as pid:
        found = look(None, pid, {})
    assert found.python is not None
    assert found.python.parent == python.parent
    assert found.is_venv


LEFT_ALONE = """
import os, subprocess, sys
subprocess.Popen(["server", "-I", "-c", sys.argv[2], str(os.getpid())], executable=sys.argv[1], env={})
"""
ALONE = """
import os, sys, time
while os.getppid() == int(sys.argv[1]):
    time.sleep(0.01)
"""


def test_a_title_and_nobody_who_knows(tmp_path: Path) -> None:
    """The program that runs is one that many environments link to, and nothing tells which: none is named, and pip is not run."""
    program = Path(sys.executable).resolve()
    if (program.parents[1] / "conda-meta").is_dir():
        pytest.skip("conda's interpreters lie in their own environments")
    with _running(sys.executable, "-c", LEFT_ALONE, program, ALONE + ANSWER) as pid:
        found = look(None, pid, {})
    assert found.python is None
    refused = pip_argv(("install", "x"), found)
    assert isinstance(refused, Missing)
    assert "name it with --python" in refused.reason


def _distribution(root: Path) -> Path:
    """A Python as a distribution installs it."""
    minor = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for name in (f"usr/bin/{minor}", f"usr/lib/{minor}/EXTERNALLY-MANAGED", f"usr/lib/{minor}/os.py"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        path.chmod(0o755)
    return root / f"usr/bin/{minor}"


def test_made_environments(tmp_path: Path) -> None:
    """A distribution's Python, conda's, and one of uv, told by their files; uv by where it lies."""
    python = _distribution(tmp_path)
    assert look(python, None, {}).externally_managed
    (tmp_path / "usr/conda-meta").mkdir()
    assert look(python, None, {}).is_conda
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    with open(tmp_path / "env/pyvenv.cfg", "a") as stream:
        stream.write("uv = 0.5.1\n")
    uv = tmp_path / "home/.local/bin/uv"
    uv.parent.mkdir(parents=True)
    uv.write_text("")
    uv.chmod(0o755)
    found = look(tmp_path / "env/bin/python", None, {"HOME": str(tmp_path / "home"), "PATH": "relative:"})
    assert (found.made_by_uv, found.uv, found.has_pip) == (True, uv, False)


@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed here")
def test_real_uv(tmp_path: Path) -> None:
    """An environment that a real uv makes has no pip, and the command that is built for it works."""
    uv = shutil.which("uv")
    assert uv
    subprocess.run(
        [uv, "venv", "--offline", "--python", sys.executable, tmp_path / "env"], check=True, capture_output=True
    )
    found = look(tmp_path / "env/bin/python", None, dict(os.environ))
    assert (found.is_venv, found.made_by_uv, found.has_pip, found.uv) == (True, True, False, Path(uv))
    for arguments in (
        ("list", "--format", "json"),
        ("uninstall", "-y", "none"),
        ("install", "--force-reinstall", "--no-deps", "--no-index", "-r", os.devnull),
    ):
        argv = pip_argv(arguments, found)
        assert not isinstance(argv, Missing)
        assert b"error:" not in subprocess.run(argv, check=True, capture_output=True).stderr


def test_nothing_there(tmp_path: Path) -> None:
    """What is not there is unknown, and no guess is made at an interpreter."""
    assert look(tmp_path / "none", None, {}).python is None
    assert look(None, None, {"VIRTUAL_ENV": sys.prefix, "PATH": sysconfig.get_path("scripts")}).python is None
    assert Surroundings().supervisor == "unknown"
