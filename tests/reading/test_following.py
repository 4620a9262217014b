"""A followed file: appearing late, deleted, replaced, truncated, full of holes, resumed; one change at a time."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reading.following import Clock, Follow, append, kinds, taken
from triage.reading.follow_position import position_of
from triage.reading.following import FollowedFile
from triage.reading.live import Chunk, Note

NOBODY = 65534


def test_growth_is_handed_out_with_its_place(log: Path, follow: Follow) -> None:
    """Each poll gives what is new, with its offset; nothing new gives nothing."""
    log.write_bytes(b"one\n")
    source = follow()
    assert source.poll() == [Chunk(b"one\n", 0, 0)]
    assert source.poll() == []
    append(log, b"two")
    assert source.poll() == [Chunk(b"two", 4, 0)]


def test_poll_is_bounded(log: Path, follow: Follow) -> None:
    """A poll gives no more than it was asked for, and the rest comes later."""
    log.write_bytes(bytes(range(256)) * 100)
    source = follow()
    assert source.poll(1000) == [Chunk((bytes(range(256)) * 100)[:1000], 0, 0)]
    assert len(taken(source)[0]) == 24_600


def test_from_the_end(log: Path, follow: Follow) -> None:
    """What was there is left out, on wish; a file that comes after it is read whole."""
    log.write_bytes(b"old\n")
    source = follow(start="end")
    assert taken(source) == (b"", [])
    append(log, b"new\n")
    assert taken(source)[0] == b"new\n"
    log.rename(f"{log}.1")
    log.write_bytes(b"next\n")
    assert taken(source)[0] == b"next\n"


def test_late_file(log: Path, follow: Follow) -> None:
    """A file that is not there yet is waited for, with one note."""
    source = follow()
    assert kinds(taken(source)[1]) == ["waiting"]
    log.write_bytes(b"hello\n")
    data, notes = taken(source)
    assert (data, kinds(notes)) == (b"hello\n", ["back"])


def test_late_folder(tmp_path: Path, follow: Follow) -> None:
    """The folder of the file may be late too."""
    source = follow(tmp_path / "logs" / "a.log")
    assert kinds(taken(source)[1]) == ["waiting"]
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.log").write_bytes(b"x\n")
    assert taken(source)[0] == b"x\n"


def test_rename_and_create(log: Path, follow: Follow) -> None:
    """What came to the old file before the new one is read first, and the new one is another generation."""
    log.write_bytes(b"one\n")
    source = follow()
    source.poll()
    append(log, b"two\n")
    log.rename(f"{log}.1")
    log.write_bytes(b"three\n")
    chunks = [item for item in source.poll() if isinstance(item, Chunk)]
    assert chunks == [Chunk(b"two\n", 4, 0), Chunk(b"three\n", 0, 1)]


def test_writer_that_is_told_late(log: Path, follow: Follow) -> None:
    """While the new file is empty the old one is read on: its writer has not heard of the rotation yet."""
    log.write_bytes(b"one\n")
    source = follow()
    source.poll()
    log.rename(f"{log}.1")
    log.touch()
    append(Path(f"{log}.1"), b"two\n")
    assert source.poll() == [Chunk(b"two\n", 4, 0)]
    append(Path(f"{log}.1"), b"three\n")
    append(log, b"four\n")
    assert taken(source)[0] == b"three\nfour\n"


def test_second_writer_at_the_old_file(log: Path, follow: Follow, clock: Clock) -> None:
    """What another writer adds to the old file later comes with its generation and a note, until it is silent for long."""
    log.write_bytes(b"one\n")
    source = follow()
    source.poll()
    log.rename(f"{log}.1")
    log.write_bytes(b"two\n")
    assert taken(source)[0] == b"two\n"
    append(Path(f"{log}.1"), b"late\n")
    note, chunk = source.poll()
    assert isinstance(note, Note)
    assert note.kind == "late"
    assert chunk == Chunk(b"late\n", 4, 0)
    clock.now += 11
    source.poll()
    assert f"{log}.1" not in _open_files()


def _open_files() -> set[str]:
    """Where the descriptors of this process lead."""
    found = set()
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(str(path.readlink()))
    return found


def test_several_renames_between_polls(log: Path, follow: Follow) -> None:
    """Files that came and went unseen are found by their names and read in their order."""
    log.write_bytes(b"0\n")
    source = follow()
    source.poll()
    for number in range(1, 4):
        for old in (3, 2, 1):
            if (path := Path(f"{log}.{old}")).exists():
                path.rename(f"{log}.{old + 1}")
        log.rename(f"{log}.1")
        log.write_bytes(b"%d\n" % number)
    data, notes = taken(source)
    assert (data, kinds(notes)) == (b"1\n2\n3\n", ["rotated", "rotated"])


@pytest.mark.parametrize("form", ["server.{}.log", "server.log-2024061{}", "server.log.2024-06-1{}_10-00-00"])
def test_other_forms_of_names(log: Path, follow: Follow, form: str) -> None:
    """Numbers before the suffix and dates are what rotation makes, too."""
    log.write_bytes(b"0\n")
    source = follow()
    source.poll()
    for number in (1, 2):
        log.rename(log.with_name(form.format(number)))
        time.sleep(0.02)
        log.write_bytes(b"%d\n" % number)
    assert taken(source)[0] == b"1\n2\n"


def test_neighbours_are_left_alone(log: Path, follow: Follow) -> None:
    """Old rotated files, logs of other ranks and other names beside it are none of the file's past."""
    for name in ("server.log.1", "server.log.2.gz", "server.logger", "other.log.1"):
        log.with_name(name).write_bytes(b"not ours\n")
    log.write_bytes(b"one\n")
    source = follow()
    assert taken(source)[0] == b"one\n"
    append(Path(f"{log}.1"), b"still not ours\n")
    log.rename(f"{log}.2")
    log.write_bytes(b"two\n")
    log.with_name("server.log.3.gz").write_bytes(b"not ours\n")
    assert taken(source)[0] == b"two\n"


