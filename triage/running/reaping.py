"""The duty of process 1 of a container: zombies that nobody else will ever wait for."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Container

from triage.running.survivors import is_zombie, parent_of, processes, session_of

_EVERY_S = 1.0
_TURNS = 5
"""A zombie of ours that is not of the server's session may be a child that another part of us is about to wait for."""


class Reaper:
    """Waits for zombies that fell to us when their own parent ended. To be asked once a second (`look`)."""

    def __init__(self, session: int, ours: Container[int] = ()) -> None:
        self._session, self._ours = session, ours
        self._seen: dict[int, int] = {}

    def look(self) -> list[int]:
        """Reap what is nobody's; the processes that were."""
        zombies = [
            pid for pid in processes() if parent_of(pid) == os.getpid() and pid not in self._ours and is_zombie(pid)
        ]
        self._seen = {pid: self._seen.get(pid, 0) + 1 for pid in zombies}
        reaped = [pid for pid in zombies if session_of(pid) == self._session or self._seen[pid] > _TURNS]
        for pid in reaped:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        return reaped


def reap_as_init(keeper: int) -> None:
    """If we are process 1: reap for as long as we run, on a thread of its own. ``keeper`` is waited for by others."""
    if os.getpid() != 1:
        return
    reaper, pause = Reaper(keeper, (keeper,)), threading.Event()

    def run() -> None:
        while not pause.wait(_EVERY_S):
            reaper.look()

    threading.Thread(target=run, name="init", daemon=True).start()
