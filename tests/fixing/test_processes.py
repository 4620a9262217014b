"""Processes ended for real: exactly the one that was meant, never one that took over its number, never what holds us."""

from __future__ import annotations

import errno
import itertools
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from triage.fixing import processes
from triage.fixing.processes import (
    OwnerUnknownError,
    ProcessIdentity,
    end,
    identity,
    is_same,
    owner_of_port,
    refusal,
)

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
POLITE = "import time; print('up', flush=True); time.sleep(60)"


class Child(subprocess.Popen[bytes]):
    """A Python program that has said its first line."""

    def __init__(self, code: str, *arguments: str) -> None:
        super().__init__((sys.executable, "-c", code, *arguments), stdout=subprocess.PIPE)
        assert self.stdout is not None
        self.said = self.stdout.readline()


Start = Callable[..., Child]


@pytest.fixture(name="start")
def start_fixture() -> Iterator[Start]:
    """Starts programs, which do not outlive the test."""
    children: list[Child] = []

    def begin(code: str, *arguments: str) -> Child:
        children.append(Child(code, *arguments))
        return children[-1]

    yield begin
    for child in children:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def known(pid: int) -> ProcessIdentity:
    """The process, which there is."""
    found = identity(pid)
    assert found is not None
    return found


def test_who_a_process_is(start: Start) -> None:
    """Number, name, user and words are its own; it is the same as long as it runs."""
    child = start(POLITE, "a b", "")
    found = known(child.pid)
    assert (found.pid, found.uid) == (child.pid, os.getuid())
    assert found.argv == (sys.executable, "-c", POLITE, "a b", "")
    assert found.name.startswith("python")
    assert is_same(found)
    assert identity(child.pid) == found


