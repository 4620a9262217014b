"""Commands run for real: their output, their end, and everything that goes wrong with children."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import lives, soon
from triage.fixing import running_command
from triage.fixing.execution import (
    Executed,
    InterruptedStepError,
    NotStartedError,
    OutputError,
    execute,
)
from triage.fixing.step_output import TAIL

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
SECRET = "hf_" + "QwErTy0123456789AbCd"


def never() -> bool:
    """The operator who lets everything go on."""
    return False


def python(
    code: str,
    *arguments: str,
    on_output: Callable[[str], None] = lambda _: None,
    use_pty: bool = False,
    stop: Callable[[], bool] = never,
    timeout_s: float = 30.0,
    grace_s: float = 5.0,
    environment: dict[str, str] | None = None,
    cwd: Path = Path("/"),
) -> Executed:
    """What becomes of a Python program."""
    return execute(
        (sys.executable, "-I", "-c", code, *arguments), cwd=cwd, environment=environment or ENVIRONMENT, timeout_s=timeout_s,
        on_output=on_output, use_pty=use_pty, stop=stop, grace_s=grace_s,
    )  # fmt: skip


@pytest.mark.parametrize("use_pty", [False, True])
def test_output_status_and_digest(use_pty: bool) -> None:
    """Both streams come in order; digest and size are those of the raw bytes, whether a terminal or a pipe carried them."""
    lines: list[str] = []
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr, flush=True); sys.exit(3)"
    done = python(code, on_output=lines.append, use_pty=use_pty)
    assert lines == ["out", "err"]
    assert (done.exit_code, done.signal, done.timed_out, done.unshown) == (3, None, False, 0)
    assert (done.tail, done.bytes) == ("out\nerr", 8)
    assert done.digest == hashlib.sha256(b"out\nerr\n").hexdigest()
    assert 0 < done.seconds < 20


def test_death_by_a_signal() -> None:
    """The signal is told, and there is no exit code."""
    done = python("import os; os.kill(os.getpid(), 9)")
    assert (done.exit_code, done.signal, done.timed_out) == (None, signal.SIGKILL, False)


def test_the_terminal_is_one(tmp_path: Path) -> None:
    """With a pty output is a terminal of 80x24, and without it is none; input is empty either way, and there is no terminal
    to ask for a password on."""
    code = """
import os, sys
print(os.isatty(1), os.isatty(2), os.isatty(0), repr(sys.stdin.read()))
try:
    print(open('/dev/tty'))
except OSError as error:
    print('no tty')
if os.isatty(1): print(*os.get_terminal_size(1))
"""
    assert python(code, use_pty=True).tail == "True True False ''\nno tty\n80 24"
    assert python(code).tail == "False False False ''\nno tty"


def test_environment_and_folder_are_what_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of our own environment is passed on."""
    monkeypatch.setenv("PRIVATE_THING", "x")
    code = "import os; print(os.getcwd(), sorted(set(os.environ) - {'LC_CTYPE'}), os.getsid(0) == os.getpid())"
    done = python(code, environment={"A": "1", "B": "2"}, cwd=tmp_path)
    assert done.tail == f"{tmp_path} ['A', 'B'] True"


def test_secrets_and_escapes_never_come_through() -> None:
    """Lines and tail are redacted and visible; the digest is of what was really said."""
    lines: list[str] = []
    code = f"print('token {SECRET} \\x1b]52;c;x\\x07 \\u202e')"
    done = python(code, on_output=lines.append)
    assert SECRET not in done.tail + lines[0]
    assert "\x1b" not in done.tail + lines[0]
    assert "‹hf_token:" in lines[0]
    assert "␛]52;c;x␇ <U+202E>" in lines[0]
    assert lines == [done.tail]
    assert done.digest == hashlib.sha256(f"token {SECRET} \x1b]52;c;x\x07 \u202e\n".encode()).hexdigest()


def test_a_secret_that_comes_in_pieces() -> None:
    """However the bytes arrive, half a secret is never shown."""
    lines: list[str] = []
    code = f"import os, time\nfor c in 'key {SECRET}\\nend\\n': os.write(1, c.encode()); time.sleep(0.004)"
    done = python(code, on_output=lines.append)
    assert lines[1:] == ["end"]
    assert SECRET[5:12] not in "".join(lines) + done.tail


