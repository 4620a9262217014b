"""The journal of a run: every record on disk, in a chain; ours alone; one writer; and nothing is run without it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.fixing.execution import Executed
from triage.fixing.journal import Journal, JournalBroken, RunGoingOn, journal_directory
from triage.fixing.journal_store import ChainBroken, Event, JournalUnavailable, read_chain, seal
from triage.fixing.runs import cut_off, latest, list_runs, verify
from triage.fixing.step_records import command_data, outcome_data
from triage.safety.redact import Redactor

ROOT = os.geteuid() == 0
NOBODY = 65534
PLAN = {"playbook": "free-port", "steps": ["a", "b"]}


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path) -> Path:
    """Where journals go; not there yet."""
    return tmp_path / "state" / "sgltriage" / "journal"


def written(folder: Path) -> Path:
    """The journal of a short run that ended."""
    with Journal.create(folder, PLAN) as journal:
        journal.append("begin", step="a", argv=["/bin/true"])
        journal.append("end", step="a", ok=True, exit=0)
        return journal.path


def why(found: ChainBroken | None) -> str:
    """What is wrong with a journal that is broken."""
    assert found is not None
    assert not found.torn
    return f"{found.line}: {found.why}"


def test_what_was_written_is_read(folder: Path) -> None:
    """Numbers, times, events and data come back; tuples and numbers as keys are what JSON makes of them."""
    with Journal.create(folder, PLAN) as journal:
        journal.append("begin", step="a", argv=("x", "\udc9b\u202e"), undo={1: {"backup": None}})
        path, records = journal.path, journal.records()
    assert verify(path) is None
    chain = read_chain(path.read_bytes())
    assert chain.records == records
    assert [(item.n, item.event, item.step) for item in records] == [(1, "plan", None), (2, "begin", "a")]
    assert records[0].data == {**PLAN, "pid": os.getpid()}
    assert records[1].data["argv"] == ["x", "\udc9b\u202e"]
    assert records[1].data["undo"] == {"1": {"backup": None}}
    assert {item.run for item in records} == {path.stem}
    assert records[1].prev == records[0].hash


def test_a_line_is_plain_json(folder: Path) -> None:
    """Other programs can read it, and its hash is of the rest of it, as canonical JSON."""
    import hashlib

    for line in written(folder).read_bytes().splitlines():
        body = json.loads(line)
        digest = body.pop("hash")
        assert hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest() == digest


def test_it_is_ours_alone_whatever_the_umask(folder: Path) -> None:
    """Folder 0700 and file 0600."""
    before = os.umask(0)
    try:
        path = written(folder)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_record_is_on_disk_when_it_is_said_to_be(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each append waits for the disk, after the whole line was written; at the beginning the folders do too."""
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        assert stat.S_ISDIR(os.fstat(descriptor).st_mode) or journal_bytes(synced[-1]).endswith(b"}\n")
        real(descriptor)

    def journal_bytes(path: str) -> bytes:
        return Path(path).read_bytes()

    monkeypatch.setattr(os, "fsync", fsync)
    with Journal.create(folder, PLAN) as journal:
        assert synced == [str(journal.path), str(folder), str(folder.parent)]
        journal.append("begin", step="a")
        assert synced[3:] == [str(journal.path)]


@pytest.mark.parametrize(
    "data",
    [{"hash": "x"}, {"run": "x"}, {"value": float("nan")}, {"value": b"x"}, {"value": {1, 2}}],
    ids=["hash", "run", "nan", "bytes", "set"],
)
def test_what_is_no_record(folder: Path, data: dict[str, object]) -> None:
    """Names of the record's own and what JSON cannot hold are errors of the caller; the journal stays as it was."""
    with Journal.create(folder, PLAN) as journal:
        with pytest.raises(ValueError):
            journal.append("begin", **data)
        journal.append("begin", step="a")
    assert verify(journal.path) is None


def test_an_end_says_whether_it_went_well(folder: Path) -> None:
    """Without a word on that nobody could tell a finished step from a failed one; unknown events are none; a plan has a playbook."""
    with Journal.create(folder, PLAN) as journal:
        with pytest.raises(ValueError, match="ok=True"):
            journal.append("end", step="a", exit=0)
        with pytest.raises(ValueError, match="no event"):
            journal.append("finish", step="a")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="playbook"):
        Journal.create(folder, {})
    assert len(list(folder.iterdir())) == 1


def test_every_flipped_bit_is_detected(folder: Path) -> None:
    """Each bit of a whole journal, one at a time: the chain is broken, at the line of that bit or the one before."""
    data = written(folder).read_bytes()
    assert read_chain(data).broken is None
    for at in range(len(data)):
        line = data.count(b"\n", 0, at) + 1
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            broken = read_chain(bytes(flipped)).broken
            assert broken is not None, (at, bit)
            assert broken.line == line, (at, bit)
            assert not broken.torn, (at, bit)


