"""A regex that ends in time, whichever program runs it."""

from __future__ import annotations

import re
import time

import pytest
import regex

from triage.knowledge.compiled import Knowledge
from triage.matching.markers import all_markers
from triage.matching.timed_regex import QUICK_STEPS, TIMEOUT_SECONDS, TimedRegex


def test_both_programs_find_the_same_in_every_example(knowledge: Knowledge) -> None:
    """Each pattern of the bundled signatures on each line of its signature's samples, and each of the engine's own there."""
    markers = [(TimedRegex(item.source), regex.compile(item.source.encode(), regex.ASCII)) for item in all_markers()]
    checked = 0
    for signature in knowledge.base:
        sources = {pattern.regex.removeprefix("^") for pattern in signature.patterns()}
        pairs = [*((TimedRegex(source), regex.compile(source.encode(), regex.ASCII)) for source in sources), *markers]
        for sample in (*signature.examples, *signature.near_misses):
            for line in sample.encode().splitlines():
                for ours, careful in pairs:
                    expected = careful.search(line)
                    found = ours.search(line)
                    assert (found and (found.span(), found.groupdict())) == (
                        expected and (expected.span(), expected.groupdict())
                    )
                    checked += expected is not None
    assert checked > 3000


@pytest.mark.parametrize(
    "source",
    [
        r"(?:.*?,){25}P",
        r"(?:a+)+b",
        r"a*a*a*a*a*a*a*b",
        r"(?x)(?:a|aa) *b",
        r"(?:(?:a{99}){99})b",
        r"(?!b){99}c",
    ],
)
def test_one_that_explodes_ends_in_time(source: str) -> None:
    """What could take long runs under the limit, also where the text is of one kind only."""
    began = time.monotonic()
    for text in (b"1," * 60, b"a" * 60, b"a" * 5000, b"a" * (QUICK_STEPS - 1)):
        try:
            assert TimedRegex(source).search(text) is None
        except TimeoutError:
            continue
    assert time.monotonic() - began < TIMEOUT_SECONDS * 20


def test_long_lines_of_a_quick_regex() -> None:
    """A line that makes a quick regex slow is looked at under the limit, and found all the same."""
    timed = TimedRegex(r"\w+[ ,][xz]")
    text = b"a" * QUICK_STEPS + b" y"
    with pytest.raises(TimeoutError):
        timed.search(text)
    assert timed.search(b"a" * 40 + b" x") is not None
    found = timed.match(b"b" * 5000 + b" x", 0)
    assert found is not None
    assert found.end() == 5002


def test_a_name_that_only_one_program_reads() -> None:
    """``(?<name>...)`` is of the dialect; the standard library does not know it."""
    with pytest.raises(re.error):
        re.compile(r"(?<port>\d+)")
    found = TimedRegex(r"(?<port>\d+)").search(b"port 80")
    assert found is not None
    assert found["port"] == b"80"
