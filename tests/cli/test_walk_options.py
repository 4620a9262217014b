"""``walk`` and ``tui``: a session that is not there, playbooks from elsewhere, questions to which any value is an answer."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from triage.cli.errors import UsageError
from triage.cli.walk_options import require_log

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Sit

SLOW_DISK = """id: slow-disk
title: The disk is too slow
component: storage
severity: error
role: root
prevalence: occasional
explanation: The weights are read from a disk that is too slow.
evidence:
  - id: slow-line
    label: the loader waits for the disk
    log: 'the loader waits for the disk'
    strength: supports
  - id: operator-knows-speed
    label: what the operator measured
    question: {ask: "How many MB/s does the disk read?", type: value}
    fact: {storage.read_mb_s: {lt: 200}}
    strength: strong
fix: Use a faster disk.
playbook: faster-disk
examples:
  - |
    ERROR the loader waits for the disk
near_misses:
  - |
    the disk is fine
"""
FASTER_DISK = """id: faster-disk
title: Use a faster disk
fixes: [slow-disk]
watch_for: ready
steps:
  - id: touch
    title: Leave a trace
    why: To see that it ran.
    kind: change
    argv: [touch, %s]
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A folder of knowledge from elsewhere: a signature that asks for a number, and a playbook that leaves a trace."""
    folder = tmp_path / "pack"
    (folder / "signatures" / "test").mkdir(parents=True)
    (folder / "signatures" / "test" / "slow-disk.yaml").write_text(SLOW_DISK)
    (folder / "playbooks" / "test").mkdir(parents=True)
    (folder / "playbooks" / "test" / "faster-disk.yaml").write_text(FASTER_DISK % (tmp_path / "trace"))
    (tmp_path / "disk.log").write_text("ERROR the loader waits for the disk\n")
    return folder


def test_a_session_that_is_not_there(sgltriage: Command, sit: Sit, tmp_path: Path) -> None:
    """Without a log to begin one on, both faces refuse in one line with the file that was meant; nothing is written."""
    (tmp_path / "outage.json").write_text("{}")
    wanted = b"sgltriage: no such session file: outge.json; did you mean 'outage.json'? (sgltriage %s --help)"
    for verb in ("walk", "tui"):
        terminal = sit(sys.executable, "-m", "triage", verb, "--session", "outge.json")
        terminal.wait_for(wanted % verb.encode())
        assert terminal.end() == 2
    done = sgltriage("walk", "--session", "outge.json", stdin=b"")
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", wanted % b"walk" + b"\n")
    assert not (tmp_path / "outge.json").exists()


def test_what_is_refused(tmp_path: Path) -> None:
    """Only a session that is not there, where no log is named; also in a folder that is not there."""
    require_log(None, [])
    require_log(tmp_path / "new.json", ["server.log"])
    for path in (tmp_path / "new.json", tmp_path / "nowhere" / "new.json"):
        with pytest.raises(UsageError, match="to begin one, name a log too"):
            require_log(path, [])


def test_any_value_is_weighed_before_it_is_taken(sgltriage: Command, pack: Path) -> None:
    """What is typed shows what it would move, and is an answer only when that is agreed to; 0 is a value like others."""
    typed = b"5\n900\nn\n0\ny\n0\n"
    done = sgltriage("walk", "--kb", str(pack / "signatures"), "disk.log", stdin=typed)
    assert done.returncode == 0, done.stderr.decode()
    text = done.stdout.decode()
    assert "a value, s skips it, an empty line goes back: 900" in text
    assert "  900 would give: no change" in text
    before, _, after = text.partition("an empty line goes back: 0")
    assert "slow-disk: 33% to 95%" not in before
    assert "  0 would give: slow-disk 33% to 95%" in after
    assert "  slow-disk: 33% to 95%" in after


def test_a_playbook_from_elsewhere_runs_when_it_is_trusted(sit: Sit, pack: Path, tmp_path: Path) -> None:
    """Without its digest it is shown, with the option that lets it run; with it, step by step like ours."""
    walk = (sys.executable, "-m", "triage", "walk", "--kb", pack, "disk.log")
    digest = hashlib.sha256((pack / "playbooks" / "test" / "faster-disk.yaml").read_bytes()).hexdigest()[:12]
    refused = sit(*walk)
    refused.wait_for(b"shows the menu: ")
    refused.type(b"3\n")
    refused.wait_for(f"is not one of ours; --trust {digest} lets it run".encode())
    refused.type(b"0\n0\n")
    assert refused.end() == 0
    trusted = sit(*walk, "--trust", "0" * 12, "--trust", digest)
    trusted.wait_for(b"shows the menu: ")
    trusted.type(b"3\n")
    trusted.wait_for(b"1  go through the steps")
    trusted.type(b"1\n")
    trusted.wait_for(b"[y]es, [s]kip, [q]uit: ")
    assert not (tmp_path / "trace").exists()
    trusted.type(b"y\n")
    trusted.wait_for(b"shows the menu: ")
    assert (tmp_path / "trace").exists()
    trusted.type(b"0\n")
    assert trusted.end() == 0
