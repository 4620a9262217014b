"""Sources put together: phases by rank, launches and what became of them, facts of the last launch."""

from __future__ import annotations

import pytest

from triage.knowledge.database import Expression, PatternDatabase
from triage.matching.confirm import CompiledPatterns, Confirmer
from triage.matching.markers import all_markers, marker_pattern
from triage.matching.observe import observe
from triage.matching.record import SourceScan
from triage.matching.scanner import Scanner
from triage.model import Observation, Pattern, Phase

_PATTERN = Pattern("needle/line/0", r"needle in the hay", "needle in the hay")
LAUNCH = "[2026-03-01 10:00:00] server_args=ServerArgs(model_path='/models/m', tp_size=%d)\n"
READY = "[2026-03-01 10:01:00] The server is fired up and ready to roll!\n"
BATCH = "[2026-03-01 10:02:00 TP0] Decode batch. #running-req: 1\n"
NEEDLE = "[2026-03-01 10:03:00 %s] needle in the hay\n"


@pytest.fixture(scope="module")
def database() -> PatternDatabase:
    """One pattern beside the markers."""
    return PatternDatabase.compile([Expression(_PATTERN.key, _PATTERN.regex, _PATTERN.literal), *all_markers()])


def _scan(database: PatternDatabase, text: str, source: str = "log") -> SourceScan:
    lookup = Confirmer(CompiledPatterns(lambda key: marker_pattern(key) if key.startswith("@") else _PATTERN))
    scanner = Scanner(source, database, lookup)
    scanner.feed(text.encode())
    return scanner.finish()


def _observed(database: PatternDatabase, *texts: str) -> Observation:
    scans = [_scan(database, text, f"log{number}") for number, text in enumerate(texts)]
    return observe(scans, [((), False)] * len(scans))


@pytest.mark.parametrize(
    ("lines", "phase"),
    [
        ("", Phase.UNKNOWN),
        (LAUNCH % 1, Phase.LAUNCH),
        (LAUNCH % 1 + "[2026-03-01 10:00:01 TP0] Load weight begin. avail mem=77.15 GB\n", Phase.WEIGHTS),
        (LAUNCH % 1 + "[2026-03-01 10:00:01 TP0] Load weight end. elapsed=1 s, avail mem=7 GB\n", Phase.MEMORY_POOL),
        (LAUNCH % 1 + "[2026-03-01 10:00:01 TP0] Memory pool end. avail mem=7 GB\n", Phase.GRAPH_CAPTURE),
        (LAUNCH % 1 + "[2026-03-01 10:00:01 TP0] Capture cuda graph begin. This can take up to several minutes.\n", Phase.GRAPH_CAPTURE),
        (LAUNCH % 1 + "[2026-03-01 10:00:01 TP0] Capture cuda graph end. Time elapsed: 1 s.\n", Phase.WARMUP),
        (LAUNCH % 1 + READY, Phase.SERVING),
        (READY + LAUNCH % 1, Phase.LAUNCH),
    ],
)  # fmt: skip
def test_phase(database: PatternDatabase, lines: str, phase: Phase) -> None:
    """A hit is in the phase that the last line before it began."""
    assert _observed(database, lines + NEEDLE % "TP0").findings[0].first.phase is phase


def test_phases_by_rank(database: PatternDatabase) -> None:
    """A rank that is behind is in its own phase; one that has said nothing is in that of the others."""
    lines = LAUNCH % 2 + (
        "[2026-03-01 10:00:01 TP0] Load weight begin. avail mem=7 GB\n[2026-03-01 10:00:01 TP1] Load weight begin. avail mem=7 GB\n"
        "[2026-03-01 10:00:09 TP0] Load weight end. avail mem=7 GB\n"
    )
    text = lines + "".join(NEEDLE % rank for rank in ("TP0", "TP1", "TP2"))
    phases = {hit.place.rank: hit.phase for hit in _observed(database, text).findings[0].hits}
    assert phases == {"TP0": Phase.MEMORY_POOL, "TP1": Phase.WEIGHTS, "TP2": Phase.MEMORY_POOL}


def test_launches(database: PatternDatabase) -> None:
    """Each start of a server is told with the line that says ready and the last batch, or that neither was seen."""
    text = LAUNCH % 1 + NEEDLE % "TP0" + LAUNCH % 2 + READY + BATCH + BATCH
    launches = _observed(database, text).launches
    assert [(item.line, item.ready_line) for item in launches] == [(1, 0), (3, 4)]
    assert launches[0].last_batch is None
    assert launches[1].last_batch is not None
    assert launches[1].last_batch.line == 6


def test_each_launch_has_its_own(database: PatternDatabase) -> None:
    """What was typed above a start belongs to it, and what the server says until the next one; nothing of the others."""
    typed = "$ python3 -m sglang.launch_server --model-path /models/typed --tp 2 2>&1 | tee log\n"
    text = READY + typed + LAUNCH % 2 + LAUNCH % 4 + READY + LAUNCH % 8
    told = [(item.line, item.ready_line, item.command[3:]) for item in _observed(database, text).launches]
    assert told == [
        (3, 0, ("--model-path", "/models/typed", "--tp", "2")),
        (4, 5, ("--model-path", "/models/m", "--tp-size", "4")),
        (6, 0, ("--model-path", "/models/m", "--tp-size", "8")),
    ]


