"""Reads carried out for real: children that hang, shout or breed, files that are missing, closed or no files at all."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.processes import lives, soon
from triage.probing.capture import MAX_TEXT, capture
from triage.probing.probe import Command, File, Look, Transcript

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}


def shell(script: str, timeout_s: float = 10.0, environment: dict[str, str] | None = None) -> Transcript:
    """What a child of ours leaves."""
    return capture(Command(("sh", "-c", script), timeout_s), environment or ENVIRONMENT)


def test_output_and_exit_code_are_kept() -> None:
    """Standard error is read with standard output, and a command that fails has still been read."""
    item = shell("echo out; echo err >&2; exit 3")
    assert (item.status, item.exit_code, item.reason) == ("ok", 3, "")
    assert sorted(item.text.split()) == ["err", "out"]
    assert item.label == "sh -c echo out; echo err >&2; exit 3"
    assert 0.0 <= item.seconds < 10.0


def test_a_command_that_is_not_there() -> None:
    """Absent, with its name."""
    item = capture(Command(("no-such-command-here", "-x")), ENVIRONMENT)
    assert (item.status, item.text, item.exit_code) == ("absent", "", None)
    assert item.reason == "no command no-such-command-here"


def test_a_file_that_is_no_program(tmp_path: Path) -> None:
    """What looks like a command and cannot be started is no crash of ours."""
    program = tmp_path / "broken-tool"
    program.write_bytes(b"\x7fELF of another machine")
    program.chmod(0o755)
    item = capture(Command(("broken-tool",)), {"PATH": str(tmp_path)})
    assert item.status == "failed"
    assert "format" in item.reason.lower()


def test_commands_are_found_beside_the_path() -> None:
    """A stripped PATH hides none of the usual folders."""
    assert capture(Command(("sh", "-c", "echo here")), {"PATH": ""}).text == "here\n"
    assert capture(Command(("sh", "-c", "echo here")), {}).text == "here\n"


def test_children_speak_plain_english() -> None:
    """Whatever language the operator has set: the parsers know one wording."""
    spoken = {**ENVIRONMENT, "LC_ALL": "de_DE.UTF-8", "LANG": "ja_JP.UTF-8", "LANGUAGE": "fr", "PAGER": "less"}
    text = shell("echo $LC_ALL $LANG $PAGER; ls /no/such/place", environment=spoken).text
    assert text.startswith("C C cat\n")
    assert "No such file or directory" in text


def test_a_child_reads_nothing_of_ours() -> None:
    """Its standard input is empty, so that a question to the operator ends at once."""
    assert shell("cat; echo end").text == "end\n"


def test_a_child_that_hangs_is_ended_in_time() -> None:
    """What it had said until then is kept."""
    began = time.monotonic()
    item = shell("echo begun; sleep 60", 0.4)
    assert time.monotonic() - began < 5.0
    assert (item.status, item.text, item.exit_code) == ("timed-out", "begun\n", None)
    assert item.reason == "took more than 0.4 s"


def test_what_a_hanging_child_started_ends_with_it() -> None:
    """Parent and grandchild are one process group, and none of the group lives on."""
    item = shell("sleep 61 & echo $! $$; wait", 0.5)
    grandchild, child = map(int, item.text.split())
    assert item.status == "timed-out"
    assert soon(lambda: not lives(child))
    assert soon(lambda: not lives(grandchild))


def test_a_grandchild_that_keeps_the_pipe_open_is_not_waited_for() -> None:
    """The child ended at once, but what it left in the background holds its output: that counts as hanging, too."""
    began = time.monotonic()
    item = shell("sleep 62 & echo $!", 0.5)
    assert time.monotonic() - began < 5.0
    assert item.status == "timed-out"
    assert soon(lambda: not lives(int(item.text)))


def test_a_child_that_ignores_signals_is_ended_all_the_same() -> None:
    """The last signal cannot be ignored."""
    item = shell("trap '' TERM INT HUP; echo $$; while :; do sleep 0.05; done", 0.4)
    assert item.status == "timed-out"
    assert soon(lambda: not lives(int(item.text)))


def test_a_grandchild_in_a_session_of_its_own() -> None:
    """It has left the group and the session, and holds the pipe; it still descends from the child, and ends with it."""
    began = time.monotonic()
    item = shell("setsid sh -c 'echo $$; sleep 63' & wait", 0.6)
    assert time.monotonic() - began < 4.0
    assert item.status == "timed-out"
    assert soon(lambda: not lives(int(item.text)))


def test_a_grandchild_in_a_group_of_its_own() -> None:
    """The child is gone, but its session tells to whom the grandchild belongs."""
    script = "import os, sys, time\nif os.fork() == 0:\n os.setpgid(0, 0)\n print(os.getpid(), flush=True)\n time.sleep(64)\n"
    item = capture(Command((sys.executable, "-c", script), 1.5), ENVIRONMENT)
    assert item.status == "timed-out"
    assert soon(lambda: not lives(int(item.text)))


def test_a_daemon_that_nobody_can_tell_is_ours() -> None:
    """In another session, and its parent is gone: it is left alone, and the read ends in time all the same."""
    script = (
        "import os, sys, time\nif os.fork() == 0:\n os.setsid()\n if os.fork() == 0:\n  print(os.getpid(), flush=True)\n"
        "  time.sleep(65)\n os._exit(0)\nos.wait()\n"
    )
    began = time.monotonic()
    item = capture(Command((sys.executable, "-c", script), 1.5), ENVIRONMENT)
    assert time.monotonic() - began < 5.0
    assert item.status == "timed-out"
    daemon = int(item.text)
    assert lives(daemon)
    os.kill(daemon, signal.SIGKILL)


def test_a_child_that_shouts_for_ever() -> None:
    """It is ended in time, and no more than the cap is ever held."""
    tracemalloc.start()
    try:
        for tail in (False, True):
            item = capture(Command(("cat", "/dev/zero"), 0.7, tail=tail), ENVIRONMENT)
            assert item.status == "timed-out"
            assert len(item.text) == MAX_TEXT
        assert tracemalloc.get_traced_memory()[1] < 10 * MAX_TEXT
    finally:
        tracemalloc.stop()


def test_a_child_that_closes_its_output_and_stays() -> None:
    """Silence is no end."""
    item = shell("echo said; exec >&- 2>&-; sleep 66", 0.5)
    assert (item.status, item.text) == ("timed-out", "said\n")


def test_output_is_capped() -> None:
    """What goes beyond the cap is dropped, and the child still ends by itself."""
    item = shell(f"head -c {MAX_TEXT + 5000} /dev/zero | tr '\\0' x; echo; echo the end")
    assert (item.status, item.exit_code) == ("ok", 0)
    assert item.text == "x" * MAX_TEXT


def test_a_log_is_capped_at_its_beginning() -> None:
    """Of what grows at its end the end is wanted."""
    script = f"head -c {MAX_TEXT + 5000} /dev/zero | tr '\\0' x; echo; echo the end"
    item = capture(Command(("sh", "-c", script), 10.0, tail=True), ENVIRONMENT)
    assert len(item.text) == MAX_TEXT
    assert item.text.endswith("x\nthe end\n")


def test_bytes_that_are_no_text() -> None:
    """They are replaced, and what separates the arguments of a process becomes a line feed."""
    assert shell(r"printf 'a\377b\000c'").text == "a\ufffdb\nc"


def test_no_shell_reads_the_arguments(tmp_path: Path) -> None:
    """They arrive as they stand."""
    item = capture(Command(("echo", f"$(touch {tmp_path}/made)", "; id", "*")), ENVIRONMENT)
    assert item.text == f"$(touch {tmp_path}/made) ; id *\n"
    assert not (tmp_path / "made").exists()


def test_a_file_is_read_as_it_is(tmp_path: Path) -> None:
    """One file has no heading."""
    (tmp_path / "limits").write_text("Max open files\n", encoding="utf-8")
    item = capture(File(f"{tmp_path}/limits"), {})
    assert item == Transcript(f"{tmp_path}/limits", "ok", "Max open files\n", seconds=item.seconds)


def test_several_files_have_headings(tmp_path: Path) -> None:
    """In the order of their names; one that may not be read, or is none, is left out."""
    for name, text in (("b", "second\n\n"), ("a", "first")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "c").mkdir()
    item = capture(File(f"{tmp_path}/*"), {})
    assert item.text == f"==> {tmp_path}/a <==\nfirst\n==> {tmp_path}/b <==\nsecond\n"


@pytest.mark.parametrize("pattern", ["missing", "missing/*", "a*b", "file/below"])
def test_files_that_are_not_there(tmp_path: Path, pattern: str) -> None:
    """Absent, with a reason."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    item = capture(File(f"{tmp_path}/{pattern}"), {})
    assert (item.status, item.text) == ("absent", "")
    assert item.reason


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """An error of its own, not an exception."""
    assert capture(File(str(tmp_path)), {}).status == "failed"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    """Denied, in the words of the system."""
    (tmp_path / "closed").write_text("secret", encoding="utf-8")
    (tmp_path / "closed").chmod(0)
    item = capture(File(f"{tmp_path}/closed"), {})
    assert (item.status, item.text, item.reason) == ("denied", "", "Permission denied")


