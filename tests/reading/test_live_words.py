"""What a client says itself is no line of the log, whatever it looks like."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable

import pytest

from tests.reading.live_items import joined
from triage.reading.live import Item, Note
from triage.reading.live_child import LiveClient
from triage.reading.live_sources import ClientCommand, client_command
from triage.reading.live_words import LastWords, SideWords

STAMPED = b"2026-03-01T09:14:32.000000001Z RuntimeError: Error: No such container\n"
OWN = b"Error response from daemon: No such container: sglang\n"


def polled(source: LiveClient, is_enough: Callable[[list[Item]], bool]) -> list[Item]:
    """All that a client gives until it is enough; within 20 s."""
    items: list[Item] = []
    end = time.monotonic() + 20
    while not is_enough(items):
        assert time.monotonic() < end, items
        items += source.poll()
        time.sleep(0.002)
    return items


def said(items: list[Item], kind: str) -> list[str]:
    """The texts of the notes of a kind."""
    return [item.text for item in items if isinstance(item, Note) and item.kind == kind]


@pytest.mark.parametrize("log", [b"", STAMPED, STAMPED * 3])
def test_the_last_words_of_a_client_that_fails(log: bytes) -> None:
    """They stand behind the log, without a time stamp; what has one is log, whatever it says."""
    words = LastWords()
    assert words.take(log + OWN, 0.0) == log
    assert words.due(0.9) == b""
    assert words.end(failed=True) == (b"", [OWN.decode().strip()])


def test_the_same_lines_are_log_where_more_follows() -> None:
    """A line behind them, a second's silence, or an end in peace: nobody fails over such words."""
    words = LastWords()
    assert words.take(OWN, 0.0) == b""
    assert words.take(STAMPED, 0.5) == OWN + STAMPED
    assert words.take(OWN, 10.0) == b""
    assert words.due(11.0) == OWN
    assert words.take(OWN, 20.0) == b""
    assert words.end(failed=False) == (OWN, [])


def test_a_log_without_stamps_passes_through() -> None:
    """A client that stamps no line is not one that fails: nothing is held back once that is clear."""
    words, lines = LastWords(), b"".join(b"line %d\n" % number for number in range(30))
    assert words.take(lines, 0.0) == lines
    assert words.take(OWN, 0.0) == OWN


def test_pieces_are_put_together() -> None:
    """However the output is cut, the log is whole and in order, and the words are the same."""
    rng = random.Random(3)
    log = b"".join(
        rng.choice([STAMPED, STAMPED, b"goes on\n", b"2026-03-01T09:14:33Z " + b"x" * 9000 + b"\n"]) for _ in range(60)
    )
    log += STAMPED
    for _ in range(50):
        words, got, at, data = LastWords(), b"", 0, log + OWN
        while at < len(data):
            size = rng.choice([1, 7, 300, 20_000])
            got += words.take(data[at : at + size], 0.0)
            at += size
        rest, own = words.end(failed=True)
        assert (got + rest, own) == (log, [OWN.decode().strip()])


def test_words_beside_the_log_are_told_once() -> None:
    """After a second, each line once, five at most; those of a client that ends sooner are its last ones."""
    side = SideWords()
    side.take(b"hint\nhint\n", 0.0)
    assert side.due(0.9) == []
    assert side.due(1.0) == ["hint"]
    side.take(b"hint\n" + b"".join(b"more %d\n" % number for number in range(9)), 5.0)
    assert side.due(6.0) == ["more 0", "more 1", "more 2", "more 3"]
    side.take(b"fatal\n", 7.0)
    assert side.end() == ["fatal"]


@pytest.mark.parametrize(
    ("source", "words", "advice"),
    [
        ("docker:sglang", OWN.decode().strip(), "docker ps -a lists the names"),
        ("kubectl:pod/x", 'Error from server (NotFound): pods "x" not found', "kubectl get pods -A"),
        ("journal:sglang", "Failed to connect to bus: No such file or directory", "--follow"),
    ],
)
def test_a_client_that_fails_says_what_to_do(source: str, words: str, advice: str) -> None:
    """One note with the status, its words and the advice; no line of a log, and none is said to be lost."""
    real = client_command(source)
    program = f"import sys; sys.exit({words!r})"
    command = ClientCommand(source, lambda since: [sys.executable, "-c", program], real.errors_apart, real.advice)
    client = LiveClient(command)
    items = polled(client, lambda items: len(said(items, "ended")) == 2)
    client.close()
    assert joined(items) == b""
    assert said(items, "restarted") == []
    first = said(items, "ended")[0]
    assert first.startswith(f"{sys.executable} ended with exit status 1: {words} (")
    assert advice in first


def test_what_a_client_says_while_it_runs() -> None:
    """Such as that it may not read everything: else one would wait for lines that never come."""
    real = client_command("journal:sglang")
    hint = "Hint: You are currently not seeing messages from other users and the system."
    program = f"import sys, time; print({hint!r}, file=sys.stderr, flush=True); time.sleep(60)"
    command = ClientCommand("journal:sglang", lambda since: [sys.executable, "-c", program], True, real.advice)
    client = LiveClient(command)
    (text,) = said(polled(client, lambda items: bool(said(items, "said"))), "said")
    client.close()
    assert text == f"{sys.executable}: {hint} (join the group systemd-journal, or watch as root)"
