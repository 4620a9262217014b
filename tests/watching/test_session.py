"""A watched run: what is told, when, and how it ends."""

from __future__ import annotations

import itertools
import random

import pytest

from tests.watching.batches import LAUNCH_LINE, READY_LINE, Script, decode_line
from triage.knowledge.compiled import Knowledge
from triage.reading.live import Item, Note
from triage.watching.events import Event
from triage.watching.live_scan import LiveScan
from triage.watching.live_state import LiveState
from triage.watching.session import Watch

FAILURE = "[2026-09-21 14:02:00] RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.\n"
CRASH = "[2026-09-21 14:02:00] Scheduler hit an exception: Traceback (most recent call last):\n"
Step = tuple[float, str, "bytes | Note | None"]


class Run:
    """A watch over a script, run to its end: (seconds since the start, event), the states, and how it ended."""

    def __init__(
        self, knowledge: Knowledge, steps: list[Step], *, until: str = "exit", ends: bool = True, ticks: bool = True
    ) -> None:
        self.script = Script(steps, ends=ends)
        self.states: list[tuple[float, LiveState]] = []

        def on_tick(state: LiveState) -> None:
            self.states.append((self.script.now - 1000.0, state))

        self.watch = Watch(
            LiveScan(knowledge), self.script, clock=self.script.clock, until=until,
            stop=lambda: self.script.is_stopped, on_tick=on_tick if ticks else None,
        )  # fmt: skip
        self.events = [(self.script.now - 1000.0, event) for event in self.watch.events()]

    def of(self, kind: str) -> list[Event]:
        """The events of a kind."""
        return [event for _, event in self.events if event.kind.value == kind]

    @property
    def why(self) -> str:
        """How it ended."""
        assert self.watch.ended is not None
        return self.watch.ended.why


def steps(text: str, *, pause: float = 1.0, label: str = "log") -> list[Step]:
    """A line at a time."""
    return [(pause, label, line.encode()) for line in text.splitlines(keepends=True)]


def serving(first: int, last: int, *, running: int = 8) -> str:
    """A decode line a second."""
    return "".join(decode_line(second, running=running) for second in range(first, last))


def test_the_life_of_a_server(knowledge: Knowledge) -> None:
    """Launch to farewell, each stage once; what is asked to stop and whose output ends is dead."""
    text = LAUNCH_LINE + READY_LINE + serving(70, 80) + "[2026-09-21 14:02:00] SIGTERM received. Draining requests\n"
    run = Run(knowledge, steps(text))
    phases = run.of("phase")
    assert [event.state for event in phases] == ["launch", "ready", "serving", "draining", "dead"]
    assert [event.id for event in phases] == ["log"] * 5
    assert phases[1].seconds == 60.0, "by the printed times"
    assert run.why == "sources"


def test_states_are_told_as_they_are(knowledge: Knowledge) -> None:
    """A few times a second, with what the batch lines say."""
    run = Run(knowledge, steps(LAUNCH_LINE + READY_LINE + serving(70, 100)))
    times = [at for at, _ in run.states]
    assert min(later - earlier for earlier, later in itertools.pairwise(times[:-1])) >= 0.19
    _, before_end = run.states[-2]
    (source,) = before_end.sources
    assert (source.label, source.stage) == ("log", "serving")
    assert (source.running, source.queued, source.token_usage, source.throughput) == (8, 0, 0.25, 100.0)
    assert before_end.lines_per_s == pytest.approx(1.0, abs=0.3)
    assert before_end.throughput[-5:] == (100.0,) * 5
    assert source.in_phase_s == pytest.approx(30, abs=2)
    (source,) = run.watch.state().sources
    assert (source.stage, source.lines) == ("ended", 32)


def test_a_stall_and_its_end(knowledge: Knowledge) -> None:
    """Half a minute of silence with requests at work."""
    text = steps(LAUNCH_LINE + READY_LINE + serving(70, 80))
    late = (45.0, "log", decode_line(125).encode())
    run = Run(knowledge, [*text, late])
    (at, _), *_ = [(at, event) for at, event in run.events if event.kind.value == "stall"]
    assert at == pytest.approx(12 + 30, abs=1)
    (over,) = run.of("stall-over")
    assert over.seconds == pytest.approx(45, abs=1)


