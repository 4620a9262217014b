"""Opening: FIFOs, devices, sockets, and symlinks for root."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from triage.reading.inputs import open_inputs
from triage.reading.opening import Refused, open_path
from triage.reading.source import Limits, ReadError, Source

if TYPE_CHECKING:
    from pathlib import Path

NOBODY = 65534


def test_fifo_without_a_writer_does_not_hang(tmp_path: Path) -> None:
    """A pipe that nobody writes to is given up after the wait, with the reason."""
    os.mkfifo(tmp_path / "pipe")
    started = time.monotonic()
    (item,) = open_inputs([str(tmp_path / "pipe")], stdin=None, limits=Limits(fifo_wait_s=0.2))
    assert time.monotonic() - started < 5
    assert isinstance(item, ReadError)
    assert "nobody opened this pipe" in item.reason


@pytest.mark.parametrize("pause_s", [0.0, 0.2])
def test_fifo_is_read_to_the_end_of_its_writer(tmp_path: Path, pause_s: float, read_all: Any) -> None:
    """A writer that comes late, or comes and is silent at first, is read until it closes."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    sent = b"".join(b"line %d\n" % number for number in range(50_000))

    def write() -> None:
        time.sleep(pause_s)
        with path.open("wb", buffering=0) as pipe:
            time.sleep(pause_s)
            view = memoryview(sent)
            while view:
                view = view[pipe.write(view) :]

    thread = threading.Thread(target=write)
    thread.start()
    ((_, data, notes, truncated),) = read_all([path])
    thread.join()
    assert (data, notes, truncated) == (sent, [], False)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/random"])
def test_devices_are_refused(path: str) -> None:
    """A character device has no end and may act on being opened."""
    (item,) = open_inputs([path], stdin=None)
    assert isinstance(item, ReadError)
    assert "device" in item.reason


def test_null_device_is_an_empty_log(read_all: Any) -> None:
    """/dev/null is what scripts give when they have nothing."""
    assert read_all(["/dev/null"]) == [("/dev/null", b"", [], False)]


def test_socket_is_refused(tmp_path: Path) -> None:
    """A Unix socket is neither file nor pipe."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "sock"))
        (item,) = open_inputs([str(tmp_path / "sock")], stdin=None)
    assert isinstance(item, ReadError)
    assert "pipe" in item.reason


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permission_denied_is_told(tmp_path: Path) -> None:
    """The kernel's reason is passed on."""
    (tmp_path / "a.log").write_text("x")
    (tmp_path / "a.log").chmod(0)
    (item,) = open_inputs([str(tmp_path / "a.log")], stdin=None)
    assert isinstance(item, ReadError)
    assert item.reason == "Permission denied"


def _text(path: Path | str, *, privileged: bool) -> bytes:
    opened = open_path(str(path), privileged=privileged, fifo_wait_s=0.1)
    try:
        return os.read(opened.fd, 100)
    finally:
        os.close(opened.fd)


@pytest.mark.parametrize("privileged", [False, True])
def test_links_chains_and_dots_lead_to_the_same_file(
    tmp_path: Path, privileged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Walking a path link by link arrives where the kernel arrives: the logs of containers are chains of links."""
    pods = tmp_path / "pods" / "sglang-0"
    pods.mkdir(parents=True)
    (pods / "real.log").write_text("text\n")
    (pods / "0.log").symlink_to("real.log")
    (tmp_path / "containers").symlink_to("pods")
    (tmp_path / "absolute.log").symlink_to(tmp_path / "containers" / "sglang-0" / "0.log")
    (tmp_path / "up.log").symlink_to("pods/sglang-0/../sglang-0/./0.log")
    monkeypatch.chdir(tmp_path)
    for path in ("absolute.log", tmp_path / "absolute.log", "up.log", "./containers//sglang-0/0.log"):
        assert _text(path, privileged=privileged) == b"text\n"


@pytest.mark.parametrize("privileged", [False, True])
def test_link_loops_end(tmp_path: Path, privileged: bool) -> None:
    """Two links that point at each other are an error, not an endless walk."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(Refused, match="symbolic links"):
        open_path(str(tmp_path / "a"), privileged=privileged, fifo_wait_s=0.1)


def test_links_of_proc_are_followed_by_the_kernel(tmp_path: Path) -> None:
    """/proc/PID/root and /proc/PID/cwd lead into another namespace; their text does not."""
    (tmp_path / "a.log").write_text("text\n")
    assert _text(f"/proc/{os.getpid()}/root{tmp_path}/a.log", privileged=True) == b"text\n"
    with (tmp_path / "a.log").open() as file:
        (tmp_path / "a.log").unlink()
        assert _text(f"/proc/{os.getpid()}/fd/{file.fileno()}", privileged=True) == b"text\n"


def test_own_descriptors_are_read_as_root_too() -> None:
    """The shell's <(command) is a link to a pipe, which has no place in any directory."""
    reading, writing = os.pipe()
    os.write(writing, b"text\n")
    os.close(writing)
    try:
        assert _text(f"/dev/fd/{reading}", privileged=True) == b"text\n"
    finally:
        os.close(reading)


def _foreign_link(link: Path, target: Path) -> None:
    """Make a link that belongs to a user who is not root and does not own the target."""
    link.symlink_to(target)
    if os.geteuid() == 0:
        os.lchown(link, NOBODY, NOBODY)


def test_root_does_not_follow_a_users_link_to_a_file_of_another(tmp_path: Path) -> None:
    """A user who can write where root looks for logs must not make root print /etc/shadow."""
    secret = tmp_path / "secret"
    if os.geteuid() == 0:
        secret.write_text("secret\n")
    else:
        (tmp_path / "secret").symlink_to("/etc/passwd")
    _foreign_link(tmp_path / "server.log", secret)
    with pytest.raises(Refused, match="is not followed"):
        open_path(str(tmp_path / "server.log"), privileged=True, fifo_wait_s=0.1)
    assert _text(tmp_path / "server.log", privileged=False)


def test_root_does_not_follow_a_users_link_to_a_directory(tmp_path: Path) -> None:
    """The link may stand anywhere in the path, not only at its end."""
    _foreign_link(tmp_path / "logs", tmp_path if os.geteuid() == 0 else tmp_path.__class__("/etc"))
    name = "passwd"
    if os.geteuid() == 0:
        (tmp_path / name).write_text("x\n")
    with pytest.raises(Refused, match="is not followed"):
        open_path(str(tmp_path / "logs" / name), privileged=True, fifo_wait_s=0.1)


def test_root_follows_a_users_link_to_the_users_own_file(tmp_path: Path) -> None:
    """Whoever owns both link and file could have written the text at the link's place anyway."""
    target = tmp_path / "mine.log"
    target.write_text("text\n")
    _foreign_link(tmp_path / "link.log", target)
    if os.geteuid() == 0:
        os.chown(target, NOBODY, NOBODY)
    assert _text(tmp_path / "link.log", privileged=True) == b"text\n"


def test_source_survives_the_removal_of_its_file(tmp_path: Path) -> None:
    """Once opened, a file is never asked for by name again."""
    log = tmp_path / "a.log"
    log.write_text("text\n")
    (source,) = open_inputs([str(log)], stdin=None)
    log.unlink()
    assert isinstance(source, Source)
    view = memoryview(bytearray(100))
    with source:
        assert source.readinto(view) == 5
