"""``sgltriage walk`` as operators use it: transcripts of six failures, a real terminal, a repair that is carried out."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension

from tests.cli.test_fix_packages import environment, installed, template, wheels

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.cli.conftest import Command, Sit

__all__ = ["environment", "template", "wheels"]

ROOT = Path(__file__).parents[2]
SYMBOL = "ImportError: /usr/local/lib/python3.12/dist-packages/sgl_kernel/sm100/common_ops.abi3.so: undefined symbol: _ZN3c104cuda29c10_cuda_check_implementationEiPKcS2_ib\n"
GLOO = (
    "[2026-03-01 10:00:00 TP8] Init torch distributed begin.\n"
    "[rank8]: RuntimeError: Gloo connectFullMesh failed with [../third_party/gloo/gloo/transport/tcp/pair.cc:144] "
    "no error (timed out after 30000ms)\n"
)
MISSING = """[2026-03-01 09:00:00] server_args=ServerArgs(model_path='/models/m', host='127.0.0.1', port=30000, tp_size=1)
Traceback (most recent call last):
  File "/opt/server/lib/python3.11/site-packages/sglang/launch_server.py", line 7, in <module>
    from sglang.srt.server_args import prepare_server_args
ModuleNotFoundError: No module named 'setproctitle'
"""
MENU = b"Choose 1 to 8, 0 quits, ? shows the menu: "
_STEPS = re.compile(r"(?<=\n)\n1\. .*?(?=\n\nnothing is (?:run|was run))", re.DOTALL)
_BEGUN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")


class Golden(SingleFileSnapshotExtension):
    """Bytes in a text file."""

    file_extension = "txt"


def put(folder: Path, name: str) -> None:
    """A copy of a log, or of a folder of logs, of the checkout."""
    source = ROOT / name
    for path in [source] if source.is_file() else sorted(source.glob("*.log")):
        shutil.copy(path, folder / path.name)


def answers(text: str) -> bytes:
    """What is typed: a line for each word."""
    return "".join(f"{word}\n" for word in text.split()).encode()


@pytest.mark.parametrize(
    ("log", "typed"),
    [
        pytest.param("examples/pd-direct-to-prefill", "1 2 3 0 4 5 7 0 0", id="pd-direct-request"),
        pytest.param(SYMBOL, "1 1 2 6 2 host.json 1 6 3 3 3 0 8 0", id="undefined-symbol"),
        pytest.param("examples/gpu-oom-kv-pool", "1 3 0 7 0 0", id="out-of-memory"),
        pytest.param("fixtures/logs/eight-ranks-nccl-waiters", "4 1 0", id="nccl-waiters"),
        pytest.param("fixtures/logs/unknown-plugin-failure", "1 2 3 7 0 0", id="unknown-failure"),
        pytest.param("fixtures/logs/healthy-torn-lines-progress-bars", "1 2 3 4 8 0", id="healthy"),
        pytest.param(GLOO, "nonsense 2 perhaps 0 5 yes 5 8 7 0 0", id="question"),
    ],
)
def test_stories(sgltriage: Command, tmp_path: Path, log: str, typed: str, snapshot: SnapshotAssertion) -> None:
    """The whole walk as a reader gets it, answers included; steps of plans, which name this machine, have their own tests."""
    if "\n" in log:
        (tmp_path / "server.log").write_text(log)
    else:
        put(tmp_path, log)
    shutil.copy(ROOT / "fixtures" / "hosts" / "torch-twice.json", tmp_path / "host.json")
    logs = sorted(path.name for path in tmp_path.glob("*.log"))
    done = sgltriage("walk", "--read-only", *logs, stdin=answers(typed))
    assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
    text = _BEGUN.sub("TIME", _STEPS.sub("[steps]", done.stdout.decode()))
    assert "\x1b" not in text
    assert text.encode() == snapshot.use_extension(Golden)


def test_ascii_only(sgltriage: Command, tmp_path: Path) -> None:
    """Where the terminal speaks nothing else, neither our typography nor the log's letters come out."""
    (tmp_path / "server.log").write_text("ValueError: Größe “falsch” – nobody knows\n", encoding="utf-8")
    done = sgltriage(
        "walk",
        "server.log",
        stdin=answers("1 4 7 0 0"),
        env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.isascii()
    assert b"nobody knows" in done.stdout


def test_the_end_of_input_ends_the_walk(sgltriage: Command, tmp_path: Path) -> None:
    """Anywhere, with status 0 and a hint where something would be lost."""
    (tmp_path / "server.log").write_text(GLOO)
    assert sgltriage("walk", "server.log").returncode == 0
    done = sgltriage("walk", "server.log", stdin=answers("5 yes 7"))
    assert done.returncode == 0
    assert done.stdout.decode().rstrip().endswith("The session was not saved: --session FILE keeps it.")


def test_a_session_is_kept_and_gone_on_with(sgltriage: Command, tmp_path: Path) -> None:
    """Without its log: the answer is still known; the file is the operator's alone."""
    (tmp_path / "server.log").write_text(GLOO)
    first = sgltriage("walk", "--session", "s.json", "server.log", stdin=answers("5 yes 0"))
    assert b"Saved to s.json" in first.stdout
    assert (tmp_path / "s.json").stat().st_mode & 0o777 == 0o600
    (tmp_path / "server.log").unlink()
    second = sgltriage("walk", "--session", "s.json", stdin=answers("5 0"))
    assert b"1. error, 71%: firewall-between-nodes" in second.stdout or b"firewall-between-nodes" in second.stdout
    assert b"No question is open." in second.stdout
    refused = sgltriage("walk", "--session", "s.json", "other.log")
    assert refused.returncode == 2
    assert b"holds a session with its own logs" in refused.stderr


def test_a_session_of_another_machine_is_shown(sgltriage: Command, tmp_path: Path) -> None:
    """With the same diagnoses; nothing of it can be changed, saved or carried out."""
    (tmp_path / "server.log").write_text(MISSING)
    sgltriage("walk", "--session", "s.json", "server.log", stdin=b"")
    record = json.loads((tmp_path / "s.json").read_text())
    record["machine"]["mark"] = "elsewhere"
    (tmp_path / "s.json").write_text(json.dumps(record))
    before = (tmp_path / "s.json").read_bytes()
    done = sgltriage("walk", "--session", "s.json", stdin=answers("2 5 6 2 3 0 7 0 0"))
    assert done.returncode == 0, done.stderr.decode()
    text = done.stdout.decode()
    assert "missing-python-module" in text
    assert text.count("This session was recorded on another machine: it can be read, not changed.") == 2
    assert "nothing is run: the host of this session was recorded" in text
    assert (tmp_path / "s.json").read_bytes() == before


def test_a_damaged_session_is_one_line(sgltriage: Command, tmp_path: Path) -> None:
    """Path and place on stderr, status 2."""
    (tmp_path / "s.json").write_text('{\n "kind": ')
    done = sgltriage("walk", "--session", "s.json")
    assert (done.returncode, done.stdout) == (2, b"")
    assert re.fullmatch(rb"sgltriage: s\.json:2:10: this is no JSON: Expecting value\n", done.stderr)


def test_the_summary_becomes_a_file(sgltriage: Command, tmp_path: Path) -> None:
    """Once: what is there already is not written over."""
    (tmp_path / "server.log").write_text(GLOO)
    done = sgltriage("walk", "server.log", stdin=answers("7 1 notes.md 7 1 notes.md 7 2 s.json 0"))
    assert b"Wrote notes.md" in done.stdout
    assert b"notes.md is there already: name another file." in done.stdout
    assert (tmp_path / "notes.md").read_text().startswith("## Triage\n")
    assert json.loads((tmp_path / "s.json").read_text())["kind"] == "session"


def test_hostile_text(sgltriage: Command, tmp_path: Path) -> None:
    """Escapes in a log, in a host's file name and in answers are shown and not sent; secrets are hidden."""
    (tmp_path / "server.log").write_bytes(
        b"ValueError: \x1b]0;owned\x07 \xe2\x80\xae api_key='sk-abcdefghijklmnopqrst'\n"
    )
    done = sgltriage("walk", "server.log", stdin=b"1\n4\n\x1b[2J\xff\n6\n2\n\x1b[31mnone\n7\n0\n0\n")
    assert done.returncode == 0, done.stderr.decode()
    assert not {b"\x1b", b"\x07", "\u202e".encode()} & {
        done.stdout[i : i + n] for n in (1, 3) for i in range(len(done.stdout))
    }
    assert b"sk-abcdef" not in done.stdout


def test_nothing_to_read(sgltriage: Command) -> None:
    """A log that is not there ends in one line."""
    done = sgltriage("walk", "nowhere.log")
    assert done.returncode == 2
    assert b"nowhere.log" in done.stderr


def test_a_piped_log_without_a_terminal(sgltriage: Command) -> None:
    """The diagnoses are shown; then there is nobody to ask."""
    done = sgltriage("walk", stdin=GLOO.encode())
    assert b"nccl-wrong-interface" in done.stdout
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert b"there is no terminal to answer at" in done.stderr


WALK = (sys.executable, "-m", "triage", "walk")


def test_at_a_terminal(sit: Sit, tmp_path: Path) -> None:
    """Plain lines; a wrong answer is asked again; Ctrl-C goes back from a question and quits from the menu."""
    (tmp_path / "server.log").write_text(GLOO)
    terminal = sit(*WALK, "server.log")
    terminal.wait_for(MENU)
    terminal.type(b"9\n")
    terminal.wait_for(b"Please answer with one of: 1, 2, 3, 4, 5, 6, 7, 8, 0, ?")
    terminal.wait_for(MENU)
    terminal.type(b"5\n")
    terminal.wait_for(b"yes or no, s skips it, 0 goes back: ")
    terminal.process.send_signal(signal.SIGINT)
    terminal.wait_for(b"Back to the menu.")
    terminal.wait_for(MENU)
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert b"\x1b" not in terminal.seen
    assert terminal.after == terminal.before


def test_a_piped_log_and_a_terminal(sit: Sit, tmp_path: Path) -> None:
    """The log comes by standard input, the answers from the terminal."""
    (tmp_path / "server.log").write_text(GLOO)
    terminal = sit("/bin/sh", "-c", f"cat server.log | '{sys.executable}' -m triage walk")
    terminal.wait_for(MENU)
    terminal.type(b"5\n")
    terminal.wait_for(b"yes or no, s skips it, 0 goes back: ")
    terminal.type(b"yes\n")
    assert b"nccl-wrong-interface" in terminal.wait_for(MENU)
    terminal.type(b"0\n")
    assert terminal.end() == 0


def test_a_missing_module_is_installed_and_taken_back(
    sit: Sit, environment: Path, wheels: Path, tmp_path: Path
) -> None:
    """From the log to a server's environment that can import it: plan, approval, verdict; in the summary; and back."""
    (tmp_path / "server.log").write_text(MISSING)
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    terminal = sit(*WALK, "--session", "s.json", "--python", str(environment), "server.log", **index)
    terminal.wait_for(MENU)
    terminal.type(b"3\n")
    terminal.wait_for(b"  1  go through the steps")
    terminal.wait_for(b"Choose: ")
    assert installed(environment) == ""
    terminal.type(b"1\n")
    terminal.wait_for(b"install-package")
    terminal.wait_for(b"Do this? [y]es, [s]kip, [q]uit: ")
    terminal.type(b"y\n")
    terminal.wait_for(b"done  install-package")
    terminal.wait_for(MENU)
    assert installed(environment) == "1.3.6"
    assert re.search(rb"\r\nfixed\r\n", terminal.seen), terminal.seen.decode()
    terminal.type(b"3\n")
    terminal.wait_for(b"  3  take the last run back")
    terminal.wait_for(b"Choose: ")
    terminal.type(b"3\n")
    terminal.wait_for(b"[y]es, [n]o: ")
    terminal.type(b"y\n")
    terminal.wait_for(MENU)
    assert installed(environment) == ""
    terminal.type(b"7\n")
    summary = terminal.wait_for(b"Choose: ")
    assert b"**fixed**" in summary
    terminal.type(b"0\n")
    terminal.wait_for(MENU)
    terminal.type(b"0\n")
    assert terminal.end() == 0
    state = json.loads((tmp_path / "s.json").read_text())["state"]
    assert [item["kind"] for item in state["actions"]] == ["fix", "note"]
    assert state["runs"][0]["verdict"] == "fixed"
