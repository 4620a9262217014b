"""A host asked: probes carried out side by side, or read from a snapshot, to answers."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone

from triage.probing.capture import capture
from triage.probing.interpret import interpret
from triage.probing.probe import Answer, Look, Probe, Read, Target, Transcript
from triage.probing.snapshot import Snapshot
from triage.records import replace
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
    reads = {probe.name: _reads(probe, target) for probe in probes}
    work: queue.SimpleQueue[Read] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Read, Transcript]] = queue.SimpleQueue()
    # Several probes read the same: each read is carried out once.
    different = list(dict.fromkeys(read for some in reads.values() for read in some))
    for read in different:
        work.put(read)
    for _ in range(min(_SIDE_BY_SIDE, len(different))):
        # Daemons: a read that hangs on a dead file system must not keep the process from ending.
        threading.Thread(target=_carry_out, args=(work, done, target), name="probe", daemon=True).start()
    found: dict[Read, Transcript] = {}
    while len(found) < len(different):
        try:
            read, transcript = done.get(timeout=max(0.0, end - clock()))
        except queue.Empty:
            break
        found[read] = _redacted(transcript, redactor)
    transcripts = {
        name: tuple(found.get(read) or _redacted(_late(read, limit_s), redactor) for read in some)
        for name, some in reads.items()
    }
    now = datetime.now(timezone.utc).replace(microsecond=0).isoformat()
    return Snapshot(transcripts, dict(redactor.counts), now)


def _reads(probe: Probe, target: Target) -> list[Read]:
    try:
        return list(probe.reads(target))
    except OSError as error:
        # Even to find out what there is to look at may be refused.
        reason = str(error.strerror or error)
        return [Look(probe.name, lambda: _refuse(reason))]


def _refuse(reason: str) -> str:
    raise OSError(reason)


def _carry_out(
    work: queue.SimpleQueue[Read],
    done: queue.SimpleQueue[tuple[Read, Transcript]],
    target: Target,
) -> None:
    while True:
        try:
            read = work.get_nowait()
        except queue.Empty:
            return
        done.put((read, capture(read, target.environment)))


def answers(probes: Iterable[Probe], snapshot: Snapshot) -> tuple[Answer, ...]:
    """What the probes make of a snapshot; a probe that it lacks is unavailable, with the reason."""
    return tuple(_answer(probe, snapshot.transcripts) for probe in probes)


def _answer(probe: Probe, transcripts: Mapping[str, tuple[Transcript, ...]]) -> Answer:
    if probe.name not in transcripts:
        return Answer(probe.name, "unavailable", "the snapshot does not hold it")
    return interpret(probe, transcripts[probe.name])


def _late(read: Read, limit_s: float) -> Transcript:
    return Transcript(read.label, "timed-out", reason=f"not ready when the whole run had taken {limit_s:g} s")


def _redacted(item: Transcript, redactor: Redactor) -> Transcript:
    # Line by line: what hides a prompt or a key on one line must not reach into the next.
    text = "\n".join(redactor.redact(line) for line in item.text.split("\n"))
    return replace(item, text=text, label=redactor.redact(item.label))
