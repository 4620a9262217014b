"""The last line of a batch in a stretch of bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.matching.last_batch import last_batch

_BATCH = b"[2026-03-01 22:54:06 TP0] Decode batch, #running-req: 1\n"
_OTHER = b"[2026-03-01 22:54:06 TP0] Capture #1\n"


@pytest.mark.parametrize("line", [_BATCH, b"Prefill batch, #new-seq: 1\n", b"\x1b[32mDecode\x1b[0m batch. #full: 1\n"])
def test_the_last_one_counts(line: bytes) -> None:
    """Of several batches the last is found, whatever with a ``#`` stands behind it."""
    raw = bytearray(_BATCH + line + _OTHER * 3)
    found = last_batch(raw, 0, len(raw))
    assert found is not None
    assert found.start == len(_BATCH)
    assert raw[found.at : found.at + 1] == b"#"


def test_none() -> None:
    """Lines that count something else are no batch, nor is one outside the stretch, nor one that names no number."""
    raw = bytearray(_BATCH + _OTHER * 2 + b"Decode batch\n")
    assert last_batch(raw, len(_BATCH), len(raw)) is None
    assert last_batch(raw, 0, 0) is None


@given(st.lists(st.sampled_from([_BATCH, _OTHER, b"\n", b"text\n", b"#\n"]), max_size=12))
def test_as_reading_every_line(lines: list[bytes]) -> None:
    """It is the line that a reader of all lines would take."""
    raw = bytearray(b"".join(lines))
    found = last_batch(raw, 0, len(raw))
    wanted = [number for number, line in enumerate(lines) if line is _BATCH]
    assert (found is not None) is bool(wanted)
    if found is not None:
        assert found.start == len(b"".join(lines[: wanted[-1]]))
