"""``sgltriage probe`` as operators run it: in a folder of its own, on whatever machine runs the tests."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

HOSTS = Path(__file__).parents[2] / "fixtures" / "hosts"
SECRET = "hf_" + "abcdefghijklmnopqrstuvwxyz012345"
OUTCOMES = {"ok", "not-applicable", "unavailable", "timed-out", "unparsable"}


def record(**changes: Any) -> bytes:
    """A snapshot of one file, with changes."""
    item = {"label": "/etc/os-release", "status": "ok", "text": ["NAME=Mine", "ID=mine"]}
    return json.dumps({"kind": "host", "schema_version": 1, "probes": {"os": [item]}} | changes).encode()


def test_this_machine(sgltriage: Command) -> None:
    """It ends within ten seconds, leaves nothing behind, and explains each probe, whatever the machine is."""
    began = time.monotonic()
    done = sgltriage("probe", "--format", "json")
    assert time.monotonic() - began < 20.0  # the run itself has ten; a loaded machine starts slowly
    assert (done.returncode, done.stderr) == (0, b"")
    found = json.loads(done.stdout)
    assert found["schema_version"] == 1
    assert len(found["probes"]) > 25
    for item in found["probes"]:
        assert item["outcome"] in OUTCOMES
        assert bool(item["reason"]) is (item["outcome"] != "ok")
        assert set(item["facts"]) <= set(found["facts"])
    assert found["facts"]["kernel.version"]
    assert [path.name for path in sgltriage.folder.iterdir()] == []


def test_the_text_names_every_probe(sgltriage: Command) -> None:
    """Those that answered with their facts, the others under what was not checked."""
    text = sgltriage("probe", "--host", HOSTS / "minimal-container.json").stdout.decode()
    told, _, rest = text.partition("\nnot checked\n")
    assert "\ndriver-version\n  driver.version                     580.95.05\n" in told
    assert "\n  driver.open_module                 yes\n" in told
    assert "  python-packages        unavailable: " in rest
    assert "  dmesg                  unavailable: dmesg: klogctl: Operation not permitted" in rest
    assert " of 34 probes answered; " in rest.split("\n")[-2]


def test_a_recording_gives_the_same_report(sgltriage: Command) -> None:
    """Byte for byte, in both formats, and a recording of a recording is the same file but for the release."""
    assert sgltriage("probe", "--record", "host.json").returncode == 0
    for fmt in ("text", "json"):
        first = sgltriage("probe", "--host", "host.json", "--format", fmt)
        assert first.returncode == 0
        assert first.stdout == sgltriage("probe", "--host", "host.json", "--format", fmt).stdout
    assert sgltriage("probe", "--host", "host.json", "--record", "again.json").returncode == 0
    assert (sgltriage.folder / "again.json").read_bytes() == (sgltriage.folder / "host.json").read_bytes()


def test_a_recording_is_the_owners_business(sgltriage: Command) -> None:
    """Nobody else may read the file; what is printed beside it goes to standard error."""
    done = sgltriage("probe", "--record", "host.json", "--only", "os")
    assert (sgltriage.folder / "host.json").stat().st_mode & 0o777 == 0o600
    assert done.stderr.decode() == "sgltriage: wrote host.json; 0 secrets were redacted\n"
    assert done.stdout.startswith(b"os\n")


def test_no_secret_leaves(sgltriage: Command) -> None:
    """Neither in the recording nor on the screen; that there was one is counted."""
    variables = {"HTTPS_PROXY": f"http://me:{SECRET}@10.0.0.1:3128", "SGLANG_API_KEY": SECRET, "HF_HOME": "/models"}
    done = sgltriage("probe", "--record", "host.json", "--only", "environment", env=variables)
    stored = (sgltriage.folder / "host.json").read_text(encoding="utf-8")
    assert SECRET not in stored
    assert SECRET.encode() not in done.stdout + done.stderr
    assert "10.0.0.1:3128" in stored
    assert "HF_HOME=/models" in stored
    assert sum(json.loads(stored)["redacted"].values()) >= 1
    assert b"; 0 secrets" not in done.stderr


def test_only_some(sgltriage: Command) -> None:
    """Those alone are run and recorded."""
    done = sgltriage("probe", "--only", "ulimit", "--only", "os", "--format", "json", "--record", "host.json")
    assert [item["name"] for item in json.loads(done.stdout)["probes"]] == ["os", "ulimit"]
    assert sorted(json.loads((sgltriage.folder / "host.json").read_bytes())["probes"]) == ["os", "ulimit"]


def test_a_probe_that_nobody_knows(sgltriage: Command) -> None:
    """A wrong name is wrong usage, with the nearest right one."""
    done = sgltriage("probe", "--only", "python-package")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"no probe 'python-package'" in done.stderr
    assert b"python-packages" in done.stderr


def test_the_list(sgltriage: Command) -> None:
    """A line for each, without running any."""
    lines = sgltriage("probe", "--list").stdout.decode().splitlines()
    assert len(lines) > 25
    assert lines == sorted(lines)
    assert "shm-size               Size of shared memory, /dev/shm" in lines


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[1]", b"\xff\xfe\x00", b"[" * 100_000, b'{"kind": "host"}', record(schema_version=9), record(probes=7),
        record(probes={"os": [{"label": 1}]}), record(probes={"os": [{"label": "x", "status": "fine", "text": []}]}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["probe", "scan"])
def test_what_is_no_snapshot(sgltriage: Command, data: bytes, verb: str) -> None:
    """One line that names the file, status 2 (1 for ``scan`` would mean findings), no traceback and no crash report."""
    (sgltriage.folder / "bad.json").write_bytes(data)
    (sgltriage.folder / "server.log").write_bytes(b"[2026-03-01 10:00:00] hello\n")
    done = sgltriage(verb, "--host", "bad.json", *(["server.log"] if verb == "scan" else []))
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1
    assert b"bad.json" in done.stderr


def test_a_snapshot_that_is_not_there(sgltriage: Command) -> None:
    """Wrong usage."""
    done = sgltriage("probe", "--host", "missing.json")
    assert done.returncode == 2
    assert b"missing.json" in done.stderr


def test_control_characters_of_a_snapshot_are_shown_not_sent(sgltriage: Command) -> None:
    """Somebody else's file must not drive our terminal."""
    item = {"label": "/etc/os-release", "status": "ok", "text": ["NAME=\x1b]0;mine\x07x\u202e", "ID=a\x1b[2Jb"]}
    (sgltriage.folder / "host.json").write_bytes(record(probes={"os": [item], "gone\x1b[31m": []}))
    for fmt in ("text", "json"):
        done = sgltriage("probe", "--host", "host.json", "--format", fmt)
        assert done.returncode == 0
        assert not {b"\x1b", b"\x07", "\u202e".encode()} & {done.stdout[at : at + n] for at in range(len(done.stdout)) for n in (1, 3)}  # fmt: skip


def test_a_snapshot_of_part_of_a_host(sgltriage: Command) -> None:
    """What it does not hold is not checked, and what nobody knows is left alone."""
    (sgltriage.folder / "host.json").write_bytes(record())
    found = json.loads(sgltriage("probe", "--host", "host.json", "--format", "json").stdout)
    outcomes = {item["name"]: (item["outcome"], item["reason"]) for item in found["probes"]}
    assert outcomes.pop("os") == ("ok", "")
    assert set(outcomes.values()) == {("unavailable", "the snapshot does not hold it")}
    assert found["facts"] == {"os.name": "Mine", "os.id": "mine"}


def test_a_folder_that_cannot_be_written_to(sgltriage: Command) -> None:
    """One line, and the name of the file."""
    done = sgltriage("probe", "--only", "os", "--record", "no/such/folder/host.json")
    assert done.returncode != 0
    assert done.stderr.decode().strip().split("\n")[-1].endswith("No such file or directory")
