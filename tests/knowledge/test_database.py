"""The pattern database: many expressions at once, told apart by index, and refusals that name the culprit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import hyperscan
import pytest
import regex

from triage.knowledge.compiled import Knowledge
from triage.knowledge.database import Expression, Outline, PatternDatabase, expressions_of, marker


def test_every_match_is_reported_with_its_end() -> None:
    """Each match of each expression is one report: the index and the offset behind the match."""
    database = PatternDatabase.compile(
        [Expression("a/b/0", "first", "first"), Expression("a/b/1", r"sec\w+d", "second")]
    )
    found: list[tuple[int, int]] = []
    database.scan(
        memoryview(b"first second first"), lambda index, _start, end, _flags, _context: found.append((index, end))
    )
    assert found == [(0, 5), (1, 12), (0, 18)]


def test_once_is_reported_once() -> None:
    """An expression marked ``once`` gives one report a block, the others one for every match."""
    database = PatternDatabase.compile([Expression("a", "first", "first"), marker("esc", r"\x1b\[", once=True)])
    found: list[int] = []
    database.scan(memoryview(b"first \x1b[0m first \x1b[0m"), lambda index, *_: found.append(index))
    assert sorted(found) == [0, 0, 1]


def test_equal_patterns_are_one_expression(bundled: Knowledge) -> None:
    """Patterns that look for the very same share one expression, and no key is lost or stands twice."""
    expressions = expressions_of(bundled.base)
    keys = [key for item in expressions for key in (item.key, *item.shared)]
    assert sorted(keys) == sorted(pattern.key for signature in bundled.base for pattern in signature.patterns())
    for item in expressions:
        first = bundled.base.pattern(item.key)
        assert (item.source, item.literal) == (first.regex, first.literal)
        for key in item.shared:
            assert replace(bundled.base.pattern(key), key="") == replace(first, key="")


def test_a_report_can_end_the_scan() -> None:
    """A report that returns true is the last one."""
    database = PatternDatabase.compile([Expression("a", "first", "first")])
    found: list[int] = []

    def report(index: int, _start: int, _end: int, _flags: int, _context: object) -> bool:
        found.append(index)
        return True

    database.scan(memoryview(b"first " * 10), report)
    assert found == [0]


def test_invalid_utf8_is_searched_like_any_bytes() -> None:
    """Bytes that are no text do not hide what stands beside them."""
    database = PatternDatabase.compile([Expression("a", "first é", "first é")])
    found: list[int] = []
    database.scan(memoryview(b"\xff\xfe\x00first \xc3\xa9\x80"), lambda _index, _start, end, *_: found.append(end))
    assert found == [11]


def test_the_refused_expression_is_named() -> None:
    """When Hyperscan refuses one expression among many, the message begins with its key."""
    good = [Expression(f"good/{number}/0", f"expression {number}", "expression ") for number in range(20)]
    with pytest.raises(ValueError, match=r"\Abad/one/0: Hyperscan cannot compile this pattern: "):
        PatternDatabase.compile([*good, Expression("bad/one/0", "(?=never)", "never")])


def test_dump_and_load() -> None:
    """What was dumped and loaded reports the same; a blob cut short, changed or empty is refused."""
    expressions = [Expression("a", "first", "first"), Expression("b", "second", "second")]
    database = PatternDatabase.compile(expressions)
    blob = database.dump()
    for item in (database, PatternDatabase.load(lambda: expressions, Outline.of(expressions), database.members, blob)):
        found: list[int] = []
        item.scan(memoryview(b"second first"), lambda index, *_, found=found: found.append(index))
        assert found == [1, 0]
    middle = len(blob) // 2
    changed = bytes([*blob[:middle], blob[middle] ^ 1, *blob[middle + 1 :]])
    for damaged in (blob[: len(blob) // 2], changed, b""):
        with pytest.raises(hyperscan.error):
            PatternDatabase.load(lambda: expressions, Outline.of(expressions), database.members, damaged)


def test_lanes_scan_at_the_same_time() -> None:
    """Calls with lanes of their own may overlap: each thread sees exactly the matches of its own block."""
    database = PatternDatabase.compile([Expression("a", "first", "first")])

    def count(lane: int) -> int:
        found: list[int] = []
        for _ in range(20):
            database.scan(memoryview(b"first " * (lane + 1) * 50), lambda index, *_: found.append(index), lane)
        return len(found)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(count, range(4))) == [1000, 2000, 3000, 4000]


def test_patterns_with_one_text_are_one_form() -> None:
    """A pattern is looked for by the text that each match contains; those with the same text fire together."""
    expressions = [
        Expression("a/b/0", r"cannot load \w+", "cannot load "),
        Expression("a/c/0", r"(?:cannot load |never)\d", "cannot load "),
        Expression("a/d/0", r"cannot load \d+", "cannot load "),
    ]
    database = PatternDatabase.compile(expressions)
    assert sorted(database.members) == [(0, 2), (1,)]  # a declared text that not every match contains is not relied on
    found: list[int] = []
    database.scan(memoryview(b"cannot load !"), lambda index, *_: found.append(index))
    assert [database.members[index] for index in found] == [(0, 2)]


def test_wherever_a_pattern_matches_its_form_fires(bundled: Knowledge) -> None:
    """No line of any example that a bundled pattern matches is passed over."""
    numbers = {item.key: number for number, item in enumerate(bundled.database.expressions)}
    missed = []
    for signature in bundled.base:
        compiled = [
            (item.key, regex.compile(item.regex.removeprefix("^").encode(), regex.ASCII))
            for item in signature.patterns()
        ]
        for line in {line for example in signature.examples for line in example.encode().splitlines()}:
            fired: set[int] = set()
            bundled.database.scan(
                memoryview(line), lambda form, *_, fired=fired: fired.update(bundled.database.members[form])
            )
            missed += [
                f"{key}: {line!r}"
                for key, pattern in compiled
                if key in numbers and pattern.search(line) and numbers[key] not in fired
            ]
    assert missed == []
