"""Files changed for real, and put back byte for byte."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triage.fixing import held_folder
from triage.fixing.file_edit import Applied, EditRefused, PreparedEdit, apply, prepare, state, undo

AS_ROOT = os.geteuid() == 0
MODIFIED = 1_600_000_000_123_456_789


def _file(folder: Path, data: bytes = b"A=1\nB=2\n", mode: int = 0o640) -> Path:
    path = folder / "server.env"
    path.write_bytes(data)
    path.chmod(mode)
    os.utime(path, ns=(MODIFIED, MODIFIED))
    return path


def _add(text: str) -> str:
    return text + "C=3\n"


def test_edit_and_undo(tmp_path: Path) -> None:
    """The file is changed, its copy is private, and undo brings back bytes, mode and time; through JSON as well."""
    data = b"A=\xff\xfe\r\n\x00no end"
    path = _file(tmp_path, data)
    prepared = prepare(path, _add)
    assert path.read_bytes() == data, "looking changes nothing"
    assert state(prepared) == "before"
    assert PreparedEdit.from_record(json.loads(json.dumps(prepared.to_record()))) == prepared
    applied = apply(
        PreparedEdit.from_record(json.loads(json.dumps(prepared.to_record()))), tmp_path / "state" / "copies"
    )
    assert path.read_bytes() == data + b"C=3\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert state(prepared) == "after"
    backup = Path(applied.backup)
    assert backup.read_bytes() == data
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert stat.S_IMODE(backup.parent.stat().st_mode) == 0o700
    again = Applied.from_record(json.loads(json.dumps(applied.to_record())))
    assert again == applied
    assert undo(again) is True
    info = path.stat()
    assert (path.read_bytes(), stat.S_IMODE(info.st_mode), info.st_mtime_ns) == (data, 0o640, MODIFIED)
    assert undo(again) is False, "once more changes nothing"
    assert sorted(item.name for item in tmp_path.iterdir()) == ["server.env", "state"], "nothing is left lying about"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(st.binary(max_size=60), st.text(max_size=20))
def test_any_bytes(tmp_path: Path, data: bytes, added: str) -> None:
    """Whatever is in the file, it is kept, and it comes back."""
    path = _file(tmp_path, data)
    try:
        applied = apply(prepare(path, lambda text: text + added), tmp_path / "copies")
    except EditRefused:
        assert path.read_bytes() == data
        return
    assert path.read_bytes() == data + added.encode()
    undo(applied)
    assert path.read_bytes() == data


def test_diff(tmp_path: Path) -> None:
    """People see what changes, and where a last line has no end."""
    prepared = prepare(_file(tmp_path, b"A=1\nB=2"), lambda text: text.replace("A=1", "A=3") + "\n")
    assert prepared.diff[0].startswith("--- ")
    assert prepared.diff[2:] == ("@@ -1,2 +1,2 @@", "-A=1", "-B=2", "\\ No newline at end of file", "+A=3", "+B=2")
    assert prepared.changes
    assert not prepare(tmp_path / "server.env", lambda text: text).changes


def test_new_file(tmp_path: Path) -> None:
    """A file that was not there is made, and undo takes it away; never over one that appeared meanwhile."""
    path = tmp_path / "new.env"
    prepared = prepare(path, _add, new_mode=0o644)
    assert prepared.diff[0] == "--- /dev/null"
    applied = apply(prepared, tmp_path / "copies")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"C=3\n", 0o644)
    assert undo(applied) is True
    assert not path.exists()
    assert undo(applied) is False
    path.write_bytes(b"somebody's")
    with pytest.raises(EditRefused, match="changed since"):
        apply(prepared, tmp_path / "copies")
    assert path.read_bytes() == b"somebody's"


def test_changed_meanwhile(tmp_path: Path) -> None:
    """What changed between look and edit is not written over; nor what changed between edit and undo."""
    path = _file(tmp_path)
    prepared = prepare(path, _add)
    path.write_bytes(b"A=9\n")
    assert state(prepared) == "other"
    with pytest.raises(EditRefused, match="changed since"):
        apply(prepared, tmp_path / "copies")
    applied = apply(prepare(path, _add), tmp_path / "copies")
    path.write_bytes(b"A=8\n")
    with pytest.raises(EditRefused, match="somebody else"):
        undo(applied)
    assert path.read_bytes() == b"A=8\n"
    path.unlink()
    with pytest.raises(EditRefused, match="somebody else"):
        undo(applied)


def test_damaged_copy(tmp_path: Path) -> None:
    """A copy that is not what was saved is not put back."""
    path = _file(tmp_path)
    applied = apply(prepare(path, _add), tmp_path / "copies")
    Path(applied.backup).write_bytes(b"A=0\n")
    with pytest.raises(EditRefused, match="not what was saved"):
        undo(applied)
    assert path.read_bytes() == b"A=1\nB=2\nC=3\n"


def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links, folders, pipes, files with two names, large files and those that are understood by nobody are left alone."""
    path = _file(tmp_path)
    (tmp_path / "link").symlink_to(path)
    os.mkfifo(tmp_path / "pipe")
    for name, reason in (
        ("link", "is a link to"),
        ("pipe", "no regular file"),
        (".", "regular"),
        ("none/x", "No such file"),
    ):
        with pytest.raises(EditRefused, match=reason):
            prepare(tmp_path / name if name != "." else tmp_path, _add)
    os.link(path, tmp_path / "second")
    with pytest.raises(EditRefused, match="2 names"):
        prepare(path, _add)
    (tmp_path / "second").unlink()

    def refuse(_: str) -> str:
        raise ValueError("the text does not occur")

    with pytest.raises(EditRefused, match="does not occur"):
        prepare(path, refuse)
    with pytest.raises(EditRefused, match="larger"):
        prepare(path, lambda text: text * (held_folder.MAX_BYTES // 8 + 1))
    path.write_bytes(b"x" * (held_folder.MAX_BYTES + 1))
    with pytest.raises(EditRefused, match="larger"):
        prepare(path, _add)


def test_link_of_a_folder(tmp_path: Path) -> None:
    """A folder may be reached through a link: its real place is what is shown and recorded."""
    (tmp_path / "real").mkdir()
    (tmp_path / "there").symlink_to(tmp_path / "real")
    path = _file(tmp_path / "real")
    assert prepare(tmp_path / "there" / path.name, _add).path == str(path)


@pytest.mark.skipif(not AS_ROOT, reason="only root can make a stranger's folder")
def test_strangers_folder(tmp_path: Path) -> None:
    """Root does not write where another user could exchange what is written to; a user's own file in a user's own folder is kept."""
    folder = tmp_path / "open"
    folder.mkdir()
    path = _file(folder)
    for mode, group in ((0o777, 0), (0o775, 12345)):
        folder.chmod(mode)
        os.chown(folder, 0, group)
        with pytest.raises(EditRefused, match="other users can write"):
            prepare(path, _add)
    folder.chmod(0o755)
    os.chown(folder, 12345, 12345)
    with pytest.raises(EditRefused, match="other users can write"):
        prepare(path, _add)
    with pytest.raises(EditRefused, match="other users can write"):
        prepare(folder / "new", _add)
    os.chown(path, 12345, 12346)
    applied = apply(prepare(path, _add), tmp_path / "copies")
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12346)
    undo(applied)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12346)


