"""Which skeletons of patterns the messages of source files hold: many texts looked for in many files, in one pass."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from itertools import accumulate

from triage.knowledge.database import Expression, PatternDatabase
from triage.knowledge.skeleton import Skeleton
from triage.records import dataclass
from triage.sources.message import MessageKind, MessageTemplate, Parts
from triage.sources.package_files import SourceFile
from triage.sources.templates import message_templates
from triage.sources.traceback_lines import code_line_numbers, frame_lines

_HOLE = "\0"
# "ValueError: {}": the name of an exception is no text of its message, or it would explain whatever fills the hole.
_BARE_NAME = re.compile(r"^\w+: (?=\0)")
_RAISED = (MessageKind.RAISE, MessageKind.ASSERT)
_SURE_STRETCH = 16
_LEAST_STRETCH = 4
_SHARE = 0.6
_ENOUGH_FILES = 20

Places = dict[Skeleton, set[str]]
"""The paths of the files that hold a skeleton."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a package holds, and the files that could not be parsed (``path: reason``)."""

    places: Places
    unparsed: tuple[str, ...]


def search_files(skeletons: Collection[Skeleton], thorough: frozenset[Skeleton], files: Iterable[SourceFile]) -> Found:
    """Where the messages of ``files`` hold ``skeletons``; a hole of a message holds nothing.

    Of those that no message holds, the ``thorough`` ones are also looked for where a message leaves off at a hole, and in
    what tracebacks show: frames and lines of code. ``files`` are iterated twice.
    """
    search = _Search(skeletons)
    places: Places = {}
    unparsed: list[str] = []
    holed: list[tuple[str, str]] = []
    for file in files:
        try:
            templates = message_templates(file.text, file.path)
        except ValueError as error:
            unparsed.append(f"{file.path}: {error}")
            continue
        lines = [line for template in templates for line in _printed(template)]
        holed += [(_BARE_NAME.sub("", line), file.path) for line in lines if _HOLE in line]
        for skeleton in search("\n".join(lines)):
            places.setdefault(skeleton, set()).add(file.path)
    _search_holes(thorough - places.keys(), holed, places)
    _search_tracebacks(thorough - places.keys(), files, places)
    return Found(places, tuple(unparsed))


def spans_holes(skeleton: Skeleton, line: str) -> bool:
    """Whether ``line``, with NUL for each hole, can be printed so that it holds the skeleton, by its constant text mostly.

    A run stands in it whole, or its beginning ends at a hole, or its end begins after one. Three fifths of all runs must
    be constant; or something of each, and 16 characters at a stretch. A hole alone explains nothing.
    """
    constant = [_constant_size(run, line) for run in skeleton.runs]
    return sum(constant) >= _SHARE * sum(map(len, skeleton.runs)) or (all(constant) and max(constant) >= _SURE_STRETCH)


def _constant_size(run: str, line: str) -> int:
    if run in line:
        return len(run)
    sizes = range(len(run) - 1, _LEAST_STRETCH - 1, -1)
    return next((size for size in sizes if run[:size] + _HOLE in line or _HOLE + run[-size:] in line), 0)


def _search_holes(missing: frozenset[Skeleton], holed: list[tuple[str, str]], places: Places) -> None:
    starts = list(accumulate((len(line) + 1 for line, _ in holed), initial=0))
    text = "\n".join(line for line, _ in holed)
    for skeleton in missing:
        body = text.lower() if skeleton.caseless else text
        longest = max(skeleton.runs, key=len)
        # Of the longest run that much must be constant for the rule above to hold, but for runs of nearly equal length.
        least = max(_LEAST_STRETCH, min(_SURE_STRETCH, math.ceil(_SHARE * len(longest))))
        for piece in (longest[:least], longest[-least:]):
            for start, end in _lines_with(piece, body):
                if spans_holes(skeleton, body[start:end]):
                    places.setdefault(skeleton, set()).add(holed[bisect_right(starts, start) - 1][1])


def _search_tracebacks(missing: frozenset[Skeleton], files: Iterable[SourceFile], places: Places) -> None:
    if not missing:
        return
    search = _Search(missing)
    for file in files:
        found = set(search("\n".join(frame_lines(file.text, file.path))))
        # A file must be parsed to tell code from comments; what so many files hold says nothing about any of them.
        in_text = {item for item in search(file.text) if len(places.get(item, ())) < _ENOUGH_FILES} - found
        if in_text:
            found |= in_text.intersection(search(_code(file.text)))
        for skeleton in found:
            places.setdefault(skeleton, set()).add(file.path)


def _code(source_text: str) -> str:
    try:
        numbers = code_line_numbers(source_text)
    except ValueError:
        return ""
    return "\n".join(line for number, line in enumerate(source_text.split("\n"), 1) if number in numbers)


def _printed(template: MessageTemplate) -> Iterator[str]:
    """The lines of a message as the program prints them: that of an exception begins with the exception's name."""
    name = f"{template.printer}: " if template.kind in _RAISED and template.printer else ""
    for line in template.lines():
        yield name + _plain(line)
        name = ""


def _plain(line: Parts) -> str:
    return "".join(_HOLE if part is None else part.replace(_HOLE, " ") for part in line)


class _Search:
    """Skeletons looked for in many texts: one automaton says which of all their runs a text holds."""

    def __init__(self, skeletons: Collection[Skeleton]) -> None:
        runs = {(run, item.caseless): None for item in skeletons for run in item.runs}
        self._runs = tuple(runs)
        self._by_run: dict[tuple[str, bool], list[Skeleton]] = {}
        for item in skeletons:
            self._by_run.setdefault((max(item.runs, key=len), item.caseless), []).append(item)
        self._database = PatternDatabase.compile(
            [
                Expression(str(index), f"{'(?i)' if caseless else ''}{re.escape(run)}", run, once=True)
                for index, (run, caseless) in enumerate(self._runs)
            ]
        )

    def __call__(self, text: str) -> Iterator[Skeleton]:
        """The skeletons that one line of ``text`` holds."""
        seen: set[int] = set()
        self._database.scan(memoryview(text.encode("utf-8", "replace")), lambda index, *_: seen.add(index))
        held = {self._runs[index] for index in seen}
        for key in held:
            for skeleton in self._by_run.get(key, ()):
                if all((run, skeleton.caseless) in held for run in skeleton.runs) and _on_one_line(skeleton, text):
                    yield skeleton


def _on_one_line(skeleton: Skeleton, text: str) -> bool:
    if len(skeleton.runs) == 1:
        return True
    text = text.lower() if skeleton.caseless else text
    longest = max(skeleton.runs, key=len)
    return any(_in_order(text[start:end], skeleton.runs) for start, end in _lines_with(longest, text))


def _lines_with(piece: str, text: str) -> Iterator[tuple[int, int]]:
    """Beginning and end of each line of ``text`` that holds ``piece``."""
    end = -1
    while (at := text.find(piece, end + 1)) >= 0:
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        end = len(text) if end < 0 else end
        yield start, end


def _in_order(line: str, runs: tuple[str, ...]) -> bool:
    at = 0
    for run in runs:
        at = line.find(run, at)
        if at < 0:
            return False
        at += len(run)
    return True
