"""Compressed data is told by its first bytes, never by the file's name, and unpacked as a stream under caps."""

from __future__ import annotations

import zlib
from itertools import chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from triage.reading.source import Limits, Remarks

    class _Member(Protocol):
        """One gzip member, zstd frame, xz or bzip2 stream."""

        finished: bool
        rest: bytes

        def feed(self, data: bytes) -> Iterator[bytes]:
            """Unpack ``data`` in pieces of bounded size; ``rest`` is what follows the end of the member."""

    class _Bounded(Protocol):
        """What the decoders of bz2 and lzma have in common."""

        @property
        def eof(self) -> bool: ...

        @property
        def needs_input(self) -> bool: ...

        @property
        def unused_data(self) -> bytes: ...

        def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


_PIECE = 256 * 1024
# Enough to tell every format.
_MAGIC_BYTES = 10
# 512 bytes of zstd can hold 128 blocks of 128 KiB: this bounds what one step may unpack to 16 MiB.
_ZSTD_STEP = 512
_END = b""
_MAGIC = {"gzip": b"\x1f\x8b\x08", "zstd": b"\x28\xb5\x2f\xfd", "xz": b"\xfd7zXZ\0", "bzip2": b"BZh"}
_REFUSED = (
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a rar archive"),
    (b"\x04\x22\x4d\x18", "lz4 data"),
)
_BZIP2_BLOCKS = (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")


class DecodeError(Exception):
    """Compressed data of which nothing can be read; the message is the reason, one plain line."""


def sniff(head: bytes | bytearray) -> str | None:
    """The compression that ``head`` begins with: gzip, zstd, xz or bzip2; None for anything else."""
    if head.startswith(_MAGIC["gzip"]):
        return "gzip"
    # The second form is a skippable frame, with which parallel compressors begin.
    if head.startswith(_MAGIC["zstd"]) or (head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F):
        return "zstd"
    if head.startswith(_MAGIC["xz"]):
        return "xz"
    if head.startswith(_MAGIC["bzip2"]) and head[4:10] in _BZIP2_BLOCKS:
        return "bzip2"
    return None


def refused(head: bytes | bytearray) -> str | None:
    """What ``head`` is, if it is packed in a way that is not read here."""
    return next((name for magic, name in _REFUSED if head.startswith(magic)), None)


def unpack(kind: str, pieces: Iterator[bytes], limits: Limits, remarks: Remarks) -> Iterator[bytes]:
    """Yield the unpacked bytes of all members in pieces of at most 16 MiB.

    A cap, damage or a missing end stops the stream with a note and ``truncated``. Raises `DecodeError` when not one byte
    could be unpacked.
    """
    errors = _errors(kind)
    meter = _Meter(pieces)
    made = 0
    try:
        for out in _members(kind, iter(meter), limits, remarks):
            made += len(out)
            yield out
            if reason := _over(made, meter.taken, out, limits):
                remarks.cut(f"stopped after {made:,} unpacked bytes: {reason}")
                return
    except errors as error:
        if not made:
            raise DecodeError(f"damaged {kind} data: {error}") from None
        remarks.cut(f"the {kind} data is damaged after {made:,} unpacked bytes ({error}): what stands before was read")


class _Meter:
    """Counts the bytes that pass."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.taken += len(piece)
            yield piece


def _members(kind: str, pieces: Iterator[bytes], limits: Limits, remarks: Remarks) -> Iterator[bytes]:
    """Unpack member after member; note what follows the last one, or that its end is missing."""
    member: _Member | None = None
    pending = b""
    for piece in chain(pieces, (_END,)):
        pending += piece
        while pending:
            if member is None:
                if len(pending) < _MAGIC_BYTES and piece is not _END:
                    break
                if sniff(pending) != kind:
                    _judge_rest(kind, pending, remarks)
                    return
                member = _open_member(kind, limits)
            data, pending = pending, b""
            yield from member.feed(data)
            if member.finished:
                # NUL bytes between members are padding.
                pending, member = member.rest.lstrip(b"\0"), None
    if member is not None:
        remarks.cut(f"the {kind} data ends too early: what is there was read")


def _judge_rest(kind: str, rest: bytes, remarks: Remarks) -> None:
    """Say what stands behind the last complete member: the stump of one more, or something else."""
    if not rest.strip(b"\0"):
        return
    if len(rest) < _MAGIC_BYTES and _MAGIC[kind].startswith(rest[: len(_MAGIC[kind])]):
        remarks.cut(f"the {kind} data ends too early: what is there was read")
    else:
        remarks.notes.append(f"what follows the end of the {kind} data was ignored")


def _over(made: int, taken: int, last: bytes, limits: Limits) -> str | None:
    """Why to stop, if a cap is passed. Lines are spared the ratio: a storm of equal lines shrinks a thousandfold."""
    if made > limits.max_output:
        return f"more than the cap of {limits.max_output:,} bytes"
    if made > limits.ratio_grace and made > limits.max_ratio * taken and b"\n" not in last:
        return f"it expands more than {limits.max_ratio:g} times and holds no lines"
    return None


def _errors(kind: str) -> tuple[type[Exception], ...]:
    """The exceptions by which the decoder of ``kind`` says that data is damaged. Raises DecodeError without a decoder."""
    try:
        if kind == "zstd":
            import zstandard

            return (zstandard.ZstdError,)
        if kind == "xz":
            import lzma

            return (lzma.LZMAError,)
        if kind == "bzip2":
            import bz2  # noqa: F401  (asked for here so that its absence is told once)
    except ImportError as error:
        raise DecodeError(f"{kind} data, and this Python has no module {error.name}") from None
    return (zlib.error, OSError, EOFError)


def _open_member(kind: str, limits: Limits) -> _Member:
    if kind == "gzip":
        return _GzipMember()
    if kind == "zstd":
        return _ZstdMember(limits.max_window)
    if kind == "xz":
        import lzma

        return _BlockMember(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=limits.max_window))
    import bz2

    return _BlockMember(bz2.BZ2Decompressor())


class _GzipMember:
    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(wbits=31)
        self.finished = False
        self.rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data and not self._decoder.eof:
            out = self._decoder.decompress(data, _PIECE)
            data = self._decoder.unconsumed_tail
            if out:
                yield out
        # The last bytes may still stand in the decoder although it has taken all of its input.
        while not self._decoder.eof and (out := self._decoder.decompress(b"", _PIECE)):
            yield out
        self.finished = self._decoder.eof
        self.rest = self._decoder.unused_data


class _BlockMember:
    """One xz or bzip2 stream."""

    def __init__(self, decoder: _Bounded) -> None:
        self._decoder = decoder
        self.finished = False
        self.rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        while not self._decoder.eof:
            out = self._decoder.decompress(data, _PIECE)
            data = b""
            if out:
                yield out
            if self._decoder.needs_input:
                break
        self.finished = self._decoder.eof
        self.rest = self._decoder.unused_data


class _ZstdMember:
    def __init__(self, window: int) -> None:
        import zstandard

        self._decoder = zstandard.ZstdDecompressor(max_window_size=window).decompressobj()
        self.finished = False
        self.rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        made: list[bytes] = []
        size = 0
        for start in range(0, len(data), _ZSTD_STEP):
            out = self._decoder.decompress(data[start : start + _ZSTD_STEP])
            made.append(out)
            size += len(out)
            if size >= _PIECE:
                yield b"".join(made)
                made, size = [], 0
            if self._decoder.eof:
                self.finished = True
                self.rest = self._decoder.unused_data + data[start + _ZSTD_STEP :]
                break
        if size:
            yield b"".join(made)
