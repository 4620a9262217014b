"""The line at the foot of a terminal: what it says, and that it is out of the way of what else is printed."""

from __future__ import annotations

import io
import os
import pty
from collections.abc import Iterator
from dataclasses import replace
from typing import TextIO

import pytest

from tests.watching.telling import ENDED, appeared
from triage.cells import cells
from triage.model import Diagnosis, Observation, Phase, Report, Role, Severity, Verdict
from triage.safety.redact import Redactor
from triage.watching.live_state import LiveState, SourceState
from triage.watching.status_line import StatusLine, status_text

SOURCE = SourceState("server.log", Phase.SERVING, 192.4, 5000, 12, 3, 0.41, 812.3, stage="serving")
RISING = tuple(float(second) for second in range(30))
STATE = LiveState((SOURCE,), 1234.5, RISING, None)


@pytest.fixture(name="terminal")
def terminal_fixture() -> Iterator[tuple[TextIO, int]]:
    """(a stream that is a terminal, the descriptor from which what was drawn can be read)."""
    reader, writer = pty.openpty()
    with open(writer, "w", encoding="utf-8", newline="") as out:
        yield out, reader
    os.close(reader)


def drawn(reader: int) -> str:
    """What came, all of it: a terminal gives what was written in one piece when it is short."""
    return os.read(reader, 65536).decode()


def text(state: LiveState, room: int = 200, *, unicode: bool = True) -> str:
    """The line."""
    return status_text(state, room, unicode, Redactor())


def failed(severity: Severity, confidence: float) -> Report:
    """A report with one diagnosis."""
    item = Diagnosis(
        f"{severity.value}-cause", "t", severity, Role.ROOT, confidence, 10.0, Phase.SERVING, None, ledger=()
    )
    return Report(Verdict.CONFIRMED, Observation(), (item,))


def test_all_of_it() -> None:
    """State, requests, memory, throughput and its last half minute, lines."""
    assert text(STATE) == (
        "server.log: serving 3m12s  12 running 3 waiting  41% of tokens  812 tok/s  "
        "▁▁▁▁▂▂▂▂▃▃▃▄▄▄▄▅▅▅▅▆▆▆▇▇▇▇████  1,234 lines/s"
    )  # fmt: skip


def test_what_is_not_known_is_not_said() -> None:
    """No batch line was seen: no numbers of requests."""
    bare = SourceState("-", None, 0.0, 0, None, None, None, None)
    assert text(LiveState((bare,), 0.0, (0.0,) * 30, None)) == "stdin: watching  0 lines/s"
    assert text(LiveState((), 0.0, (0.0,) * 30, None)) == "waiting for output  0 lines/s"


def test_several_sources_are_counted() -> None:
    """How many are where; requests and throughput of all."""
    other = replace(SOURCE, label="b", stage="weights", running=None, queued=None, throughput=None, token_usage=None)
    state = replace(STATE, sources=(SOURCE, replace(SOURCE, label="c", token_usage=0.9), other))
    assert text(state).startswith("3 sources: 2 serving, 1 weights  24 running 6 waiting  90% of tokens  1,625 tok/s")


def test_the_worst_diagnosis_and_a_stall() -> None:
    """By severity, then by confidence."""
    fatal, warning = failed(Severity.FATAL, 0.7).diagnoses[0], failed(Severity.WARNING, 0.99).diagnoses[0]
    report = replace(failed(Severity.FATAL, 0.7), diagnoses=(warning, fatal))
    shown = text(replace(STATE, sources=(replace(SOURCE, is_stalled=True),), report=report))
    assert "  STALLED  fatal fatal-cause 70%  " in shown


def test_what_a_restart_got_over_is_not_named() -> None:
    """The worst of what holds is; nothing where nothing does."""
    fatal, warning = failed(Severity.FATAL, 0.7).diagnoses[0], failed(Severity.WARNING, 0.99).diagnoses[0]
    report = replace(failed(Severity.FATAL, 0.7), diagnoses=(fatal, warning))
    state = replace(STATE, report=report, over=frozenset({fatal.id}))
    assert "  warning warning-cause 99%  " in text(state)
    assert text(replace(state, over=frozenset({fatal.id, warning.id}))) == text(STATE)


@pytest.mark.parametrize("room", range(19, 140, 7))
@pytest.mark.parametrize(
    "label", ["server.log", "日本語の長い名前のファイル.log", "/a/very/long/path/to/node-7/rank0.log"]
)
def test_it_fits(room: int, label: str) -> None:
    """Whatever the width, and whatever the width of its characters; what matters most is left."""
    state = replace(STATE, sources=(replace(SOURCE, label=label),), report=failed(Severity.FATAL, 0.97))
    shown = text(state, room)
    assert cells(shown) <= room
    assert shown.startswith("fatal fatal-cause"[:room]) or "fatal fatal-cause 97%" in shown


def test_ascii() -> None:
    """Where a terminal has no bars: of eight heights too."""
    shown = text(STATE, unicode=False)
    assert shown.isascii()
    assert "____....---~~~~====+++****####" in shown


def test_hostile_labels() -> None:
    """A path may hold what acts on a terminal, or a secret."""
    label = "kubectl:\x1b[2J\u202eevil\r\n --token=hf_" + "a" * 34
    state = replace(STATE, sources=(replace(SOURCE, label=label[:16]),))
    assert text(state).isprintable()
    assert "hf_aaa" not in text(replace(STATE, sources=(replace(SOURCE, label=label),)))


def test_it_is_drawn_over_itself_and_taken_away(terminal: tuple[TextIO, int]) -> None:
    """A shorter line leaves nothing of a longer one; an event finds the line empty, and the next tick draws again."""
    out, reader = terminal
    status = StatusLine(out, 200)
    status.tick(STATE)
    first = drawn(reader)
    assert first == f"\r{text(STATE)}\r"
    shorter = replace(STATE, throughput=(0.0,) * 30)
    status.tick(shorter)
    assert drawn(reader) == f"\r{text(shorter)}{' ' * 32}\r"
    status.tell(appeared(1))
    assert drawn(reader) == f"\r{' ' * len(text(shorter))}\r"
    status.tick(shorter)
    assert drawn(reader) == f"\r{text(shorter)}\r"
    status.close(ENDED)
    assert drawn(reader) == f"\r{' ' * len(text(shorter))}\r"


def test_the_same_is_not_drawn_again(terminal: tuple[TextIO, int]) -> None:
    """Nothing changes, nothing flickers."""
    out, reader = terminal
    status = StatusLine(out, 80)
    for _ in range(3):
        status.tick(STATE)
    status.clear()
    status.clear()
    assert drawn(reader).count("server.log") == 1


def test_one_cell_is_left(terminal: tuple[TextIO, int]) -> None:
    """A full line would wrap on some terminals, and then stay."""
    out, reader = terminal
    StatusLine(out, 40).tick(STATE)
    assert len(drawn(reader).strip("\r")) <= 39


def test_nothing_where_there_is_no_terminal() -> None:
    """A file or a pipe gets none of it."""
    out = io.StringIO()
    status = StatusLine(out, 80)
    status.tick(STATE)
    status.tell(appeared(1))
    status.close(ENDED)
    assert out.getvalue() == ""