def test_progress_bars_are_lines_of_their_own() -> None:
    """Each state of a bar is a line, the line feed after the last one is none, and an unfinished line comes at the end."""
    lines: list[str] = []
    python(r"import os; os.write(1, b'\r 1%\r50%\r100%\r\nnext\r\n\nlast')", on_output=lines.append)
    assert lines == [" 1%", "50%", "100%", "next", "", "last"]


def test_letters_that_are_cut_between_reads() -> None:
    """A letter of several bytes is one letter, and bytes that are none are shown."""
    lines: list[str] = []
    code = r"import os, time" + "\nfor b in b'\\xe2\\x82\\xac \\xff\\n': os.write(1, bytes([b])); time.sleep(0.03)"
    python(code, on_output=lines.append)
    assert lines == ["€ \\xff"]


def test_much_output_is_counted_and_its_tail_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit nothing is handed on; size, digest and the last 64 KiB are still right, and the whole is quick."""
    monkeypatch.setattr(running_command, "SHOWN_MOST", 100_000)
    shown = 0

    def take(line: str) -> None:
        nonlocal shown
        shown += len(line) + 1

    done = python("import sys\nfor n in range(1_000_000): sys.stdout.write('line %07d\\n' % n)", on_output=take)
    assert (done.exit_code, done.bytes) == (0, 13_000_000)
    assert done.unshown == done.bytes - 100_000
    assert 100_000 - 13 < shown <= 100_000
    assert done.tail.endswith("line 0999998\nline 0999999")
    assert TAIL - 13 <= len(done.tail) <= TAIL
    assert done.tail.startswith("line ")
    assert done.seconds < 20


def test_half_a_secret_at_the_limits_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where showing stops, and where the tail begins, the line that is cut is left out."""
    monkeypatch.setattr(running_command, "SHOWN_MOST", 1000)
    lines: list[str] = []
    line = f"{'x' * 30} {SECRET} {'y' * 30}"
    done = python(f"for _ in range(20000): print({line!r})", on_output=lines.append)
    assert done.unshown > 0
    for text in (*lines, *done.tail.split("\n")):
        assert "QwErTy" not in text
        assert not text.strip("xy ").startswith(("h", "hf_")), text


def test_one_endless_line() -> None:
    """A line above all limits: what is shown of it is cut, and the tail says that there was nothing else."""
    lines: list[str] = []
    done = python("print('a' * 5_000_000)", on_output=lines.append)
    assert lines == []
    assert done.tail == "(one long line)"
    done = python("print('a' * 500_000)", on_output=lines.append)
    assert len(lines[0]) < 9000
    assert lines[0].endswith("more characters")


def test_a_slow_screen_does_not_hold_the_command(tmp_path: Path) -> None:
    """While the first line is still being shown the command writes a megabyte and ends."""
    mark = tmp_path / "done"
    seen: list[bool] = []

    def show(_: str) -> None:
        if not seen:
            seen.append(soon(mark.exists))

    code = "import sys; print('a', flush=True); sys.stdout.write('x' * 1_500_000); sys.stdout.flush(); open(sys.argv[1], 'w')"
    assert python(code, str(mark), on_output=show).exit_code == 0
    assert seen == [True]


def test_the_time_limit_holds_while_the_screen_hangs() -> None:
    """Who looks after the child is not who shows its output."""
    pids: list[int] = []

    def show(line: str) -> None:
        pids.append(int(line))
        assert soon(lambda: not lives(pids[0]))

    done = python("import os, time; print(os.getpid(), flush=True); time.sleep(60)", on_output=show, timeout_s=1.0)
    assert (done.timed_out, done.signal) == (True, signal.SIGTERM)


