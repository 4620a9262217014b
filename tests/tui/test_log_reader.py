"""Where somebody stands in a log, at any size of screen and of lines: the cursor's line is always in sight, and no row is wasted."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import given
from hypothesis import strategies as st

from triage.model import Place
from triage.reading.block_file import BlockFile
from triage.reading.line_index import Line, LineIndex
from triage.tui.background import Background
from triage.tui.line_filter import Wanted
from triage.tui.log_file import LogFile
from triage.tui.marks import Mark
from triage.tui.widgets.log_reader import LogReader

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("step"), st.integers(-30, 30)),
        st.tuples(st.just("line"), st.integers(1, 60)),
        st.tuples(st.sampled_from(["first", "last", "filter", "all", "evidence"]), st.just(1)),
    ),
    max_size=12,
)


@contextmanager
def reading(lines: list[bytes], height: int, most: int = 1) -> Iterator[LogReader]:
    """A reader of these lines; one of n bytes takes a row for each ten, at most ``most``."""
    background = Background()
    with tempfile.TemporaryFile() as file:
        file.write(b"".join(line + b"\n" for line in lines))
        file.flush()
        index = LineIndex(BlockFile(os.dup(file.fileno()), block=64))
        while index.advance():
            pass

        def rows_of(line: Line) -> int:
            return min(most, 1 + len(line.raw) // 10)

        reader = LogReader(LogFile("a.log", index), background, height, rows_of)
        yield reader
        reader.close()
        background.close()
        index.close()


def settled(reader: LogReader) -> None:
    """Look until nothing is being searched."""
    searches = [reader.filter, reader.search.hits if reader.search is not None else None]
    while not all(hits is None or hits.is_complete for hits in searches):
        reader.look()
    reader.look()


def mark(offset: int, line: int) -> Mark:
    """Evidence at a place."""
    return Mark(Place("a.log", line, offset), "E", "why")


@given(st.lists(st.integers(0, 45), min_size=1, max_size=50), st.integers(1, 12), st.integers(1, 4), STEPS)
def test_the_cursor_is_in_sight(lengths: list[int], height: int, most: int, steps: list[tuple[str, int]]) -> None:
    """Whatever was done: the cursor's line is among those that are shown, its first row fits, and the screen is full."""
    lines = [(b"%02d" % number).ljust(length, b"x") for number, length in enumerate(lengths)]
    with reading(lines, height, most) as reader:
        second = reader.file.index.offset_of(min(2, len(lines))) or 0
        reader.set_marks([mark(second, min(2, len(lines)))])
        for name, number in steps:
            if name == "step":
                reader.step(number)
            elif name == "line":
                reader.go_to_line(number)
            elif name == "filter":
                reader.show_only(Wanted("1"))
                settled(reader)
            elif name == "all":
                reader.show_only(None)
            else:
                {"first": reader.go_to_first, "last": reader.go_to_last}.get(name, lambda: reader.go_to_evidence(1))()
            shown = reader.window.visible()
            wanted = [line for line in lines if reader.filter is None or b"1" in line]
            assert [line.raw for line in shown] in [wanted[at : at + len(shown)] for at in range(len(wanted) + 1)]
            if not wanted:
                continue
            rows = 0
            for line in shown:
                if line.offset == reader.window.cursor:
                    break
                rows += min(most, 1 + len(line.raw) // 10)
            else:
                raise AssertionError("the cursor's line is not shown")
            assert rows < height
            if most == 1:
                assert len(shown) == min(height, len(wanted))


def test_lines_are_asked_by_number() -> None:
    """A number leads there, one that is too large to the last line, and a filter that hides the line ends."""
    with reading([b"%d" % number for number in range(1, 31)], 5) as reader:
        reader.go_to_line(17)
        assert reader.line == 17
        assert b"17" in [line.raw for line in reader.window.visible()[1:-1]]
        reader.show_only(Wanted("2"))
        settled(reader)
        assert reader.filter is not None
        assert len(reader.filter) == 12
        reader.go_to_line(19)
        assert not reader.window.lines.hits
        assert reader.line == 19
        reader.go_to_line(99)
        assert reader.line == 30


def test_a_line_that_was_not_counted_yet() -> None:
    """It is gone to as soon as it is counted, and not if somebody moved meanwhile."""
    with reading([b"%d" % number for number in range(1, 31)], 5) as reader:
        index = LineIndex(reader.file.index._file)
        reader.file.index = index
        reader.go_to_line(25)
        assert "going to line 25" in reader.waiting
        reader.step(1)
        assert reader.waiting == ""
        reader.go_to_line(25)
        while index.advance():
            pass
        reader.look()
        assert reader.window.cursor == index.offset_of(25)


def test_search_goes_both_ways() -> None:
    """n and N lead from hit to hit, and say when there is none; a hit that a filter hides is shown."""
    lines = [b"needle" if number % 10 == 0 else b"hay" for number in range(1, 31)]
    with reading(lines, 5) as reader:
        reader.find(Wanted("NEEDLE".lower()))
        settled(reader)
        seen = [reader.line]
        for step in (1, 1, 1, -1, -1, -1):
            reader.go_to_hit(step)
            settled(reader)
            seen.append(reader.line)
        assert seen == [10, 20, 30, 30, 20, 10, 10]
        assert reader.waiting == "no further hit"
        reader.find(Wanted("nothing"))
        settled(reader)
        assert reader.waiting == "not found"
        assert reader.line == 10


def test_the_previous_hit_does_not_wait_for_the_rest() -> None:
    """What lies just above is known long before the file was searched, from wherever one stands; until then it says so."""
    lines = [b"needle" if number in (10, 19, 20) else b"hay" * 90_000 for number in range(1, 31)]
    with reading(lines, 5) as reader:
        reader._background.close()
        reader.go_to_line(20)
        while reader.line is None or reader.line != 20:
            reader.file.index.advance()
            reader.look()
        reader.find(Wanted("needle"))
        assert reader.search is not None
        hits = reader.search.hits
        reader.go_to_hit(-1)
        assert reader.waiting.startswith("searching")
        hits.advance()
        reader.look()
        assert reader.line == 19
        assert not hits.is_complete
        reader.go_to_last()
        reader.go_to_hit(-1)
        fresh = reader.search.hits
        assert fresh is not hits, "searching begins again where somebody went"
        while reader.search.awaited:
            fresh.advance()
            reader.look()
        assert reader.line == 20
        assert not fresh.is_complete


def test_a_look_tells_what_was_done_since() -> None:
    """Also what began and ended between two looks is there to be drawn; afterwards there is nothing new."""
    lines = [b"needle" if number == 20 else b"hay" for number in range(1, 31)]
    with reading(lines, 5) as reader:
        reader.look()
        assert not reader.look()
        reader.find(Wanted("needle"))
        assert reader.search is not None
        while not reader.search.hits.is_complete:
            pass
        assert reader.look()
        reader.look()
        assert not reader.look()
        assert reader.line == 20


def test_follow_ends_with_a_movement() -> None:
    """Lines that come are followed until somebody moves."""
    with reading([b"one"], 5) as reader:
        path = f"/proc/self/fd/{reader.file.index._file._fd}"
        reader.follow = True
        with open(path, "ab") as file:
            file.write(b"two\nthree\n")
        assert reader.look()
        assert reader.line == 3
        reader.step(-1)
        assert not reader.follow
