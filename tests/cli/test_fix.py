"""``sgltriage fix`` as operators run it: what is shown, what is agreed to, what then really happens."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from triage.fixing.lint import check_playbooks
from triage.knowledge.errors import Problems
from triage.knowledge.pack import read_packs
from triage.knowledge.playbooks import decode_playbooks

if TYPE_CHECKING:
    from tests.cli.conftest import Command
    from triage.knowledge.compiled import Knowledge


@pytest.fixture
def sgltriage(warm_sgltriage: Command) -> Command:
    """The start of the command is not the point here."""
    return warm_sgltriage


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A folder for playbooks of a test."""
    (tmp_path / "pack" / "playbooks" / "test").mkdir(parents=True)
    return tmp_path / "pack"


def playbook(pack: Path, text: str) -> tuple[str, ...]:
    """Write a playbook; the words that name it and trust it."""
    identifier = text.split("id: ", 1)[1].split("\n", 1)[0]
    head = "" if "fixes:" in text else "fixes: [port-in-use]\n"
    path = pack / "playbooks" / "test" / f"{identifier}.yaml"
    path.write_text(f"title: A test\n{head}{text}")
    return identifier, "--kb", str(pack), "--trust", hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def approved(shown: bytes) -> list[str]:
    """Agree to every step just as it is shown."""
    return [
        word for token in re.findall(rb"--yes-to (\S+@[0-9a-f]{12})", shown) for word in ("--yes-to", token.decode())
    ]


def agreed(sgltriage: Command, *words: str | Path) -> tuple[str, subprocess.CompletedProcess[bytes]]:
    """The plan as it is shown, then the same command with all of it agreed to."""
    shown = sgltriage("fix", *words)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout.decode(), sgltriage("fix", *words, *approved(shown.stdout))


EDIT = """
id: set-a-variable
parameters:
  file: {type: path, from: ask, help: the environment file}
steps:
  - id: set
    title: Set the variable
    why: The server reads it.
    kind: change
    edit: {file: "{file}", set: {NCCL_SOCKET_IFNAME: eth0}, unset: [NCCL_IB_DISABLE]}
watch_for: ready
"""


def test_an_environment_file_is_edited_and_restored_byte_for_byte(
    sgltriage: Command, pack: Path, tmp_path: Path
) -> None:
    """Comments, order, blanks and line ends stay; undo gives back every byte and the mode."""
    named = playbook(pack, EDIT)
    before = b"# of the team\r\nNCCL_SOCKET_IFNAME=lo\r\n\r\nNCCL_IB_DISABLE=1\r\nA = odd \xff\n"
    path = tmp_path / "server.env"
    path.write_bytes(before)
    path.chmod(0o640)
    shown, done = agreed(sgltriage, *named, "--set", f"file={path}")
    assert "NCCL_SOCKET_IFNAME=eth0" in shown
    assert path.read_bytes() == before.replace(b"=lo", b"=eth0").replace(b"NCCL_IB_DISABLE=1\r\n", b"")
    assert b"cannot tell yet" in done.stdout
    over = sgltriage("fix", "--resume")
    assert (over.returncode, over.stdout) == (2, b"")
    assert b"no run was cut off: that of set-a-variable ended with 'cannot tell yet'" in over.stderr
    offered = sgltriage("fix", "--undo")
    assert path.read_bytes() != before, "an undo that nobody agreed to must change nothing"
    assert sgltriage("fix", "--undo", *approved(offered.stdout)).returncode == 0
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o640


def test_without_a_terminal_nothing_runs(sgltriage: Command, pack: Path, tmp_path: Path) -> None:
    """A dry run is the default in a pipe, and writes neither file nor journal."""
    path = tmp_path / "server.env"
    path.write_text("A=1\n")
    shown = sgltriage("fix", *playbook(pack, EDIT), "--set", f"file={path}", stdin=b"y\ny\n")
    assert b"nothing was run" in shown.stdout
    assert path.read_text() == "A=1\n"
    assert not (tmp_path / "state").exists()


def test_read_only_cannot_be_talked_out_of(sgltriage: Command, pack: Path, tmp_path: Path) -> None:
    """The variable wins over any approval."""
    path = tmp_path / "server.env"
    path.write_text("A=1\n")
    words = ("fix", *playbook(pack, EDIT), "--set", f"file={path}")
    shown = sgltriage(*words)
    again = sgltriage(*words, *approved(shown.stdout), env={"SGLTRIAGE_READ_ONLY": "1"})
    assert b"SGLTRIAGE_READ_ONLY is set" in again.stdout
    assert path.read_text() == "A=1\n"