@given(st.data())
def test_every_other_change_is_detected(data: st.DataObject) -> None:
    """Lines left out, doubled or put elsewhere, and bytes put in; all but lines missing at the end."""
    lines: list[bytes] = []
    prev = "0" * 64
    for n in range(1, 6):
        record, line = seal(n, f"t{n}", "run", "begin" if n > 1 else "plan", {"step": str(n)}, prev)
        lines.append(line)
        prev = record.hash
    assert read_chain(b"".join(lines)).broken is None
    changed = data.draw(st.lists(st.sampled_from(lines), min_size=1, max_size=7))
    faulty = changed != lines[: len(changed)]
    assert (read_chain(b"".join(changed)).broken is not None) == faulty
    whole = b"".join(lines)
    at = data.draw(st.integers(0, len(whole) - 1))
    extra = data.draw(st.binary(min_size=1, max_size=3))
    if whole[:at] + extra + whole[at:] != whole:
        assert read_chain(whole[:at] + extra + whole[at:]).broken is not None


def test_why_a_chain_is_broken(folder: Path) -> None:
    """Line and reason are told: a changed value, other spacing, a line left out, a line of another run."""
    path = written(folder)
    first, second, third = path.read_bytes().splitlines(keepends=True)
    for data, told in (
        (first + second.replace(b"true", b"tRue") + third, "2: its hash does not fit"),
        (first + second.replace(b",", b", ", 1) + third, "2: is not of the form"),
        (first + third, "2: is number 3"),
        (second + third, "1: is number 2"),
        (first + b"\n" + second, "2: is no JSON"),
        (first + b"[" * 100_000 + b"\n", "2: is no JSON"),
        (first[:-1], None),
        (first + second[:-1] + b"\x0b", "2: does not end in a line feed"),
    ):
        path.write_bytes(data)
        if told is None:
            assert verify(path) == ChainBroken(
                1, f"was not written to its end: {len(first) - 1} bytes of it are there", True
            )
        else:
            assert why(verify(path)).startswith(told)
            with pytest.raises(JournalBroken, match=told.partition(" ")[2]):
                Journal.reopen(path)
    assert Path(path).read_bytes() == first + second[:-1] + b"\x0b"


def test_a_torn_end_is_cut_off_and_told(folder: Path) -> None:
    """At each byte of the last record, and with zeros behind it as after power loss: the chain up to it stands, the run goes on,
    and what was cut off is told."""
    path = written(folder)
    data = path.read_bytes()
    start = data[:-1].rindex(b"\n") + 1
    for end in range(start + 1, len(data)):
        for more in (b"", b"\0" * 7) if end < len(data) - 1 else (b"",):
            path.write_bytes(data[:end] + more)
            torn = verify(path)
            assert torn is not None
            assert (torn.line, torn.torn) == (3, True)
            if end % 40 == 0 or end == len(data) - 1:
                with Journal.reopen(path) as journal:
                    assert [item.event for item in journal.records()] == ["plan", "begin", "torn", "resume"]
                    assert journal.records()[2].data["bytes"] == end - start + len(more)
                assert path.read_bytes().startswith(data[:start])
                assert verify(path) is None


def test_a_run_is_taken_up_again(folder: Path) -> None:
    """Its records are there, ``resume`` tells the new process, and the chain goes on."""
    path = written(folder)
    with Journal.reopen(path) as journal:
        assert [item.event for item in journal.records()] == ["plan", "begin", "end", "resume"]
        journal.append("begin", step="b")
    assert verify(path) is None
    with pytest.raises(JournalUnavailable):
        journal.append("end", step="b", ok=True)


def test_one_writer_at_a_time(folder: Path) -> None:
    """A second process, and we ourselves once more, are told who has the run; after its end it is free."""
    with Journal.create(folder, PLAN) as journal:
        with pytest.raises(RunGoingOn, match=f"run {journal.run} is going on, pid {os.getpid()}"):
            Journal.reopen(journal.path)
        code = "import sys; from pathlib import Path; from triage.fixing.journal import Journal; Journal.reopen(Path(sys.argv[1]))"
        done = subprocess.run((sys.executable, "-c", code, journal.path), capture_output=True, text=True, check=False)
        assert f"is going on, pid {os.getpid()}" in done.stderr
        assert list_runs(folder)[0].live
        journal.append("begin", step="a")
    assert not list_runs(folder)[0].live
    Journal.reopen(journal.path).close()


