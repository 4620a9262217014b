"""The server started again, by whatever keeps it running."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from triage.fixing.launch_show import write_script
from triage.fixing.processes import end
from triage.fixing.restart import StartProcess, alive, plan_restart, start
from triage.fixing.surroundings import Surroundings
from triage.playbook import Run, Words

LAUNCH = ("A=1 $x", "python3", "-m", "sglang.launch_server", "--tp", "8")
PLAIN = Surroundings(python=Path(sys.executable), supervisor="plain")
SYSTEMD = Surroundings(supervisor="systemd", unit="sglang.service", is_root=True, user="root")
DOCKER = Surroundings(supervisor="docker", is_elsewhere=True, container_runtime="docker", container_name="s1")


def _words(found: object) -> Words:
    assert isinstance(found, Words)
    return found


def test_systemd() -> None:
    """A unit is restarted by its name; a command that it does not have yet is to be put into it, quoted as it needs."""
    again = ("systemctl", "restart", "sglang.service")
    assert plan_restart(SYSTEMD, LAUNCH) == Run(again)
    assert plan_restart(SYSTEMD, LAUNCH, changed=True, script=Path("/etc/systemd/system/sglang.service")) == Run(again)
    user = replace(SYSTEMD, is_root=False, user="u", is_user_unit=True)
    assert plan_restart(user, LAUNCH) == Run(("systemctl", "--user", "restart", "sglang.service"))
    assert _words(plan_restart(replace(user, is_user_unit=False), LAUNCH)).commands == (again,)
    told = _words(plan_restart(SYSTEMD, LAUNCH, changed=True))
    assert told.commands == (("systemctl", "edit", "sglang.service"), again)
    assert told.text.endswith(
        '[Service]\nEnvironment="A=1 $x"\nExecStart=\nExecStart=python3 -m sglang.launch_server --tp 8'
    )


def test_docker() -> None:
    """From the host a container is restarted; from inside, and with another command, people are told what to do."""
    assert plan_restart(DOCKER, LAUNCH) == Run(("docker", "restart", "s1"))
    assert plan_restart(replace(DOCKER, container_runtime="podman"), LAUNCH) == Run(("podman", "restart", "s1"))
    inside = replace(DOCKER, is_elsewhere=False, in_container=True)
    assert _words(plan_restart(inside, LAUNCH)).commands == (("docker", "restart", "s1"),)
    assert "on the host" in _words(plan_restart(inside, LAUNCH)).text
    whole = ("docker", "run", "--gpus", "all", "img", *LAUNCH[1:])
    told = _words(plan_restart(DOCKER, whole, changed=True))
    assert told.commands == (("docker", "stop", "s1"), ("docker", "rename", "s1", "s1-before"), whole)
    assert "same options" in _words(plan_restart(DOCKER, LAUNCH, changed=True)).text


def test_other_options_of_a_container(tmp_path: Path) -> None:
    """A restart would not bring them, so it is never done by itself; a new container is."""
    aside = (("docker", "stop", "s1"), ("docker", "rename", "s1", "s1-before"))
    told = _words(plan_restart(DOCKER, LAUNCH, container_changed=True))
    assert told.commands == (*aside, ("docker", "restart", "s1"))
    script = tmp_path / "serve.sh"
    told = _words(plan_restart(DOCKER, LAUNCH, container_changed=True, script=script))
    assert told.commands == (*aside, (str(script),), ("docker", "restart", "s1"))
    told = _words(plan_restart(DOCKER, LAUNCH, changed=True, container_changed=True))
    assert told.commands == (*aside, LAUNCH)
    assert "the changed options" in told.text
    assert isinstance(
        plan_restart(replace(DOCKER, supervisor="systemd", unit="s", is_root=True), LAUNCH, container_changed=True), Run
    )


@pytest.mark.parametrize(
    ("surroundings", "command"),
    [
        (Surroundings(supervisor="kubernetes", container_name="pod-0"), ("kubectl", "delete", "pod", "pod-0")),
        (Surroundings(supervisor="slurm", unit="77"), ("scontrol", "requeue", "77")),
        (Surroundings(supervisor="ray"), ("ray", "job", "list")),
    ],
)
def test_told(surroundings: Surroundings, command: tuple[str, ...]) -> None:
    """What a cluster runs is never started by us; with another command people get that as well."""
    assert _words(plan_restart(surroundings, LAUNCH)).commands == (command,)
    assert _words(plan_restart(surroundings, LAUNCH, changed=True)).commands[-1] == LAUNCH


def test_unknown() -> None:
    """Who kept it running is not known, or the command, or a secret in it: people start it."""
    assert _words(plan_restart(Surroundings(), LAUNCH)).commands == (LAUNCH,)
    assert _words(plan_restart(PLAIN, ())).commands == ()
    assert "<api_key>" in _words(plan_restart(PLAIN, (*LAUNCH, "--api-key", "<api_key>"))).text
    container = ("docker", "run", "img", *LAUNCH[1:])
    assert "on the host" in _words(plan_restart(replace(PLAIN, in_container=True), container)).text
    assert isinstance(plan_restart(PLAIN, ("/no/such",)), StartProcess)
    assert isinstance(plan_restart(PLAIN, ("surely-no-such-program",)), Words)


def test_script(tmp_path: Path) -> None:
    """A script that the operator named is what starts the server; not while a secret in it is a placeholder."""
    script = tmp_path / "start.sh"
    found = plan_restart(Surroundings(), LAUNCH, script=script, log=tmp_path / "log")
    assert isinstance(found, StartProcess)
    assert found.argv[1:] == (str(script),)
    assert Path(found.argv[0]).is_absolute()
    assert found.environment == ()
    script.write_text(write_script((*LAUNCH, "--api-key", "<api_key>")))
    assert "<api_key>" in _words(plan_restart(PLAIN, LAUNCH, script=script)).text
    script.write_text(write_script((*LAUNCH, "--api-key", "real")))
    assert isinstance(plan_restart(PLAIN, (*LAUNCH, "--api-key", "<api_key>"), script=script), StartProcess)


def _wait(condition: Callable[[], bool]) -> None:
    end_at = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end_at, "waited too long"
        time.sleep(0.02)


SERVER = """
import os, sys, time
if "--good" not in sys.argv:
    sys.exit("unrecognized arguments: " + sys.argv[1])
