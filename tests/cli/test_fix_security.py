"""``sgltriage fix`` against strange programs, folders, disks, pipes and secrets."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from triage.fixing.journal_store import read_chain

if TYPE_CHECKING:
    from tests.cli.conftest import Command

SECRET = "hf_SENTINELSENTINELSENTINELSENTINEL"
KEY = "sk-SENTINEL0123456789SENTINEL0123456789"
TOUCH = '\n  - {id: make, title: Make a file, why: So., kind: change, argv: [touch, "{folder}/made"]}\n'


@pytest.fixture
def sgltriage(warm_sgltriage: Command) -> Command:
    """The start of the command is not the point here."""
    return warm_sgltriage


def words(folder: Path, steps: str, more: str = "") -> tuple[str, ...]:
    """Write a playbook; the words that name it, trust it and give its values."""
    path = folder / "pack" / "playbooks" / "test" / "sample.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "id: sample\ntitle: A test\nfixes: [port-in-use]\nwatch_for: ready\nparameters:\n  folder: {type: path, from: ask, help: x}\n"
    path.write_text(f"{head}{more}steps:{steps}")
    trust = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return (
        "sample",
        "--kb",
        str(folder / "pack"),
        "--trust",
        trust,
        "--set",
        f"folder={folder}",
        "--python",
        sys.executable,
    )


def agreed(shown: bytes) -> list[str]:
    """The agreements to all that is shown."""
    found = [line.split()[-1] for line in shown.decode().splitlines() if line.split()[:2] == ["approve", "--yes-to"]]
    assert found, shown.decode()
    return [word for token in found for word in ("--yes-to", token)]


def journals(folder: Path) -> list[Path]:
    """The journals of the test's home."""
    return sorted((folder / "state" / "sgltriage" / "journal").glob("*.jsonl"))


def test_a_program_that_the_search_path_puts_first(sgltriage: Command, tmp_path: Path) -> None:
    """Neither for a step nor for its check: programs come from fixed folders, and are shown by their whole path."""
    for name in ("touch", "test", "ss", "python3"):
        fake = tmp_path / "bin" / name
        fake.parent.mkdir(exist_ok=True)
        fake.write_text(f"#!/bin/sh\n: > {tmp_path}/fooled\n")
        fake.chmod(0o755)
    named = words(tmp_path, TOUCH.replace("]}", '], already_done: {argv: [test, -e, "{folder}/made"]}}'))
    path = {"PATH": f".:{tmp_path / 'bin'}:{os.environ['PATH']}"}
    shown = sgltriage("fix", *named, env=path)
    assert b"run      /usr/bin/touch" in shown.stdout or b"run      /bin/touch" in shown.stdout
    done = sgltriage("fix", *named, *agreed(shown.stdout), env=path)
    assert (tmp_path / "made").exists(), done.stdout
    assert not (tmp_path / "fooled").exists()


def test_read_only_holds_for_every_verb(sgltriage: Command, tmp_path: Path) -> None:
    """Neither resuming nor taking back, whatever the options say."""
    named = words(tmp_path, TOUCH.replace("]}", '], undo: {argv: [rm, "{folder}/made"]}}'))
    shown = sgltriage("fix", *named).stdout

    def is_refused(*verb: str) -> bool:
        before = [path.read_bytes() for path in journals(tmp_path)]
        done = sgltriage("fix", *verb, *named[3:5], env={"SGLTRIAGE_READ_ONLY": "0"})
        assert [path.read_bytes() for path in journals(tmp_path)] == before
        return b"nothing was run: SGLTRIAGE_READ_ONLY is set" in done.stdout

    sgltriage("fix", *named, "--yes-to", "make@000000000000")
    assert is_refused("--resume", *agreed(shown))
    assert not (tmp_path / "made").exists()
    sgltriage("fix", *named, *agreed(shown))
    assert is_refused("--undo", *agreed(sgltriage("fix", "--undo").stdout))
    assert (tmp_path / "made").exists()


def test_a_journal_folder_that_others_may_write(sgltriage: Command, tmp_path: Path) -> None:
    """Whoever could put a journal there could have us undo what was never done."""
    folder = tmp_path / "state" / "sgltriage" / "journal"
    folder.mkdir(parents=True)
    named = words(tmp_path, TOUCH)
    tokens = agreed(sgltriage("fix", *named).stdout)
    folder.chmod(0o777)
    refused = sgltriage("fix", *named, *tokens)
    assert refused.returncode == 2
    assert refused.stderr.count(b"\n") == 1
    assert b"is open to others" in refused.stderr
    if os.geteuid() == 0:
        folder.chmod(0o700)
        os.chown(folder, 65534, 65534)
        refused = sgltriage("fix", *named, *tokens)
        assert refused.returncode == 2
        assert b"belongs to user 65534" in refused.stderr
    assert not (tmp_path / "made").exists()


FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
del sys.argv[1]
from triage.cli.main import run
run()
"""


def test_a_full_disk(sgltriage: Command, tmp_path: Path) -> None:
    """A journal that takes no more means that nothing runs, at whatever record before the step that is."""
    named = words(tmp_path, TOUCH)
    tokens = agreed(sgltriage("fix", *named).stdout)
    sgltriage("fix", *named, *tokens)
    (path,) = journals(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    assert [json.loads(line)["event"] for line in lines[:3]] == ["plan", "approve", "begin"]
    (tmp_path / "made").unlink()
    for whole in range(3):
        most = sum(map(len, lines[:whole])) + 32
        done = subprocess.run(
            [sys.executable, "-c", FULL, str(most), "fix", *named, *tokens], capture_output=True, cwd=tmp_path,
            env=sgltriage.environment, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 2, done.stderr
        assert done.stderr.count(b"\n") == 1
        assert b"the journal" in done.stderr
        assert not (tmp_path / "made").exists()


WAITING = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
print("begun", flush=True)
while not (folder / "go").exists():
    time.sleep(0.02)
print("line\\n" * 1000, flush=True)
(folder / "made").touch()
"""


def test_a_pipe_that_breaks_while_a_step_runs(sgltriage: Command, tmp_path: Path) -> None:
    """The step goes on to its end, the journal has it, nothing after it is begun, and the status is that of a broken pipe."""
    (tmp_path / "code.py").write_text(WAITING)
    step = '\n  - {id: wait, title: Wait, why: So., kind: change, argv: ["{python}", "{folder}/code.py", "{folder}"]}'
    named = words(tmp_path, step + TOUCH.replace("made", "more"))
    tokens = agreed(sgltriage("fix", *named).stdout)
    process = subprocess.Popen(
        [sys.executable, "-m", "triage", "fix", *named, *tokens], cwd=tmp_path, env=sgltriage.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    while b"| begun" not in (line := process.stdout.readline()):
        assert line
    process.stdout.close()
    (tmp_path / "go").touch()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == b""
    process.stderr.close()
    assert (tmp_path / "made").exists()
    assert not (tmp_path / "more").exists()
    chain = read_chain(journals(tmp_path)[0].read_bytes())
    assert chain.broken is None
    assert (chain.records[-1].event, chain.records[-1].step, chain.records[-1].data["ok"]) == ("end", "wait", True)


def test_nobody_to_show_it_to(sgltriage: Command, tmp_path: Path) -> None:
    """Without a standard output nothing runs: what cannot be seen cannot have been agreed to."""
    named = words(tmp_path, TOUCH)
    command = [sys.executable, "-m", "triage", "fix", *named, *agreed(sgltriage("fix", *named).stdout)]
    for to in (">&-", ">/dev/full"):
        done = subprocess.run(
            ["/bin/bash", "-c", f'exec "$@" {to}', "-", *command], stderr=subprocess.PIPE, cwd=tmp_path, env=sgltriage.environment,
            timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert done.stderr.count(b"\n") == 1
        assert not (tmp_path / "made").exists()


SECRETS = f"""
  - id: tell
    title: Print a secret
    why: So.
    kind: change
    argv: [echo, "token={SECRET}", "--api-key", "{KEY}"]
    env: {{HF_TOKEN: "{SECRET}"}}
    verify: {{argv: [echo, "--api-key={KEY}"], matches: "."}}
    undo: {{argv: [echo, "{SECRET}"]}}
  - id: change
    title: Another port
    why: So.
    kind: change
    launch: {{set: {{port: "30001"}}}}
verify:
  - {{argv: [echo, "--api-key={KEY}"], matches: "."}}
"""


def test_secrets_stay_where_they_are(sgltriage: Command, tmp_path: Path) -> None:
    """Of a launch command, a step's variables and output: neither shown, nor in the script, nor in the journal."""
    launch = [
        f"HF_TOKEN={SECRET}",
        "python3",
        "-m",
        "sglang.launch_server",
        "--model-path",
        "/m",
        "--api-key",
        KEY,
        "--port",
        "30000",
    ]
    report = {
        "schema_version": 1, "launches": [{"source": "a.log", "command": launch}],
        "diagnoses": [{"id": "port-in-use", "evidence": [{"source": "a.log", "line": 1, "captures": {"line": f"token {SECRET}"}}]}],
    }  # fmt: skip
    (tmp_path / "report.json").write_text(json.dumps(report))
    named = (
        *words(tmp_path, SECRETS),
        "--report",
        str(tmp_path / "report.json"),
        "--set",
        f"launch_file={tmp_path / 'new.sh'}",
    )
    script = sgltriage("fix", *named, "--script")
    shown = sgltriage("fix", *named)
    done = sgltriage("fix", *named, *agreed(shown.stdout))
    assert b"fixed" in done.stdout, done.stdout
    for output in (script, shown, done):
        assert b"SENTINEL" not in output.stdout + output.stderr
    assert b"30001" in shown.stdout
    kept = b"".join(path.read_bytes() for path in journals(tmp_path))
    assert b'"event":"verdict"' in kept
    assert b"SENTINEL" not in kept


def test_fixed_is_told_by_the_status(sgltriage: Command, tmp_path: Path) -> None:
    """One of two ways was taken, the checks say that it led there: fixed, status 0, and what was left is named."""
    ways = TOUCH + TOUCH.replace("id: make", "id: other").replace("made", "other")
    named = words(tmp_path, ways + 'verify:\n  - {argv: [test, -e, "{folder}/made"], label: it is there}\n')
    tokens = agreed(sgltriage("fix", *named).stdout)
    done = sgltriage("fix", *named, *tokens[:2])
    assert done.returncode == 0
    assert b"\nfixed\n  yes       it is there" in done.stdout
    assert b"left      other" in done.stdout
    (tmp_path / "made").unlink()
    lost = sgltriage("fix", *named, *tokens[2:])
    assert lost.returncode == 1
    assert b"\nnot fixed\n  no        it is there" in lost.stdout


def test_a_pack_is_found_again_from_another_folder(sgltriage: Command, tmp_path: Path) -> None:
    """A run that was begun with a relative path is resumed from anywhere."""
    named = words(tmp_path, TOUCH)
    relative = [word if word != str(tmp_path / "pack") else "pack" for word in named]
    tokens = agreed(sgltriage("fix", *relative).stdout)
    sgltriage("fix", *relative, "--yes-to", "make@000000000000")
    sgltriage.folder = tmp_path / "elsewhere"
    sgltriage.folder.mkdir()
    done = sgltriage("fix", "--resume", *named[3:5], *tokens)
    assert (tmp_path / "made").exists(), done.stderr


BAD = {
    "tag": "id: tag\ntitle: !!python/object:os.system A\n", "anchor": "id: anchor\ntitle: &a A\n", "twice": "id: twice\nid: twice\n",
    "unknown": "id: unknown\ntitle: A\nsurprise: 1\n", "shell": "id: shell\ntitle: A\n", "absolute": "id: absolute\ntitle: A\n",
}  # fmt: skip


def test_bad_playbooks_of_a_pack(sgltriage: Command, tmp_path: Path) -> None:
    """Lint lists them all with their places; a scan does not mind them, and a fix by one of them is refused in one line."""
    folder = tmp_path / "pack" / "playbooks" / "test"
    folder.mkdir(parents=True)
    for name, head in BAD.items():
        argv = {"shell": '[sh, -c, "id"]', "absolute": "[/tmp/x]"}.get(name, "[ls]")
        steps = f"fixes: [port-in-use]\nwatch_for: x\nsteps:\n  - {{id: a, title: A, why: So., kind: check, argv: {argv}}}\n"
        (folder / f"{name}.yaml").write_text(head + steps)
    linted = sgltriage("kb", "lint", tmp_path / "pack")
    assert linted.returncode == 2
    for name in BAD:
        assert any(f"{name}.yaml:".encode() in line and line.count(b":") >= 3 for line in linted.stdout.splitlines()), (
            name
        )
    log = (Path(__file__).parents[2] / "fixtures" / "logs" / "libcudnn-import" / "server.log").read_bytes()
    packed = sgltriage("scan", "--kb", tmp_path / "pack", stdin=log)
    assert (packed.returncode, packed.stderr) == (1, b"")
    assert b"libcudnn-missing" in packed.stdout
    refused = sgltriage("fix", "twice", "--kb", tmp_path / "pack")
    assert refused.returncode == 2
    assert b"twice.yaml:2:1: " in refused.stderr
    assert refused.stderr.count(b"\n") == 1
