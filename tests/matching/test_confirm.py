"""The exact look at one line: matches, captures, exceptions and the time it may take."""

from __future__ import annotations

import time

import pytest

from triage.matching.confirm import BUDGET_TIMEOUTS, CompiledPatterns, Confirmer
from triage.matching.timed_regex import TIMEOUT_SECONDS
from triage.model import Pattern

_SLOW = b"1," * 60
_PATTERNS = {
    pattern.key: pattern
    for pattern in (
        Pattern("plain", r"port (?P<port>\d+) of (?P<host>\S+)(?P<rest> again)?", "port ", captures=(("port", "port"),)),
        Pattern("start", r"^Scheduler hit", "Scheduler hit"),
        Pattern("unless", r"refused", "refused", unless=r"retry(?:ing)?"),
        Pattern("slow", r"(?:.*?,){25}P", "P"),
        Pattern("slow-unless", r"1,1", "1,1", unless=r"(?:.*?,){25}P"),
        Pattern("digits", r"n=(?P<n>\d+)", "n=", captures=(("n", "int"),)),
    )
}  # fmt: skip


@pytest.fixture
def confirmer() -> Confirmer:
    """A fresh one over the patterns of this file."""
    return Confirmer(CompiledPatterns(_PATTERNS.__getitem__))


def test_match_and_captures(confirmer: Confirmer) -> None:
    """Offsets are in bytes, groups are typed, a group that took no part is left out."""
    found = confirmer.match("plain", "é: port 30000 of node-1".encode())
    assert found is not None
    assert (found.start, found.end) == (4, 24)
    assert found.captures == (("port", 30000), ("host", "node-1"))


def test_a_capture_that_does_not_convert_is_none(confirmer: Confirmer) -> None:
    """The match holds, the value is not made up."""
    found = confirmer.match("plain", b"port 99999 of x")
    assert found is not None
    assert dict(found.captures)["port"] is None


def test_undecodable_captures(confirmer: Confirmer) -> None:
    """Bytes that are not UTF-8 stay in a capture as surrogates, for the report to show."""
    found = confirmer.match("plain", b"port 1 of \x9bx")
    assert found is not None
    assert dict(found.captures)["host"] == "\udc9bx"


def test_digits_are_ascii(confirmer: Confirmer) -> None:
    r"""``\d`` means 0 to 9: other scripts' digits are not numbers of ours."""
    assert confirmer.match("digits", "n=٣".encode()) is None


@pytest.mark.parametrize(
    ("segment", "start", "found"),
    [
        (b"Scheduler hit", None, True),
        (b"x Scheduler hit", None, True),
        (b"x Scheduler hit", 2, True),
        (b"x Scheduler hit", 0, False),
    ],
)
def test_caret(confirmer: Confirmer, segment: bytes, start: int | None, found: bool) -> None:
    """A leading ``^`` stands for the message's start; without one the first, cheap look overlooks it."""
    assert (confirmer.match("start", segment, start) is not None) is found


def test_unless(confirmer: Confirmer) -> None:
    """A line that the exception matches is no match, wherever the exception stands."""
    assert confirmer.match("unless", b"refused") is not None
    assert confirmer.match("unless", b"refused, retrying") is None
    assert confirmer.match("unless", b"retrying: refused") is None


@pytest.mark.parametrize("key", ["slow", "slow-unless"])
def test_a_catastrophic_pattern_is_put_aside(confirmer: Confirmer, key: str) -> None:
    """A pattern without end stops in time each time, and after its budget is not tried again and is named once."""
    began = time.monotonic()
    for _ in range(BUDGET_TIMEOUTS):
        assert confirmer.match(key, _SLOW) is None
    assert time.monotonic() - began < BUDGET_TIMEOUTS * TIMEOUT_SECONDS * 10
    assert len(confirmer.limits) == 1
    assert key in confirmer.limits[0]
    began = time.monotonic()
    for _ in range(1000):
        assert confirmer.match(key, _SLOW) is None
    assert time.monotonic() - began < 1
    assert len(confirmer.limits) == 1


def test_the_others_go_on(confirmer: Confirmer) -> None:
    """One bad pattern does not touch the rest, and below its budget it is still tried."""
    for _ in range(BUDGET_TIMEOUTS - 1):
        confirmer.match("slow", _SLOW)
    assert confirmer.limits == []
    assert confirmer.match("slow", b"1," * 25 + b"P") is not None
    confirmer.match("slow", _SLOW)
    assert confirmer.match("unless", b"refused") is not None


def test_pattern_by_key(confirmer: Confirmer) -> None:
    """The pattern of a key; KeyError for one that nobody knows."""
    assert confirmer.pattern("start") is _PATTERNS["start"]
    with pytest.raises(KeyError):
        confirmer.pattern("nobody")
