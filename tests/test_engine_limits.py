"""What a scan keeps when there is too much of it, and what a source that grows for days costs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from triage.engine import new_scanner
from triage.knowledge.compiled import Knowledge
from triage.matching import record
from triage.matching.record import SourceScan

START = b"[2026-03-01 10:00:00] server_args=ServerArgs(model_path='/models/m', tp_size=%d)\n"
READY = b"[2026-03-01 10:01:00] The server is fired up and ready to roll!\n"


def scanned(log: bytes, knowledge: Knowledge) -> SourceScan:
    """What a scan of this log leaves behind."""
    scanner = new_scanner("server.log", knowledge)
    scanner.feed(log)
    return scanner.finish()


def test_the_last_phases_are_kept(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that was started again and again: beyond the cap the newest phases are there, without a gap, and the oldest are not."""
    monkeypatch.setattr(record, "KEPT_PHASES", 10)
    starts = 40
    lines = [change.place.line for change in scanned((START % 1 + READY) * starts, knowledge).phases]
    assert lines == list(range(2 * starts - len(lines) + 1, 2 * starts + 1))
    assert 5 <= len(lines) <= 10


def test_the_last_facts_are_kept(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what each start says of itself the last start's words are there, all of them, and the first one's are not."""
    monkeypatch.setattr(record, "KEPT_FACTS", 10)
    one = scanned(START % 39, knowledge).facts
    kept = scanned(b"".join(START % number for number in range(40)), knowledge).facts
    assert [fact.value for line, fact in kept if line == 40 and fact.name == "server.tp_size"] == [39]
    assert len([line for line, _ in kept if line == 40]) == len(one)
    assert min(line for line, _ in kept) > 20
    assert len(kept) < 10 + len(one)


_FLOOD = """
import os, sys, threading
os.sched_getaffinity = lambda _: {0, 1}  # as on any server, also where the tests have one core
from triage.engine import load, new_scanner
scanner = new_scanner("log", load((), dict(os.environ)), live=sys.argv[1] == "live")
block = b"a line of a server that says nothing worth a look, again and again\\n" * 60_000
for _ in range(10):
    scanner.feed(block)
print(scanner.finish().lines, threading.active_count() > 1, "numpy" in sys.modules)
"""


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="how many cores there are is asked elsewhere here")
@pytest.mark.parametrize(("kind", "has_threads"), [("live", False), ("whole", True)])
def test_a_source_that_grows_stays_small(knowledge: Knowledge, cache: Path, kind: str, has_threads: bool) -> None:
    """It comes in pieces, for days, beside a server: no threads that wait for the next piece, and no numpy that stays in memory,
    however much comes. A file that is read in one go has both."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", _FLOOD, kind], capture_output=True, text=True, check=True, timeout=60, env=environment
    )
    assert done.stdout.split() == ["600000", str(has_threads), str(has_threads)]
