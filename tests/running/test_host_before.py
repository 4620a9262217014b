"""The host before and after a run: only what happened since the start is told, and weighs."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from triage.engine import scan_text
from triage.knowledge.compiled import Knowledge
from triage.model import Report
from triage.probing.probe import Transcript
from triage.probing.snapshot import Snapshot, from_json
from triage.running import host_before
from triage.running.host_before import HostBefore

HOST = Path(__file__).parents[2] / "fixtures" / "hosts" / "h100-healthy.json"
BOOT = "[    0.000000] Linux version 6.8.0 (buildd@host)\n"
OLD_KILL = "[  100.000000] Out of memory: Killed process 77 (python3) total-vm:1kB, anon-rss:1kB\n"
NEW_KILL = "[  200.000000] Out of memory: Killed process 4821 (sglang::schedul) total-vm:9kB, anon-rss:8kB\n"
OTHER_KILL = "[  201.000000] Out of memory: Killed process 9 (mysqld) total-vm:9kB, anon-rss:8kB\n"
QUIET = "[  300.000000] nfs: server answers again\n"
Compared = tuple[Mapping[str, object], list[str], Report]
Compare = Callable[..., Compared]


def host(kernel: str, kills: int | None) -> Snapshot:
    """A host whose kernel log says this, and whose control groups have counted so many kills (None: they do not count)."""
    known = from_json(HOST.read_text(encoding="utf-8"))
    log = tuple(
        replace(item, text=kernel) if item.label == "dmesg" else item for item in known.transcripts["dmesg"]
    )  # fmt: skip
    events = "" if kills is None else f"==> /sys/fs/cgroup/memory.events <==\noom 0\noom_kill {kills}\n"
    groups = Transcript("control groups of process self", "ok", f"==> /sys/fs/cgroup/memory.max <==\nmax\n{events}")
    return Snapshot({"dmesg": log, "container-limits": (groups,)}, {}, "2026-03-01T10:00:00+00:00")


@pytest.fixture(name="compare")
def compare_fixture(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> Compare:
    """``compare(before, after, words="")``: facts, lines and report after a server's end, of which a shell would print ``words``,
    on a host that was seen twice; ``before`` None: the first look found nothing."""

    def compare(before: Snapshot | None, after: Snapshot, words: str = "") -> Compared:
        begun = threading.Event()

        def look(*_: object) -> Snapshot:
            if threading.current_thread() is threading.main_thread():
                return after
            # The first look takes longer than the server lived.
            begun.wait(30)
            return before or Snapshot({}, {})

        monkeypatch.setattr(host_before, "ask_host", look)
        seen = scan_text(b"[2026-03-01 09:00:00] The server is fired up and ready to roll!\n", knowledge)
        started = HostBefore()
        threading.Timer(0.05, begun.set).start()
        report, lines = started.compare(seen, knowledge, words, frozenset())
        return {fact.name: fact.value for fact in report.observation.facts}, lines, report

    return compare


@pytest.mark.parametrize(("before", "after", "new"), [(0, 0, 0), (3, 3, 0), (3, 5, 2), (0, 1, 1), (7, 2, 0)])
def test_kills_since_the_start(compare: Compare, before: int, after: int, new: int) -> None:
    """What the control group had counted before is not this server's; a group that was made anew counts from 0."""
    facts, lines, _ = compare(host(BOOT, before), host(BOOT, after))
    assert facts["container.oom_kills"] == new
    assert f"the control group counted {new} kill{'' if new == 1 else 's'} for lack of memory since the start" in lines


@pytest.mark.parametrize("before", [None, host(BOOT, None)], ids=["not seen", "not counted"])
def test_kills_of_nobody_knows_when(compare: Compare, before: Snapshot | None) -> None:
    """Without the count of before it is not known whose kills they were, so nothing is said of them; the rest is."""
    facts, lines, _ = compare(before, host(BOOT, 4))
    assert "container.oom_kills" not in facts
    assert not any("control group" in line for line in lines)
    assert facts["container.memory_limited"] is False


