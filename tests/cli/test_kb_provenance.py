"""``sgltriage kb provenance`` on small made-up releases, with one signature in place of the bundled hundreds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

SIGNATURE = """\
id: {id}
title: A sample
component: torch
severity: error
role: root
prevalence: rare
explanation: Because.
fix: Mend it.
evidence:
  - id: the-line
    log: '{pattern}'
    strength: decisive
provenance:
  - {{source: {source}, releases: '{releases}'}}
examples:
  - {pattern}
near_misses:
  - all is well
"""


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path) -> Path:
    """Two releases and a pack: one signature alive in the old one, one dead, one of other software."""
    for version, text in (("0.4.3.post4", "flux pool is empty"), ("0.5.3", "flux pool is drained")):
        path = tmp_path / "releases" / version / "sglang" / "srt" / "pool.py"
        path.parent.mkdir(parents=True)
        path.write_text(f"raise ValueError('{text}')\n", encoding="utf-8")
    (tmp_path / "releases" / "notes").mkdir()
    for top, name, pattern, source in (
        ("bundled", "flux-bundled", "flux pool is bundled", "sglang/srt/pool.py"),
        ("pack", "flux-alive", "flux pool is empty", "sglang/srt/pool.py"),
        ("pack", "flux-dead", "flux pool is on fire", "sglang/srt/pool.py"),
        ("pack", "flux-foreign", "flux pool is foreign", "NCCL src/init.cc"),
    ):
        path = tmp_path / top / "memory" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SIGNATURE.format(id=name, pattern=pattern, source=source, releases="<0.5"), encoding="utf-8")
    return tmp_path


Run = Callable[..., "subprocess.CompletedProcess[bytes]"]

# Compiling the bundled signatures together with a pack takes a quarter of a minute, and none of them matters here.
_DRIVER = """
import sys
from pathlib import Path
import triage.engine
triage.engine.bundled_directory = lambda kind: "bundled"
from triage.cli.main import run
run()
"""


@pytest.fixture(name="provenance")
def provenance_fixture(sgltriage: Command, folder: Path) -> Run:
    """``sgltriage kb provenance`` as a process of its own, with the pack, where ``bundled`` is all that is bundled."""

    def call(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-c", _DRIVER, "kb", "provenance", *arguments, "--kb", "pack"],
            capture_output=True, cwd=folder, env=sgltriage.environment, timeout=120, check=False,
        )  # fmt: skip

    return call


def test_report(provenance: Run) -> None:
    """Each literal with its releases, then what is dead and what differs; exit status 1 for the dead one."""
    done = provenance("releases", "flux-alive", "flux-dead", "flux-foreign")
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.decode().splitlines() == [
        "flux-alive",
        "  the-line/0: 0.4.3.post4",
        "    'flux pool is empty': 0.4.3.post4",
        "flux-dead",
        "  the-line/0: in no release",
        "    'flux pool is on fire': none",
        "flux-foreign",
        "  the-line/0: not from sglang",
        "    'flux pool is foreign': none",
        "dead: flux-dead/the-line/0",
        "differs: flux-dead: sglang/srt/pool.py does not print it in 0.4.3.post4",
        "3 signatures, 3 patterns, 2 releases, 1 dead pattern",
    ]


def test_clean(provenance: Run) -> None:
    """Without a dead pattern the status is 0."""
    done = provenance("releases", "flux-alive")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        b"1 signature, 1 pattern, 2 releases, 0 dead patterns",
    )


def test_stored(provenance: Run, folder: Path) -> None:
    """--json stores what is said to be SGLang's, of all signatures, over the releases that were asked for."""
    done = provenance("releases", "--releases", "0.4.3", "--json", "found.json")
    assert (done.returncode, done.stderr) == (1, b"")
    stored = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    assert stored["releases"] == ["0.4.3.post4"]
    assert stored["patterns"]["flux-alive/the-line/0"] == {"releases": "all", "literals": {"flux pool is empty": "all"}}
    assert stored["patterns"]["flux-dead/the-line/0"]["releases"] == "none"
    assert sorted(stored["patterns"]) == ["flux-alive/the-line/0", "flux-bundled/the-line/0", "flux-dead/the-line/0"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pack"], "pack has no VERSION/sglang"),
        (["releases", "--releases", "0.5.3,0.9"], "releases has no 0.9"),
        (["nowhere"], "'nowhere' does not exist"),
        (["releases", "flux-alive", "--json", "x.json"], "leave the IDs out"),
        (["releases", "flux-alife"], "did you mean 'flux-alive'"),
        (["releases", "--json", "nowhere/x.json"], "nowhere/x.json: No such file or directory"),
    ],
)
def test_usage_errors(provenance: Run, arguments: list[str], message: str) -> None:
    """A folder without releases, a release or an id that is not there, a file that cannot be written: one line, exit 2."""
    done = provenance(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1