def test_lost_generation_is_told(log: Path, follow: Follow) -> None:
    """When a file that must have come between is deleted, a note says that bytes may be missing."""
    log.write_bytes(b"0\n")
    source = follow()
    source.poll()
    log.rename(f"{log}.3")
    Path(f"{log}.1").write_bytes(b"2\n")
    log.write_bytes(b"3\n")
    data, notes = taken(source, polls=10)
    assert (data, kinds(notes)) == (b"2\n3\n", ["rotated", "rotated!"])


def test_copytruncate(log: Path, follow: Follow) -> None:
    """What was written after the last look is read from the copy."""
    log.write_bytes(b"one\n")
    source = follow()
    source.poll()
    append(log, b"two\n")
    shutil.copyfile(log, f"{log}.1")
    os.truncate(log, 0)
    append(log, b"3\n")
    chunks = [item for item in source.poll() if isinstance(item, Chunk)]
    assert chunks == [Chunk(b"two\n", 4, 0), Chunk(b"3\n", 0, 1)]


def test_copytruncate_without_growth(log: Path, follow: Follow) -> None:
    """A truncated file that stays empty is noticed when it happens."""
    log.write_bytes(b"one\n")
    source = follow()
    source.poll()
    shutil.copyfile(log, f"{log}.1")
    os.truncate(log, 0)
    assert kinds(taken(source)[1]) == ["truncated"]
    append(log, b"longer than before\n")
    assert taken(source)[0] == b"longer than before\n"


def test_backup_is_no_rotation(log: Path, follow: Follow) -> None:
    """A copy of the file beside it, without truncation, is not read as another one."""
    log.write_bytes(b"one\n")
    source = follow()
    source.poll()
    shutil.copyfile(log, f"{log}.1")
    append(log, b"two\n")
    assert taken(source) == (b"two\n", [])
    log.rename(f"{log}.2")
    log.write_bytes(b"three\n")
    assert taken(source)[0] == b"three\n"


