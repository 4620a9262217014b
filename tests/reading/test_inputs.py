"""open_inputs: order, errors as values, directories, duplicates, standard input, names."""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import pytest

from triage.reading.inputs import open_inputs
from triage.reading.source import Limits, ReadError, Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ReadAll = Any


def _kinds(items: list[Source | ReadError]) -> list[str]:
    names = []
    for item in items:
        if isinstance(item, Source):
            item.close()
            names.append(f"source {item.label}")
        else:
            names.append(f"error {item.path}: {item.reason}")
    return names


def test_errors_are_yielded_in_their_place_and_the_rest_is_read(tmp_path: Path) -> None:
    """A file that is missing does not keep the others from being read, and the order is that of the command."""
    (tmp_path / "a.log").write_text("one\n")
    (tmp_path / "b.log").write_text("two\n")
    paths = [str(tmp_path / name) for name in ("a.log", "missing.log", "b.log")]
    assert _kinds(list(open_inputs(paths, stdin=None))) == [
        f"source {paths[0]}",
        f"error {paths[1]}: No such file or directory",
        f"source {paths[2]}",
    ]


@pytest.mark.parametrize("name", ["", "nul\0inside", "x" * 300])
def test_impossible_names_are_errors_not_exceptions(name: str) -> None:
    """An empty name, a NUL in it or one that is too long gives one plain line."""
    (item,) = open_inputs([name], stdin=None)
    assert isinstance(item, ReadError)
    assert item.path == name
    assert item.reason
    assert "\n" not in item.reason


def test_files_are_opened_when_their_turn_comes(tmp_path: Path) -> None:
    """No descriptor is held for a file whose turn has not come, so that ten thousand files can be named."""
    paths = [tmp_path / f"{number}.log" for number in range(50)]
    for path in paths:
        path.write_text("x\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    inputs = open_inputs([str(path) for path in paths], stdin=None)
    first = next(inputs)
    open_now = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + 8, hard))
    try:
        assert isinstance(first, Source)
        first.close()
        for item in inputs:
            assert isinstance(item, Source)
            item.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    """Closing a source, or failing to make one, gives every descriptor back."""
    (tmp_path / "good.log").write_text("x\n")
    (tmp_path / "elf").write_bytes(b"\x7fELF" + bytes(1000))
    (tmp_path / "bad.gz").write_bytes(b"\x1f\x8b\x08" + b"\xff" * 100)
    paths = [str(tmp_path / name) for name in ("good.log", "elf", "bad.gz")]
    before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208
    assert [kind.split()[0] for kind in _kinds(list(open_inputs(paths, stdin=None)))] == ["source", "error", "error"]
    assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_empty_file_is_an_empty_source(tmp_path: Path, read_all: ReadAll) -> None:
    """An empty log is no error: it has no bytes and no notes."""
    (tmp_path / "empty.log").touch()
    assert read_all([tmp_path / "empty.log"]) == [(str(tmp_path / "empty.log"), b"", [], False)]


def test_directory_expands_sorted_and_says_what_it_skipped(tmp_path: Path, read_all: ReadAll) -> None:
    """Regular files and links to files are read in order of name; the rest is counted in a note of the first."""
    (tmp_path / "sub").mkdir()
    for name in ("b.log", "a.log", ".hidden", "sub/c.log"):
        (tmp_path / name).write_text(f"{name}\n")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop").symlink_to(tmp_path)
    elsewhere = tmp_path.parent / f"{tmp_path.name}-target.log"
    elsewhere.write_text("linked\n")
    (tmp_path / "link.log").symlink_to(elsewhere)
    result = read_all([tmp_path])
    assert [(label[len(str(tmp_path)) + 1 :], data) for label, data, _, _ in result] == [
        ("a.log", b"a.log\n"),
        ("b.log", b"b.log\n"),
        ("link.log", b"linked\n"),
        ("sub/c.log", b"sub/c.log\n"),
    ]
    notes = " | ".join(result[0][2])
    for phrase in ("1 hidden", "1 links to directories", "1 special files", "1 that cannot be looked at"):
        assert phrase in notes


def test_directory_caps_hold_and_are_told(tmp_path: Path) -> None:
    """Depth and number of files are capped, and what was left out is said."""
    deep = tmp_path / "1" / "2" / "3"
    deep.mkdir(parents=True)
    (deep / "deep.log").write_text("x\n")
    for number in range(5):
        (tmp_path / f"{number}.log").write_text("x\n")
    kinds = _kinds(list(open_inputs([str(tmp_path)], stdin=None, limits=Limits(max_files=3))))
    assert [kind.split()[0] for kind in kinds] == ["source", "source", "source", "error"]
    assert "more than 3 files" in kinds[-1]
    sources = list(open_inputs([str(tmp_path)], stdin=None, limits=Limits(max_depth=2)))
    assert isinstance(sources[0], Source)
    assert any("too deep" in note for note in sources[0].notes)
    assert not any("deep.log" in kind for kind in _kinds(sources))


def test_directory_without_logs_is_an_error(tmp_path: Path) -> None:
    """Nothing to read under a directory that was named is told, not passed over in silence."""
    (tmp_path / ".hidden").write_text("x\n")
    (item,) = open_inputs([str(tmp_path)], stdin=None)
    assert isinstance(item, ReadError)
    assert "no log file" in item.reason
    assert "1 hidden" in item.reason


def test_binary_inside_a_directory_is_harmless_but_named_it_is_not(tmp_path: Path) -> None:
    """A core dump that lies beside the logs is a remark; the same file named on the command line is a failure."""
    (tmp_path / "core").write_bytes(b"\x7fELF" + bytes(5000))
    (in_directory,) = open_inputs([str(tmp_path)], stdin=None)
    (named,) = open_inputs([str(tmp_path / "core")], stdin=None)
    assert isinstance(in_directory, ReadError)
    assert isinstance(named, ReadError)
    assert in_directory.harmless
    assert not named.harmless


