"""The rotation harness: numbered lines of a real writer process whose log is rotated under the reader at random times."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tools.rotation_harness import LOSSLESS, REGROW, Reading, read_while_written
from triage.reading.following import FollowedFile
from triage.reading.live import Chunk


def _four_times_as_fast() -> float:
    # What is looked for once a second need not take the test that long.
    return time.monotonic() * 4


def _followed(path: Path, seed: int, rounds: int, kinds: tuple[str, ...]) -> tuple[Reading, int]:
    source = FollowedFile(str(path), clock=_four_times_as_fast)

    def poll() -> list[tuple[bytes, int, str | None]]:
        return [
            (item.data, item.generation, None) if isinstance(item, Chunk) else (b"", 0, item.text)
            for item in source.poll(1 << 16)
            if isinstance(item, Chunk) or item.loss
        ]

    try:
        return read_while_written(path, seed, rounds, kinds, poll)
    finally:
        source.close()


@pytest.mark.parametrize("kinds", [*((kind,) for kind in LOSSLESS), LOSSLESS], ids="+".join)
@pytest.mark.parametrize("seed", [1, 2])
def test_rotation_loses_and_doubles_nothing(tmp_path: Path, kinds: tuple[str, ...], seed: int) -> None:
    """Whatever is renamed, copied, truncated or late: each line comes once, in order and whole, and no note says otherwise."""
    reading, count = _followed(tmp_path / "server.log", seed, 8, kinds)
    assert count > 0
    assert reading.numbers == list(range(count))
    assert (reading.broken, reading.losses) == ([], [])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_regrown_file_is_told(tmp_path: Path, seed: int) -> None:
    """A file that is emptied and at once longer than before: what was cut off is missing, a note says so, nothing doubles."""
    reading, count = _followed(tmp_path / "server.log", seed, 6, (REGROW,))
    assert not reading.doubled
    assert reading.missing(count)
    assert reading.losses
    assert all("no copy lies beside it" in loss for loss in reading.losses)