def test_the_time_is_over() -> None:
    """SIGTERM for the whole group: the command and what it started."""
    lines: list[str] = []
    code = "import os, time\npid = os.fork()\nif pid: print(pid, os.getpid(), flush=True)\ntime.sleep(60)"
    done = python(code, on_output=lines.append, timeout_s=1.0)
    assert (done.exit_code, done.signal, done.timed_out) == (None, signal.SIGTERM, True)
    assert 1.0 <= done.seconds < 5
    for pid in map(int, lines[0].split()):
        assert soon(lambda pid=pid: not lives(pid))  # type: ignore[misc]


def test_who_ignores_sigterm_is_killed() -> None:
    """After the grace, and not before."""
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    done = python(code, timeout_s=1.0, grace_s=0.5)
    assert (done.signal, done.timed_out, done.tail) == (signal.SIGKILL, True, "up")
    assert 1.5 <= done.seconds < 6


def test_a_child_that_ends_in_time_after_sigterm_keeps_its_status() -> None:
    """Cleaning up on SIGTERM is possible, and its exit code is told beside the time."""
    code = "import signal, sys, time; signal.signal(15, lambda *_: (print('clean'), sys.exit(7))); time.sleep(60)"
    done = python(code, timeout_s=1.0)
    assert (done.exit_code, done.signal, done.timed_out, done.tail) == (7, None, True, "clean")


def test_a_stubborn_grandchild_of_the_group_is_killed() -> None:
    """The command ends on SIGTERM, what it started does not: it is killed with the group after the grace."""
    lines: list[str] = []
    code = """
import os, signal, time
pid = os.fork()
if not pid:
    signal.signal(15, signal.SIG_IGN)
    print(os.getpid(), flush=True)
time.sleep(60)
"""
    done = python(code, on_output=lines.append, timeout_s=1.0, grace_s=0.5)
    assert done.timed_out
    assert soon(lambda: not lives(int(lines[0])))


@pytest.mark.parametrize("use_pty", [False, True])
@pytest.mark.parametrize("chatty", [False, True])
def test_a_daemon_that_holds_the_output_does_not_hold_us(use_pty: bool, chatty: bool) -> None:
    """The command ends, its daemon lives on with the output open: that is not waited for, even if it goes on writing."""
    lines: list[str] = []
    code = f"""
import os, sys, time
print('started', flush=True)
if os.fork(): os._exit(0)
os.setsid()
os.write(1, b'pid %d\\n' % os.getpid())
for _ in range(400):
    if {chatty}: os.write(1, b'more\\n')
    time.sleep(0.05)
"""
    done = python(code, on_output=lines.append, use_pty=use_pty)
    assert (done.exit_code, done.timed_out) == (0, False)
    assert done.seconds < 5
    assert lines[0] == "started"
    pid = next((int(line.split()[1]) for line in lines if line.startswith("pid")), None)
    if pid is not None and lives(pid):
        os.kill(pid, signal.SIGKILL)


def test_a_command_that_closes_its_output_is_waited_for() -> None:
    """The end of output is not the end of the command."""
    done = python(
        "import os, sys, time; print('x', flush=True); os.close(1); os.close(2); time.sleep(0.5); os._exit(4)"
    )
    assert (done.exit_code, done.tail) == (4, "x")
    assert done.seconds >= 0.5


def interrupting(times: int = 1) -> Callable[[str], None]:
    """Sends this process Ctrl-C when the first line comes."""
    left = [times]

    def show(_: str) -> None:
        if left[0]:
            left[0] -= 1
            os.kill(os.getpid(), signal.SIGINT)

    return show


SLOW = "import time; print('up', flush=True); time.sleep(1); print('ready', flush=True)"


def test_ctrl_c_asks_and_the_step_goes_on() -> None:
    """The operator says no: the command runs to its own end, and does not even notice."""
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return False

    done = python(SLOW, on_output=interrupting(), stop=stop)
    assert asked == [1]
    assert (done.exit_code, done.tail) == (0, "up\nready")


def test_ctrl_c_while_nothing_is_said() -> None:
    """The wait for output is interrupted too, not only the showing of it."""
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(InterruptedStepError) as caught:
        python("import time; time.sleep(60)", stop=lambda: True)
    timer.join()
    assert caught.value.executed.seconds < 5


