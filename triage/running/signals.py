"""Signals that come to us and are meant for the server."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FORWARDED = (
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP,
    signal.SIGCONT,
)  # fmt: skip


class SignalRelay:
    """Hands every signal to ``act`` once, on a thread of its own, so that a long analysis holds none of them up.

    Signals that came before `begin` are handed over by it. What was ignored when we were started (``nohup``) stays ignored.
    To be made on the main thread.
    """

    def __init__(self) -> None:
        self._taken, self._tell = os.pipe()
        os.set_blocking(self._tell, False)
        self._old_wakeup = signal.set_wakeup_fd(self._tell, warn_on_full_buffer=False)
        wanted = (*FORWARDED, signal.SIGWINCH)
        self._old = {n: signal.signal(n, _noted) for n in wanted if signal.getsignal(n) is not signal.SIG_IGN}
        self.sent: Counter[int] = Counter()
        """How often each signal was handed over, or typed."""

    def begin(self, act: Callable[[int], None]) -> None:
        """From now on."""
        threading.Thread(target=self._run, args=(act,), name="signals", daemon=True).start()

    def typed(self, number: int) -> None:
        """A key made that signal on the server's own terminal: it came from whoever sits before ours, and is there already."""
        self.sent[number] += 1

    def stop_ourselves(self) -> None:
        """Stop as by Ctrl-Z, until we are continued; does nothing where nobody could continue us. On the main thread."""
        old = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, old)

    def end(self) -> None:
        """Signals mean again what they meant before."""
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_wakeup)
        os.close(self._tell)

    def _run(self, act: Callable[[int], None]) -> None:
        with open(self._taken, "rb", buffering=0) as stream:
            while numbers := stream.read(64):
                for number in numbers:
                    self.sent[number] += 1
                    act(number)


def _noted(_number: int, _frame: object) -> None:
    """Python writes the number to the pipe by itself; there only has to be a handler."""