print("ready", os.getsid(0) == os.getpid(), os.getcwd(), os.environ.get("ADDED"), os.environ.get("OWN"), sys.argv[2], flush=True)
time.sleep(60)
"""


def test_real_server(tmp_path: Path) -> None:
    """A real process is replaced: folder, variables and log are the old one's, the session is its own, and it is that interpreter."""
    program = tmp_path / "server.py"
    program.write_text(SERVER)
    with open(tmp_path / "log", "ab") as log:
        environment = {**os.environ, "OWN": "secret"}
        old = subprocess.Popen(
            [sys.executable, program, "--good", "old"], cwd=tmp_path, env=environment, stdout=log, stderr=log
        )
    log_text = (tmp_path / "log").read_text
    _wait(lambda: "ready" in log_text())
    launch = ("ADDED=a b", "python3", str(program), "--good", "$HOME; x")
    found = plan_restart(PLAIN, launch, pid=old.pid)
    assert isinstance(found, StartProcess)
    old.terminate()
    old.wait()
    assert (found.argv[0], found.cwd, found.log) == (sys.executable, tmp_path, tmp_path / "log")
    record = json.dumps(found.to_record())
    assert "OWN" in record
    assert "secret" not in record
    process = start(found)
    try:
        _wait(lambda: log_text().count("ready") == 2)
        assert log_text().splitlines()[1] == f"ready True {tmp_path} a b secret $HOME; x"
        assert alive(process)
    finally:
        end(process, 5.0)
    _wait(lambda: not alive(process))


def test_bad_flag_then_good(tmp_path: Path) -> None:
    """A server that dies of its flags is dead at once, and runs with the corrected command from the script."""
    program, script = tmp_path / "server.py", tmp_path / "start.sh"
    program.write_text(SERVER)
    log = tmp_path / "new" / "log"
    found = plan_restart(PLAIN, ("python3", str(program), "--goood", "x"), log=log)
    assert isinstance(found, StartProcess)
    process = start(found)
    _wait(lambda: not alive(process))
    assert "unrecognized" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    script.write_text(write_script((sys.executable, str(program), "--good", "x")))
    found = plan_restart(Surroundings(), (), script=script, log=log)
    assert isinstance(found, StartProcess)
    process = start(found)
    try:
        _wait(lambda: "ready" in log.read_text())
        assert alive(process)
    finally:
        end(process, 5.0)


def test_log_is_a_file(tmp_path: Path) -> None:
    """The log is a file of ours: no link is followed, and a pipe is not waited for."""
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        process = StartProcess((sys.executable, "-c", ""), tmp_path, (), tmp_path / name)
        with pytest.raises(OSError):
            start(process)
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(OSError):
        start(StartProcess(("/no/such/program",), tmp_path, (), tmp_path / "log"))


def test_default_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a log to go on with, the output goes into the state directory."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    found = plan_restart(PLAIN, shlex.split("python3 -m sglang.launch_server"))
    assert isinstance(found, StartProcess)
    assert found.log == tmp_path / "sgltriage" / "server.log"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert getattr(plan_restart(PLAIN, ("python3",)), "log", None) == tmp_path / ".local/state/sgltriage/server.log"