def test_ctrl_c_between_a_record_and_our_knowing_of_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record that reached the file counts, and the next one follows it."""
    with Journal.create(folder, PLAN) as journal:

        def interrupt(_: int) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", interrupt)
            with pytest.raises(KeyboardInterrupt):
                journal.append("begin", step="a")
        journal.append("end", step="a", ok=False)
        assert [item.event for item in journal.records()] == ["plan", "begin", "end"]
    assert verify(journal.path) is None


FULL = """
import resource, sys
from pathlib import Path
from triage.fixing.journal import Journal
from triage.fixing.journal_store import JournalUnavailable
journal = Journal.create(Path(sys.argv[1]), {"playbook": "p"})
size = journal.path.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, size + 100))
for _ in range(2):
    try:
        journal.append("begin", step="a")
    except JournalUnavailable as error:
        print(error)
assert journal.path.stat().st_size == size
print(len(journal.records()))
"""


def test_a_full_disk(folder: Path) -> None:
    """A record that does not fit leaves nothing behind and is told, at once and from then on."""
    done = subprocess.run((sys.executable, "-c", FULL, folder), capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert "no space left" in lines[0]
    assert "could not be written before" in lines[1]
    assert lines[2] == "1"
    assert [summary.broken for summary in list_runs(folder)] == [None]


def test_a_run_that_could_not_be_begun_leaves_no_journal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fails at the first record: unavailable, and nothing lies there."""

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(JournalUnavailable, match="Input/output error"):
        Journal.create(folder, PLAN)
    assert list(folder.iterdir()) == []


def _file_above(folder: Path) -> None:
    folder.parent.parent.mkdir(parents=True)
    folder.parent.write_text("x", encoding="utf-8")


