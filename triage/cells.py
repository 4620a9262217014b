"""Widths in terminal cells: wide East Asian characters and emoji take two, combining marks none."""

from __future__ import annotations

_NO_CELL = frozenset({"Mn", "Me", "Cf"})


def cells(text: str) -> int:
    """How many cells the text takes on a terminal line."""
    return len(text) if text.isascii() else sum(map(_cell, text))


def cut(text: str, width: int, mark: str = "…") -> str:
    """`text` if it fits into `width` cells, else as much of its beginning as fits before `mark`."""
    if cells(text) <= width:
        return text
    room = width - cells(mark)
    kept = 0
    for char in text:
        room -= _cell(char)
        if room < 0:
            break
        kept += 1
    return text[:kept] + mark


def _cell(char: str) -> int:
    if char.isascii():
        return 1
    from unicodedata import category, east_asian_width  # here: nearly every text is ASCII

    if category(char) in _NO_CELL:
        return 0
    return 2 if east_asian_width(char) in ("W", "F") else 1