def test_an_approval_is_for_what_was_shown(sgltriage: Command, pack: Path, tmp_path: Path) -> None:
    """A file that changed, or a playbook that was edited, after the approval: the step does not run."""
    path = tmp_path / "server.env"
    path.write_text("A=1\n")
    words = ("fix", *playbook(pack, EDIT), "--set", f"file={path}")
    tokens = approved(sgltriage(*words).stdout)
    path.write_text("A=2\n")
    refused = sgltriage(*words, *tokens)
    assert b"it is not what was agreed to" in refused.stdout
    assert refused.returncode == 1
    assert path.read_text() == "A=2\n"
    path.write_text("A=1\n")
    edited = ("fix", *playbook(pack, EDIT.replace("eth0", "eth1")), *words[6:])
    assert b"it is not what was agreed to" in sgltriage(*edited, *tokens).stdout
    assert b"is not one of ours" in sgltriage(*words, *tokens).stdout
    assert path.read_text() == "A=1\n"


@pytest.fixture
def listener() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process that holds a port, and ends with the test."""
    program = "import socket,time; s=socket.socket(); s.bind(('127.0.0.1',0)); s.listen(); print(s.getsockname()[1],flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert process.stdout is not None
    yield process, int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()


END = """
id: end-the-holder
parameters:
  pid: {type: pid, from: ask, help: the process}
steps:
  - id: end
    title: End it
    why: It holds the port.
    kind: change
    end_process: "{pid}"
    risk: destructive
watch_for: ready
"""


def test_a_port_is_freed_by_ending_just_its_owner(
    sgltriage: Command, pack: Path, listener: tuple[subprocess.Popen[bytes], int]
) -> None:
    """The process that was shown ends, one that looks the same lives on, and the port can be bound."""
    process, port = listener
    twin = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        shown, done = agreed(sgltriage, *playbook(pack, END), "--set", f"pid={process.pid}")
        assert f"End process {process.pid}" in shown
        assert done.returncode == 1, "nothing decides here, so it is not called fixed"
        assert process.wait(timeout=10) != 0
        assert twin.poll() is None
        with socket.socket() as free:
            free.bind(("127.0.0.1", port))
    finally:
        twin.kill()
        twin.wait()


def test_a_reused_pid_is_not_ended(
    sgltriage: Command, pack: Path, listener: tuple[subprocess.Popen[bytes], int]
) -> None:
    """The approval names the process's start; the same number with another start is another step."""
    process, _ = listener
    words = ("fix", *playbook(pack, END), "--set", f"pid={process.pid}")
    token = approved(sgltriage(*words).stdout)[1]
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        refused = sgltriage(*words[:-1], f"pid={other.pid}", "--yes-to", token)
        assert b"it is not what was agreed to" in refused.stdout
        assert other.poll() is None
        assert process.poll() is None
    finally:
        other.kill()
        other.wait()


LAUNCH = """
id: drop-the-flag
steps:
  - id: change
    title: Leave the flag out
    why: This release has no such flag.
    kind: change
    launch: {remove: [enable-ep-moe], set: {port: "30001"}}
  - id: start
    title: Start the server again
    why: It is down.
    kind: restart
    restart: {}
watch_for: ready
"""
SERVER = """import sys, time
if "--enable-ep-moe" in sys.argv:
    sys.exit("launch_server.py: error: unrecognized arguments: --enable-ep-moe")
print("ready", *sys.argv[1:], flush=True)
time.sleep(20)
"""


def test_a_server_script_with_a_bad_flag_is_corrected_and_started(
    sgltriage: Command, pack: Path, tmp_path: Path
) -> None:
    """Only the words of the command change in the script; the server then runs with them."""
    (tmp_path / "sglang").mkdir()
    (tmp_path / "sglang" / "__init__.py").touch()
    (tmp_path / "sglang" / "launch_server.py").write_text(SERVER)
    script = tmp_path / "serve.sh"
    head = f"#!/bin/bash\n# the team's server\ncd {tmp_path}\nexec {sys.executable} -m sglang.launch_server \\\n"
    script.write_text(head + "    --model-path /models/m \\\n    --enable-ep-moe \\\n    --port 30000\n")
    script.chmod(0o755)
    assert subprocess.run(["/bin/bash", str(script)], capture_output=True, check=False).returncode == 1
    shown, done = agreed(sgltriage, *playbook(pack, LAUNCH), "--set", f"launch_file={script}")
    assert "-    --enable-ep-moe" in shown
    assert script.read_text() == head + "    --model-path /models/m \\\n    --port 30001\n"
    started = re.search(rb"started process (\d+), its output goes to (\S+)", done.stdout)
    assert started is not None, done.stdout
    log = Path(started[2].decode())
    try:
        deadline = time.monotonic() + 20
        while "ready" not in log.read_text() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert log.read_text() == "ready --model-path /models/m --port 30001\n"
    finally:
        os.kill(int(started[1]), 9)