def test_silence_that_is_none(knowledge: Knowledge) -> None:
    """An idle server, a log replayed in no time, a file that was just rotated, and a pause of our own."""
    start = LAUNCH_LINE + READY_LINE
    idle = steps(start + serving(70, 80, running=1))
    replayed: list[Step] = [(0.3, "log", serving(at, at + 60).encode()) for at in range(0, 600, 60)]
    rotated: list[Step] = [
        *steps(start + serving(70, 80)),
        (1.0, "log", Note("rotated", "another file took its place")),
    ]
    for script in (idle, replayed, rotated):
        run = Run(knowledge, [*script, (300.0, "log", None)])
        assert run.of("stall") == []


def test_a_pause_of_our_own_is_no_silence(knowledge: Knowledge) -> None:
    """Stopped for ten minutes, and the next line waits already."""
    script = Script([*steps(serving(0, 10)), (1.0, "log", None), (1.0, "log", decode_line(612).encode())])
    asked = 0

    def clock() -> float:
        nonlocal asked
        asked += 1
        return script.now + (600.0 if not script._steps[1:] else 0.0)

    watch = Watch(LiveScan(knowledge), script, clock=clock, until="exit", stop=lambda: False)
    assert [event.kind.value for event in watch.events() if "stall" in event.kind.value] == []
    assert asked


def test_a_dead_server_is_not_called_silent(knowledge: Knowledge) -> None:
    """Why it says nothing more is known."""
    run = Run(knowledge, [*steps(LAUNCH_LINE + READY_LINE + serving(70, 80) + FAILURE), (300.0, "log", None)])
    assert run.of("diagnosis-appeared")
    assert run.of("stall") == []
    assert run.of("phase")[-1].state == "dead"


def test_a_server_that_was_started_again_can_be_silent(knowledge: Knowledge) -> None:
    """What its predecessor died of is no reason for its own silence."""
    text = LAUNCH_LINE + READY_LINE + serving(70, 80) + FAILURE + LAUNCH_LINE + READY_LINE + serving(130, 140)
    run = Run(knowledge, [*steps(text), (300.0, "log", None)])
    assert run.of("diagnosis-appeared")
    (stall,) = run.of("stall")
    assert stall.id == "log"


ROUND = LAUNCH_LINE + READY_LINE + serving(70, 73) + FAILURE
CAUSE = "gpu-oom-kv-pool"


def alarms(run: Run) -> list[str]:
    """``on``, ``again`` and ``over``, with their lines, as they were told of the cause."""
    words = {"diagnosis-appeared": "on", "diagnosis-resolved": "over"}
    told = [event for _, event in run.events if event.id == CAUSE]
    assert {event.kind.value for event in told} <= set(words)
    return [f"{'again' if item.again else words[item.kind.value]} {item.place.line}" for item in told if item.place]


def test_a_server_that_was_started_again_and_is_up(knowledge: Knowledge) -> None:
    """It has got over what its predecessor died of when it is ready, not before; state and end say so, the report keeps it."""
    run = Run(knowledge, steps(ROUND + LAUNCH_LINE + READY_LINE + serving(170, 190)))
    assert alarms(run) == ["on 6", "over 7"]
    at = next(at for at, event in run.events if event.kind.value == "diagnosis-resolved")
    ready = [at for at, event in run.events if event.kind.value == "phase" and event.state == "ready"]
    assert at == ready[-1]
    held = {when: [item.id for item in state.holding] for when, state in run.states}
    assert {CAUSE in ids for when, ids in held.items() if 6.5 < when < at} == {True}
    assert {CAUSE in ids for when, ids in held.items() if when > at} == {False}
    assert run.watch.ended is not None
    assert [item.id for item in run.watch.ended.report.diagnoses] == [CAUSE]
    assert run.watch.ended.over == {CAUSE}