def test_copies_of_others(tmp_path: Path) -> None:
    """Nothing is changed when its copy would lie where others can write."""
    path = _file(tmp_path)
    copies = tmp_path / "copies"
    copies.mkdir()
    copies.chmod(0o777)
    with pytest.raises(EditRefused, match="can be written by others"):
        apply(prepare(path, _add), copies)
    assert path.read_bytes() == b"A=1\nB=2\n"


def test_after_a_kill(tmp_path: Path) -> None:
    """What a run that was killed left behind is in nobody's way."""
    path = _file(tmp_path)
    (tmp_path / ".server.env.sgltriage-new").write_bytes(b"half")
    apply(prepare(path, _add), tmp_path / "copies")
    assert path.read_bytes() == b"A=1\nB=2\nC=3\n"
    assert not (tmp_path / ".server.env.sgltriage-new").exists()


def test_write_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails at the last moment leaves the file as it was, and nothing beside it."""
    path = _file(tmp_path)
    prepared = prepare(path, _add)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.replace", fail)
        with pytest.raises(EditRefused, match="No space left"):
            apply(prepared, tmp_path / "copies")
    assert path.read_bytes() == b"A=1\nB=2\n"
    assert sorted(item.name for item in tmp_path.iterdir()) == ["copies", "server.env"]
    assert list((tmp_path / "copies").iterdir()) == []


@pytest.mark.parametrize(
    "record", [{}, {"path": "x"}, {"path": "x", "before": "", "after": "%", "diff": [], "new_mode": 1}]
)
def test_bad_records(record: dict[str, object]) -> None:
    """A record that is none is a ValueError, nothing else."""
    with pytest.raises(ValueError):
        PreparedEdit.from_record(record)
    with pytest.raises(ValueError):
        Applied.from_record(record)