def test_the_launch_command_of_a_log_is_shown_old_against_new(sgltriage: Command, pack: Path, tmp_path: Path) -> None:
    """From a report: the command that the log amounts to, with the change, and a file of it where it is wanted."""
    report = tmp_path / "report.json"
    log = Path(__file__).parents[2] / "examples" / "pd-direct-to-prefill"
    report.write_bytes(sgltriage("scan", log, "--format", "json").stdout)
    named = playbook(pack, LAUNCH.replace("remove: [enable-ep-moe], ", ""))
    shown = sgltriage("fix", *named, "--report", report).stdout.decode()
    assert re.search(r"^ *\+ .*--port 30001", shown, re.MULTILINE)
    target = tmp_path / "new.sh"
    words: tuple[str | Path, ...] = (*named, "--report", report, "--set", f"launch_file={target}")
    first = sgltriage("fix", *words)
    change = [word for word in approved(first.stdout) if word.startswith("change@")]
    sgltriage("fix", *words, "--yes-to", *change)
    assert "--port 30001" in target.read_text().replace("\\\n", " ").replace("  ", " ")
    assert subprocess.run(["/bin/bash", "-n", str(target)], check=False).returncode == 0


HOSTILE = [
    "$(id)",
    ";reboot",
    "--config=/etc/passwd",
    "a\nb",
    "\0",
    "x" * 10_000,
    "../../etc",
    "{other}",
    "`id`",
    "-rf",
    "",
]
TYPED = """
id: typed
parameters:
  port: {type: port, from: [capture port, ask], help: the port}
  name: {type: ident, from: [capture name, ask], help: a name}
fixes: [port-in-use]
steps:
  - id: show
    title: Show what listens
    why: To see it.
    kind: check
    argv: [echo, "--port={port}", "--name={name}"]
watch_for: ready
"""


@pytest.mark.parametrize("value", HOSTILE)
def test_what_a_log_says_enters_only_through_its_type(
    sgltriage: Command, pack: Path, tmp_path: Path, value: str
) -> None:
    """A capture that does not convert makes its step unavailable, with the reason; it is never a word, and nothing runs."""
    record = {
        "schema_version": 1,
        "facts": {"os.name": "linux"},
        "diagnoses": [
            {
                "id": "port-in-use",
                "evidence": [{"source": "server.log", "line": 12, "captures": {"port": value, "name": value}}],
            }
        ],
    }
    path = tmp_path / "report.json"
    path.write_text(json.dumps(record))
    shown = sgltriage("fix", *playbook(pack, TYPED), "--report", path)
    assert shown.returncode == 0
    text = shown.stdout.decode()
    assert "cannot be prepared: value from server.log:12 is not a port" in text
    assert "--yes-to" not in text.partition("nothing was run")[0]
    assert "\x1b" not in text
    again = sgltriage("fix", *playbook(pack, TYPED), "--report", path, "--yes-to", "show@000000000000")
    assert b"not possible  show" in again.stdout


SHELLS = {
    '[sh, -c, "id"]': "no step runs a shell",
    '[bash, -c, "id"]': "no step runs a shell",
    "[/tmp/tool, now]": "programs are called by their plain names",
    """["{python}", -c, "print('{port}')"]""": "a value stands in code",
    "[env, sh, -c, id]": "starts another program in its own way",
    "[xargs, rm]": "starts another program in its own way",
    "[pkill, python]": "processes are ended by a step of that kind",
}


def test_a_shell_is_no_step(sgltriage: Command, pack: Path, knowledge: Knowledge) -> None:
    """Lint refuses each with its place and the reason, and a plan that was not linted cannot be prepared."""
    named = []
    for at, argv in enumerate(SHELLS):
        text = TYPED.replace('[echo, "--port={port}", "--name={name}"]', argv).replace("id: typed", f"id: shell-{at}")
        named.append(playbook(pack, text))
    problems = Problems(collect=True)
    files = list(decode_playbooks(read_packs([pack / "playbooks"], problems), problems))
    check_playbooks(files, knowledge.base, [], problems)
    linted = "\n".join(map(str, problems.found))
    for at, (words, reason) in enumerate(zip(named, SHELLS.values(), strict=True)):
        assert re.search(rf"shell-{at}\.yaml:\d+:\d+: .*{reason}", linted), linted
        shown = sgltriage("fix", *words, "--set", "port=30000", "--set", "name=x").stdout.decode()
        assert "cannot be prepared" in shown, shown
        assert reason in shown


