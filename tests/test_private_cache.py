"""Files that only we may have written: what is read back is what we wrote, and nobody else's is read or touched."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from triage import private_cache
from triage.private_cache import read_private, write_private

ROOT = os.geteuid() == 0
NOBODY = 65534
READ = "import sys; from pathlib import Path; from triage.private_cache import read_private; print(read_private(Path(sys.argv[1])))"


@pytest.fixture(name="kept")
def kept_fixture(tmp_path: Path) -> Path:
    """A file that was written through the module, in a folder that it made."""
    path = tmp_path / "made" / "cache" / "first.kb"
    write_private(path, [b"one ", b"", b"two"], most=8)
    return path


def aged(folder: Path, name: str, age_s: int) -> Path:
    """A file of ours that was last written ``age_s`` seconds after the epoch."""
    path = folder / name
    path.write_bytes(name.encode())
    os.utime(path, (age_s, age_s))
    return path


def names(folder: Path) -> set[str]:
    """What lies in the folder, hidden files included."""
    return {path.name for path in folder.iterdir()}


def test_what_was_written_is_read(kept: Path) -> None:
    """The parts come back as one, folders were made on the way, and no temporary file is left."""
    assert read_private(kept) == b"one two"
    assert names(kept.parent) == {"first.kb"}


def test_an_empty_file_is_not_an_absent_one(tmp_path: Path) -> None:
    """No bytes are bytes too; a file, or a folder, that is not there is None."""
    write_private(tmp_path / "c" / "empty.kb", [], most=8)
    assert read_private(tmp_path / "c" / "empty.kb") == b""
    assert read_private(tmp_path / "c" / "gone.kb") is None
    assert read_private(tmp_path / "gone" / "gone.kb") is None


def test_written_again_it_is_replaced_in_one_step(kept: Path) -> None:
    """Who has the old file open reads it to its end; who opens it anew reads the new one."""
    with kept.open("rb") as stream:
        write_private(kept, [b"new"], most=8)
        assert stream.read() == b"one two"
    assert read_private(kept) == b"new"


@pytest.mark.parametrize("umask", [0, 0o077])
def test_only_the_owner_can_write(tmp_path: Path, umask: int) -> None:
    """Folder and file belong to us and can be changed by nobody else, whatever the umask."""
    path = tmp_path / "cache" / "a.kb"
    before = os.umask(umask)
    try:
        write_private(path, [b"x"], most=8)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_private(path) == b"x"


def _group_writable(path: Path) -> None:
    path.chmod(0o620)


def _world_writable(path: Path) -> None:
    path.chmod(0o602)


def _writable_folder(path: Path) -> None:
    path.parent.chmod(0o770)


def _sticky_folder(path: Path) -> None:
    path.parent.chmod(0o1777)


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _no_folder(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()
    path.parent.write_bytes(b"x")


def _named(function: Callable[[Path], None]) -> str:
    return function.__name__[1:]


STRANGE = (
    _group_writable,
    _world_writable,
    _writable_folder,
    _sticky_folder,
    _link,
    _dangling_link,
    _folder,
    _no_folder,
)


@pytest.mark.parametrize("change", STRANGE, ids=_named)
def test_what_others_could_have_written_is_not_read(kept: Path, change: Callable[[Path], None]) -> None:
    """A file or folder that group or others can write, a link, and what is no regular file are as good as absent."""
    change(kept)
    assert read_private(kept) is None


@pytest.mark.parametrize("change", [_group_writable, _world_writable, _link, _dangling_link], ids=_named)
def test_what_is_wrong_with_a_file_is_mended_by_writing(kept: Path, change: Callable[[Path], None]) -> None:
    """In a folder of ours a bad file, or a link, gives way to a good one; what the link led to is left alone."""
    change(kept)
    write_private(kept, [b"new"], most=8)
    assert read_private(kept) == b"new"
    assert not kept.is_symlink()
    elsewhere = kept.with_name("elsewhere")
    assert not elsewhere.exists() or elsewhere.read_bytes() == b"one two"


@pytest.mark.parametrize("change", [_writable_folder, _sticky_folder, _folder, _no_folder], ids=_named)
def test_nothing_is_written_where_others_write(kept: Path, change: Callable[[Path], None]) -> None:
    """A folder that others can write is left as it is, and so is what cannot be replaced by a file; no error either way."""
    change(kept)
    before = names(kept.parent) if kept.parent.is_dir() else set()
    old = kept.read_bytes() if kept.is_file() else None
    write_private(kept, [b"new"], most=8)
    assert (names(kept.parent) if kept.parent.is_dir() else set()) == before
    assert (kept.read_bytes() if kept.is_file() else None) == old


@pytest.mark.skipif(not ROOT, reason="only root can give a file away")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_another_owner_is_not_trusted(kept: Path, what: str) -> None:
    """A file of somebody else's, or in somebody else's folder, is not read; nothing is written into such a folder."""
    os.chown(kept if what == "file" else kept.parent, NOBODY, NOBODY)
    assert read_private(kept) is None
    write_private(kept.with_name("second.kb"), [b"x"], most=8)
    assert kept.with_name("second.kb").exists() is (what == "file")


def test_a_named_pipe_is_not_waited_for(kept: Path) -> None:
    """A pipe without a writer in place of the file is None at once, and not a command that hangs."""
    kept.unlink()
    os.mkfifo(kept)
    environment = {**os.environ, "PYTHONPATH": str(Path(private_cache.__file__).resolve().parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", READ, str(kept)], check=True, capture_output=True, timeout=20, env=environment, cwd=kept.parent
    )  # fmt: skip
    assert done.stdout == b"None\n"


@pytest.mark.skipif(ROOT, reason="root writes where it may not")
def test_a_read_only_folder_is_no_error(tmp_path: Path) -> None:
    """Nothing is written into a folder, or below a home, that may not be written; what lies there is still read."""
    aged(tmp_path, "old.kb", 1)
    tmp_path.chmod(0o500)
    write_private(tmp_path / "new.kb", [b"x"], most=1)
    write_private(tmp_path / "deep" / "new.kb", [b"x"], most=1)
    assert names(tmp_path) == {"old.kb"}
    assert read_private(tmp_path / "old.kb") == b"old.kb"
    tmp_path.chmod(0o700)


@pytest.mark.parametrize("folder", ["/dev/null/cache", "/proc/none/cache", "x" * 300])
def test_a_folder_that_cannot_be_made_is_no_error(folder: str, tmp_path: Path) -> None:
    """Where no folder can be made, nothing is written, nothing is raised, and nothing is there to read."""
    path = tmp_path / folder / "a.kb"
    write_private(path, [b"x"], most=8)
    assert read_private(path) is None
    assert names(tmp_path) == set()


def test_a_write_that_fails_leaves_nothing_behind(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk the old file stays whole and the half-written one is removed; an interrupt gets through."""

    def full(_from: str, _to: Path) -> None:
        raise OSError(28, "No space left on device")

    def interrupted(_from: str, _to: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", full)
    write_private(kept, [b"new"], most=8)
    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_private(kept, [b"new"], most=8)
    assert names(kept.parent) == {"first.kb"}
    assert read_private(kept) == b"one two"


@pytest.mark.parametrize(("most", "left"), [(1, {"new.kb"}), (2, {"new.kb", "c.kb"}), (3, {"new.kb", "b.kb", "c.kb"})])
def test_the_oldest_are_forgotten(kept: Path, most: int, left: set[str]) -> None:
    """As many files stay as were asked for: the one just written, and of the others those last written."""
    kept.unlink()
    for age, name in enumerate(("b.kb", "a.kb", "c.kb"), start=1):
        aged(kept.parent, name, {"a.kb": 1, "b.kb": 2}.get(name, 3 + age))
    write_private(kept.with_name("new.kb"), [b"x"], most=most)
    assert names(kept.parent) == left


def test_what_was_read_last_stays(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use counts and not age: the file that was written first, but read since, outlives newer ones, and reading leaves its age."""
    now = int(time.time())
    # Read after the last change of any kind: a mount that notes reads only where that tells something leaves these alone.
    for name, written, read in (("a.kb", 9000, 1000), ("b.kb", 8000, 2000), ("c.kb", 7000, 3000)):
        os.utime(aged(kept.parent, name, 0), (now + read, now - written))
    monkeypatch.setattr(time, "time_ns", lambda: (now + 4000) * 10**9)
    kept.unlink()
    assert read_private(kept.with_name("a.kb")) == b"a.kb"
    assert int(kept.with_name("a.kb").stat().st_mtime) == now - 9000
    write_private(kept.with_name("new.kb"), [b"x"], most=2)
    assert names(kept.parent) == {"new.kb", "a.kb"}


def test_the_file_just_written_stays(kept: Path) -> None:
    """Even where the clock says that all others are newer."""
    aged(kept.parent, "future.kb", 1 << 33)
    write_private(kept, [b"x"], most=1)
    assert names(kept.parent) == {"first.kb"}


def test_only_files_of_its_suffix_are_forgotten(kept: Path) -> None:
    """Caches of several kinds share the folder, each with its own number."""
    for number in range(5):
        aged(kept.parent, f"{number}.idx", number)
        aged(kept.parent, f"{number}.kb", number)
    write_private(kept, [b"x"], most=2)
    assert names(kept.parent) == {"first.kb", "4.kb", *(f"{number}.idx" for number in range(5))}


@pytest.mark.parametrize("change", [_folder, _dangling_link], ids=_named)
def test_what_cannot_be_forgotten_does_not_keep_the_rest(kept: Path, change: Callable[[Path], None]) -> None:
    """A folder or a dangling link with the suffix does not make the cache grow for ever."""
    change(kept)
    if not kept.is_symlink():
        os.utime(kept, (0, 0))
    for number in range(1, 5):
        aged(kept.parent, f"{number}.kb", number)
    write_private(kept.with_name("new.kb"), [b"x"], most=2)
    assert names(kept.parent) - {"first.kb"} <= {"new.kb", "4.kb"}
