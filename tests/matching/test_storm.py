"""Splitting a storm: what is counted by shape and what is left to look at, with templates and without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.matching.counting import LARGE, LineCounter
from triage.matching.line_templates import MOST_TEMPLATES, LineTemplates, Sorted
from triage.matching.shapes import shape_of
from triage.matching.storm import StormSplitter, TextBlock, split_storm

_FORMS = (
    "[2026-03-0%d 10:%02d:11 TP%d] out of memory: %d bytes",
    "[2026-03-0%d 10:%02d:11 TP%d] refused, object at 0x%012x>",
    "%d%d%d%d",
    "",
    "dead beef face %d%d %d%d",
    "gr\xfc\xdfe %d, %d, %d, %d",
    "\0 %d \x80\xff %d%d%d",
)
_KNOWN_FORMS = (0, 1, 2, 3, 4, 5)


def _line(form: int, numbers: tuple[int, int, int, int]) -> bytes:
    text = _FORMS[form]
    return (text % numbers if text else "").encode("latin-1")


_numbers = st.tuples(st.integers(1, 9), st.integers(0, 59), st.integers(0, 11), st.integers(0, 10**6))
_runs = st.lists(
    st.tuples(st.integers(0, len(_FORMS) - 1), _numbers, st.integers(1, 80), st.booleans()), min_size=1, max_size=12
)


def _text(runs: list[tuple[int, tuple[int, int, int, int], int, bool]]) -> bytes:
    """Runs of lines of one form each, of which the last number goes up."""
    lines = [
        _line(form, (*numbers[:3], numbers[3] + step * (1 if narrow else 997)))
        for form, numbers, count, narrow in runs
        for step in range(count)
    ]
    return b"".join(line + b"\n" for line in lines)


def _known() -> dict[bytes, tuple[str, ...]]:
    return {shape_of(_line(form, (1, 2, 3, 4))): (f"key/{form}",) if form != 4 else () for form in _KNOWN_FORMS}


def _large() -> LineCounter:
    counter = LineCounter()
    counter.numpy(LARGE)
    return counter


@given(st.lists(_runs, min_size=1, max_size=6), st.binary(max_size=40))
def test_templates_change_nothing(parts: list[Any], other: bytes) -> None:
    """However the parts of a storm look, and whatever was learnt from those before, the split is the plain one."""
    splitter = StormSplitter(_large())
    for runs in parts:
        text = _text(runs) + other + b"\n"
        framed = b"before\n" + text + b"behind"
        found = splitter.split(bytearray(framed), 7, 7 + len(text), _known())
        assert found == split_storm(text[:-1], _known())


def _taught(*texts: bytes) -> LineTemplates:
    templates = LineTemplates(np)
    for text in texts:
        lines = text.splitlines()
        templates.learn(lines, [shape_of(line) for line in lines], _known())
    return templates


def test_a_storm_is_split_by_templates() -> None:
    """Once they were seen, lines that differ by numbers are recognised, and only another line is left."""
    templates = _taught(
        *(
            _text([(0, (day, 59, rank, 1000), 200, True), (1, (day, 1, rank, 16**11), 200, False)])
            for day, rank in ((3, 1), (4, 2))
        )
    )
    assert len(templates) == 2
    later = _text([(1, (9, 2, 8, 16**11 + 5), 300, True)]) + b"another\n" + _text([(0, (5, 58, 2, 2000), 100, True)])
    found = templates.sort(later, 0, len(later))
    assert found.rest.tolist() == [300]
    assert later[found.starts[300] : found.ends[300]] == b"another"
    assert {(each.lines, each.last) for each in found.recognised} == {(300, 299), (100, 400)}


@pytest.mark.parametrize("odd", [b"z", b":", b"/", b"`", b"g", b"@", b"G", b"\xb1", b"\x00"])
def test_what_is_no_digit_is_not_taken_for_one(odd: bytes) -> None:
    """Where the lines of a storm differ only numbers may stand, if not a single bit tells."""
    text = _text([(0, (3, 59, 1, 1000), 200, True)])
    at = text.index(b" bytes", len(text) // 2) - 1
    templates = _taught(text)
    assert not len(templates.sort(text, 0, len(text)).rest)
    changed = text[:at] + odd + text[at + 1 :]
    assert templates.sort(changed, 0, len(text)).rest.tolist() == [changed.count(b"\n", 0, at)]


@pytest.mark.parametrize("numbers", [(1000, 10_000), (10_000, 1000)])
def test_one_shape_of_two_lengths(numbers: tuple[int, int]) -> None:
    """Lines of one shape are counted together, and the last of them is the last of both."""
    text = b"".join(_text([(0, (3, 59, 1, number), 100, True)]) for number in numbers)
    templates = _taught(text)
    assert len(templates) == 2
    assert [(each.lines, each.last) for each in templates.sort(text, 0, len(text)).recognised] == [(200, 199)]


def test_what_is_not_ascii_is_told() -> None:
    """A part is called ASCII only if it is, also where most of it was recognised."""
    splitter = StormSplitter(_large())
    for form, is_ascii in ((5, False), (5, False), (0, True), (0, True)):
        text = _text([(form, (3, 59, 1, 1000), 200, True)])
        assert splitter.split(text, 0, len(text), _known()).is_ascii is is_ascii


def test_there_are_only_so_many_templates() -> None:
    """Of ever new forms the ones that came lately are known."""
    templates = LineTemplates(np)
    for form in range(300):
        line = b"x" * (form + 1)
        lines = [line + b" %d" % number for number in range(100, 200)]
        known = {line + b" ": ()}
        for _ in range(3):
            templates.learn(lines, [line + b" "] * len(lines), known)
            text = b"\n".join(lines) + b"\n"
            found = templates.sort(text, 0, len(text))
        assert not len(found.rest)
        assert len(templates) <= MOST_TEMPLATES
    many = [b"y" * (1 + number // 40) for number in range(4000)]
    templates.learn(many, many, dict.fromkeys(many, ()))
    assert len(templates) == MOST_TEMPLATES


@pytest.mark.parametrize("count", [10, 60])
def test_many_forms_take_no_more_than_their_room(count: int) -> None:
    """Templates of which there would be too many are not made; the split is right all the same."""
    splitter = StormSplitter(_large())
    known = {shape_of(b"x" * width + b" 1"): ("key/x",) for width in range(100)}
    for start in range(3):
        forms = [b"x" * ((start * 20 + form) % 100) for form in range(count)]
        text = b"".join(form + b" %d\n" % number for form in forms for number in range(100, 160))
        found = splitter.split(text, 0, len(text), known)
        assert found == split_storm(text[:-1], known)
        assert not found.kept


def test_what_is_never_alike_is_soon_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of ever new lengths are not sorted in vain for ever, and what comes then is split as well as before."""
    splitter = StormSplitter(_large())
    known = {b"x" * width: ("key/x",) for width in range(2000)}
    sort, sorted_parts = LineTemplates.sort, 0

    def counted(templates: LineTemplates, text: bytes, base: int, end: int) -> Sorted:
        nonlocal sorted_parts
        sorted_parts += 1
        return sort(templates, text, base, end)

    monkeypatch.setattr(LineTemplates, "sort", counted)
    for part in range(60):
        text = b"".join(b"x" * (1 + (part * 31 + line) % 1999) + b"1\n" for line in range(120))
        found = splitter.split(text, 0, len(text), known)
        assert found == split_storm(text[:-1], known)
    assert sorted_parts < 15
    alike = b"".join(b"xxx %d\n" % number for number in range(100, 160))
    for _ in range(40):
        assert splitter.split(alike, 0, len(alike), {b"xxx ": ("key/x",)}).storms[0].lines == 60
    assert sorted_parts > 30


