"""Who outlives a server, and what process 1 owes to the dead."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from triage.running.reaping import Reaper
from triage.running.survivors import is_zombie, session_of, survivors

ROOT = Path(__file__).parents[2]
SLEEPS = [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()", "--its-own", "words"]


def test_who_is_in_the_session_or_holds_the_output() -> None:
    """By session, and by an open end of the very pipe; nobody else."""
    ours, theirs = os.pipe()
    link = f"pipe:[{os.fstat(theirs).st_ino}]"
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(SLEEPS, stdin=pipe, stdout=pipe, start_new_session=True) as in_session,
        subprocess.Popen(SLEEPS, stdin=pipe, stdout=pipe, pass_fds=(theirs,)) as holder,
        subprocess.Popen(SLEEPS, stdin=pipe, stdout=pipe) as stranger,
    ):
        os.close(theirs)
        os.close(ours)
        for process in (in_session, holder, stranger):
            assert process.stdout is not None
            process.stdout.readline()
        assert session_of(in_session.pid) == in_session.pid
        found = {item.pid: item.argv for item in survivors(-1, [link])}
        assert set(found) == {holder.pid}
        assert found[holder.pid] == tuple(SLEEPS)
        assert {item.pid for item in survivors(in_session.pid, [])} == set()
        for process in (in_session, holder, stranger):
            process.communicate()


def test_zombies_of_the_servers_session_are_reaped_at_once() -> None:
    """Others only when nobody waited for them for a while."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os._exit(0)
    end = time.monotonic() + 10
    while not is_zombie(pid):
        assert time.monotonic() < end
        time.sleep(0.005)
    stranger = Reaper(session=1 << 30)
    assert [stranger.look() for _ in range(5)] == [[]] * 5
    assert Reaper(session=pid, ours=(pid,)).look() == []
    assert Reaper(session=pid).look() == [pid]
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def test_as_process_1_no_zombie_stays(runner: list[str]) -> None:
    """In a container of our own: orphans of the server are gone a while after their end."""
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "-p", "-f", "--mount-proc", "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("namespaces are not permitted here")
    # An orphan that ends at once, then a look at all zombies of the namespace.
    script = "(sh -c 'exit 0' & exec true); sleep 2.5; cat /proc/[0-9]*/stat | grep -c ') Z ' ; exit 5"
    done = subprocess.run(
        ["unshare", "-p", "-f", "--mount-proc", *runner, "sh", "-c", script],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (5, b"0\n")
