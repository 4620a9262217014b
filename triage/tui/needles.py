"""Finding the lines that hold one of a few texts, at the speed of memory and beside other threads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_LONGEST = 64
"""Bytes of a text that are looked for: the automaton has to stay small."""


class Needles:
    """Texts in any case (of ASCII letters), not empty. What is found need not hold all of a long one."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        # Late: the first paint does without. `re` needs a hundred times as long for texts in any case, and holds the interpreter.
        import hyperscan

        forms = [b"".join(b"\\x%02x" % byte for byte in text[:_LONGEST]) for text in texts]
        # The published types know str only; bytes are taken.
        automaton: Any = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        automaton.compile(expressions=forms, elements=len(forms), flags=[hyperscan.HS_FLAG_CASELESS] * len(forms))
        self._automaton, self._scratch = automaton, hyperscan.Scratch(automaton)

    def lines(self, data: bytes) -> list[tuple[int, int]]:
        """(begin, end) of the lines of ``data`` that hold a text, in order, each once, without their line feeds."""
        ends: list[int] = []

        def hit(_form: int, _start: int, end: int, _flags: int, _context: object) -> None:
            ends.append(end)

        self._automaton.scan(data, match_event_handler=hit, scratch=self._scratch)
        found: list[tuple[int, int]] = []
        finish = -1
        for end in ends:
            if end > finish:
                finish = data.find(b"\n", end)
                finish = len(data) if finish < 0 else finish
                found.append((data.rfind(b"\n", 0, end) + 1, finish))
        return found