def test_a_log_without_a_launch(database: PatternDatabase) -> None:
    """A log that begins later still shows that the server worked."""
    (launch,) = _observed(database, READY + BATCH).launches
    assert (launch.line, launch.ready_line, launch.last_batch is not None) == (0, 1, True)
    assert _observed(database, "nothing\n").launches == ()


def test_facts_of_the_last_launch(database: PatternDatabase) -> None:
    """Settings are those of the last start; facts of the machine hold from where they were printed."""
    seen = _observed(database, "NCCL version 2.27.3+cuda12.8\n" + LAUNCH % 4 + LAUNCH % 8)
    facts = {fact.name: (fact.value, fact.origin) for fact in seen.facts}
    assert facts["server.tp_size"] == (8, "log0:3")
    assert facts["nccl.version"] == ("2.27.3", "log0:1")


def test_sources_stay_apart(database: PatternDatabase) -> None:
    """Each file keeps its own facts, phases and lines; counts add up."""
    seen = _observed(database, LAUNCH % 4 + NEEDLE % "TP0", LAUNCH % 8 + READY + NEEDLE % "TP1")
    assert [(item.source, item.first.phase) for item in seen.findings] == [
        ("log0", Phase.LAUNCH),
        ("log1", Phase.SERVING),
    ]
    assert [(f.source, f.value) for f in seen.facts if f.name == "server.tp_size"] == [("log0", 4), ("log1", 8)]
    assert [item.lines for item in seen.inputs] == [2, 3]
    assert seen.ranks == ("TP0", "TP1")


def test_notes_and_truncation(database: PatternDatabase) -> None:
    """What the reader had to say about a source stands at its input."""
    seen = observe([_scan(database, "a\n")], [(("cut short",), True)])
    assert (seen.inputs[0].notes, seen.inputs[0].truncated) == (("cut short",), True)


def test_first_and_last_time(database: PatternDatabase) -> None:
    """The span of a log is from its earliest to its latest time, in whatever form its lines give them."""
    text = (
        "[2026-03-11 20:00:00 TP0] needle in the hay\n"
        "[rank0]:[E311 20:09:12.114018332 ProcessGroupNCCL.cpp:632] needle in the hay\n"
        "[2026-03-11 20:10:00 TP0] needle in the hay\n"
    )
    seen = _observed(database, text)
    assert (seen.first_time, seen.last_time) == ("2026-03-11 20:00:00", "2026-03-11 20:10:00")


def test_a_finding_has_a_first_hit(database: PatternDatabase) -> None:
    """Text that stands only in requests is no finding, however often it comes."""
    text = "[2026-03-01 10:00:00] Receive: obj=GenerateReqInput(text='needle in the hay')\n" * 3_000
    assert all(finding.hits for finding in _observed(database, text).findings)


def test_a_shared_pattern(database: PatternDatabase) -> None:
    """A pattern that several causes write alike is scanned once and seen for each of them."""
    scan = _scan(database, NEEDLE % "TP0")
    scan.shared = {_PATTERN.key: ("other/line/0",)}
    seen = observe([scan], [((), False)])
    assert [(item.key, item.count) for item in seen.findings] == [(_PATTERN.key, 1), ("other/line/0", 1)]


def test_nothing(database: PatternDatabase) -> None:
    """No source, no observation."""
    assert observe([], []) == Observation()


def test_a_rank_is_as_far_as_steps_that_wait_for_all(database: PatternDatabase) -> None:
    """A rank whose own lines are missing has passed the weights when another has made its pool."""
    text = (
        LAUNCH % 2
        + "[2026-03-01 10:00:10 TP1] Load weight begin. avail mem=70.00 GB\n"
        + "[2026-03-01 10:00:50 TP0] Memory pool end. avail mem=7.00 GB\n"
        + NEEDLE % "TP1"
    )
    seen = _observed(database, text)
    assert seen.findings[0].hits[0].phase is Phase.MEMORY_POOL


def test_milestones_are_those_of_the_last_launch(database: PatternDatabase) -> None:
    """The first line of each step after the last start."""
    step = "[2026-03-01 10:00:%02d TP0] Memory pool end. avail mem=7.00 GB\n"
    text = LAUNCH % 1 + step % 1 + LAUNCH % 1 + step % 5 + step % 9
    found = {item.name: item.place.line for item in _observed(database, text).milestones}
    assert found == {"launch": 3, "pool-end": 4}


def test_a_server_at_work_has_served(database: PatternDatabase) -> None:
    """A batch line after the last start is a fact of its source; one before it is history."""
    assert [fact.name for fact in _observed(database, LAUNCH % 1 + BATCH).facts if fact.name == "server.served"]
    assert not [fact for fact in _observed(database, BATCH + LAUNCH % 1).facts if fact.name == "server.served"]
