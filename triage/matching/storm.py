"""A block of lines, and the lines of it that a storm has made known: counted by shape instead of looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from triage.matching.shapes import shapes_of


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Whole lines to scan: ``text[base:end]``, raw or normalised, with where its first line stands. ``kept``: for each
    line of the text, which line of the raw block it is (None: the same)."""

    text: bytes | bytearray
    base: int
    end: int
    first_line: int
    raw_start: int
    raw_end: int
    same_bytes: bool
    kept: Sequence[int] | None = None

    def of_lines(self, lines: list[bytes], kept: list[int]) -> TextBlock:
        """A block of some of this block's ``lines``."""
        text = b"\n".join([lines[index] for index in kept]) + b"\n"
        return replace(self, text=text, base=0, end=len(text), same_bytes=False, kept=kept)


@dataclass(frozen=True, slots=True)
class Storm:
    """``lines`` lines of one shape that match ``keys``; ``last`` is the index of the last of them."""

    keys: tuple[str, ...]
    lines: int
    last: int


def split_storm(lines: list[bytes], known: Mapping[bytes, tuple[str, ...]]) -> tuple[list[int], list[Storm]]:
    """(indices of the ``lines`` whose shape is not ``known``, the others counted)."""
    shapes = shapes_of(lines)
    kept = [index for index, shape in enumerate(shapes) if shape not in known]
    if len(kept) == len(lines):
        return kept, []
    storms = [
        Storm(known[shape], count, len(shapes) - 1 - shapes[::-1].index(shape))
        for shape, count in Counter(shapes).items()
        if known.get(shape)
    ]
    return kept, storms
