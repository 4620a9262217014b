"""The form that the automaton looks for: never narrower than the regex, never later, and always compilable."""

from __future__ import annotations

import hyperscan
import pytest
import regex

from triage.knowledge.compiled import Knowledge
from triage.knowledge.database import Expression, PatternDatabase
from triage.knowledge.hyperscan_form import hyperscan_form
from triage.knowledge.regex_syntax import complaint
from triage.matching.markers import all_markers


def ends(source: str, subject: bytes) -> list[int]:
    """Where the automaton for ``source`` reports matches in ``subject``.

    Raises:
        ValueError: Hyperscan refuses the form.
    """
    found: list[int] = []
    database = PatternDatabase.compile([Expression("test", source, "")])
    database.scan(memoryview(subject), lambda _id, _start, end, _flags, _context: found.append(end))
    return found


EXAMPLES = [
    (r"port (?P<port>\d{1,5}) is in use", b"port 30000 is in use"),
    (r"needs \d{4,600} bytes", b"needs 1234567 bytes"),
    (r"(?<!harmless )failure: \w+", b"a failure: x"),
    (r"\berror\b: [^)\n]{0,80}done", b"an error: all done"),
    (r"(?i)cuda error", b"CUDA Error"),
    (r"(?i:cuda) error", b"CUDA error"),
    (r"(?P<a>[ab]+) again (?P=a)", b"ab again ab"),
    (r"(x)?abc(?(1)def|ghi)", b"abcghi"),
    (r"ends here$", b"it ends here"),
    (r"ends here\s*$", b"it ends here  "),
    (r"ends here\Z", b"it ends here"),
    (r"^starts here", b"[2026-01-01 10:00:00 TP0] starts here"),
    (r"a{9}bcdef", b"a" * 9 + b"bcdef"),
    (r"(?:ab|a)?bcdefg(?:h|i)*", b"abcdefghi"),
    (r"abcdef(?:gh(?:ij)?)?", b"abcdefgh"),
    (r"abc\sdef", b"abc\x0bdef"),
    (r"abc.def", b"abc\rdef"),
    ("abcdef… é", "abcdef… é".encode()),
    (r"a++bcdefg", b"aabcdefg"),
    (r"(?>ab|a)bcdefg", b"abbcdefg"),
    (r"(?x) abc \s def  # words", b"abc def"),
    (r"abc[^a-f\s]def", b"abc-def"),
    (r"abc[\w.-]+def", b"abc1.-xdef"),
    (r"abc(?#comment)def", b"abcdef"),
    ("abc(?:é|-)def", "abcédef".encode()),
    ("abc(?:–|-)def", "abc–def".encode()),
    ("abc(?:–|->)def", "abc–def".encode()),
]


@pytest.mark.parametrize(("source", "subject"), EXAMPLES)
def test_wider_than_the_regex(source: str, subject: bytes) -> None:
    """Every construct that signatures use: where the regex matches, the automaton fires, and not after the match's end."""
    match = regex.search(source.encode(), subject, regex.ASCII)
    if source.startswith("^"):
        match = regex.search(source[1:].encode(), subject, regex.ASCII)
    assert match is not None
    assert any(end <= match.end() for end in ends(source, subject))


@pytest.mark.parametrize(
    ("source", "subject"),
    [
        (r"(?:frobnicator){e<=2}", b"frobnikator"),
        (r"code [[:digit:]]+ frobnicator", b"code 12 frobnicator"),
        (r"frobnicator\xe2\x80\xa6", "frobnicator…".encode()),
        (r"\xe9frobnicator", b"\xe9frobnicator"),
        (r"\mfrobnicator", b"the frobnicator"),
        (r"frobnicator\M", b"the frobnicator"),
        (r"(?|frob(nic)ator|x(y)z)", b"frobnicator"),
        (r"\Kfrobnicator", b"frobnicator"),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_syntax_beyond_the_standard_parser(source: str, subject: bytes) -> None:
    """Syntax that only the regex module reads as meant is refused (by complaint or by Hyperscan), or the automaton still fires."""
    assert regex.search(source.encode(), subject, regex.ASCII)
    if complaint(source) is not None:
        return
    try:
        fired = ends(source, subject)
    except ValueError:
        return
    assert fired


@pytest.mark.parametrize("item", all_markers(), ids=lambda item: item.key)
def test_markers_compile(item: Expression) -> None:
    """Every marker of the engine compiles by itself."""
    assert ends(item.source, b"nothing") == []


def test_every_bundled_form_compiles_alone(bundled: Knowledge) -> None:
    """The form of every bundled pattern compiles without Hyperscan's own prefilter, so none is wider than we made it."""
    for signature in bundled.base:
        for pattern in signature.patterns():
            form = hyperscan_form(pattern.regex)
            database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
            database.compile(expressions=[form], ids=[0], elements=1, flags=[hyperscan.HS_FLAG_MULTILINE])


def test_bundled_forms_fire_on_what_their_patterns_match(bundled: Knowledge) -> None:
    """On every line of a bundled sample that a bundled pattern matches, its form fires no later than the match ends.

    Millions of pairs: lines of other signatures are only tried where the pattern's literal occurs.
    """
    lines: dict[bytes, set[str]] = {}
    for signature in bundled.base:
        for text in (*signature.examples, *signature.near_misses):
            for sample in text.splitlines():
                lines.setdefault(sample.encode(), set()).add(signature.id)
    patterns = [pattern for signature in bundled.base for pattern in signature.patterns()]
    compiled = {item.key: regex.compile(item.regex.removeprefix("^").encode(), regex.ASCII) for item in patterns}
    database = PatternDatabase.compile([Expression(item.key, item.regex, item.literal) for item in patterns])
    fired: dict[int, int] = {}

    def report(form: int, _start: int, end: int, _flags: int, _context: object) -> None:
        for index in database.members[form]:
            fired[index] = min(end, fired.get(index, end))

    literals = [item.literal.encode() for item in patterns]
    ids = [item.key.partition("/")[0] for item in patterns]
    checked = 0
    for line, owners in lines.items():
        fired.clear()
        database.scan(memoryview(line), report)
        for index, item in enumerate(patterns):
            if (literals[index] in line or ids[index] in owners) and (match := compiled[item.key].search(line)):
                assert fired.get(index, len(line) + 1) <= match.end(), f"{item.key} on {line!r}"
                assert item.literal.encode() in line, f"{item.key}: the literal {item.literal!r} is not in {line!r}"
                checked += 1
    assert checked > len(patterns) / 2
