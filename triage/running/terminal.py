"""A terminal for the server in place of ours: what is typed goes to it as it is, and it is as wide as ours."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import termios
import threading
import tty
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_BLOCK = 1 << 12
_SIZE = struct.Struct("HHHH")
_NO_KEY = b"\0"


class LentTerminal:
    """A pseudo-terminal set up like the one on our standard output. Standard input and error that are not on a terminal
    stay what they are (``has_stdin``, ``has_stderr``). ``on_signal`` is called with the number of the signal that a typed key
    makes, on a thread of its own.

    Raises:
        OSError: the system has no terminal left.
    """

    def __init__(self, on_signal: Callable[[int], None]) -> None:
        self._on_signal = on_signal
        self.has_stdin, self.has_stderr = os.isatty(_STDIN), os.isatty(_STDERR)
        self._cooked = termios.tcgetattr(_STDOUT)
        self.master, self.slave = os.openpty()
        self.name = os.ttyname(self.slave)
        wanted = termios.tcgetattr(_STDOUT)
        if not self.has_stdin:
            # Ours stays as it is and makes two characters of a line feed: once is enough.
            wanted[1] &= ~termios.OPOST
        termios.tcsetattr(self.slave, termios.TCSANOW, wanted)
        self._is_lent = self._is_closed = False
        self._lock = threading.Lock()
        self._stop = -1
        self.resize()

    @property
    def is_lent(self) -> bool:
        """Whether our own terminal is raw now: a line that is written to it has to end with ``\\r\\n``."""
        return self._is_lent

    def lend(self) -> None:
        """Pass on what is typed from now on, as single keys, if we are in the foreground."""
        self.resize()
        with self._lock:
            if not self.has_stdin or self._is_lent or self._is_closed or not self._is_ours():
                return
            self._cooked = termios.tcgetattr(_STDIN)
            tty.setraw(_STDIN, termios.TCSADRAIN)
            self._is_lent = True
            # A pipe for each thread: one that is about to end must not take the word that is meant for its successor.
            stop_taken, self._stop = os.pipe()
            threading.Thread(target=self._type, args=(stop_taken,), name="keys", daemon=True).start()

    def give_back(self) -> None:
        """Our terminal is as it was found; what is typed is ours again."""
        with self._lock:
            if self._is_lent:
                self._is_lent = False
                os.close(self._stop)
                with contextlib.suppress(termios.error):
                    termios.tcsetattr(_STDIN, termios.TCSADRAIN, self._cooked)

    def resize(self) -> None:
        """Make the server's terminal as large as ours; the kernel tells the server if that changed anything."""
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(_STDOUT, termios.TIOCGWINSZ, bytes(_SIZE.size))
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

    def close_slave(self) -> None:
        """The server has its side now: ours would keep the terminal open for ever."""
        if self.slave >= 0:
            os.close(self.slave)
            self.slave = -1

    def close(self) -> None:
        """Give all back; a second call does nothing."""
        self.give_back()
        self.close_slave()
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                os.close(self.master)

    def _is_ours(self) -> bool:
        with contextlib.suppress(OSError):
            return os.tcgetpgrp(_STDIN) == os.getpgrp()
        return False

    def _type(self, stop: int) -> None:
        """Pass keys on until the other end of ``stop`` is closed."""
        ready = select.poll()
        ready.register(_STDIN, select.POLLIN)
        ready.register(stop, select.POLLIN)
        try:
            while not any(fd == stop for fd, _ in ready.poll()):
                keys = os.read(_STDIN, _BLOCK)
                for number in self._signals_of(keys):
                    self._on_signal(number)
                while keys:
                    keys = keys[os.write(self.master, keys) :]
        except (OSError, termios.error):
            return
        finally:
            os.close(stop)

    def _signals_of(self, keys: bytes) -> Iterator[int]:
        """The signals that the server's terminal, as it is set now, makes of keys."""
        attributes = termios.tcgetattr(self.master)
        if attributes[3] & termios.ISIG:
            for index, number in ((termios.VINTR, signal.SIGINT), (termios.VQUIT, signal.SIGQUIT)):
                key = attributes[6][index]
                if key != _NO_KEY:
                    yield from [int(number)] * keys.count(key)
