"""Storms: lines that are alike but for numbers and hexadecimal ids are looked at a few times and then only counted."""

from __future__ import annotations

from triage.records import dataclass, field

VARYING = b"0123456789abcdefABCDEF"
KNOWN_AFTER = 20
"""Equal shapes that are looked at before the rest of them is only counted."""
MOST_SHAPES = 20_000
MAX_LENGTH = 4096


def shape_of(line: bytes) -> bytes:
    """``line`` without what varies from one to the next of a storm. Line feeds stay, so that many lines can be done at once."""
    return line.translate(None, VARYING)


@dataclass(slots=True)
class LineShapes:
    """What lines of one shape have turned out to be. ``known``: shape to the keys that every line of it matched."""

    known: dict[bytes, tuple[str, ...]] = field(default_factory=dict)
    _seen: dict[bytes, int] = field(default_factory=dict)
    _keys: dict[bytes, tuple[str, ...] | None] = field(default_factory=dict)

    def twin(self) -> LineShapes:
        """Another one that knows the same, and learns by itself."""
        return LineShapes(dict(self.known), dict(self._seen), dict(self._keys))

    def note(self, shape: bytes, keys: tuple[str, ...] | None) -> None:
        """A line of ``shape`` was looked at and matched ``keys``; None: what it means hangs on more than the line."""
        if shape not in self._seen:
            if len(self._seen) >= MOST_SHAPES:
                return
            self._seen[shape] = 0
            self._keys[shape] = keys
        elif self._keys[shape] != keys:
            self._keys[shape] = None  # the numbers decide here: never to be counted unseen
        self._seen[shape] += 1
        agreed = self._keys[shape]
        if agreed is not None and self._seen[shape] >= KNOWN_AFTER:
            self.known[shape] = agreed