def _link(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    (folder.parent / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to("elsewhere")


def _open_to_others(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o755)


def _everybody_above(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.parent.chmod(0o777)


@pytest.mark.parametrize(
    ("arrange", "told"),
    [
        (_file_above, "Not a directory|File exists"),
        (_link, "Not a directory|Too many levels"),
        (_open_to_others, "open to others"),
        (_everybody_above, "everybody may write"),
    ],
)
def test_folders_that_are_not_used(folder: Path, arrange: Callable[[Path], None], told: str) -> None:
    """No folder, a link, one that others can read or replace: unavailable with the reason, and nothing is written."""
    arrange(folder)
    with pytest.raises(JournalUnavailable, match=told):
        Journal.create(folder, PLAN)
    assert not list(folder.parent.glob("*/*.jsonl"))


@pytest.mark.skipif(not ROOT, reason="files of other users are made by root alone")
@pytest.mark.parametrize("which", ["folder", "above", "file"])
def test_what_belongs_to_somebody_else(folder: Path, which: str) -> None:
    """His folder, a folder of ours in his, his file in ours: unavailable, with his number."""
    path = written(folder)
    os.chown({"folder": folder, "above": folder.parent, "file": path}[which], NOBODY, NOBODY)
    with pytest.raises(JournalUnavailable, match=f"belongs to user {NOBODY}"):
        Journal.reopen(path)
    if which != "file":
        with pytest.raises(JournalUnavailable, match=f"belongs to user {NOBODY}"):
            Journal.create(folder, PLAN)
    else:
        assert list_runs(folder) == ()


def test_files_that_are_not_taken_up(folder: Path) -> None:
    """Readable by others, with a second name, a link, a pipe, absent: unavailable, and no wait."""
    path = written(folder)
    path.chmod(0o640)
    with pytest.raises(JournalUnavailable, match="open to others"):
        Journal.reopen(path)
    path.chmod(0o600)
    os.link(path, folder.parent / "second")
    with pytest.raises(JournalUnavailable, match="second name"):
        verify(path)
    (folder.parent / "second").unlink()
    (folder / "link.jsonl").symlink_to(path)
    os.mkfifo(folder / "pipe.jsonl", 0o600)
    for name in ("link", "pipe", "gone"):
        with pytest.raises(JournalUnavailable):
            Journal.reopen(folder / f"{name}.jsonl")
    assert [summary.path for summary in list_runs(folder)] == [path]


def test_no_descriptor_is_left_behind(folder: Path) -> None:
    """Neither by runs nor by refusals."""
    path = written(folder)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        written(folder)
        with Journal.reopen(path), pytest.raises(RunGoingOn):
            Journal.reopen(path)
        list_runs(folder)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_list_of_runs(folder: Path) -> None:
    """The newest first, each with its playbook; broken and torn ones are listed as such; the latest of one playbook is found."""
    assert list_runs(folder) == ()
    assert latest(folder) is None
    now = datetime(2026, 1, 2, tzinfo=timezone.utc)
    paths = []
    for day, playbook in enumerate(("one", "two", "one", "two")):
        with Journal.create(folder, {"playbook": playbook}, now=lambda day=day: now + timedelta(days=day)) as journal:  # type: ignore[misc]
            paths.append(journal.path)
    data = paths[0].read_bytes()
    paths[0].write_bytes(data.replace(b"one", b"0ne"))
    with paths[1].open("ab") as stream:
        stream.write(b'{"event"')
    runs = list_runs(folder)
    assert [run.path for run in runs[:3]] == paths[:0:-1]
    assert [run.broken and run.broken.torn for run in runs] == [None, None, True, False]
    assert runs[0].time == "2026-01-05T00:00:00.000000Z"
    assert runs[0].run.startswith("20260105T000000Z-")
    found = latest(folder, "one")
    assert found is not None
    assert found.path == paths[2]
    assert latest(folder, "three") is None


def test_where_journals_go() -> None:
    """As the desktop rules say; a relative path is ignored; without a home nothing can be run."""
    assert journal_directory({"XDG_STATE_HOME": "/s", "HOME": "/h"}) == Path("/s/sgltriage/journal")
    assert journal_directory({"XDG_STATE_HOME": "s", "HOME": "/h"}) == Path("/h/.local/state/sgltriage/journal")
    with pytest.raises(JournalUnavailable, match="XDG_STATE_HOME"):
        journal_directory({"HOME": "h"})


def test_a_command_is_kept_without_its_secrets() -> None:
    """What may be shown, and a digest of what it exactly is: the same words give the same, other words or other cuts do not."""
    data = command_data(("/bin/x", "--api-key", "s3cr3t-value", "a b"), Redactor())
    assert "s3cr3t" not in json.dumps(data)
    assert data["argv"][:2] == ["/bin/x", "--api-key"]
    others = [("/bin/x", "--api-key", "s3cr3t-value", "a", "b"), ("/bin/x", "--api-key", "other", "a b"), ("/bin/x",)]
    digests = {command_data(argv, Redactor())["argv_sha256"] for argv in others}
    assert len(digests | {data["argv_sha256"]}) == 4


def test_an_outcome_is_a_record(folder: Path) -> None:
    """What a command came to fits into a journal as it is."""
    done = Executed(None, 9, True, "tail \u202e", "d" * 64, 70_000, 1.5)
    with Journal.create(folder, PLAN) as journal:
        record = journal.append("end", step="a", ok=False, **outcome_data(done))
    assert record.data["signal"] == 9
    assert record.data["output_sha256"] == "d" * 64
    assert verify(journal.path) is None


STOPPED: tuple[Event, dict[str, object]] = ("verdict", {"verdict": "cannot tell yet", "stopped": True})
ENDED: tuple[Event, dict[str, object]] = ("verdict", {"verdict": "fixed", "stopped": False})


@pytest.mark.parametrize(
    ("events", "is_over"),
    [
        ([], False),
        ([("begin", {"step": "a"})], False),
        ([STOPPED], False),
        ([STOPPED, ("resume", {}), ENDED], True),
        ([ENDED], True),
        ([STOPPED, ("undo-begin", {"step": "a"})], True),
        ([ENDED, ("undo-begin", {"step": "a"}), ("undo-end", {"step": "a", "ok": True})], True),
    ],
)
def test_which_runs_can_be_taken_up(folder: Path, events: list[tuple[Event, dict[str, object]]], is_over: bool) -> None:
    """Those that were cut off or broken off; one that went through all its steps, or was taken back, is over."""
    with Journal.create(folder, {"playbook": "one"}) as journal:
        for event, data in events:
            journal.append(event, **data)
    found = cut_off(folder)
    assert (found is None) is is_over
    assert cut_off(folder, "another") is None


def test_the_run_that_is_taken_up(folder: Path) -> None:
    """The newest that is not over; one that a later run of the same playbook made up for is not."""
    times = iter(range(1, 100))

    def begin(playbook: str, *events: tuple[Event, dict[str, object]]) -> Path:
        now = datetime(2026, 3, 1, tzinfo=timezone.utc) + timedelta(hours=next(times))
        with Journal.create(folder, {"playbook": playbook}, now=lambda: now) as journal:
            for event, data in events:
                journal.append(event, **data)
            return journal.path

    begin("one")
    begin("one", ENDED)
    assert cut_off(folder) is None
    older = begin("two", STOPPED)
    newer = begin("three")
    begin("four", ENDED)
    found = [cut_off(folder, name) for name in (None, "two", "four")]
    assert [item and item.path for item in found] == [newer, older, None]
