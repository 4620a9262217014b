"""What the tests of reading share: reading a source to its end in small and odd views."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reading.following import Clock, Follow
from triage.reading.following import FollowedFile
from triage.reading.inputs import open_inputs
from triage.reading.source import ReadError, Source

ReadAll = Callable[..., list[tuple[str, bytes, list[str], bool]]]


def drain(source: Source, view_size: int = 10_007) -> bytes:
    """Everything that ``source`` hands out; closes it."""
    parts = []
    buffer = bytearray(view_size)
    with source:
        while count := source.readinto(memoryview(buffer)):
            parts.append(bytes(buffer[:count]))
    assert source.bytes_read == sum(map(len, parts))
    return b"".join(parts)


def _read_all(
    paths: Iterable[Any], view_size: int = 10_007, **options: Any
) -> list[tuple[str, bytes, list[str], bool]]:
    options.setdefault("stdin", None)
    result = []
    for item in open_inputs([str(path) for path in paths], **options):
        if isinstance(item, ReadError):
            raise item
        result.append((item.label, drain(item, view_size), item.notes, item.truncated))
    return result


@pytest.fixture
def read_all() -> ReadAll:
    """(label, bytes, notes, truncated) of every input; raises the first ReadError."""
    return _read_all


_MEASURE = """
import sys
from tests.reading.following import Clock, Follow
from triage.reading.following import FollowedFile
from triage.reading.inputs import open_inputs
view = memoryview(bytearray(1 << 20))
for source in open_inputs([sys.argv[1]], stdin=None):
    with source:
        while source.readinto(view):
            pass
assert "numpy" not in sys.modules
# ru_maxrss would count what the test process had when it forked.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.fixture
def peak_of() -> Callable[[str], int]:
    """The peak resident memory, in KiB, of a fresh process that reads one file to its end."""

    def measure(path: str) -> int:
        done = subprocess.run([sys.executable, "-c", _MEASURE, path], capture_output=True, text=True, check=True)
        return int(done.stdout)

    return measure


@pytest.fixture
def clock() -> Clock:
    """The clock of the sources of a test."""
    return Clock()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The path that is followed."""
    return tmp_path / "server.log"


@pytest.fixture
def follow(log: Path, clock: Clock) -> Iterator[Follow]:
    """Makes sources that are closed after the test."""
    made: list[FollowedFile] = []

    def make(path: Path = log, **options: object) -> FollowedFile:
        made.append(FollowedFile(str(path), clock=clock, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for source in made:
        source.close()
