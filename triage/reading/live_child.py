"""A client that prints a log (journalctl, docker, kubectl) as a live source: run, read, and run again when it ends."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from triage.reading.live import Chunk, Item, Note
from triage.reading.live_overlap import BEFORE_S, Overlap
from triage.reading.live_words import LastWords, SideWords
from triage.reading.opening import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from triage.reading.live_sources import ClientCommand

_MOST = 1 << 20
_BLOCK = 1 << 17
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_GRACE_S = 1.0


class LiveClient:
    """What a client prints. It has a session of its own, and is ended by `close`; one that ends is started again after a
    pause that doubles from 1 to 60 s, and begins anew once it has run for a minute. It waits when we are slow.

    It goes on where it stopped: a second before its last line, by the time stamps of the lines, and the lines that came
    before are left out. ``clock`` gives monotonic seconds, ``wall_clock`` those since 1970, for a client whose lines have
    no time stamps; ``restart`` False: the source ends with its client.
    """

    def __init__(
        self,
        command: ClientCommand,
        *,
        environment: Mapping[str, str] | None = None,
        restart: bool = True,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._command, self._environment, self._restart = command, environment, restart
        self._clock, self._wall_clock = clock, wall_clock
        self._process: subprocess.Popen[bytes] | None = None
        self._last_words, self._side_words = LastWords(), SideWords()
        self._generation, self._offset = -1, 0
        self._heard_at: float | None = None
        self._overlap = Overlap()
        self._start_at = self._started_at = clock()
        self._pause_s = _FIRST_PAUSE_S
        self._output_over = self._closed = False

    @property
    def ended(self) -> bool:
        """True once closed, or once the client ended and is not started again."""
        return self._closed

    def fileno(self) -> int | None:
        """Readable when the client printed something; None while none runs, or its end is waited for."""
        if self._process is None or self._process.stdout is None or self._output_over:
            return None
        return self._process.stdout.fileno()

    def poll(self, most: int = _MOST) -> list[Item]:
        """What it printed since the last call, up to about ``most`` bytes, and what became of it. Never waits."""
        out: list[Item] = []
        if self._closed:
            return out
        if self._process is None:
            if self._clock() < self._start_at:
                return out
            self._start(out)
        if self._process is not None:
            self._read(self._process, most, out)
            self._attend(self._process, out)
            now = self._clock()
            self._log(self._last_words.due(now), out)
            out += [Note("said", f"{self._name}: {self._with_advice(line)}") for line in self._side_words.due(now)]
        return out

    def close(self) -> None:
        """End the client and all that it started: SIGTERM, and SIGKILL after a second. A second call does nothing."""
        self._closed = True
        if self._process is not None:
            process, self._process = self._process, None
            _end(process)

    def _start(self, out: list[Item]) -> None:
        stamped = self._overlap.since()
        since = stamped if stamped is not None or self._heard_at is None else self._heard_at - BEFORE_S
        argv = self._command.argv(since)
        again = self._generation >= 0
        try:
            process = subprocess.Popen(  # noqa: S603  (an argv of our own, never a shell)
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if self._command.errors_apart else subprocess.STDOUT,
                env=None if self._environment is None else dict(self._environment), cwd="/", start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            self._pause(f"{argv[0]} cannot be started: {explain(error)}", out)
            return
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
        self._process, self._last_words = process, LastWords()
        self._generation, self._offset, self._output_over = self._generation + 1, 0, False
        self._started_at = self._clock()
        if again and self._heard_at is not None:
            self._overlap.begin_again()
            out.append(_restarted(argv[0], stamped is not None, self._overlap.complete))

    def _read(self, process: subprocess.Popen[bytes], most: int, out: list[Item]) -> None:
        assert process.stdout is not None
        while most > 0 and not self._output_over:
            try:
                data = os.read(process.stdout.fileno(), min(most, _BLOCK))
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self._output_over = True
                break
            most -= len(data)
            self._log(data if self._command.errors_apart else self._last_words.take(data, self._clock()), out)
        if process.stderr is not None:
            with contextlib.suppress(OSError):
                while words := os.read(process.stderr.fileno(), _BLOCK):
                    self._side_words.take(words, self._clock())

    def _log(self, data: bytes, out: list[Item]) -> None:
        """What is log and no word of the client's."""
        if data:
            self._heard_at = self._wall_clock()
            self._give(self._overlap.take(data), out)

    def _give(self, data: bytes, out: list[Item]) -> None:
        if data:
            out.append(Chunk(data, self._offset, self._generation))
            self._offset += len(data)

    def _attend(self, process: subprocess.Popen[bytes], out: list[Item]) -> None:
        """See whether the client ended. One of its own may hold the output open, so its end alone counts, once all was read."""
        if process.poll() is None or (not self._output_over and _is_readable(process)):
            return
        self._process = None
        _end(process)
        code = process.returncode
        rest, own = self._last_words.end(failed=code > 0)
        self._log(rest, out)
        self._give(self._overlap.rest(), out)
        how = f"exit status {code}" if code >= 0 else f"signal {-code}"
        words = [*own, *self._side_words.end()]
        if self._clock() - self._started_at >= _LONGEST_PAUSE_S:
            self._pause_s = _FIRST_PAUSE_S
        said = f": {self._with_advice(words[-1])}" if words and code else ""
        run_over = code == 0 and self._command.ends_with_server
        self._pause(f"{self._name} ended with {how}{said}", out, run_over=run_over)

    @property
    def _name(self) -> str:
        return self._command.argv(None)[0]

    def _with_advice(self, line: str) -> str:
        """What the client said, with what to do about it where that is known."""
        found = next((advice for needle, advice in self._command.advice if needle in line), "")
        return f"{line} ({found})" if found else line

    def _pause(self, text: str, out: list[Item], *, run_over: bool = False) -> None:
        if not self._restart:
            self._closed = True
            out.append(Note("ended", text))
            return
        self._start_at = self._clock() + self._pause_s
        out.append(Note("ended", f"{text}; it is started again in {self._pause_s:g} s", run_over=run_over))
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)


def _restarted(name: str, stamped: bool, complete: bool) -> Note:
    text = f"{name} was started again"
    if not stamped:
        text += ": its lines tell no time, so that some may be missing or come twice"
    elif complete:
        text += ", and goes on where it stopped"
    else:
        text += ": more lines came in the second before it stopped than are remembered, so that some come twice"
    return Note("restarted", text, loss=not (stamped and complete))


def _is_readable(process: subprocess.Popen[bytes]) -> bool:
    assert process.stdout is not None
    ready = select.poll()
    ready.register(process.stdout.fileno(), select.POLLIN)
    return bool(ready.poll(0))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the group of a client and wait for it; one that hangs in the kernel is left to it."""
    if process.returncode is None:
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
        if process.returncode is None:
            _signal(process, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_S)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
