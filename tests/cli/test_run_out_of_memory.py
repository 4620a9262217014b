"""``sgltriage run`` while the kernel really kills the server for lack of memory, in a control group made for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

VARIABLE = "SGLTRIAGE_OUT_OF_MEMORY"
LIMIT = 320 << 20
SERVER = """
print("[2026-03-01 09:00:00] server_args=ServerArgs(model_path='/m', tp_size=1)", flush=True)
held = []
for number in range(200):
    held.append(bytearray(b"x" * (16 << 20)))
    print("held", number, flush=True)
"""

pytestmark = pytest.mark.slow


@pytest.fixture(name="group")
def group_fixture() -> Iterator[Path]:
    """A control group of at most LIMIT bytes, without swap, and without a process yet."""
    if VARIABLE not in os.environ:
        # Other tests look at the same kernel's log.
        pytest.skip(f"has the kernel kill a process for lack of memory: set {VARIABLE}=1, and run it by itself")
    for root, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        group = Path(root, f"sgltriage-test-{os.getpid()}")
        try:
            group.mkdir()
            (group / limit).write_text(str(LIMIT))
        except OSError:
            if group.is_dir():
                group.rmdir()
            continue
        yield group
        end = time.monotonic() + 20
        while (group / "cgroup.procs").read_text():
            assert time.monotonic() < end, "something is left in it"
            time.sleep(0.05)
        group.rmdir()
        return
    pytest.skip("no control group with a limit of memory can be made here")


def test_the_kill_is_named(sgltriage: Command, group: Path) -> None:
    """The server's status is that of the kill, and the cause is what the kernel and the control group say of it."""
    (sgltriage.folder / "server.py").write_text(SERVER)
    words = (
        f'echo $$ > "{group}/cgroup.procs" && '
        f'exec "{sys.executable}" -m triage run --report report.json -- "{sys.executable}" server.py'
    )
    done = subprocess.run(
        ["sh", "-c", words],
        capture_output=True,
        cwd=sgltriage.folder,
        env=sgltriage.environment,
        timeout=120,
        check=False,
    )
    said = done.stderr.decode(errors="replace")
    assert done.returncode == 137, said
    assert "the server was ended by signal 9 (SIGKILL); a signal does not tell who sent it" in said
    assert "for lack of memory since the start" in said
    report = json.loads((sgltriage.folder / "report.json").read_bytes())
    assert (report["verdict"], report["diagnoses"][0]["id"]) == ("confirmed", "host-oom-killed")
    assert done.stdout.splitlines()[-1].startswith(b"held ")
