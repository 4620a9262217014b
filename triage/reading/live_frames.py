"""What a process that passes bytes on tells its watcher (`live_passthrough.py`, `running/keeper_program.py`), taken apart."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from triage.reading.live import Chunk, Item
from triage.reading.live_passthrough import FRAME
from triage.reading.live_stdin import PIPE_SIZE, widen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MOST = 1 << 20


class LiveFrames:
    """The frames that come from the pipe ``side``, which it owns and does not wait for. Data (``D``) comes out as chunks; any
    other frame goes to ``on_frame``, the end of the pipe to ``on_end``, and what they give comes out in its place.
    """

    def __init__(
        self, side: int, on_frame: Callable[[bytes, int], Iterable[Item]], on_end: Callable[[], Iterable[Item]]
    ) -> None:
        self._side, self._on_frame, self._on_end = side, on_frame, on_end
        os.set_blocking(side, False)
        widen(side)
        self._rest = bytearray()
        self._wanted = 0
        self.offset = 0
        """Bytes of data that came out."""
        self.is_closed = False

    def fileno(self) -> int:
        """Readable when there is something to poll."""
        return self._side

    def poll(self, most: int = _MOST) -> list[Item]:
        """What came since the last call, up to about ``most`` bytes of the pipe."""
        out: list[Item] = []
        pieces: list[bytes] = []
        while not self.is_closed and most > 0:
            try:
                block = os.read(self._side, min(most, PIPE_SIZE))
            except BlockingIOError:
                break
            if not block:
                self._join(pieces, out)
                out.extend(self._on_end())
                self.close()
                break
            most -= len(block)
            self._parse(block, pieces, out)
        self._join(pieces, out)
        return out

    def close(self) -> None:
        """Nothing more comes out. A second call does nothing."""
        if not self.is_closed:
            self.is_closed = True
            with contextlib.suppress(OSError):
                os.close(self._side)

    def _parse(self, block: bytes, pieces: list[bytes], out: list[Item]) -> None:
        at = 0
        while at < len(block):
            if self._wanted:
                piece = block[at : at + self._wanted]
                pieces.append(piece)
                at += len(piece)
                self._wanted -= len(piece)
                continue
            part = block[at : at + FRAME.size - len(self._rest)]
            self._rest += part
            at += len(part)
            if len(self._rest) == FRAME.size:
                letter, number = FRAME.unpack(self._rest)
                self._rest.clear()
                if letter == b"D":
                    self._wanted = number
                else:
                    self._join(pieces, out)
                    out.extend(self._on_frame(letter, number))

    def _join(self, pieces: list[bytes], out: list[Item]) -> None:
        if pieces:
            data = b"".join(pieces)
            out.append(Chunk(data, self.offset, 0))
            self.offset += len(data)
            pieces.clear()