def test_copytruncate_of_a_writer_that_does_not_append(log: Path, follow: Follow) -> None:
    """The hole that such a writer leaves is passed over, with a note of its length."""
    with log.open("wb", buffering=0) as stream:
        stream.write(b"a" * 99_999 + b"\n")
        source = follow()
        source.poll()
        shutil.copyfile(log, f"{log}.1")
        os.truncate(log, 0)
        stream.write(b"after\n")
        data, notes = taken(source)
        assert (data, kinds(notes)) == (b"after\n", ["truncated", "hole"])
        assert "100,000 NUL bytes" in notes[1].text
        stream.write(b"more\n")
        assert taken(source) == (b"more\n", [])


def test_truncated_without_a_copy(log: Path, follow: Follow) -> None:
    """What was not read before the truncation is not known, and a note says so."""
    log.write_bytes(b"one line of some length\n")
    source = follow()
    source.poll()
    log.write_bytes(b"two\n")
    data, notes = taken(source)
    assert (data, kinds(notes)) == (b"two\n", ["truncated!"])


@pytest.mark.parametrize("more", [0, 5])
def test_regrown_to_or_beyond_the_offset(log: Path, follow: Follow, more: int) -> None:
    """Other content of at least the old length is told by its bytes and read from the beginning."""
    log.write_bytes(b"one\n" * 100)
    source = follow()
    source.poll()
    time.sleep(0.02)
    log.write_bytes(b"two\n" * (100 + more))
    data, notes = taken(source)
    assert (data, kinds(notes)) == (b"two\n" * (100 + more), ["truncated!"])


def test_shortened_beyond_the_offset(log: Path, follow: Follow) -> None:
    """A file that loses an end which was not read yet is read on, with a note."""
    log.write_bytes(b"0123456789" * 100)
    source = follow()
    source.poll(100)
    os.truncate(log, 500)
    data, notes = taken(source)
    assert (data, kinds(notes)) == (b"0123456789" * 40, ["truncated!"])


def test_deleted_file_is_read_on(log: Path, follow: Follow, clock: Clock) -> None:
    """A writer that still has the deleted file is heard; a new file is read after it."""
    with log.open("wb", buffering=0) as stream:
        stream.write(b"one\n")
        source = follow()
        source.poll()
        log.unlink()
        stream.write(b"two\n")
        assert taken(source) == (b"two\n", [])
        clock.now += 2
        assert kinds(taken(source)[1]) == ["gone"]
        stream.write(b"three\n")
        log.write_bytes(b"four\n")
        assert taken(source)[0] == b"three\nfour\n"


def test_deleted_file_is_let_go(log: Path, follow: Follow, clock: Clock) -> None:
    """After ten silent minutes its space is given back, and a new file is still read."""
    log.write_bytes(b"one\n")
    source = follow()
    source.poll()
    log.unlink()
    for _ in range(3):
        clock.now += 400
        source.poll()
    assert f"{log} (deleted)" not in _open_files()
    log.write_bytes(b"two\n")
    assert taken(source)[0] == b"two\n"


def test_last_rotation_without_a_new_file(log: Path, follow: Follow, clock: Clock) -> None:
    """A writer that ends with rotations leaves no file at the path; what it wrote is found after a second."""
    log.write_bytes(b"one\n")
    source = follow()
    source.poll()
    log.rename(f"{log}.2")
    Path(f"{log}.1").write_bytes(b"two\n")
    taken(source)
    clock.now += 2
    assert taken(source)[0] == b"two\n"


def test_permission_is_taken_and_given_back(log: Path, follow: Follow, clock: Clock) -> None:
    """A file that may not be opened is refused once, and read when it may be."""
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    log.write_bytes(b"one\n")
    log.chmod(0)
    source = follow()
    assert kinds(taken(source)[1]) == ["refused"]
    log.chmod(0o600)
    clock.now += 2
    assert taken(source)[0] == b"one\n"


def _make_pipe(path: Path) -> None:
    os.mkfifo(path)


