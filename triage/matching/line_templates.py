"""Lines of a storm that are equal byte for byte but for a few columns of digits: recognised many at a time by numpy.

A template only ever says that a line has a certain shape; a line of which none says so may have it all the same, and is for
the caller to look at. So what a storm is counted as does not hang on which templates there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from triage.lazy_regex import lazy_regex
from triage.matching.shapes import VARYING
from triage.records import dataclass, field, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST_TEMPLATES = 48
WORTH_LEARNING = 32
"""So many lines of one shape and length must be left over for a template to be made of them."""
_NUMBER = lazy_regex(rb"[0-9a-fA-F:.,-]+(?: [0-9:.,-]+)*")
_SAMPLE = 4096
"""Of how many left over lines templates are made at a time."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """``lines`` lines of ``shape``; ``last`` is the index of the last of them."""

    shape: bytes
    lines: int
    last: int


@dataclass(frozen=True, slots=True)
class Sorted:
    """The lines of a text: where each begins and ends (its line feed), which were recognised as what, and which not."""

    starts: Any
    ends: Any
    recognised: list[Recognised]
    rest: Any


@dataclass(slots=True)
class _Template:
    """Lines equal to ``literal``, in which the ``columns`` that may hold any varying byte are zero; ``mask`` is zero there and
    full elsewhere."""

    shape: bytes
    literal: bytes
    columns: Any
    mask: Any
    hits: int = 0


@dataclass(slots=True)
class LineTemplates:
    """What lines of known shapes look like. ``numpy``: the module, which is imported only where it pays."""

    numpy: Any
    _by_length: dict[int, dict[tuple[bytes, bytes], _Template]] = field(default_factory=dict)
    _room: Any = None

    def __len__(self) -> int:
        return sum(map(len, self._by_length.values()))

    def sort(self, text: bytes | bytearray, base: int, end: int) -> Sorted:
        """Sort the lines of ``text[base:end]``, which ends with a line feed."""
        np = self.numpy
        ends = self._line_feeds(text, base, end)
        starts = np.empty_like(ends)
        starts[0] = 0
        np.add(ends[:-1], 1, out=starts[1:])
        lengths = ends - starts
        is_left = np.ones(len(ends), bool)
        found: dict[bytes, tuple[int, int]] = {}
        for length, templates in self._by_length.items():
            lines = np.flatnonzero(lengths == length)
            for template in templates.values():
                if not len(lines):
                    break
                is_like = self._alike(template, text, base, end, starts[lines])
                hits = lines[is_like]
                if len(hits):
                    template.hits += len(hits)
                    is_left[hits] = False
                    count, last = found.get(template.shape, (0, -1))
                    found[template.shape] = (count + len(hits), max(last, int(hits[-1])))
                    lines = lines[~is_like]
        recognised = [Recognised(shape, count, last) for shape, (count, last) in found.items()]
        return Sorted(starts + base, ends + base, recognised, np.flatnonzero(is_left))

    def learn(self, lines: Sequence[bytes], shapes: Sequence[bytes], known: Mapping[bytes, object]) -> None:
        """Make templates of the ``lines`` that were not recognised and whose shapes, which they are given with, are ``known``.
        Lines that are not ASCII are left to the caller."""
        alike: dict[tuple[bytes, int], list[bytes]] = {}
        for line, shape in zip(lines[:_SAMPLE], shapes[:_SAMPLE], strict=True):
            if shape in known and shape.isascii():
                alike.setdefault((shape, len(line)), []).append(line)
        if len(self) >= MOST_TEMPLATES:
            self._forget_unused()
        for (shape, length), group in alike.items():
            if length and len(group) >= WORTH_LEARNING:
                self._learn(shape, length, group)

    def _forget_unused(self) -> None:
        """Drop the templates that recognised nothing since this was last done."""
        for length, templates in list(self._by_length.items()):
            kept = {key: replace(template, hits=0) for key, template in templates.items() if template.hits}
            if kept:
                self._by_length[length] = kept
            else:
                del self._by_length[length]

    def _learn(self, shape: bytes, length: int, group: Sequence[bytes]) -> None:
        np = self.numpy
        rows = np.frombuffer(b"".join(group), np.uint8).reshape(-1, length)
        varies = self._varying()[rows]
        key = (shape, varies[0].tobytes())
        known = self._by_length.get(length, {}).get(key)
        literal = rows[0].copy()
        differs = (rows != literal).any(axis=0)
        if known is not None:
            differs |= np.frombuffer(known.literal, np.uint8) != literal
        elif len(self) >= MOST_TEMPLATES:
            return
        columns = np.flatnonzero(_widened(literal.tobytes(), differs) & varies[0])
        mask = np.full(length, 0xFF, np.uint8)
        mask[columns] = 0
        self._by_length.setdefault(length, {})[key] = _Template(
            shape, (literal & mask).tobytes(), columns, mask, hits=1
        )

    def _line_feeds(self, text: bytes | bytearray, base: int, end: int) -> Any:
        """Offsets from ``base`` of the line feeds. Eight bytes at a time: most hold none, and a search of the words that do is
        several times as fast as one of the bytes."""
        np = self.numpy
        size, padded = end - base, -((base - end) // 8) * 8
        if self._room is None or len(self._room) < padded:
            self._room = np.empty(padded, bool)
        is_feed = self._room[:padded]
        is_feed[size:] = False
        np.equal(np.frombuffer(text, np.uint8, size, base), 10, out=is_feed[:size])
        words = is_feed.view("<u8")
        at = np.flatnonzero(words != 0)
        bits = words[at]
        if (bits & (bits - np.uint64(1))).any():  # two line feeds in one word
            return np.flatnonzero(is_feed)
        return at * 8 + np.searchsorted(np.uint64(1) << (np.arange(8, dtype=np.uint64) * np.uint64(8)), bits)

    def _alike(self, template: _Template, text: bytes | bytearray, base: int, end: int, starts: Any) -> Any:
        """Which of the lines at ``starts``, all as long as the template, are like it."""
        np = self.numpy
        length = len(template.literal)
        anywhere = np.ndarray((end - base - length + 1,), f"V{length}", text, base, (1,))
        rows = anywhere[starts].view(np.uint8).reshape(-1, length)
        values = rows[:, template.columns]
        rows &= template.mask
        if (template.literal * len(rows)).startswith(memoryview(rows)):  # `==` would compare item by item
            is_like = np.ones(len(rows), bool)
        else:
            is_like = (rows == np.frombuffer(template.literal, np.uint8)).all(axis=1)
        digits = values - np.uint8(ord("0")) <= 9
        letters = (values | np.uint8(0x20)) - np.uint8(ord("a")) <= 5
        digits |= letters
        if not digits.all():
            is_like &= digits.all(axis=1)
        return is_like

    def _varying(self) -> Any:
        table = self.numpy.zeros(256, bool)
        table[list(VARYING)] = True
        return table


def _widened(line: bytes, differs: Any) -> Any:
    """``differs``, and the whole of each number, time, address or id in which a column does: its other digits will come too."""
    for number in _NUMBER.finditer(line):
        start, end = number.span()
        differs[start:end] |= differs[start:end].any()
    return differs