def test_a_kill_that_was_there_before(compare: Compare) -> None:
    """It does not count, and no other one came: that is told, and nothing is confirmed by it."""
    facts, lines, report = compare(host(BOOT + OLD_KILL, 1), host(BOOT + OLD_KILL + QUIET, 1))
    assert facts["kernel.oom_killed"] is False
    assert lines[0] == "the kernel's log since the start: nothing was killed for lack of memory"
    assert "host-oom-killed" not in [item.id for item in report.diagnoses]
    assert "kernel.oom_victims" not in facts


def test_a_kill_since_the_start(compare: Compare) -> None:
    """It counts, alone, and with what the log had before it is not mixed up."""
    facts, lines, report = compare(host(BOOT + OLD_KILL, 1), host(BOOT + OLD_KILL + NEW_KILL, 2))
    assert (facts["kernel.oom_killed"], facts["kernel.oom_victims"]) == (True, ("sglang::schedul",))
    assert lines == [
        "the kernel's log since the start: killed for lack of memory: sglang::schedul",
        "the control group counted 1 kill for lack of memory since the start",
    ]
    assert report.diagnoses[0].id == "host-oom-killed"


def test_another_process_was_killed(compare: Compare) -> None:
    """Nobody of ours: neither that a server was killed is said, nor that nothing was."""
    facts, lines, _ = compare(host(BOOT, 0), host(BOOT + OTHER_KILL, 0))
    assert facts["kernel.oom_victims"] == ("mysqld",)
    assert "kernel.oom_killed" not in facts
    assert not any("kernel's log" in line for line in lines)


def test_a_log_without_news_is_still_a_log(compare: Compare) -> None:
    """The last line that was there before stands for it, without what it said, even if that was a kill."""
    facts, lines, _ = compare(host(BOOT + OLD_KILL, 0), host(BOOT + OLD_KILL, 0))
    assert (facts["kernel.oom_killed"], facts["kernel.log_lines"]) == (False, 1)
    assert "nothing was killed" in lines[0]


def test_the_old_end_is_no_longer_in_the_log(compare: Compare) -> None:
    """The kernel's buffer went round, or the first look found no log: all of its lines count."""
    for before in (host(BOOT + QUIET, 0), None):
        facts, _, _ = compare(before, host(BOOT + NEW_KILL, 0))
        assert facts["kernel.oom_victims"] == ("sglang::schedul",)


def test_the_words_about_the_end_are_evidence(compare: Compare) -> None:
    """What a shell would print is read like a log, as a source of its own."""
    for words, sources in (("Illegal instruction (core dumped)\n", {"exit status"}), ("", set())):
        _, _, report = compare(host(BOOT, 0), host(BOOT, 0), words)
        assert {finding.source for finding in report.observation.findings} - {"<text>", "probe dmesg"} == sources


def test_a_look_that_came_too_late(monkeypatch: pytest.MonkeyPatch, knowledge: Knowledge) -> None:
    """The server had died when the first look ended: what that saw may be the kill itself, so neither kills nor their absence
    are told."""
    with subprocess.Popen([sys.executable, "-c", ""]) as server:
        server.wait()
    asked = threading.Event()

    def look(*_: object) -> Snapshot:
        assert asked.wait(20)
        return host(BOOT + NEW_KILL, 1)

    monkeypatch.setattr(host_before, "ask_host", look)
    late = HostBefore()
    late.began(server.pid)
    asked.set()
    seen = scan_text(b"[2026-03-01 09:00:00] The server is fired up and ready to roll!\n", knowledge)
    report, lines = late.compare(seen, knowledge, "", frozenset())
    assert lines == []
    names = {fact.name for fact in report.observation.facts}
    assert "kernel.oom_killed" not in names
    assert "container.oom_kills" not in names
