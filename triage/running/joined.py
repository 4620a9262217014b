"""The streams of a server as one.

Part of the keeper, a process without site-packages: the standard library is all there is.
"""

from __future__ import annotations

import threading

from triage.running.backlog import Backlog

_LONGEST_LINE = 1 << 16


class Joined:
    """The streams of a server as one, as ``2>&1`` would give it, but whole lines of each; goes to the watcher and the log."""

    def __init__(self, side: Backlog, log: Backlog | None, streams: int) -> None:
        self._sinks = [side, log] if log is not None else [side]
        self._rest = [b""] * streams
        self._last, self._ends_line = 0, True
        self._lock = threading.Lock()

    def put(self, stream: int, data: bytes) -> None:
        """More bytes of a stream; the beginning of a line is held back while another stream could write into it."""
        with self._lock:
            data = self._rest[stream] + data
            cut = data.rfind(b"\n") + 1 if len(self._rest) > 1 else len(data)
            if len(data) - cut > _LONGEST_LINE:
                cut = len(data)
            self._rest[stream] = data[cut:]
            self._emit(stream, data[:cut])

    def holds_back(self, stream: int) -> bool:
        """Whether the beginning of a line of the stream is held back."""
        return bool(self._rest[stream])

    def flush(self, stream: int) -> None:
        """Give out what is held back: its line is not finished for a while, or will never be."""
        with self._lock:
            data, self._rest[stream] = self._rest[stream], b""
            self._emit(stream, data)

    def _emit(self, stream: int, data: bytes) -> None:
        if not data:
            return
        if stream != self._last and not self._ends_line:
            data = b"\n" + data
        self._last, self._ends_line = stream, data.endswith(b"\n")
        for sink in self._sinks:
            sink.put(b"D", len(data), data)


class TerminalUndone:
    """Takes a terminal's carriage return before each line feed away, wherever the pieces were cut."""

    def __init__(self) -> None:
        self._held = b""

    def __call__(self, data: bytes) -> bytes:
        data = self._held + data
        self._held = b"\r" if data.endswith(b"\r") else b""
        return data[: len(data) - len(self._held)].replace(b"\r\n", b"\n")

    def rest(self) -> bytes:
        """What was held back in the end."""
        held, self._held = self._held, b""
        return held
