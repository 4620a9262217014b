"""A server under us: its status, its streams, its terminal and its signals, with real processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.processes import on_pipes

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tests.terminal import Terminal

ROOT = Path(__file__).parents[2]
WITHIN_S = 30.0
FORWARDED = ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2")
COUNTS = """
import os, signal, sys, time
def note(number, frame):
    print("got", signal.Signals(number).name, flush=True)
for name in ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2"):
    signal.signal(getattr(signal, "SIG" + name), note)
print("pid", os.getpid(), flush=True)
for line in sys.stdin:
    if line == "end\\n":
        break
print("last words", flush=True)
"""
WAITS_FOR_A_KEY = """
import os, resource, signal, sys, termios
def end(number, frame):
    os._exit(128 + number)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
for name in ("INT", "QUIT"):
    signal.signal(getattr(signal, "SIG" + name), end)
mode = termios.tcgetattr(0)
mode[3] &= ~termios.ICANON
termios.tcsetattr(0, termios.TCSANOW, mode)
print("go", flush=True)
os.read(0, 1)
os._exit(131)
"""


def ran(runner: list[str], *argv: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """A command under us, to its end."""
    return subprocess.run([*runner, *argv], input=stdin, capture_output=True, cwd=ROOT, timeout=WITHIN_S, check=False)


def running(runner: list[str], *argv: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """A command under us, on pipes; ended with the test."""
    return on_pipes([*runner, *argv], ROOT)


def telling_who_asked(runner: list[str]) -> list[str]:
    """A runner that says in the end whether somebody wanted the end."""
    code = runner[-1].replace("sys.exit(3 ", "print('asked', death.was_asked_for, flush=True)\nsys.exit(3 ")
    return [*runner[:-1], code]


def line_of(process: subprocess.Popen[bytes]) -> bytes:
    """The next line of its standard output."""
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize("status", [0, 1, 3, 126, 137, 255])
def test_status_is_kept(runner: list[str], status: int) -> None:
    """Whatever the server exits with."""
    assert ran(runner, "sh", "-c", f"exit {status}").returncode == status


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGINT])
def test_a_signal_is_told_as_a_shell_tells_it(runner: list[str], number: signal.Signals) -> None:
    """128 and its number."""
    assert ran(runner, "sh", "-c", f"ulimit -c 0; kill -{number.value} $$").returncode == 128 + number


def test_streams_stay_apart_and_unchanged(runner: list[str]) -> None:
    """Any bytes, each on its own stream; and the server reads our standard input."""
    data = bytes(range(256)) * 999
    done = ran(
        runner,
        sys.executable,
        "-c",
        "import sys; d=sys.stdin.buffer.read(); sys.stdout.buffer.write(d); sys.stderr.buffer.write(d[::-1])",
        stdin=data,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, data, data[::-1])


def test_output_is_at_once(runner: list[str]) -> None:
    """A piece without a line end comes while the server goes on."""
    with running(
        runner, sys.executable, "-c", "import sys; sys.stdout.write('loading'); sys.stdout.flush(); sys.stdin.read()"
    ) as process:
        assert process.stdout is not None
        assert os.read(process.stdout.fileno(), 100) == b"loading"
        assert process.poll() is None


def test_the_server_has_the_signals_that_a_shell_would_leave_it(runner: list[str]) -> None:
    """Python ignores SIGPIPE and we take others: nothing of that is handed down, nothing is blocked."""
    done = ran(runner, "grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status")
    masks = [int(line.split()[1], 16) for line in done.stdout.splitlines()]
    # The C library ignores the two that it uses itself, 32 and 33, in whatever it spawns.
    assert [mask & ~(0b11 << 31) for mask in masks] == [0, 0]


def test_what_was_ignored_stays_ignored(runner: list[str]) -> None:
    """As under ``nohup``: a hang-up reaches neither us nor the server."""
    done = ran(["nohup", *runner], "sh", "-c", "kill -HUP $$; kill -HUP $PPID; echo alive")
    assert (done.returncode, done.stdout) == (0, b"alive\n")


def test_descriptors_of_the_caller_reach_the_server(runner: list[str], tmp_path: Path) -> None:
    """Such as sockets that a service manager hands down under fixed numbers; and none of ours does."""
    (tmp_path / "in").write_text("from three\n")
    with open(tmp_path / "in") as given:
        done = subprocess.run(
            ["sh", "-c", 'exec 3<&0; exec "$@"', "sh", *runner, "sh", "-c", "cat <&3; ls /proc/self/fd"],
            stdin=given, capture_output=True, cwd=ROOT, timeout=WITHIN_S, check=False,
        )  # fmt: skip
    assert done.stdout.startswith(b"from three\n")
    assert not [number for number in done.stdout.split()[2:] if int(number) > 9]


@pytest.mark.parametrize("name", FORWARDED)
def test_a_signal_is_passed_on_once(runner: list[str], name: str) -> None:
    """The server gets it once and decides what it means; its last words come through."""
    with running(runner, sys.executable, "-c", COUNTS) as process:
        assert process.stdin is not None
        line_of(process)
        process.send_signal(getattr(signal, f"SIG{name}"))
        assert line_of(process) == f"got SIG{name}\n".encode()
        process.stdin.write(b"end\n")
        process.stdin.close()
        assert line_of(process) == b"last words\n"
        assert line_of(process) == b""
        assert process.wait(WITHIN_S) == 0


def test_a_group_that_is_signalled_as_a_whole_counts_once(runner: list[str]) -> None:
    """Ctrl-C at a terminal and ``timeout`` signal our whole group; the server is not in it."""
    process = subprocess.Popen(
        [*runner, sys.executable, "-c", COUNTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, preexec_fn=os.setpgrp
    )  # fmt: skip
    with process:
        assert process.stdin is not None
        line_of(process)
        os.killpg(process.pid, signal.SIGINT)
        assert line_of(process) == b"got SIGINT\n"
        process.stdin.write(b"end\n")
        process.stdin.close()
        assert line_of(process) == b"last words\n"
        assert process.wait(WITHIN_S) == 0


def test_stop_and_continue(runner: list[str]) -> None:
    """SIGTSTP stops the server, SIGCONT lets it go on."""
    with running(runner, sys.executable, "-c", COUNTS) as process:
        assert process.stdin is not None
        pid = int(line_of(process).split()[1])
        process.send_signal(signal.SIGTSTP)
        wait_for_state(pid, "T")
        # Again and again: a SIGCONT that comes the moment we stop ourselves is lost, as it is with any job of a shell.
        end = time.monotonic() + WITHIN_S
        while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
            assert time.monotonic() < end
            process.send_signal(signal.SIGCONT)
            time.sleep(0.05)
        process.stdin.close()
        assert line_of(process) == b"last words\n"
        assert process.wait(WITHIN_S) == 0


def wait_for_state(pid: int, state: str) -> None:
    """Wait until the kernel says so."""
    end = time.monotonic() + WITHIN_S
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != state:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_kill_9_of_us_is_nothing_to_the_server(runner: list[str]) -> None:
    """It lives on, its output still flows on both streams, and it can be ended by itself."""
    with running(runner, sys.executable, "-c", COUNTS) as process:
        assert process.stdin is not None
        pid = int(line_of(process).split()[1])
        process.kill()
        process.wait()
        os.kill(pid, signal.SIGUSR1)
        assert line_of(process) == b"got SIGUSR1\n"
        process.stdin.write(b"end\n")
        process.stdin.close()
        assert line_of(process) == b"last words\n"
        assert line_of(process) == b""


def test_nobody_reads_the_output(runner: list[str]) -> None:
    """The server has its SIGPIPE, as without us."""
    with running(runner, "yes") as process:
        assert process.stdout is not None
        line_of(process)
        process.stdout.close()
        assert process.wait(WITHIN_S) == 128 + signal.SIGPIPE


def test_two_hundred_megabytes(runner: list[str]) -> None:
    """Both streams full at once: nothing is lost, and nobody waits for ever."""
    script = "head -c 100000000 /dev/zero & head -c 100000000 /dev/zero >&2; wait"
    with running(runner, "sh", "-c", script) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        other = subprocess.Popen(["wc", "-c"], stdin=process.stderr, stdout=subprocess.PIPE)
        total = 0
        while block := process.stdout.read(1 << 20):
            total += len(block)
        counted, _ = other.communicate(timeout=WITHIN_S)
        assert (total, int(counted)) == (100_000_000, 100_000_000)
        assert process.wait(WITHIN_S) == 0


def test_a_reader_that_is_slow_on_one_stream_does_not_hold_up_the_other(runner: list[str]) -> None:
    """Standard error flows while nobody reads standard output."""
    script = "head -c 9000000 /dev/zero & echo ready >&2; read x; echo still >&2; wait"
    with running(runner, "sh", "-c", script) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        assert process.stdout is not None
        assert process.stderr.readline() == b"ready\n"
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.stderr.readline() == b"still\n"
        assert len(process.stdout.read()) == 9_000_000


def test_a_frozen_server_is_watched_on(runner: list[str]) -> None:
    """SIGSTOP for the server alone does not stop us, for nobody would wake us with it; and that it was stopped is told."""
    code = runner[-1].replace(
        "death = server.wait()",
        "import os\n    while not server.output.ended:\n        server.output.wait()\n"
        "        for item in server.output.poll():\n"
        "            if 'SIGSTOP' in getattr(item, 'text', ''):\n                os.kill(server.pid, 18)\n"
        "    death = server.wait()",
    )
    assert ran([*runner[:-1], code], "sh", "-c", "kill -STOP $$; exit 4").returncode == 4


def test_a_terminal_is_kept(runner: list[str], terminal: Callable[..., Terminal]) -> None:
    """The server finds a terminal on all three, as wide as ours, which is left as it was; and its line ends are not doubled."""
    script = "test -t 0 && test -t 1 && test -t 2 && stty size && printf '\\033[31mred\\033[0m\\n'; exit 7"
    person = terminal([*runner, "sh", "-c", script])
    assert person.end() == 7
    assert person.seen == b"31 97\r\n\x1b[31mred\x1b[0m\r\n"
    assert person.after == person.before


def test_keys_go_to_the_server_as_they_are(runner: list[str], terminal: Callable[..., Terminal]) -> None:
    """Echoed once, as lines where it wants lines and one by one where it wants keys; Ctrl-D ends its input."""
    person = terminal(
        [
            *runner,
            "sh",
            "-c",
            'echo go; read x; echo "<$x>"; stty raw -echo; k=$(dd bs=1 count=1 2>/dev/null); stty sane; echo "key $k"; cat',
        ]
    )
    person.wait_for(b"go\r\n")
    person.type(b"word\r")
    person.wait_for(b"<word>\r\n")
    assert person.seen.count(b"word") == 2
    person.type(b"q")
    person.wait_for(b"key q")
    person.type(b"\x04")
    assert person.end() == 0
    assert person.after == person.before


def test_ctrl_c_is_one_signal(runner: list[str], terminal: Callable[..., Terminal]) -> None:
    """The server handles it and goes on; the second key is a second signal."""
    person = terminal([*runner, sys.executable, "-c", COUNTS])
    person.wait_for(b"pid")
    for _ in range(2):
        person.type(b"\x03")
        person.wait_for(b"got SIGINT")
    person.type(b"end\r")
    person.wait_for(b"last words")
    assert person.end() == 0
    assert person.seen.count(b"got SIGINT") == 2


@pytest.mark.parametrize(("keys", "asked"), [(b"\x03", "True"), (b"\x1c", "True"), (b"q", "False")])
def test_ctrl_c_is_asking_for_the_end(
    runner: list[str], terminal: Callable[..., Terminal], keys: bytes, asked: str
) -> None:
    """The key makes its signal on the server's own terminal, and came through us all the same."""
    person = terminal([*telling_who_asked(runner), sys.executable, "-c", WAITS_FOR_A_KEY])
    person.wait_for(b"go")
    person.type(keys)
    person.end()
    assert f"asked {asked}".encode() in person.seen


