"""A block of lines, and the lines of it that a storm has made known: counted by shape instead of looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from triage.matching.counting import LineCounter
from triage.matching.shapes import shape_of
from triage.records import dataclass, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from triage.matching.line_templates import LineTemplates, Sorted

_TRIES = 3
_PAUSE = 16
"""After so many parts in a row of which most lines were like no template, so many parts are split without."""


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

    def of_lines(self, lines: Sequence[bytes], kept: Sequence[int]) -> TextBlock:
        """A block of the ``lines`` of this one whose indices are ``kept``."""
        text = b"\n".join(lines) + b"\n"
        return replace(self, text=text, base=0, end=len(text), same_bytes=False, kept=kept)


@dataclass(frozen=True, slots=True)
class Storm:
    """``lines`` lines that match ``keys``; ``last`` is the index of the last of them."""

    keys: tuple[str, ...]
    lines: int
    last: int

    def joined(self, lines: int, last: int) -> Storm:
        """With as many lines more, of which that is the last."""
        return Storm(self.keys, self.lines + lines, max(self.last, last))


@dataclass(frozen=True, slots=True)
class Split:
    """How many lines a text has; the indices of those of unknown shape, and these lines; the others counted. ``is_ascii``: is
    the text."""

    lines: int
    kept: list[int]
    rest: list[bytes]
    storms: list[Storm]
    is_ascii: bool


class StormSplitter:
    """Splits one part of a source after the other: the faster, the more alike the lines are."""

    __slots__ = ("_counter", "_pause", "_templates", "_vain")

    def __init__(self, counter: LineCounter) -> None:
        self._counter = counter
        self._templates: LineTemplates | None = None
        self._vain = 0
        self._pause = 0

    def split(self, text: bytes | bytearray, base: int, end: int, known: Mapping[bytes, tuple[str, ...]]) -> Split:
        """Split the lines of ``text[base:end]`` by whether their shape is ``known``."""
        if self._templates is None and (numpy := self._counter.numpy(end - base)) is not None:
            from triage.matching.line_templates import LineTemplates  # small inputs never need it

            self._templates = LineTemplates(numpy)
        if self._templates is None or self._pause or text[end - 1 : end] != b"\n":
            self._pause = max(0, self._pause - 1)
            return split_storm(bytes(memoryview(text)[base:end]).removesuffix(b"\n"), known)
        found = self._templates.sort(text, base, end)
        if len(found.rest) * 2 > len(found.starts):
            self._vain += 1
            if self._vain == _TRIES:
                self._vain, self._pause = 0, _PAUSE
        else:
            self._vain = 0
        return self._split_rest(self._templates, found, memoryview(text), known)

    def _split_rest(
        self, templates: LineTemplates, found: Sorted, text: memoryview, known: Mapping[bytes, tuple[str, ...]]
    ) -> Split:
        """Split the lines that are like no template, and learn from them."""
        kept = found.rest.tolist()
        lines = [
            bytes(text[start:stop])
            for start, stop in zip(found.starts[found.rest].tolist(), found.ends[found.rest].tolist(), strict=True)
        ]
        rest = b"\n".join(lines)
        shapes = shape_of(rest).split(b"\n") if lines else []
        templates.learn(lines, shapes, known)
        counted = {each.shape: (each.lines, each.last) for each in found.recognised}
        for index, shape in zip(kept, shapes, strict=True):
            if shape in known:
                count, last = counted.get(shape, (0, index))
                counted[shape] = (count + 1, max(index, last))
        unknown = [at for at, shape in enumerate(shapes) if shape not in known]
        return Split(
            len(found.starts),
            [kept[at] for at in unknown],
            [lines[at] for at in unknown],
            _storms(counted, known),
            rest.isascii(),  # as the templates are
        )


def split_storm(text: bytes, known: Mapping[bytes, tuple[str, ...]]) -> Split:
    """Split the lines of ``text`` by whether their shape is ``known``."""
    shapes = shape_of(text).split(b"\n")
    counts = Counter(shapes)
    unknown = {shape for shape in counts if shape not in known}
    kept = [index for index, shape in enumerate(shapes) if shape in unknown] if unknown else []
    lines = text.split(b"\n") if kept else []
    counted = {
        shape: (count, len(shapes) - 1 - shapes[::-1].index(shape))
        for shape, count in counts.items()
        if known.get(shape)
    }
    return Split(len(shapes), kept, [lines[index] for index in kept], _storms(counted, known), text.isascii())


def _storms(counted: Mapping[bytes, tuple[int, int]], known: Mapping[bytes, tuple[str, ...]]) -> list[Storm]:
    """The storms of ``counted``, which gives how many lines of a shape there are and the index of the last."""
    storms: dict[tuple[str, ...], Storm] = {}
    for shape, (lines, last) in counted.items():
        keys = known[shape]
        if keys:
            other = storms.get(keys)
            storms[keys] = Storm(keys, lines, last) if other is None else other.joined(lines, last)
    return sorted(storms.values(), key=lambda storm: storm.last)