def test_same_file_is_read_once_under_all_its_names(tmp_path: Path, read_all: ReadAll) -> None:
    """A file given twice, by a link or by its directory is one source, whose note lists the other names."""
    log = tmp_path / "a.log"
    log.write_text("x\n")
    (tmp_path / "link.log").symlink_to(log)
    os.link(log, tmp_path / "z-hard.log")
    ((label, data, notes, _),) = read_all([log, log, tmp_path / "link.log", tmp_path])
    assert (label, data) == (str(log), b"x\n")
    assert any("given twice" in note for note in notes)
    assert any("link.log" in note for note in notes)
    assert any("z-hard.log" in note for note in notes)


def test_stdin_is_read_once_and_named(read_all: ReadAll) -> None:
    """The second - is an error of its own; the first is read and carries the name it is given."""
    first, second = open_inputs(["-", "-"], stdin=io.BytesIO(b"a\nb"), stdin_name="<stdin>")
    assert isinstance(first, Source)
    assert isinstance(second, ReadError)
    assert first.label == second.path == "<stdin>"
    buffer = bytearray(100)
    assert bytes(buffer[: first.readinto(memoryview(buffer))]) == b"a\nb"
    assert first.readinto(memoryview(buffer)) == 0
    assert "only once" in second.reason


def test_no_stdin_and_closed_stdin_do_not_raise(read_all: ReadAll) -> None:
    """Without standard input, or with a closed one, there is a reason and no traceback."""
    (item,) = open_inputs(["-"], stdin=None)
    assert isinstance(item, ReadError)
    assert "no standard input" in item.reason
    closed = io.BytesIO(b"x")
    closed.close()
    ((_, data, notes, truncated),) = read_all(["-"], stdin=closed)
    assert (data, truncated) == (b"", True)
    assert "closed" in notes[0]


def test_stdin_that_is_a_directory_or_device_is_refused(tmp_path: Path) -> None:
    """Standard input redirected from a directory or from /dev/zero is refused at once; /dev/null is empty."""
    handle = os.open(tmp_path, os.O_RDONLY)
    with _Descriptor(handle) as stream:
        (item,) = open_inputs(["-"], stdin=cast("BinaryIO", stream))
    assert isinstance(item, ReadError)
    assert "directory" in item.reason
    with open("/dev/zero", "rb") as zero:
        (item,) = open_inputs(["-"], stdin=zero)
    assert isinstance(item, ReadError)
    assert "device" in item.reason
    with open("/dev/null", "rb") as null:
        (item,) = open_inputs(["-"], stdin=null)
        assert isinstance(item, Source)
        assert item.readinto(memoryview(bytearray(10))) == 0


def test_names_that_are_not_utf8_keep_their_bytes(tmp_path: Path, read_all: ReadAll) -> None:
    """A label is the name with surrogate escapes, from which the bytes of the name can be had again."""
    raw = os.fsencode(tmp_path) + b"/caf\xe9.log"
    with open(raw, "wb") as file:
        file.write(b"x\n")
    ((label, data, _, _),) = read_all([os.fsdecode(raw)])
    assert os.fsencode(label) == raw
    assert data == b"x\n"


def test_live_pipe_is_seen_line_by_line(tmp_path: Path) -> None:
    """Bytes of a real process are handed out when they come, not when the pipe closes or a buffer is full."""
    script = "import os; os.write(1, b'first\\n'); os.read(0, 1); os.write(1, b'second\\n')"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        (source,) = open_inputs(["-"], stdin=child.stdout)  # type: ignore[arg-type]
        assert isinstance(source, Source)
        buffer = memoryview(bytearray(65536))
        assert bytes(buffer[: source.readinto(buffer)]) == b"first\n"
        child.stdin.write(b"go\n")
        child.stdin.flush()
        assert bytes(buffer[: source.readinto(buffer)]) == b"second\n"
        assert source.readinto(buffer) == 0


def test_a_file_fills_the_view(tmp_path: Path) -> None:
    """A view smaller than the file is filled at once, so that blocks for scanning are large."""
    (tmp_path / "a.log").write_bytes(b"x" * 300_000)
    (source,) = open_inputs([str(tmp_path / "a.log")], stdin=None)
    assert isinstance(source, Source)
    assert source.size == 300_000
    view = memoryview(bytearray(200_000))
    with source:
        assert source.readinto(view) == 200_000
        assert source.readinto(view) == 100_000
        assert source.readinto(view) == 0
    assert source.readinto(view) == 0


class _Descriptor(io.RawIOBase):
    """A stream over a descriptor that Python's own open() would refuse."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def fileno(self) -> int:
        """The descriptor."""
        return self._handle

    def close(self) -> None:
        """Close the descriptor, once."""
        if not self.closed:
            os.close(self._handle)
        super().close()


def test_memory_is_flat(tmp_path: Path, peak_of: Callable[[str], int]) -> None:
    """Reading 300 MB costs no more memory than reading 3 MB."""
    line = b"[2026-03-01 10:00:00 TP0] Decode batch. #running-req: 1, #token: 100\n"
    for name, size in (("small.log", 3_000_000), ("large.log", 300_000_000)):
        with (tmp_path / name).open("wb") as file:
            block = line * 10_000
            for _ in range(size // len(block)):
                file.write(block)
    small, large = (peak_of(str(tmp_path / name)) for name in ("small.log", "large.log"))
    assert large - small < 4_000  # KiB