def test_a_key_that_makes_no_signal_is_a_key(runner: list[str], terminal: Callable[..., Terminal]) -> None:
    """Where the server reads keys as they are, Ctrl-C asks for nothing."""
    script = "stty raw -echo; echo go; dd bs=1 count=1 >/dev/null 2>&1; stty sane; exit 130"
    person = terminal([*telling_who_asked(runner), "sh", "-c", script])
    person.wait_for(b"go")
    person.type(b"\x03")
    assert person.end() == 130
    assert b"asked False" in person.seen


def test_a_window_that_changes(runner: list[str], terminal: Callable[..., Terminal]) -> None:
    """The server is told, and finds the new size."""
    code = "import os, signal, sys; signal.signal(signal.SIGWINCH, lambda n, f: print('size', *os.get_terminal_size(1), flush=True)); print('go', flush=True); sys.stdin.readline()"
    person = terminal([*runner, sys.executable, "-c", code])
    person.wait_for(b"go")
    person.resize(44, 123)
    person.wait_for(b"size 123 44")
    person.type(b"\r")
    assert person.end() == 0


def test_ctrl_z_stops_us_both(runner: list[str], terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    """Under a shell with job control: the shell has its terminal again, and ``fg`` goes on."""
    program = tmp_path / "runner.py"
    program.write_text(runner[-1])
    person = terminal(["bash", "--norc", "--noediting", "-i"])
    person.type(f"{sys.executable} {program} sh -c 'echo st''arted; exec sed -u s/^/got:/'\r".encode())
    person.wait_for(b"started\r\n")
    person.type(b"before\r")
    person.wait_for(b"got:before\r\n")
    person.type(b"\x1a")
    person.wait_for(b"Stopped")
    person.type(b"echo my ter''minal\r")
    person.wait_for(b"my terminal\r\n")
    person.type(b"fg\r")
    person.type(b"after\r")
    person.wait_for(b"got:after\r\n")
    person.type(b"\x04")
    while not person.seen.rstrip().endswith((b"#", b"$")):
        assert person.read(WITHIN_S), person.seen
    person.type(b"exit 5\r")
    assert person.end() == 5


def test_kill_9_of_us_on_a_terminal(runner: list[str], terminal: Callable[..., Terminal]) -> None:
    """The server is not hung up, and what it prints still comes to the terminal."""
    person = terminal([*runner, sys.executable, "-c", COUNTS])
    pid = int(re.search(rb"pid (\d+)", person.wait_for(b"\n"))[1])  # type: ignore[index]
    person.process.kill()
    person.process.wait()
    os.kill(pid, signal.SIGUSR1)
    person.wait_for(b"got SIGUSR1", outlived=True)
    os.kill(pid, signal.SIGKILL)


def test_only_standard_output_is_a_terminal(
    runner: list[str], terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    """Standard error that goes to a file still does, and standard input stays what it is."""
    with open(tmp_path / "err", "wb") as err, open("/dev/null", "rb") as null:
        person = terminal(
            [*runner, "sh", "-c", "test -t 1 && ! test -t 2 && ! test -t 0 && echo out; echo err >&2"],
            stdin=null.fileno(), stderr=err.fileno(),
        )  # fmt: skip
        assert person.end() == 0
    assert person.seen == b"out\r\n"
    assert (tmp_path / "err").read_bytes() == b"err\n"


def test_kill_9_of_the_keeper_is_told(runner: list[str]) -> None:
    """Nobody knows then how the server ends: no status is made up."""
    with running(runner, sys.executable, "-c", COUNTS) as process:
        pid = int(line_of(process).split()[1])
        keeper = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(keeper, signal.SIGKILL)
        assert process.wait(WITHIN_S) == 3
        os.kill(pid, signal.SIGKILL)