def test_ctrl_c_and_the_operator_wants_to_stop() -> None:
    """The command is ended as by its time limit, and what became of it is told."""
    with pytest.raises(InterruptedStepError) as caught:
        python("import time; print('up', flush=True); time.sleep(60)", on_output=interrupting(), stop=lambda: True)
    done = caught.value.executed
    assert (done.signal, done.timed_out, done.tail) == (signal.SIGTERM, False, "up")
    assert isinstance(caught.value, KeyboardInterrupt)


def test_ctrl_c_at_the_question_means_yes() -> None:
    """Who presses it again wants to stop."""

    def stop() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(InterruptedStepError):
        python("import time; print('up', flush=True); time.sleep(60)", on_output=interrupting(), stop=stop)


def test_ctrl_c_while_it_is_being_ended_kills() -> None:
    """A third one waits for no grace."""
    code = """
import signal, time
signal.signal(15, lambda *_: print('ending', flush=True))
print('up', flush=True)
while True: time.sleep(60)
"""
    began = time.monotonic()
    with pytest.raises(InterruptedStepError) as caught:
        python(code, on_output=interrupting(2), stop=lambda: True, grace_s=60)
    assert caught.value.executed.signal == signal.SIGKILL
    assert time.monotonic() - began < 10


def test_a_broken_screen_does_not_break_the_step() -> None:
    """The command goes on to its end; then the failure is told, with what became of the command."""

    def show(_: str) -> None:
        raise BrokenPipeError

    with pytest.raises(OutputError) as caught:
        python(SLOW, on_output=show)
    assert (caught.value.executed.exit_code, caught.value.executed.tail) == (0, "up\nready")
    assert isinstance(caught.value.__cause__, BrokenPipeError)


def test_whoever_unwinds_us_leaves_nothing_running() -> None:
    """SystemExit, as from a handler of SIGTERM: the command is killed before it passes on."""
    pids: list[int] = []

    def show(line: str) -> None:
        pids.append(int(line))
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        python("import os, time; print(os.getpid(), flush=True); time.sleep(60)", on_output=show)
    assert not lives(pids[0])


@pytest.mark.parametrize("use_pty", [False, True])
def test_commands_that_cannot_be_started(tmp_path: Path, use_pty: bool) -> None:
    """No such program, no such folder, no right, no program at all: told before anything was done."""
    text = tmp_path / "text"
    text.write_text("x", encoding="utf-8")
    for program, cwd, told in (
        (str(tmp_path / "gone"), tmp_path, "gone: No such file"),
        (sys.executable, tmp_path / "nowhere", "nowhere: No such file"),
        (str(text), tmp_path, "text: Permission denied"),
        (sys.executable + "\0", tmp_path, "null"),
    ):
        with pytest.raises(NotStartedError, match=told):
            execute(
                (program,), cwd=cwd, environment={}, timeout_s=5, on_output=print, use_pty=use_pty, stop=never
            )  # fmt: skip
    with pytest.raises(ValueError, match="absolute"):
        execute(("true",), cwd=tmp_path, environment={}, timeout_s=5, on_output=print, use_pty=use_pty, stop=never)


def test_no_terminals_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a pty to be had the command runs on a pipe."""

    def none_left() -> tuple[int, int]:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(os, "openpty", none_left)
    assert python("import os; print(os.isatty(1))", use_pty=True).tail == "False"


def test_nothing_is_left_behind() -> None:
    """After two hundred commands, terminals and failures among them, no descriptor, child or thread is left."""

    def one(turn: int) -> None:
        program = "/usr/bin/true" if turn % 10 else "/nonexistent"
        execute(
            (program,), cwd=Path("/"), environment={}, timeout_s=5, on_output=print, use_pty=turn % 2 == 0, stop=never
        )  # fmt: skip

    one(1)
    before = sorted(os.listdir("/proc/self/fd")), threading.active_count()  # noqa: PTH208  (names, not paths)
    for turn in range(200):
        if turn % 10:
            one(turn)
        else:
            with pytest.raises(NotStartedError):
                one(turn)
    assert (sorted(os.listdir("/proc/self/fd")), threading.active_count()) == before  # noqa: PTH208
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