def _make_zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(("make", "reason"), [(_make_pipe, "pipe"), (Path.mkdir, "directory"), (_make_zero, "device")])
def test_what_is_no_file(log: Path, follow: Follow, clock: Clock, make: Callable[[Path], None], reason: str) -> None:
    """A pipe without a writer, a folder or a device is refused at once with its reason, at first or later."""
    make(log)
    started = time.monotonic()
    source = follow()
    (note,) = taken(source)[1]
    assert (note.kind, reason in note.text) == ("refused", True)
    log.rmdir() if log.is_dir() else log.unlink()
    log.write_bytes(b"one\n")
    clock.now += 2
    assert taken(source)[0] == b"one\n"
    log.rename(f"{log}.1")
    make(log)
    append(Path(f"{log}.1"), b"two\n")
    data, (note,) = taken(source)
    assert (data, note.kind, reason in note.text) == (b"two\n", "refused", True)
    assert time.monotonic() - started < 1


def test_swapped_link_as_root(log: Path, follow: Follow) -> None:
    """A link that takes the place of the file is not followed as root, and is otherwise."""
    log.write_bytes(b"one\n")
    sources = [follow(privileged=True), follow(privileged=False)]
    assert [taken(source)[0] for source in sources] == [b"one\n", b"one\n"]
    log.with_name("secret").write_bytes(b"secret\n")
    log.unlink()
    log.symlink_to("secret")
    first, second = (taken(source) for source in sources)
    assert (first[0], kinds(first[1])) == (b"", ["refused"])
    assert second[0] == b"secret\n"


def test_turned_link(log: Path, follow: Follow) -> None:
    """A path that has been a link from the beginning is followed to its next file, as root too."""
    for number in (1, 2):
        log.with_name(f"run-{number}").write_bytes(b"%d\n" % number)
    log.symlink_to("run-1")
    source = follow(privileged=True)
    assert taken(source)[0] == b"1\n"
    log.unlink()
    log.symlink_to("run-2")
    assert taken(source)[0] == b"2\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
def test_strangers_rotated_file_as_root(log: Path, follow: Follow) -> None:
    """As root, files of another owner beside the log are not taken for its past."""
    log.write_bytes(b"one\n")
    source = follow()
    source.poll()
    os.chown(log, NOBODY, NOBODY)
    Path(f"{log}.1").write_bytes(b"root's own\n")
    log.rename(f"{log}.2")
    log.write_bytes(b"two\n")
    os.chown(log, NOBODY, NOBODY)
    assert taken(source, polls=10)[0] == b"two\n"


def test_sparse_file(log: Path, follow: Follow) -> None:
    """Holes are passed over, and offsets count them."""
    with log.open("wb") as stream:
        stream.write(b"one\n")
        stream.seek(10 << 20)
        stream.write(b"two\n")
    source = follow()
    items = taken_items(source)
    assert [item for item in items if isinstance(item, Chunk)] == [Chunk(b"one\n", 0, 0), Chunk(b"two\n", 10 << 20, 0)]
    append(log, b"three\n")
    assert taken(source) == (b"three\n", [])


def taken_items(source: FollowedFile) -> list[object]:
    return [item for _ in range(3) for item in source.poll()]