def test_a_server_that_does_not_get_ready_keeps_it(knowledge: Knowledge) -> None:
    """Started, loading, waiting: nothing shows that it will not die of the same."""
    start = LAUNCH_LINE + "[2026-09-21 14:03:00 TP0] Load weight begin. avail mem=78.58 GB\n"
    run = Run(knowledge, [*steps(ROUND + start), (60.0, "log", None)])
    assert alarms(run) == ["on 6"]
    assert run.watch.ended is not None
    assert run.watch.ended.over == frozenset()


def test_a_server_that_does_not_say_that_it_is_ready(knowledge: Knowledge) -> None:
    """A node that only works shows by its batches that it is up; the requests of its warm-up alone do not."""
    capture = "[2026-09-21 14:03:00 TP0] Capture cuda graph end. Time elapsed: 5.01 s. mem usage=1.0 GB.\n"
    prefill = (
        "[2026-09-21 14:03:01 TP0] Prefill batch, #new-seq: 1, #new-token: 6, #cached-token: 0, token usage: 0.00, "
        "#running-req: 0, #queue-req: 0\n"
    )
    warm = ROUND + LAUNCH_LINE + capture + prefill
    assert alarms(Run(knowledge, [*steps(warm), (60.0, "log", None)])) == ["on 6"]
    working = Run(knowledge, steps(warm + serving(185, 200)))
    assert alarms(working) == ["on 6", "over 7"]
    at = next(at for at, event in working.events if event.kind.value == "diagnosis-resolved")
    assert at <= 10 + 3


def test_of_two_sources_the_one_that_died_counts(knowledge: Knowledge) -> None:
    """Another server that is started and ready tells nothing of it."""
    up = LAUNCH_LINE + READY_LINE
    run = Run(knowledge, [*steps(ROUND, label="a"), *steps(up + up, label="b"), *steps(up, label="a")])
    (event,) = run.of("diagnosis-resolved")
    assert event.place is not None
    assert (event.place.source, event.place.line) == ("a", 7)
    assert run.events[-1][0] > 10
    assert alarms(Run(knowledge, [*steps(ROUND, label="a"), *steps(up + up, label="b")])) == ["on 6"]


