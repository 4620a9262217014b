"""A log line leads to the place that prints it: whatever was filled in, and to no other place than the one it fits best."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from triage.sources.message import MessageKind, MessageTemplate, Parts, joined
from triage.sources.message_index import MIN_CONSTANT, MIN_SHARE, MessageIndex, Origin

ORDER = (MessageKind.RAISE, MessageKind.ASSERT, MessageKind.LOG, MessageKind.PRINT, MessageKind.STRING)
KINDS = st.sampled_from(ORDER)
# Few letters, so that random messages and lines have much in common.
PARTS = st.lists(st.one_of(st.none(), st.text("ab :", max_size=12)), min_size=1, max_size=6).map(joined)
VALUES = st.lists(st.text("ab :%{}é", max_size=8), min_size=6, max_size=6)


def index(*messages: Parts, kind: MessageKind = MessageKind.LOG) -> MessageIndex:
    """An index of messages whose line is their number, counted from 1."""
    return MessageIndex((parts, origin(number, kind)) for number, parts in enumerate(messages, start=1))


def origin(line: int = 1, kind: MessageKind = MessageKind.LOG) -> Origin:
    return Origin("sglang/srt/pool.py", line, "take", kind)


def line_of(found: Origin | None) -> int | None:
    return None if found is None else found.line


def filled(parts: Parts, values: list[str]) -> str:
    """The message with a value in each hole."""
    taken = iter(values)
    return "".join(next(taken) if part is None else part for part in parts)


def constant(parts: Parts) -> int:
    return sum(len(part) for part in parts if part)


def counts(parts: Parts) -> bool:
    """Is there enough in the message to know it by?"""
    return constant(parts) >= MIN_CONSTANT and any(map(str.isalpha, filled(parts, [""] * len(parts))))


@pytest.mark.parametrize(
    "line",
    [
        "rank 3 of 8 was lost",
        "rank {} of %d was lost",
        "rank  of  was lost",
        "RuntimeError: rank 3 of 8 was lost",
        "rank 3 of 8 was lost, so was rank 4",
        "rank 1 of 2 rank 3 of 8 was lost",
    ],
)
def test_a_filled_message_is_found(line: str) -> None:
    """Whatever stands in the holes, before the message and behind it."""
    assert index(("rank ", None, " of ", None, " was lost")).find(line) == origin()


@pytest.mark.parametrize(
    "line", ["", "rank 3 was lost", "of 3 rank 8 was lost", "Rank 3 of 8 was lost", "was lost rank 3 of 8", "rank 3 of 8was lost"]
)  # fmt: skip
def test_other_lines_are_not(line: str) -> None:
    """A text that is missing, spelt otherwise, or in another place makes another message."""
    assert index(("rank ", None, " of ", None, " was lost")).find(line) is None


def test_texts_do_not_overlap() -> None:
    """One piece of the line cannot be two texts of the message."""
    messages = index(("the cache is full", None, "full of pages"))
    assert messages.find("the cache is full of pages") is None
    assert messages.find("the cache is full full of pages") == origin()


def test_what_has_most_in_common_wins() -> None:
    """Of several messages that fit, the one with the most constant text, wherever it stands in the package."""
    short, long = ("the pool is empty",), ("the pool is empty: ", None, " pages were asked for")
    for messages in ((short, long), (long, short)):
        assert line_of(index(*messages).find("the pool is empty: 7 pages were asked for")) == messages.index(long) + 1
        assert line_of(index(*messages).find("the pool is empty")) == messages.index(short) + 1


def test_of_equals_what_is_raised_comes_first() -> None:
    """The same text raised, asserted, logged, printed, or only kept: in that order; of two alike the first."""
    for first, second in pairwise(ORDER):
        rows = [(("the pool is empty",), origin(number, kind)) for number, kind in enumerate((second, first, first))]
        assert MessageIndex(rows).find("the pool is empty") == origin(1, first)
    assert set(ORDER) == set(MessageKind)


@pytest.mark.parametrize(
    ("parts", "known"),
    [
        (("x" * MIN_CONSTANT,), True),
        (("x" * (MIN_CONSTANT - 1),), False),
        (("x" * (MIN_CONSTANT - 1), None, "y"), True),
        ((None,), False),
        ((), False),
        (("=" * 40,), False),
        (("- " * 10, None, " | "), False),
        (("-" * 10 + " end",), True),
    ],
)
def test_what_says_too_little_is_left_out(parts: Parts, known: bool) -> None:
    """A few characters, or a rule without a letter, are in too many lines to tell where one comes from."""
    messages = index(parts)
    assert len(messages) == int(known)
    assert (messages.find(filled(parts, [""] * 9)) is not None) is known


def test_a_short_message_in_a_long_line_is_chance() -> None:
    """The constant text must be a good part of the line."""
    messages = index(("not found: ", None))
    most = int(len("not found: ") / MIN_SHARE)
    assert messages.find("not found: ".ljust(most, "x")) == origin()
    assert messages.find("not found: ".ljust(most + 1, "x")) is None


def test_each_line_of_a_message_is_found() -> None:
    """A message that is printed on several lines is read line by line; all of them lead to where it begins."""
    parts = ("the pool is empty:\n", None, " pages asked for\n\n====================\nhint: ask for less")
    messages = MessageIndex.of([MessageTemplate(MessageKind.RAISE, parts, "sglang/pool.py", 7, "take", "ValueError")])
    place = Origin("sglang/pool.py", 7, "take", MessageKind.RAISE)
    for line in ("the pool is empty:", "12 pages asked for", "hint: ask for less"):
        assert messages.find(line) == place
    assert messages.find("==================== hint") is None


def test_an_empty_index_finds_nothing() -> None:
    """No message, no place."""
    assert len(MessageIndex([])) == 0
    assert MessageIndex([]).find("the pool is empty") is None


def test_a_place_reads_like_a_frame() -> None:
    """File and line, and the function unless it is none."""
    assert str(origin(12)) == "sglang/srt/pool.py:12 in take"
    assert str(Origin("sglang/pool.py", 3, "<module>", MessageKind.LOG)) == "sglang/pool.py:3"


def test_a_hostile_line_costs_little() -> None:
    """A line that repeats the first texts of many messages and never ends one of them is refused in linear time."""
    messages = index(*((*("ab", None) * 20, f"the end of number {number}") for number in range(50)))
    began = time.process_time()
    assert messages.find("ab" * 50_000 + "the end of number") is None
    assert time.process_time() - began < 5


@given(PARTS, VALUES, st.lists(PARTS, max_size=5), st.integers(0, 5), KINDS)
def test_filling_the_holes_of_a_template_finds_it(
    parts: Parts, values: list[str], others: list[Parts], place: int, kind: MessageKind
) -> None:
    """Any message with anything in its holes is found, or else another one that has at least as much in common."""
    line = filled(parts, values)
    assume(counts(parts) and constant(parts) >= MIN_SHARE * len(line))
    messages = [*others[:place], parts, *others[place:]]
    found = index(*messages, kind=kind).find(line)
    assert found is not None
    assert constant(messages[found.line - 1]) >= constant(parts)


@given(st.lists(st.tuples(PARTS, KINDS), max_size=6), st.text("ab :é", max_size=60))
def test_the_answer_is_that_of_trying_all(messages: list[tuple[Parts, MessageKind]], line: str) -> None:
    """Where all messages are tried as regular expressions and the best is taken, the answer is the same."""
    fitting = [
        (constant(parts), -ORDER.index(kind), -number)
        for number, (parts, kind) in enumerate(messages)
        if counts(parts)
        and constant(parts) >= MIN_SHARE * len(line)
        and re.search(".*".join(re.escape(part) for part in parts if part), line)
    ]
    found = MessageIndex((parts, origin(number, kind)) for number, (parts, kind) in enumerate(messages)).find(line)
    assert line_of(found) == (-max(fitting)[2] if fitting else None)
