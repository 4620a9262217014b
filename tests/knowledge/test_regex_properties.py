"""Any regex, any text that it matches: the literal stands in it, and the automaton fires on it."""

from __future__ import annotations

import regex
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from triage.knowledge.database import Expression, PatternDatabase
from triage.knowledge.regex_syntax import complaint, mandatory_literal

Pair = tuple[str, str]
"""A regex and a text that it is made to match (the tests check that it does)."""

ESCAPES = [
    (r"\d", "7"), (r"\w", "_"), (r"\s", "\x0b"), (r"\s", "\t"), (r"\S", "x"), (r"\D", "-"), (r"\W", "%"), (r"\x41", "A"), (r"\.", "."),
    (r"[\w.-]", "."), (r"[^\s\d]", "q"), (r"[^ab\]]", " "), ("[^a-f]", "z"), (r"[^\n]", "["), (r"[^\d,]", "a"), (".", "\r"), (".", "\x00"), (".", "\x1b"),
    (r"\b", ""), ("^", ""), (r"\B", ""), (r"\A", ""), (r"\Z", ""), ("(?:)", ""), ("(?#note)", ""),
]  # fmt: skip
GROUPS = ["(%s)", "(?:%s)", "(?i:%s)", "(?s:%s)", "(?>%s)", "(?:%s)?", "(?:%s)??", "(?!zz)%s", "%s(?<!zz)", "%s(?!zz)"]


@st.composite
def leaf(draw: st.DrawFn) -> Pair:
    """Text as it stands, a class of characters, or one escape or edge."""
    kind = draw(st.sampled_from(["text", "text", "class", "escape", "escape"]))
    if kind == "text":
        text = draw(st.text("abAB01 _-:.()[]{}|\\$^*+?'\"=#~é…", min_size=1, max_size=5))
        return regex.escape(text, special_only=draw(st.booleans())), text
    if kind == "class":
        chars = draw(st.lists(st.sampled_from("abcXYZ019 -]^\\"), min_size=1, max_size=4))
        return "[" + "".join(regex.escape(char) for char in chars) + "]", draw(st.sampled_from(chars))
    return draw(st.sampled_from(ESCAPES))


@st.composite
def regexes(draw: st.DrawFn, path: str, depth: int = 3) -> Pair:
    """Leaves in groups, branches, repeats, look-around and back-references. ``path`` keeps group names apart."""
    if depth == 0:
        return draw(leaf())
    source, text = draw(regexes(path + "x", depth - 1))
    kind = draw(st.sampled_from(["same", "group", "branch", "repeat", "ahead", "back", "join"]))
    if kind == "group":
        return draw(st.sampled_from(GROUPS)).replace("%s", source), draw(st.sampled_from([text, text.swapcase(), ""]))
    if kind == "repeat":
        low, more = draw(st.integers(0, 10)), draw(st.integers(0, 2))
        form = draw(
            st.sampled_from([f"{{{low},{low + more}}}", f"{{{low + more}}}", f"{{{low},}}", "+" if low else "*"])
        )
        return f"(?:{source}){form}{draw(st.sampled_from(['', '?', '+']))}", text * (low + more)
    if kind == "ahead" and "?P<" not in source:
        return f"(?={source}){source}", text
    if kind == "back":
        return f"(?P<{path}>{source})(?P={path})", text * 2
    other, second = draw(regexes(path + "y", depth - 1))
    if kind == "branch":
        return f"(?:{source}|{other})", draw(st.sampled_from([text, second]))
    return (source + other, text + second) if kind == "join" else (source, text)


@given(
    regexes("a"),
    regexes("b"),
    st.sampled_from(["", "(?i)", "(?s)"]),
    st.sampled_from(["", "$"]),
    st.sampled_from([b"", b"noise ", b"\xff "]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_literal_and_automaton(first: Pair, second: Pair, flags: str, edge: str, noise: bytes) -> None:
    """What a pattern matches contains its literal byte by byte, and the automaton fires there, no later than the match ends."""
    source = flags + first[0] + "anchor" + second[0] + edge
    subject = noise + (first[1] + "anchor" + second[1]).encode() + (b"" if edge else noise)
    assume(complaint(source) is None)
    # Where a message begins is for confirmation to say: the automaton must fire in the middle of a line too.
    try:
        match = regex.search(source.removeprefix("^").encode(), subject, regex.ASCII, timeout=1)
    except TimeoutError:
        # Bounded repeats in each other can be slow without end in sight; confirmation puts such a pattern aside too.
        match = None
    assume(match is not None)
    assert match is not None
    assert mandatory_literal(source).encode() in match.group()
    ends: list[int] = []
    database = PatternDatabase.compile([Expression("test", source, "")])
    database.scan(memoryview(subject), lambda _id, _start, end, _flags, _context: ends.append(end))
    assert any(0 < end <= match.end() for end in ends)
