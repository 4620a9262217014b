"""What holds for every text, however hostile."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from triage.matching.prefix import parse_prefix, parse_prefix_near, segments, strip_ansi
from triage.matching.timestamps import seconds_of

_PIECES = [
    "[2026-03-01 22:54:06 TP3] ", "[2026-03-01 22:54:06", "2025-10-20T08:00:00Z ", "stderr F ", "3: ", "sglang-1  | ", "> ", "[rank7]:",
    "[E626 05:14:36.393067540 a.cpp:1] ", "(Actor pid=1, ip=10.0.0.1) ", "INFO:     ", "node:1:2 [0] NCCL WARN ", '{"log":"', '{"time":',
    "99999-99-99", "2026-99-99 99:99:99 ", "100%|█| 4/4 [00:04<00:00]", "NCCL ", "Warning: ", "::", " | ", " - ", "\x1b[31m", "\x00", "\udcff",
    "٣", "²", "INFO 2025-04-06T03:02:45Z ", "Sep 04 10:00:12 gpu01 docker[1]: ", "I0820 14:27:21.482718 99999999999999 a.cc:1] ", "[36m",
]  # fmt: skip
_TEXTS = st.one_of(
    st.text(), st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=5)), max_size=12).map("".join)
)
_WRAPPERS = [
    "",
    "3: ",
    "> ",
    "2025-10-20T08:00:00.1Z ",
    "[pod/a-0/b] ",
    "a-1  | ",
    "(A pid=1, ip=10.0.0.1) ",
    "Sep 04 10:00:12 h sglang[1]: ",
]
_FORMATS = [
    "",
    "[2026-03-01 22:54:06 TP3] ",
    "[2026-03-01 22:54:06] INFO:     ",
    "[rank7]:[E626 05:14:36.393067540 a.cpp:1] ",
]


@given(_TEXTS)
def test_never_raises_and_stays_in_range(text: str) -> None:
    """Any string gives a prefix whose end lies in it and whose level is one of the five."""
    found = parse_prefix(text)
    assert 0 <= found.end <= len(text)
    assert found.level in (None, "debug", "info", "warning", "error", "fatal")


@given(_TEXTS, st.integers(-5, 200))
def test_near_never_raises(text: str, position: int) -> None:
    """Any string and any position give a prefix within the text."""
    assert 0 <= parse_prefix_near(text, position).end <= len(text)


@given(st.lists(st.sampled_from(_WRAPPERS), max_size=3), st.sampled_from(_FORMATS), _TEXTS)
def test_fronts_add_up(wrappers: list[str], front: str, message: str) -> None:
    """Wrappers around a bare message are all taken off, and nothing of the message with them."""
    message = "M" + message.replace("|", "").replace("%", "").replace("NCCL ", "").replace("Warning: ", "").replace(
        ": ", ""
    )
    if parse_prefix(message).end or parse_prefix(message).format:
        return
    text = "".join(wrappers) + front + message
    assert parse_prefix(text).end == len(text) - len(message)
    assert parse_prefix(text[parse_prefix(text).end :]).end == 0


@given(_TEXTS)
def test_segments_lose_only_carriage_returns(text: str) -> None:
    """The parts in order are the line without its carriage returns and trailing line feed."""
    parts = segments(text)
    assert "".join(parts) == text.rstrip("\r\n").replace("\r", "")
    assert all(part and "\r" not in part for part in parts)


@given(_TEXTS)
def test_stripping_is_final(text: str) -> None:
    """A text without escapes is left alone."""
    plain = text.replace("\x1b", "")
    assert strip_ansi(plain) == plain


@given(_TEXTS)
def test_seconds_of_any_text(text: str) -> None:
    """Nonsense has no seconds, and never an exception."""
    assert seconds_of(text) is None or seconds_of(text) == seconds_of(text)


@settings(max_examples=10, deadline=2000)
@given(
    st.sampled_from([*_PIECES, "a", "a-", "x:1", " ", "(", "/a", "ab::", "{}: "]),
    st.sampled_from(["", "NCCL ", "Warning: ", "::", "%"]),
)
def test_long_lines_take_linear_time(piece: str, needle: str) -> None:
    """No front makes the parser slow on a hundred kilobytes of repeated pieces."""
    parse_prefix(needle + piece * 20_000)
    parse_prefix(piece + needle + piece * 20_000)
