"""The state file: what is stored comes back, and no trouble with the disk is a failure."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from triage.reading.follow_position import Position, fingerprint
from triage.reading.follow_state import Saved, StateFile

POSITION = Position("/var/log/\udcff.log", 1, 2, fingerprint(b"head", b"tail"), 1 << 40, 3, 1_700_000_000_123_456_789)


def test_round_trip(tmp_path: Path) -> None:
    """Positions and what is kept beside them come back, from a file that only we may read."""
    path = tmp_path / "state.json"
    assert StateFile(str(path)).load() == (Saved(), None)
    assert StateFile(str(path)).save({POSITION.path: POSITION}, {"sequence": 7}) is None
    assert StateFile(str(path)).load() == (Saved({POSITION.path: POSITION}, {"sequence": 7}), None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["state.json"]  # noqa: PTH208


def test_no_content_of_the_log_is_stored(tmp_path: Path) -> None:
    """Fingerprints are digests: a state file tells no secret of a log."""
    path = tmp_path / "state.json"
    secret = replace(POSITION, fingerprint=fingerprint(b"token SENTINEL", b"SENTINEL"))
    StateFile(str(path)).save({"a": secret})
    assert b"SENTINEL" not in path.read_bytes()


def test_same_state_is_not_written_again(tmp_path: Path) -> None:
    """An idle watcher leaves the disk alone."""
    path = tmp_path / "state.json"
    state = StateFile(str(path))
    state.save({"a": POSITION})
    before = path.stat().st_ino
    state.save({"a": POSITION})
    assert path.stat().st_ino == before
    state.save({"a": replace(POSITION, offset=5)})
    assert path.stat().st_ino != before


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"\xff", b"[]", b"null", b'{"schema_version": 2}', b'{"schema_version": 1, "positions": [], "extra": {}}',
        b'{"schema_version": 1, "positions": {"a": {"path": 1}}, "extra": {}}', b"[" * 100_000,
        b'{"schema_version": 1, "positions": {"a": 5}, "extra": {}}', b" " * (5 << 20),
    ],
)  # fmt: skip
def test_damaged_state(tmp_path: Path, content: bytes) -> None:
    """A state file that is none is a note that tells of repetition, and is replaced by the next save."""
    path = tmp_path / "state.json"
    path.write_bytes(content)
    saved, note = StateFile(str(path)).load()
    assert saved == Saved()
    assert note is not None
    assert (note.kind, note.loss) == ("state", True)
    assert StateFile(str(path)).save({"a": POSITION}) is None
    assert StateFile(str(path)).load()[0].positions == {"a": POSITION}


def test_what_stands_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """A link or a pipe at the path is neither read nor written through."""
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "link").symlink_to("target")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        state = StateFile(str(tmp_path / name))
        assert state.load()[1] is not None
        assert state.save({"a": POSITION}) is None
        assert state.load() == (Saved({"a": POSITION}), None)
    assert (tmp_path / "target").read_bytes() == b"precious"


def test_unwritable_state_is_told_once(tmp_path: Path) -> None:
    """A missing folder, as any other trouble, is noted when it begins and when it is over."""
    state = StateFile(str(tmp_path / "folder" / "state.json"))
    note = state.save({"a": POSITION})
    assert note is not None
    assert "No such file or directory" in note.text
    assert state.save({"b": POSITION}) is None
    (tmp_path / "folder").mkdir()
    note = state.save({"b": POSITION})
    assert note is not None
    assert "stored again" in note.text
    assert state.load() == (Saved({"b": POSITION}), None)


def test_full_disk_keeps_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When writing fails the old state stays whole and nothing is left beside it."""
    path = tmp_path / "state.json"
    state = StateFile(str(path))
    state.save({"a": POSITION})
    real = os.open
    # Writing to this device fails as on a full disk, after it could be opened.
    monkeypatch.setattr(
        os,
        "open",
        lambda name, flags, mode=0o777: (
            real("/dev/full", os.O_WRONLY) if flags & os.O_CREAT else real(name, flags, mode)
        ),
    )
    note = state.save({"b": POSITION})
    monkeypatch.undo()
    assert note is not None
    assert "No space left" in note.text
    assert StateFile(str(path)).load()[0].positions == {"a": POSITION}
    assert os.listdir(tmp_path) == ["state.json"]  # noqa: PTH208


def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    """``--state /dev/null`` as root would leave the machine without it."""
    path = str(tmp_path / "state.json")
    try:
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("devices cannot be made here")
    note = StateFile(path).save({"a": POSITION})
    assert note is not None
    assert "cannot be stored (a device)" in note.text
    assert stat.S_ISCHR(os.lstat(path).st_mode)
    assert os.listdir(tmp_path) == ["state.json"]  # noqa: PTH208
