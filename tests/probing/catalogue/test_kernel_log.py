"""The kernel's log: killed processes, faults of GPUs."""

from __future__ import annotations

import pytest

from triage.model import Value
from triage.probing.catalogue.kernel_log import PROBES, parse
from triage.probing.probe import NotApplicable, Transcript

QUIET = "[    0.000000] Linux version 6.8.0-45-generic\n[    0.557583] NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  580.95.05\n"
KILL = "Out of memory: Killed process 4711 (python3) total-vm:90kB, anon-rss:80kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:9kB oom_score_adj:0"
SUMMARY = "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,task=sglang::schedul,pid=12,uid=0"
DENIED = "dmesg: read kernel buffer failed: Operation not permitted\n"


def told(dmesg: str, journal: str = "", *, uptime: str = "", status: str = "ok") -> dict[str, Value]:
    """Facts of a log; an empty journal is a missing command."""
    items = [
        Transcript("dmesg", status, dmesg),
        Transcript(
            "journalctl -k -b --no-pager -n 5000",
            "ok" if journal else "absent",
            journal,
            reason="" if journal else "no command journalctl",
        ),
        Transcript("/proc/uptime", "ok" if uptime else "absent", uptime),
    ]
    return dict(parse(items))


def test_a_quiet_log() -> None:
    """Nothing was killed and nothing failed, and that is told."""
    assert told(QUIET) == {
        "kernel.log_lines": 2,
        "kernel.oom_killed": False,
        "kernel.xid_count": 0,
        "kernel.sxid_count": 0,
        "kernel.nvrm_errors": 0,
        "kernel.nvrm_api_mismatch": False,
        "kernel.gpu_fell_off_bus": False,
    }


@pytest.mark.parametrize(
    "line",
    [
        f"[ 9031.002214] {KILL}",
        f"[Sat Nov 21 21:31:08 2026] Memory cgroup {KILL[0].lower()}{KILL[1:]}",
        f"<3>[ 9031.002214][ T4711] {KILL}",
        f"Nov 21 21:31:08 node-1 kernel: {KILL}",
        f"2026-11-21T21:31:08+0000 node-1 kernel: {KILL}",
        "[ 77.1] Out of memory: Kill process 31 (pt_main_thread) score 900 or sacrifice child",
        f"[ 9031.0] {SUMMARY}",
    ],
)
def test_a_server_that_was_killed(line: str) -> None:
    """In the wording of old and new kernels, with the front of dmesg and of the journal."""
    facts = told(QUIET + line + "\n")
    assert facts["kernel.oom_killed"] is True
    assert facts["kernel.oom_kills"] == 1


def test_another_victim_is_told_without_a_verdict() -> None:
    """It neither shows that the server was killed nor that memory sufficed."""
    facts = told(QUIET + "[ 88.0] Out of memory: Killed process 12 (java) total-vm:1kB\n")
    assert facts["kernel.oom_victims"] == ("java",)
    assert "kernel.oom_killed" not in facts


def test_what_a_process_calls_itself_is_not_the_kernel_speaking() -> None:
    """The words must begin the message."""
    facts = told(
        QUIET
        + "[ 90.0] audit: comm=Out of memory: Killed process 1 (python3)\n[ 91.0] x NVRM: Xid (PCI:0000:00:06): 79, y\n"
    )
    assert facts["kernel.oom_killed"] is False
    assert facts["kernel.xid_count"] == 0


def test_the_age_of_the_last_kill() -> None:
    """Counted from the start of the host; a clock that runs behind tells nothing."""
    log = QUIET + f"[  100.0] {KILL}\n[  250.5] {KILL}\n"
    assert told(log, uptime="1000.00 3000.00\n")["kernel.oom_age_s"] == 750
    assert "kernel.oom_age_s" not in told(log, uptime="50.00 1.00\n")


def test_a_log_that_was_cut_does_not_say_that_nothing_happened() -> None:
    """What is cut is its end."""
    assert "kernel.oom_killed" not in told(QUIET + "[ 1.0] filler filler filler\n" * 40_000)


def test_faults_of_gpus() -> None:
    """Numbers in both forms, of GPUs and of switches, each once, counted all."""
    log = (
        "[   38.7] NVRM: Xid (PCI:0000:00:06): 31, pid=627, name=python3, Ch 0000000a, MMU Fault\n"
        "[   39.7] NVRM: Xid (PCI:0000:00:06): 31, pid=627, name=python3, Ch 0000000b, MMU Fault\n"
        "[   40.0] NVRM: Xid (0000:04:00): 79, GPU has fallen off the bus.\n"
        "[   40.1] NVRM: GPU 0000:04:00.0: GPU has fallen off the bus.\n"
        "[   41.0] nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 12028, Non-fatal, Link 32 egress\n"
        "[   42.0] NVRM: API mismatch: the client has the version 570.133.20, but\n"
        "[   43.0] NVRM: RmInitAdapter failed! (0x24:0x65:1589)\n"
    )
    facts = told(log)
    assert facts["kernel.xid_codes"] == (31, 79)
    assert facts["kernel.xid_count"] == 3
    assert facts["kernel.sxid_codes"] == (12028,)
    assert facts["kernel.gpu_fell_off_bus"] is True
    assert facts["kernel.nvrm_api_mismatch"] is True
    assert facts["kernel.nvrm_errors"] == 3


def test_the_journal_where_dmesg_is_denied() -> None:
    """Its refusal is no log."""
    facts = told(DENIED, f"Nov 21 21:31:08 node-1 kernel: {KILL}\n")
    assert facts["kernel.oom_killed"] is True


def test_no_log_at_all() -> None:
    """The reasons of both are given."""
    with pytest.raises(ValueError, match="not permitted; no command journalctl"):
        told(DENIED)
    with pytest.raises(ValueError, match="dmesg printed nothing; No journal files were found"):
        told("", "No journal files were found.\n")


def test_a_sandbox_makes_up_its_log() -> None:
    """It says nothing about the host."""
    with pytest.raises(NotApplicable, match="sandbox"):
        told("[    0.000000] Starting gVisor...\n[    0.5] Letting the watchdogs out...\n")


def test_it_is_read_like_a_log() -> None:
    """Signatures look at its lines too."""
    assert PROBES[0].is_log
