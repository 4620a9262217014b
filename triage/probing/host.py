"""A host asked: probes carried out side by side, or read from a snapshot, to answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace

from triage.probing.capture import capture
from triage.probing.interpret import interpret
from triage.probing.probe import Answer, Probe, Read, Target, Transcript
from triage.probing.snapshot import Snapshot
from triage.safety.redact import Redactor

_SIDE_BY_SIDE = 16
WHOLE_RUN_S = 9.0
"""What is not ready then is given up, so that a whole run stays below ten seconds."""


def look_at(
    probes: Sequence[Probe],
    target: Target,
    redactor: Redactor,
    *,
    clock: Callable[[], float] = time.monotonic,
    limit_s: float = WHOLE_RUN_S,
) -> Snapshot:
    """Carry out the reads of ``probes``, each read at its own pace, and keep the redacted transcripts."""
    end = clock() + limit_s
    reads: dict[str, list[Read]] = {probe.name: list(probe.reads(target)) for probe in probes}
    executor = ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="probe")
    running = {
        (name, number): executor.submit(capture, read, target.environment)
        for name, some in reads.items()
        for number, read in enumerate(some)
    }
    wait(running.values(), timeout=max(0.0, end - clock()))
    executor.shutdown(wait=False, cancel_futures=True)
    transcripts = {
        name: tuple(
            _redacted(_result(running[name, number], read, limit_s), redactor) for number, read in enumerate(some)
        )
        for name, some in reads.items()
    }
    return Snapshot(transcripts, dict(redactor.counts))


def answers(probes: Iterable[Probe], snapshot: Snapshot) -> tuple[Answer, ...]:
    """What the probes make of a snapshot; a probe that it lacks is unavailable, with the reason."""
    return tuple(_answer(probe, snapshot.transcripts) for probe in probes)


def _answer(probe: Probe, transcripts: Mapping[str, tuple[Transcript, ...]]) -> Answer:
    if probe.name not in transcripts:
        return Answer(probe.name, "unavailable", "the snapshot does not hold it")
    return interpret(probe, transcripts[probe.name])


def _result(future: Future[Transcript], read: Read, limit_s: float) -> Transcript:
    if not future.done() or future.cancelled():
        return Transcript(read.label, "timed-out", reason=f"not ready when the whole run had taken {limit_s:g} s")
    return future.result()


def _redacted(item: Transcript, redactor: Redactor) -> Transcript:
    # Line by line: what hides a prompt or a key on one line must not reach into the next.
    text = "\n".join(redactor.redact(line) for line in item.text.split("\n"))
    return replace(item, text=text, label=redactor.redact(item.label))