@pytest.mark.parametrize("seed", range(8))
def test_crashes_and_restarts_in_any_pieces(knowledge: Knowledge, seed: int) -> None:
    """They take turns, and the last word is that it is over; a line at a time each crash is told."""
    chance = random.Random(seed)
    rounds = chance.randrange(1, 5)
    data = (ROUND * rounds + LAUNCH_LINE + READY_LINE).encode()
    pieces: list[Step] = []
    while data:
        size = chance.choice((1, 60, 200, 700, 2000))
        pieces.append((chance.choice((0.0, 0.1, 1.5)), "log", data[:size]))
        data = data[size:]
    told = alarms(Run(knowledge, pieces))
    assert 2 <= len(told) <= 2 * rounds
    assert [word.partition(" ")[0] for word in told] == ["on", "over", *["again", "over"] * (len(told) // 2 - 1)]
    assert told[-1] == f"over {6 * rounds + 1}"
    each = alarms(Run(knowledge, steps(ROUND * rounds + LAUNCH_LINE + READY_LINE)))
    assert len(each) == 2 * rounds
    assert set(told) <= set(each)


def test_the_end_is_told_after_what_came_before_it(knowledge: Knowledge) -> None:
    """Even if it comes with the last lines."""

    class AtOnce(Script):
        def poll(self) -> list[tuple[str, Item]]:
            return [*super().poll(), *super().poll()]

    end: list[Step] = [(0.0, "log", FAILURE.encode()), (0.0, "log", Note("ended", "end of input"))]
    script = AtOnce(end)
    watch = Watch(LiveScan(knowledge), script, clock=script.clock, until="exit", stop=lambda: False)
    kinds = [event.kind.value for event in watch.events()]
    assert kinds.index("diagnosis-appeared") < kinds.index("note")


def test_it_is_over_when_the_server_goes_on(knowledge: Knowledge) -> None:
    """A fatal failure after which batches come for ten seconds is told to be resolved, while the server still runs."""
    text = LAUNCH_LINE + READY_LINE + serving(70, 120) + FAILURE + serving(121, 140)
    run = Run(knowledge, steps(text), until="exit")
    ((appeared, _),) = [(at, event) for at, event in run.events if event.kind.value == "diagnosis-appeared"]
    ((resolved, event),) = [(at, event) for at, event in run.events if event.kind.value == "diagnosis-resolved"]
    assert event.id == "gpu-oom-kv-pool"
    assert appeared == pytest.approx(53, abs=1)
    assert resolved == pytest.approx(appeared + 10, abs=3)
    assert run.events[-1][0] > resolved + 5


def test_a_last_line_that_stands_still_is_looked_at(knowledge: Knowledge) -> None:
    """A second after its last byte, though it has no end; what follows belongs to it all the same."""
    text: list[Step] = [(0.0, "log", FAILURE[:-1].encode()), (10.0, "log", b" or less\n"), (5.0, "log", None)]
    run = Run(knowledge, text)
    (event,) = run.of("diagnosis-appeared")
    at = next(at for at, told in run.events if told is event)
    assert 1.0 <= at <= 2.1
    assert run.watch.ended is not None
    assert run.watch.ended.report.observation.inputs[0].lines == 1


def test_a_start_that_takes_too_long(knowledge: Knowledge) -> None:
    """Told while it lasts, once, with what to look at."""
    run = Run(
        knowledge,
        [*steps("[2026-09-21 14:00:00 TP0] Load weight begin. avail mem=78.58 GB\n"), (2000.0, "log", None)],
        ticks=False,
    )
    (event,) = run.of("slow-phase")
    assert (event.id, event.state, event.usual) == ("log", "weights", 1800)
    assert "py-spy" in event.advice


@pytest.mark.parametrize(
    ("until", "text", "why"),
    [
        ("ready", LAUNCH_LINE + READY_LINE, "ready"),
        ("ready", serving(0, 3), "ready"),
        ("diagnosis", LAUNCH_LINE + FAILURE, "diagnosis"),
        ("diagnosis", LAUNCH_LINE + CRASH, "stopped"),
        ("exit", LAUNCH_LINE + FAILURE, "stopped"),
    ],
)
def test_until(knowledge: Knowledge, until: str, text: str, why: str) -> None:
    """What it was waited for ends it, though the server goes on; that something crashed is no cause yet."""
    assert Run(knowledge, steps(text), until=until, ends=False).why == why


def test_memory_stays_flat(knowledge: Knowledge) -> None:
    """Nothing that is kept for a source grows between four minutes of output and eight."""
    watch_of: list[dict[str, int]] = []
    for minutes in (4, 8):
        blocks: list[Step] = [
            (1.0, "log", (decode_line(at, rank="TP0") * 20).encode() + b"[2026-09-21 14:00:00] torn")
            for at in range(60 * minutes)
        ]
        run = Run(knowledge, [*steps(LAUNCH_LINE + READY_LINE), *blocks])
        watch_of.append(_sizes(run.watch))
    earlier, later = watch_of
    assert "watch._scan._scanners[log]._buffer.bytes" in earlier, "all parts are looked at"
    assert {way: size for way, size in later.items() if size > earlier.get(way, 0) + 20} == {}


def _sizes(thing: object, name: str = "watch", seen: set[int] | None = None) -> dict[str, int]:
    """How long every container is that hangs on our own objects, by the way to it."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, (str, bytes, int, float, type(None))):
        return {}
    seen.add(id(thing))
    module = type(thing).__module__
    found: dict[str, int] = {}
    if isinstance(thing, dict):
        found[name] = len(thing)
        for key, value in thing.items():
            found |= _sizes(value, f"{name}[{key}]", seen)
    elif isinstance(thing, bytearray) or (hasattr(thing, "__len__") and module in ("builtins", "collections")):
        found[name] = len(thing)
    elif module.startswith(("triage.watching", "triage.matching")):
        slots = [slot for kind in type(thing).__mro__ for slot in getattr(kind, "__slots__", ())]
        for part in [*getattr(thing, "__dict__", {}), *slots]:
            found |= _sizes(getattr(thing, part, None), f"{name}.{part}", seen)
    return found