def test_a_process_that_has_ended_is_not_the_same(start: Start) -> None:
    """As a zombie it does not run any more; once it was waited for there is nobody."""
    child = start(POLITE)
    found = known(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not is_same(found)
    child.wait()
    assert identity(child.pid) is None


def test_a_name_with_brackets_and_spaces_hides_nothing(start: Start) -> None:
    """A process may call itself like the rest of the kernel's line; its start is read nevertheless."""
    code = "open('/proc/self/comm', 'w').write(') R 1 1 (x'); " + POLITE
    found = known(start(code).pid)
    assert found.name == ") R 1 1 (x"
    assert found.start_ticks >= known(os.getpid()).start_ticks


def test_a_thread_is_no_process() -> None:
    """The kernel shows threads under /proc too; their numbers lead nowhere."""
    ids: queue.SimpleQueue[int] = queue.SimpleQueue()
    stay = threading.Event()

    def live() -> None:
        ids.put(threading.get_native_id())
        stay.wait()

    thread = threading.Thread(target=live)
    thread.start()
    try:
        assert identity(ids.get()) is None
    finally:
        stay.set()
        thread.join()


@pytest.mark.parametrize("descriptors", [True, False])
def test_a_polite_process_ends_on_the_first_signal(
    start: Start, monkeypatch: pytest.MonkeyPatch, descriptors: bool
) -> None:
    """SIGTERM is enough, with the kernel's process descriptors and without."""
    if not descriptors:
        monkeypatch.setattr(os, "pidfd_open", _not_there)
    child = start(POLITE)
    ended = end(known(child.pid), grace_s=10)
    assert (ended.outcome, ended.is_over) == ("ended", True)
    assert ended.seconds < 5
    assert child.wait(5) == -signal.SIGTERM


@pytest.mark.parametrize("descriptors", [True, False])
def test_a_stubborn_process_is_killed_after_the_grace(
    start: Start, monkeypatch: pytest.MonkeyPatch, descriptors: bool
) -> None:
    """SIGKILL comes after the grace and not before."""
    if not descriptors:
        monkeypatch.setattr(os, "pidfd_open", _not_there)
    child = start(STUBBORN)
    ended = end(known(child.pid), grace_s=0.4)
    assert ended.outcome == "killed"
    assert 0.4 <= ended.seconds < 4
    assert child.wait(5) == -signal.SIGKILL


def test_the_given_clock_counts(start: Start) -> None:
    """An hour's grace is over when the clock says so."""
    times = itertools.chain((0.0, 0.0), itertools.repeat(4000.0))
    child = start(STUBBORN)
    ended = end(known(child.pid), grace_s=3600, clock=lambda: next(times))
    assert ended.outcome == "killed"
    assert child.wait(5) == -signal.SIGKILL


@pytest.mark.parametrize("descriptors", [True, False])
def test_a_number_that_changed_hands_is_not_hit(
    start: Start, monkeypatch: pytest.MonkeyPatch, descriptors: bool
) -> None:
    """A process that began at another time than the one that was meant is left alone."""
    if not descriptors:
        monkeypatch.setattr(os, "pidfd_open", _not_there)
    child = start(POLITE)
    found = known(child.pid)
    ended = end(replace(found, start_ticks=found.start_ticks - 1), grace_s=1)
    assert ended.outcome == "gone"
    assert child.poll() is None


def test_a_number_that_changes_hands_between_the_signals_is_not_hit(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start is compared before SIGKILL too: whoever has the number then is not killed."""
    child = start(STUBBORN)
    found = known(child.pid)
    answers = iter([True, True, False])
    monkeypatch.setattr(processes, "is_same", lambda _: next(answers))
    ended = end(found, grace_s=0, clock=lambda: 0.0)
    assert ended.outcome == "ended"
    assert child.poll() is None


def test_a_process_that_is_gone(start: Start) -> None:
    """Nothing is signalled, and it is over."""
    child = start(POLITE)
    found = known(child.pid)
    child.kill()
    child.wait()
    ended = end(found, grace_s=1)
    assert (ended.outcome, ended.is_over) == ("gone", True)


@pytest.mark.parametrize("pid", [1, os.getpid(), os.getppid()], ids=["first", "own", "parent"])
def test_what_holds_us_is_refused(pid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Process 1, we ourselves and those who started us are never signalled."""
    monkeypatch.setattr(signal, "pidfd_send_signal", _must_not)
    monkeypatch.setattr(os, "kill", _must_not)
    ended = end(known(pid), grace_s=0)
    assert ended.outcome == "refused"
    assert not ended.is_over


def test_the_kernel_is_refused() -> None:
    """A thread of the kernel is a part of it."""
    threads = [item for item in map(identity, range(2, 40)) if item is not None and not item.argv]
    if not threads:
        pytest.skip("a container shows no threads of the kernel")
    assert "part of the kernel" in (refusal(threads[0]) or "")


def test_signals_that_are_not_allowed(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's process: denied, with the user."""
    child = start(POLITE)
    found = known(child.pid)

    def deny(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no")

    monkeypatch.setattr(signal, "pidfd_send_signal", deny)
    ended = end(found, grace_s=1)
    assert (ended.outcome, ended.is_over) == ("denied", False)
    assert f"user {os.getuid()}" in ended.reason


def test_no_descriptor_is_left_behind(start: Start) -> None:
    """A hundred refusals and misses leave as many descriptors open as before."""
    found = known(start(POLITE).pid)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(100):
        end(replace(found, start_ticks=1), grace_s=0)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


LISTEN = """
import os, socket, sys, time
held = socket.create_server((sys.argv[1], 0))
if len(sys.argv) > 2 and not os.fork():
    os.close(1)
    time.sleep(60)
    os._exit(0)
print(held.getsockname()[1], flush=True)
time.sleep(60)
"""


def listening(start: Start, *arguments: str) -> tuple[int, int]:
    """Number and port of a process that listens."""
    child = start(LISTEN, *arguments)
    return child.pid, int(child.said)


def test_the_owner_of_a_port(start: Start) -> None:
    """Exactly the process that listens there, and nobody for a port that is free."""
    pid, port = listening(start, "127.0.0.1")
    assert [owner.pid for owner in owner_of_port(port)] == [pid]
    assert [owner.pid for owner in owner_of_port(port, "127.0.0.1")] == [pid]
    assert owner_of_port(port, "127.0.0.2") == ()


def test_who_listens_everywhere_listens_at_each_address(start: Start) -> None:
    """0.0.0.0 holds the port at 127.0.0.2 too; what is no address is an error."""
    pid, port = listening(start, "0.0.0.0")
    assert [owner.pid for owner in owner_of_port(port, "127.0.0.2")] == [pid]
    with pytest.raises(ValueError, match="not an address"):
        owner_of_port(port, "node-1")


def test_a_socket_that_several_hold(start: Start) -> None:
    """A server that handed its socket to a worker: both are named, for the port is free only without both."""
    pid, port = listening(start, "127.0.0.1", "fork")
    owners = owner_of_port(port)
    assert len(owners) == 2
    assert pid in {owner.pid for owner in owners}
    for owner in owners:
        end(owner, grace_s=5)
    assert owner_of_port(port) == ()


def test_the_port_of_our_own() -> None:
    """A connected socket is no listener; a free port has no owner."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert [owner.pid for owner in owner_of_port(port)] == [os.getpid()]
    assert owner_of_port(port) == ()


def test_an_owner_that_cannot_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken, and no process shows the socket: that is said, and not that nobody listens."""
    monkeypatch.setattr(processes, "socket_links", lambda _: iter(()))
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(OwnerUnknownError, match="is taken"):
        owner_of_port(server.getsockname()[1])


def _not_there(*_: object) -> int:
    raise OSError(errno.ENOSYS, "an old kernel")


def _must_not(*_: object) -> None:
    raise AssertionError("a signal was sent")
