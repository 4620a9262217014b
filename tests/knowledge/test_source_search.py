"""Texts of patterns looked for in sources: found where the program prints them, and nowhere else."""

from __future__ import annotations

import pytest

from triage.knowledge.skeleton import Skeleton, skeletons
from triage.knowledge.source_search import search_files, spans_holes
from triage.sources.package_files import SourceFile


def found(regex: str, *sources: str, thorough: bool = True) -> list[str]:
    """The names (a.py, b.py, ...) of the sources that hold the pattern."""
    wanted = skeletons(regex)
    files = [SourceFile(f"sglang/{name}.py", text) for name, text in zip("abc", sources, strict=False)]
    result = search_files(wanted, frozenset(wanted) if thorough else frozenset(), files)
    assert result.unparsed == ()
    return sorted({path.removeprefix("sglang/") for item in wanted for path in result.places.get(item, ())})


@pytest.mark.parametrize(
    ("regex", "source"),
    [
        (r"bootstrap_room should not be None", "assert room, 'bootstrap_room should ' 'not be None'"),
        (r"AssertionError: bootstrap_room should", "assert room, 'bootstrap_room should not be None'"),
        (r"ValueError: Request \d+ is too long", "raise ValueError(f'Request {rid} is too long ({n} tokens)')"),
        (r"is too long \(\d+ tokens\)", "raise ValueError(f'Request {rid} is too long ({n} tokens)')"),
        (r"fetching (?:prefill|decode) info", "log.error('fetching decode info')"),
        (r"(?i)WATCHDOG Timeout", "logger.error('Watchdog timeout')"),
        (r"second line of it", "print('''first line\nsecond line of it''')"),
    ],
)
def test_printed_texts(regex: str, source: str) -> None:
    """A pattern is found in a message of any kind, joined over pieces, across values, with its exception's name."""
    assert found(regex, "x = 1", source) == ["b.py"]
    assert found(regex, "x = 1", source, thorough=False) == ["b.py"]


@pytest.mark.parametrize(
    ("regex", "source"),
    [
        (r"bootstrap_room should not be None", "# bootstrap_room should not be None\nx = 1"),
        (r"bootstrap_room should not be None", "'''bootstrap_room should not be None'''"),
        (r"bootstrap_room should not be None", "raise ValueError(f'{room}')"),
        (r"TypeError: bootstrap_room should", "assert room, 'bootstrap_room should not be None'"),
        (r"the first .* the second", "raise ValueError('the second and the first ')"),
        (r"the first .* the second", "print('the first')\nprint('and the second')"),
        (r"first line of.*second line", "print('''first line of\nsecond line''')"),
        (r"rank lost for request of", "print(f'{what} for request {name}')"),
        (r"NotImplementedError: the rank", "raise NotImplementedError(f'{what}')"),
    ],
)
def test_what_is_not_printed(regex: str, source: str) -> None:
    """Comments, docstrings, bare holes, other exceptions, another order, two messages or lines, scraps, names: not found."""
    assert found(regex, source) == []


@pytest.mark.parametrize(
    ("regex", "source"),
    [
        (r"fetching info from bootstrap: HTTPConnectionPool", "print(f'Error fetching info from bootstrap: {e}')"),
        (r"tp_size must be divisible by the number", "raise ValueError(f'{name} must be divisible by the number')"),
        (r'managers/scheduler\.py", line \d+, in run_batch', "def run_batch(): pass"),
        (r"assert numerator % denominator == 0", "def f():\n    assert numerator % denominator == 0\n"),
    ],
)
def test_thorough_search(regex: str, source: str) -> None:
    """Only a thorough search looks into holes, frames and lines of code."""
    wanted = skeletons(regex)
    files = [SourceFile("sglang/srt/managers/scheduler.py", source)]
    assert search_files(wanted, frozenset(), files).places == {}
    assert search_files(wanted, frozenset(wanted), files).places == {wanted[0]: {"sglang/srt/managers/scheduler.py"}}


def test_every_file_is_told() -> None:
    """All files that hold a text are its places."""
    assert found("the rank is lost", "print('the rank is lost')", "x = 1", "msg = 'so the rank is lost'") == [
        "a.py",
        "c.py",
    ]


@pytest.mark.parametrize(
    ("regex", "line", "expected"),
    [
        ("exactly sixteen!and much more that differs from all", "exactly sixteen!\0", True),
        ("exactly fifteen.and much more that differs from all", "exactly fiftee.\0", False),
        ("exactly sixteen!and much more that differs from all", "exactly sixteen! and", False),
        ("something else altogether: the last sixteen!", "\0 the last sixteen!", True),
        ("1234567890", "123456\0", True),
        ("1234567890", "12345\0", False),
        ("failed to register: .{1,80}refused", "failed to register: \0", True),
        ("failed: .{1,80}refused by the peer", "failed: \0", False),
        ("the first sixteen of it.{1,80}all of which is in some hole or other", "the first sixteen of it\0", False),
    ],
)
def test_how_much_must_be_constant(regex: str, line: str, expected: bool) -> None:
    """Three fifths of all, or something of each run and sixteen characters at a stretch, next to a hole."""
    (skeleton,) = skeletons(regex)
    assert spans_holes(skeleton, line) is expected


def test_files_that_do_not_parse_are_told() -> None:
    """A file of another syntax is named with the reason, and the others are searched all the same."""
    files = [SourceFile("a.py", "print 'the rank is lost'"), SourceFile("b.py", "print('the rank is lost')")]
    wanted = Skeleton(("the rank is lost",))
    result = search_files((wanted,), frozenset(), files)
    assert result.places == {wanted: {"b.py"}}
    assert len(result.unparsed) == 1
    assert result.unparsed[0].startswith("a.py: not parsed")
