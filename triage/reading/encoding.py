"""Text that is not UTF-8-like is recognised by its first bytes and turned into UTF-8 as it streams."""

from __future__ import annotations

import codecs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BOMS = (
    # The mark of UTF-32-LE begins with that of UTF-16-LE, so it is asked for first.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
_MIN_GUESS = 16
_SAMPLE = 4096
_MAX_NUL_SHARE = 0.3


def detect(head: bytes | bytearray) -> tuple[str, int]:
    """The encoding that ``head`` begins in and the length of its byte order mark; ``("", 0)`` for plain bytes.

    Without a mark UTF-16 is told by NUL in (nearly) every second byte, as text in Latin letters has it.
    """
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name, len(mark)
    sample = head[:_SAMPLE]
    if len(sample) >= _MIN_GUESS:
        pairs = len(sample) // 2
        even, odd = sample[0::2].count(0), sample[1::2].count(0)
        if odd > 0.8 * pairs and even < 0.05 * pairs:
            return "utf-16-le", 0
        if even > 0.8 * pairs and odd < 0.05 * pairs:
            return "utf-16-be", 0
    return "", 0


def transcode(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield ``pieces`` of UTF-16 or UTF-32 as UTF-8; what is not valid becomes U+FFFD."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for piece in pieces:
        if out := decoder.decode(piece).encode("utf-8"):
            yield out
    if out := decoder.decode(b"", True).encode("utf-8"):
        yield out


def binary_reason(head: bytes | bytearray) -> str | None:
    """Why ``head``, the first 64 KiB of an input, is no text: an ELF file, or NUL bytes and no line; None for text."""
    if head.startswith(b"\x7fELF"):
        return "an ELF file (a program, a library or a core dump)"
    if b"\n" not in head and head.count(0) > _MAX_NUL_SHARE * len(head):
        return "NUL bytes and no line"
    return None