def test_a_part_without_its_last_line_feed() -> None:
    """The end of a source that ends in the middle of a line."""
    splitter = StormSplitter(_large())
    text = _text([(0, (3, 59, 1, 1000), 100, True)])
    for _ in range(2):
        found = splitter.split(text[:-1], 0, len(text) - 1, _known())
        assert (found.lines, found.kept, [storm.lines for storm in found.storms]) == (100, [], [100])


def test_storms_come_in_the_order_of_their_last_lines() -> None:
    """Two shapes may belong to one key, whose last line is the one told of last."""
    text = _line(0, (1, 2, 3, 4)) + b"\n" + _line(1, (1, 2, 3, 4)) + b"\n" + _line(0, (1, 2, 3, 5))
    assert [(storm.keys, storm.last) for storm in split_storm(text, _known()).storms] == [
        (("key/1",), 1),
        (("key/0",), 2),
    ]


def test_a_block_of_some_lines() -> None:
    """The lines that are left stand by themselves, and know which ones they were."""
    block = TextBlock(b"a\nb\nc\n", 0, 6, 10, 0, 6, same_bytes=True)
    rest = block.of_lines([b"a", b"c"], [0, 2])
    assert (rest.text, rest.base, rest.end, rest.kept, rest.same_bytes, rest.first_line) == (
        b"a\nc\n",
        0,
        4,
        [0, 2],
        False,
        10,
    )
