"""Transcripts -> outcome and facts; the same for a live host and a recorded one."""

from __future__ import annotations

from collections.abc import Sequence

from triage.model import Fact
from triage.probing.probe import (
    NOT_APPLICABLE,
    OK,
    TIMED_OUT,
    UNAVAILABLE,
    UNPARSABLE,
    Answer,
    NotApplicable,
    Probe,
    Transcript,
    Unavailable,
)


def interpret(probe: Probe, transcripts: Sequence[Transcript]) -> Answer:
    """The answer of one probe. A parser that fails makes the probe unparsable and nothing else."""
    seconds = round(sum(item.seconds for item in transcripts), 3)
    if not transcripts:
        return Answer(probe.name, NOT_APPLICABLE, "there is nothing to look at for this target")
    if not any(item.status == "ok" for item in transcripts):
        slow = any(item.status == "timed-out" for item in transcripts)
        reasons = dict.fromkeys(item.reason or item.status for item in transcripts)
        return Answer(probe.name, TIMED_OUT if slow else UNAVAILABLE, "; ".join(reasons), seconds)
    try:
        values = dict(probe.parse(transcripts))
    except NotApplicable as reason:
        return Answer(probe.name, NOT_APPLICABLE, str(reason), seconds)
    except Unavailable as reason:
        return Answer(probe.name, UNAVAILABLE, str(reason), seconds)
    except (ValueError, IndexError, KeyError, TypeError) as error:
        return Answer(probe.name, UNPARSABLE, f"{type(error).__name__}: {error}"[:200], seconds)
    facts = tuple(Fact(name, value, f"probe {probe.name}") for name, value in values.items())
    return Answer(probe.name, OK, "", seconds, facts)