def test_stale_file_is_opened_again(log: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """ESTALE, as a remounted NFS gives it, loses and repeats nothing."""
    log.write_bytes(b"one\n")
    source = follow()
    source.poll()
    append(log, b"two\n")
    real, left = os.pread, [2]

    def stale(fd: int, count: int, offset: int) -> bytes:
        if left[0]:
            left[0] -= 1
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return real(fd, count, offset)

    monkeypatch.setattr(os, "pread", stale)
    items = []
    for _ in range(5):
        items += source.poll()
        clock.now += 2
    assert b"".join(item.data for item in items if isinstance(item, Chunk)) == b"two\n"
    assert kinds([item for item in items if isinstance(item, Note)])[0] == "stale"


def test_errors_of_the_disk_are_told_once(log: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    """An I/O error is a note and no failure; reading goes on after it."""
    log.write_bytes(b"one\n")
    source = follow()
    source.poll()
    append(log, b"two\n")

    def broken(fd: int, count: int, offset: int) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", broken)
        assert kinds(taken(source)[1]) == ["refused"]
    data, notes = taken(source)
    assert (data, kinds(notes)) == (b"two\n", ["back"])


def test_idle_poll_costs_one_stat(log: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing new: the path is looked at once, and nothing is opened, listed or read."""
    log.write_bytes(b"one\n")
    source = follow()
    taken(source)
    calls: list[str] = []
    for name in ("stat", "fstat", "lstat", "open", "pread", "scandir", "lseek"):
        real = getattr(os, name)

        def counted(*args: object, _name: str = name, _real: Callable[..., object] = real, **more: object) -> object:
            calls.append(_name)
            return _real(*args, **more)

        monkeypatch.setattr(os, name, counted)
    assert source.poll() == []
    assert calls == ["stat"]


def resumed(source: FollowedFile, follow: Follow, back: int = 0) -> FollowedFile:
    """Another source that starts from the stored position of one that has ended."""
    position = source.position(back)
    assert position is not None
    source.close()
    return follow(position=position_of(json.loads(json.dumps(position.record()))))


def test_resumed_after_growth(log: Path, follow: Follow) -> None:
    """A restarted watcher goes on after what was handed out."""
    log.write_bytes(b"one\n")
    source = follow()
    source.poll()
    again = resumed(source, follow)
    append(log, b"two\n")
    data, notes = taken(again)
    assert (data, kinds(notes)) == (b"two\n", ["resumed"])


def test_resumed_before_an_unfinished_line(log: Path, follow: Follow) -> None:
    """A position may lie before the end of what was handed out, so that an unfinished line comes again whole."""
    log.write_bytes(b"x" * 1000 + b"\nunfin")
    source = follow()
    source.poll()
    again = resumed(source, follow, back=5)
    append(log, b"ished\n")
    assert taken(again)[0] == b"unfinished\n"


def test_resumed_after_rotations(log: Path, follow: Follow) -> None:
    """Files that were rotated while nobody watched are read from where the old one was left."""
    log.write_bytes(b"one\n")
    source = follow()
    source.poll()
    again = resumed(source, follow)
    append(log, b"two\n")
    log.rename(f"{log}.2")
    time.sleep(0.02)
    Path(f"{log}.1").write_bytes(b"three\n")
    log.write_bytes(b"four\n")
    data, notes = taken(again)
    assert data == b"two\nthree\nfour\n"
    assert not any(note.loss for note in notes)


def test_resumed_after_copytruncate(log: Path, follow: Follow) -> None:
    """The copy has another inode and is known by its content."""
    log.write_bytes(b"one\n")
    source = follow()
    source.poll()
    again = resumed(source, follow)
    append(log, b"two\n")
    shutil.copyfile(log, f"{log}.1")
    time.sleep(0.02)
    log.write_bytes(b"three, longer than all before\n")
    data, notes = taken(again)
    assert data == b"two\nthree, longer than all before\n"
    assert not any(note.loss for note in notes)


def test_resumed_without_the_old_file(log: Path, follow: Follow) -> None:
    """When what was read is gone, the file is read from its beginning and a note says what is not known."""
    log.write_bytes(b"one\n" * 10)
    source = follow()
    source.poll()
    again = resumed(source, follow)
    log.unlink()
    log.write_bytes(b"two\n" * 20)
    data, notes = taken(again)
    assert (data, kinds(notes)) == (b"two\n" * 20, ["rotated!"])


def test_resumed_before_the_file_is_there(log: Path, follow: Follow, clock: Clock) -> None:
    """A file system that is mounted late: the position is kept until the file is there."""
    log.write_bytes(b"one\n")
    source = follow()
    source.poll()
    log.rename(log.with_name("away"))
    shutil.copyfile(log.with_name("away"), log.with_name("elsewhere"))
    log.with_name("away").unlink()
    again = resumed(source, follow)
    assert kinds(taken(again)[1]) == ["waiting"]
    append(log.with_name("elsewhere"), b"two\n")
    log.with_name("elsewhere").rename(log)
    clock.now += 2
    assert taken(again)[0] == b"two\n"


def test_names_that_are_not_utf8(tmp_path: Path, follow: Follow) -> None:
    """A file of any name is followed, and its position can be stored."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.log"))
    path.write_bytes(b"one\n")
    source = follow(path)
    source.poll()
    position = source.position()
    assert position is not None
    assert position_of(json.loads(json.dumps(position.record()))) == position
