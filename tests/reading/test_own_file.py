"""What this program wrote itself is told from a log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from triage.reading.inputs import open_inputs
from triage.reading.own_file import own_file
from triage.reading.source import ReadError, Source

ROOT = Path(__file__).parents[2]


def test_a_host_snapshot() -> None:
    """Each of our hosts is one, as it was written."""
    for path in sorted((ROOT / "fixtures" / "hosts").glob("*.json")):
        told = own_file(path.read_bytes())
        assert told is not None
        assert "--host" in told


@pytest.mark.parametrize(
    ("record", "word"),
    [
        ({"schema_version": 1, "kind": "session", "tool": {"name": "sgltriage"}}, "--session"),
        ({"schema_version": 1, "tool": {"name": "sgltriage", "version": "9"}, "verdict": "healthy"}, "--report"),
    ],
)
@pytest.mark.parametrize("indent", [None, 1, 2])
def test_sessions_and_reports(record: dict[str, object], word: str, indent: int | None) -> None:
    """However it is laid out."""
    told = own_file(json.dumps(record, indent=indent).encode())
    assert told is not None
    assert word in told


@pytest.mark.parametrize(
    "head",
    [
        b'{"log":"the tool sgltriage said\\n","stream":"stdout"}\n',
        b'{"kind": "host", "tool": {"name": "other"}}',
        b'[2026-03-01 09:00:00] {"tool": {"name": "sgltriage"}}',
        b"",
    ],
)
def test_logs(head: bytes) -> None:
    """Others' JSON, and logs that quote ours, are read."""
    assert own_file(head) is None


def test_it_is_not_read_unless_asked_for(tmp_path: Path) -> None:
    """Named, it is refused with where it belongs; in a folder it is passed over; and one may insist."""
    path = tmp_path / "host.log"
    path.write_bytes((ROOT / "fixtures" / "hosts" / "no-driver.json").read_bytes())
    (refused,) = open_inputs([str(path)], stdin=None)
    assert isinstance(refused, ReadError)
    assert not refused.harmless
    assert "--host" in refused.reason
    (passed,) = open_inputs([str(tmp_path)], stdin=None)
    assert isinstance(passed, ReadError)
    assert passed.harmless
    (read,) = open_inputs([str(path)], stdin=None, binary_as_text=True)
    assert isinstance(read, Source)
    read.close()
