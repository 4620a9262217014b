"""A block of lines, and the lines of it that a storm has made known: counted by shape instead of looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from triage.matching.shapes import shape_of
from triage.records import dataclass, replace


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


@dataclass(frozen=True, slots=True)
class Split:
    """How many lines a text has, the indices of those of unknown shape, and the others counted."""

    lines: int
    kept: list[int]
    storms: list[Storm]


def split_storm(text: bytes, known: Mapping[bytes, tuple[str, ...]]) -> Split:
    """Split the lines of ``text`` by whether their shape is ``known``."""
    shapes = shape_of(text).split(b"\n")
    counts = Counter(shapes)
    unknown = {shape for shape in counts if shape not in known}
    kept = [index for index, shape in enumerate(shapes) if shape in unknown] if unknown else []
    storms = [
        Storm(known[shape], count, len(shapes) - 1 - shapes[::-1].index(shape))
        for shape, count in counts.items()
        if known.get(shape)
    ]
    return Split(len(shapes), kept, storms)
