"""Processes as /proc tells them, and the ending of exactly one: a number that was given to another process is never hit."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, TypeAlias

from triage.probing.catalogue.addresses import address_of
from triage.probing.catalogue.sockets import own_listeners, socket_links
from triage.records import dataclass

_KERNEL_THREAD = 0x00200000
_KILLED_S = 5.0
_LOOK_S = 0.05

Outcome: TypeAlias = Literal["ended", "killed", "gone", "refused", "denied", "alive"]
"""``ended`` by SIGTERM or in its time, ``killed`` by SIGKILL, ``gone`` before any signal, ``alive`` even after SIGKILL."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process: its number, and when it began in clock ticks since boot. ``argv`` is as it stands, secrets included."""

    pid: int
    start_ticks: int
    name: str
    uid: int
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a process that was to end, and how long that took."""

    outcome: Outcome
    reason: str
    seconds: float

    @property
    def is_over(self) -> bool:
        """The process does not run any more."""
        return self.outcome in ("ended", "killed", "gone")


class OwnerUnknownError(Exception):
    """Something listens, and it cannot be seen which process: it is another user's, or another container's."""


@dataclass(frozen=True, slots=True)
class _Stat:
    name: str
    state: str
    parent: int
    flags: int
    start_ticks: int


def identity(pid: int) -> ProcessIdentity | None:
    """The process of that number; None if there is none (any more), and for the number of a mere thread."""
    folder = Path(f"/proc/{pid}")
    before = _stat(pid)
    if before is None:
        return None
    try:
        words = dict(
            line.partition(":")[::2] for line in (folder / "status").read_text("utf-8", "replace").splitlines()
        )
        argv = (folder / "cmdline").read_bytes().decode("utf-8", "surrogateescape").split("\0")[:-1]
    except OSError:
        return None
    after = _stat(pid)
    # Read from three files, it must have been one process all the while.
    if after is None or after.start_ticks != before.start_ticks or words.get("Tgid", "").strip() != str(pid):
        return None
    return ProcessIdentity(pid, before.start_ticks, before.name, int(words["Uid"].split()[0]), tuple(argv))


def is_same(process: ProcessIdentity) -> bool:
    """Whether that very process still runs. One that has ended, and that nobody has waited for yet, does not."""
    now = _stat(process.pid)
    return now is not None and now.start_ticks == process.start_ticks and now.state not in "ZX"


def refusal(process: ProcessIdentity) -> str | None:
    """Why a process is never ended by us; None if it may be."""
    if process.pid <= 1:
        return "process 1 holds the whole machine or container"
    if process.pid in _lineage():
        return f"process {process.pid} is this program, or one that started it"
    now = _stat(process.pid)
    if now is not None and now.flags & _KERNEL_THREAD:
        return f"process {process.pid} ({now.name}) is a part of the kernel"
    return None


def end(process: ProcessIdentity, grace_s: float, clock: Callable[[], float] = time.monotonic) -> Ended:
    """End one process: SIGTERM, and SIGKILL if it still runs after ``grace_s`` seconds. Only it, none of its children.

    Before each signal its start is compared anew; where the kernel has process descriptors the signal goes through one, so
    that not even a number which changes hands in between leads to another process.
    """
    began = clock()
    refused = refusal(process)
    if refused is not None:
        return Ended("refused", refused, 0.0)
    with contextlib.closing(_Handle(process)) as handle:
        outcome, reason = _end(handle, grace_s, clock)
    return Ended(outcome, reason, round(clock() - began, 3))


def _end(handle: _Handle, grace_s: float, clock: Callable[[], float]) -> tuple[Outcome, str]:
    pid = handle.process.pid
    try:
        if not handle.send(signal.SIGTERM):
            return "gone", f"process {pid} had ended before, or its number belongs to another one now"
        if handle.wait(grace_s, clock):
            return "ended", f"process {pid} ended on SIGTERM"
        if not handle.send(signal.SIGKILL):
            return "ended", f"process {pid} ended on SIGTERM"
        if handle.wait(_KILLED_S, clock):
            return "killed", f"process {pid} did not end within {grace_s:g} s of SIGTERM, and was killed"
    except PermissionError:
        return "denied", f"process {pid} belongs to user {handle.process.uid}: it takes that user, or root, to end it"
    return "alive", f"process {pid} hangs in the kernel and cannot be ended: its driver or the machine must start anew"


class _Handle:
    """A way to one process that no other can take: a process descriptor, or its number where the kernel has none."""

    def __init__(self, process: ProcessIdentity) -> None:
        self.process = process
        self._descriptor: int | None = None
        try:
            self._descriptor = os.pidfd_open(self.process.pid)
        except OSError as error:
            # No such process: the comparison of its start will say so. Anything else: an old or guarded kernel.
            if error.errno not in (errno.ESRCH, errno.ENOSYS, errno.EPERM, errno.EINVAL):
                raise

    def close(self) -> None:
        """Give the descriptor back."""
        if self._descriptor is not None:
            os.close(self._descriptor)

    def send(self, number: signal.Signals) -> bool:
        """Send a signal; False if the process does not run any more.

        Raises:
            PermissionError: it is not ours to signal.
        """
        if not is_same(self.process):
            return False
        try:
            if self._descriptor is not None:
                # The descriptor was opened before this comparison: it leads to what was compared, or to nothing.
                signal.pidfd_send_signal(self._descriptor, number)
            else:
                os.kill(self.process.pid, number)
        except ProcessLookupError:
            return False
        return True

    def wait(self, seconds: float, clock: Callable[[], float]) -> bool:
        """Whether the process is over within some seconds."""
        until = clock() + seconds
        while is_same(self.process):
            if clock() >= until:
                return False
            self._rest()
        return True

    def _rest(self) -> None:
        if self._descriptor is None:
            time.sleep(_LOOK_S)
            return
        ends = select.poll()
        ends.register(self._descriptor, select.POLLIN)
        ends.poll(_LOOK_S * 1000)


def owner_of_port(port: int, address: str | None = None) -> tuple[ProcessIdentity, ...]:
    """The processes that hold a listening TCP socket of that port, by number; none if nobody listens. With ``address`` only
    those whom a connection to it would reach.

    Raises:
        OwnerUnknownError: somebody listens, and the process cannot be seen.
    """
    wanted = address_of(address) if address else None
    if address and wanted is None:
        raise ValueError(f"not an address: {address!r}")
    inodes = {
        item.inode
        for item in own_listeners()
        if item.port == port and (wanted is None or item.address == wanted or item.address.is_unspecified)
    }
    if not inodes:
        return ()
    found = {process.pid: process for process in _holders(inodes)}
    if not found:
        raise OwnerUnknownError(f"port {port} is taken, by a process of another user or another container")
    return tuple(found[pid] for pid in sorted(found))


def _holders(inodes: set[int]) -> Iterator[ProcessIdentity]:
    """All of them: a socket that a server handed to its workers is only free when the last of them has ended."""
    links = {f"socket:[{inode}]" for inode in inodes}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        process = identity(int(folder.name))
        # Who it is comes first, so that a number which changes hands meanwhile fails the later comparison of starts.
        if process is not None and any(link in links for link in socket_links(folder.name)) and is_same(process):
            yield process


def _lineage() -> set[int]:
    """Our own number and those of all who started us."""
    found: set[int] = set()
    pid = os.getpid()
    while pid > 0 and pid not in found:
        found.add(pid)
        now = _stat(pid)
        pid = now.parent if now is not None else 0
    return found


def _stat(pid: int) -> _Stat | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
        # The name is whatever the process calls itself, brackets and spaces included.
        start, _, rest = text.partition("(")[2].rpartition(")")
        words = rest.split()
        return _Stat(start, words[0], int(words[1]), int(words[6]), int(words[19]))
    return None