def test_the_journal_holds_the_run_and_a_flipped_bit_is_seen(sgltriage: Command, pack: Path, tmp_path: Path) -> None:
    """History tells what was done; a byte that is not what was written is found."""
    path = tmp_path / "server.env"
    path.write_text("A=1\n")
    agreed(sgltriage, *playbook(pack, EDIT), "--set", f"file={path}")
    told = sgltriage("fix", "--history")
    assert b"set finished" in told.stdout
    (journal,) = (tmp_path / "state" / "sgltriage" / "journal").glob("*.jsonl")
    assert journal.stat().st_mode & 0o777 == 0o600
    data = bytearray(journal.read_bytes())
    data[len(data) // 3] ^= 1
    journal.write_bytes(data)
    assert sgltriage("fix", "--history").returncode == 1
    refused = sgltriage("fix", "--undo")
    assert refused.returncode == 2
    assert refused.stderr.count(b"\n") == 1


def test_a_journal_that_cannot_be_written_means_that_nothing_runs(
    sgltriage: Command, pack: Path, tmp_path: Path
) -> None:
    """A file stands where the folder should be."""
    path = tmp_path / "server.env"
    path.write_text("A=1\n")
    words = ("fix", *playbook(pack, EDIT), "--set", f"file={path}")
    tokens = approved(sgltriage(*words).stdout)
    (tmp_path / "state").write_text("in the way")
    refused = sgltriage(*words, *tokens)
    assert refused.returncode == 2
    assert refused.stderr.count(b"\n") == 1
    assert path.read_text() == "A=1\n"


def test_the_script_is_bash_and_changes_nothing(sgltriage: Command, pack: Path, tmp_path: Path) -> None:
    """Every value is quoted, every step is there, and bash can read it."""
    path = tmp_path / "a b's.env"
    path.write_text("A=1\n")
    made = sgltriage("fix", *playbook(pack, TYPED), "--set", "port=30000", "--set", "name=x", "--script")
    script = tmp_path / "fix.sh"
    script.write_bytes(made.stdout)
    assert subprocess.run(["/bin/bash", "-n", str(script)], check=False).returncode == 0
    assert b"echo --port=30000 --name=x" in made.stdout


def test_the_script_does_what_the_fix_would_do(sgltriage: Command, pack: Path, tmp_path: Path) -> None:
    """A file edit and a launch change, run by bash: the same bytes as those of the plan that was agreed to."""
    path, server = tmp_path / "server.env", tmp_path / "serve.sh"
    start = "#!/bin/bash\nexport A='$HOME'\nexec python3 -m sglang.launch_server --port 30000 --enable-ep-moe\n"
    both = EDIT.replace("watch_for: ready", LAUNCH[LAUNCH.index("  - id: change") : LAUNCH.index("  - id: start")])
    words = (*playbook(pack, both + "watch_for: ready\n"), "--set", f"file={path}", "--set", f"launch_file={server}")

    def written(how: Callable[[], object]) -> tuple[bytes, bytes]:
        path.write_text("# ours\nNCCL_IB_DISABLE=1\n")
        server.write_text(start)
        how()
        return path.read_bytes(), server.read_bytes()

    def by_script() -> None:
        made = sgltriage("fix", *words, "--script")
        done = subprocess.run(["/bin/bash"], input=made.stdout, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b""), made.stdout.decode()

    first = written(by_script)
    assert first == written(lambda: agreed(sgltriage, *words))
    assert first[0] == b"# ours\nNCCL_SOCKET_IFNAME=eth0\n"
    assert b"--port 30001" in first[1]
    assert b"--enable-ep-moe" not in first[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), b"what is to be fixed?"),
        (("port-in-us",), b"did you mean 'port-in-use'?"),
        (("enlarge-kv-pool", "--set", "port"), b"write NAME=VALUE"),
        (("enlarge-kv-pool", "--report", "absent.json"), b"No such file"),
        (("port-in-use", "--undo", "--resume"), b"do not go together"),
        (("--resume",), b"there is no run"),
        (("--undo",), b"there is no run"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(sgltriage: Command, words: tuple[str, ...], said: bytes) -> None:
    """Status 2, nothing on stdout."""
    done = sgltriage("fix", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert done.stdout == b""