def test_a_refusal_of_the_system_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the tests run as root, to whom nothing is closed."""

    def refuse(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("triage.probing.capture.os.open", refuse)
    item = capture(File(f"{tmp_path}/closed"), {})
    assert (item.status, item.reason) == ("denied", "Permission denied")


def test_a_named_pipe_without_a_writer(tmp_path: Path) -> None:
    """It is not waited for."""
    os.mkfifo(tmp_path / "pipe")
    began = time.monotonic()
    item = capture(File(f"{tmp_path}/pipe"), {})
    assert time.monotonic() - began < 2.0
    assert item.text == ""


@pytest.fixture(name="silent_pipe")
def silent_pipe_fixture(tmp_path: Path) -> Iterator[Path]:
    """A named pipe that somebody holds open and does not write to."""
    os.mkfifo(tmp_path / "pipe")
    descriptor = os.open(tmp_path / "pipe", os.O_RDWR)
    yield tmp_path / "pipe"
    os.close(descriptor)


def test_a_named_pipe_whose_writer_is_silent(silent_pipe: Path) -> None:
    """Nor is this one: there is nothing to read, and that is all."""
    item = capture(File(str(silent_pipe)), {})
    assert item.text == ""


def test_a_large_file_is_capped(tmp_path: Path) -> None:
    """Its beginning is kept."""
    (tmp_path / "large").write_bytes(b"y" * (MAX_TEXT + 10))
    assert capture(File(f"{tmp_path}/large"), {}).text == "y" * MAX_TEXT
    assert len(capture(File(f"{tmp_path}/larg[e]"), {}).text) == MAX_TEXT


def test_a_look_that_answers() -> None:
    """Its text, capped."""
    assert capture(Look("it", lambda: "seen"), {}).text == "seen"
    assert len(capture(Look("it", lambda: "z" * (MAX_TEXT + 1)), {}).text) == MAX_TEXT


def test_a_look_that_hangs_is_left_alone() -> None:
    """The caller goes on after the time that the look was given."""

    def hang() -> str:
        time.sleep(3)
        return ""

    began = time.monotonic()
    item = capture(Look("mount", hang, 0.2), {})
    assert time.monotonic() - began < 2.0
    assert (item.status, item.reason) == ("timed-out", "took more than 0.2 s")


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (FileNotFoundError(2, "No such file or directory"), "absent", "No such file or directory"),
        (NotADirectoryError(20, "Not a directory"), "absent", "Not a directory"),
        (PermissionError(1, "Operation not permitted"), "denied", "Operation not permitted"),
        (OSError(5, "Input/output error"), "failed", "Input/output error"),
        (OSError("nothing but words"), "failed", "nothing but words"),
        (ZeroDivisionError("division by zero"), "failed", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_look_that_raises(error: Exception, status: str, reason: str) -> None:
    """Whatever goes wrong in it is an outcome."""

    def refuse() -> str:
        raise error

    item = capture(Look("it", refuse), {})
    assert (item.status, item.text, item.reason) == (status, "", reason)


@given(st.binary(max_size=300))
def test_no_bytes_in_a_file_raise(data: bytes) -> None:
    """Every content has a text without NULs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        path.write_bytes(data)
        item = capture(File(str(path)), {})
    assert item.status == "ok"
    assert "\0" not in item.text
