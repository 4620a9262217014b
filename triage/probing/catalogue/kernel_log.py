"""The kernel's own log: killed for lack of memory, faults that the NVIDIA driver reports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from triage.lazy_regex import lazy_regex
from triage.model import Value
from triage.probing.catalogue.nvidia_devices import first
from triage.probing.probe import Command, File, NotApplicable, Probe, Transcript, Unavailable, by_label, fixed

_DMESG = Command(("dmesg",), 5.0, tail=True)
_JOURNAL = Command(("journalctl", "-k", "-b", "--no-pager", "-n", "5000"), 5.0, tail=True)
_UPTIME = File("/proc/uptime")

# "[  12.5] text", "[Sat Nov 21 ...] text", "<4>[ 12.5][ T1] text", "Nov 21 21:24:40 node-1 kernel: text", and a time zone's form.
_FRONT = lazy_regex(
    r"(?:<\d{1,3}>)?(?:\[[^\]\n]{1,40}\] ?){1,3}|\S[^\n]{5,60}? \S{1,100} kernel: ?(?:\[[^\]\n]{1,40}\] ?)?"
)
_VICTIM = lazy_regex(r"(?:Out of memory|Memory cgroup out of memory): Kill(?:ed)? process \d{1,10} \(([^)\n]{0,64})\)")
_OOM = lazy_regex(r"oom-kill:constraint=\w+,.{0,2000}?,task=([^,\n]{0,64}),pid=")
_XID = lazy_regex(r"NVRM: Xid \([^)\n]{1,40}\): (\d{1,4})\b")
_SXID = lazy_regex(r"nvidia-nvswitch\d{0,3}: SXid \([^)\n]{1,40}\): (\d{1,5})\b")
_NVRM_ERROR = lazy_regex(
    r"NVRM: (?!Xid ).{0,300}?(?:error|failed|fail(?:ure)?\b|mismatch|fallen off|timeout|could not|unable to)",
    re.IGNORECASE,
)
# What a server's processes are called: the interpreter, SGLang's titles, Ray's workers, the router.
_SERVER_NAME = lazy_regex(r"python|sglang|sgl-|ray::|pt_main_thread|uvicorn|torchrun|mooncake|triton", re.IGNORECASE)
_MOST_NAMES = 16
# A transcript is cut at one MiB, and what is cut is its end.
_WHOLE = 1_000_000


def parse(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    """Facts ``kernel.*`` of the first log that can be read. Raises Unavailable, with the reasons, if none can, and
    NotApplicable for the made-up log of a sandbox.

    ``kernel.oom_killed`` is true where a process was killed that can be a server's, false where none was at all; another
    process that was killed is only in ``kernel.oom_victims``.
    """
    text = _readable(transcripts)
    if "Starting gVisor" in text:
        raise NotApplicable("the log is a sandbox's own, not the kernel's")
    lines = [line[front.end() :] for line in text.splitlines() if (front := _FRONT.match(line)) is not None]
    yield "kernel.log_lines", len(lines)
    yield from _memory(lines, whole=len(text) < _WHOLE)
    yield from _age(text, by_label(transcripts, _UPTIME.label))
    yield from _codes("kernel.xid", _XID, lines)
    yield from _codes("kernel.sxid", _SXID, lines)
    yield "kernel.nvrm_errors", sum(_NVRM_ERROR.match(line) is not None for line in lines)
    yield "kernel.nvrm_api_mismatch", any(line.startswith("NVRM: API mismatch") for line in lines)
    yield "kernel.gpu_fell_off_bus", any("fallen off the bus" in line and "NVRM" in line for line in lines)


def _memory(lines: Sequence[str], *, whole: bool) -> Iterator[tuple[str, Value]]:
    killed = [found[1] for line in lines if (found := _VICTIM.match(line)) is not None]
    # The summary line is printed beside the other one, and survives where that one was lost.
    killed = killed or [found[1] for line in lines if (found := _OOM.match(line)) is not None]
    if killed:
        yield "kernel.oom_victims", tuple(sorted(set(killed))[:_MOST_NAMES])
        yield "kernel.oom_kills", len(killed)
    if any(map(_SERVER_NAME.search, killed)):
        yield "kernel.oom_killed", True
    elif not killed and whole:
        yield "kernel.oom_killed", False


def _age(text: str, uptime: Transcript | None) -> Iterator[tuple[str, Value]]:
    """Seconds since the last process was killed for memory, where the log counts from the start of the host."""
    now = re.match(r"\d{1,12}", uptime.text) if uptime is not None else None
    stamps = re.findall(
        r"^(?:<\d{1,3}>)?\[ {0,8}(\d{1,12})\.\d+\][^\n]{0,40}? [^\n]{0,20}?ut of memory: Kill", text, re.MULTILINE
    )
    # In some containers the clock begins with the container: a negative age tells nothing.
    if now is not None and stamps and int(now[0]) >= int(stamps[-1]):
        yield "kernel.oom_age_s", int(now[0]) - int(stamps[-1])


def _codes(name: str, pattern: re.Pattern[str], lines: Sequence[str]) -> Iterator[tuple[str, Value]]:
    codes = [int(found[1]) for line in lines if (found := pattern.match(line)) is not None]
    yield f"{name}_count", len(codes)
    if codes:
        yield f"{name}_codes", tuple(sorted(set(codes)))


def _readable(transcripts: Sequence[Transcript]) -> str:
    reasons = []
    for command in ("dmesg", "journalctl"):
        item = first(transcripts, command)
        if item.status == "ok" and any(map(_FRONT.match, item.text.splitlines())):
            return item.text
        # "dmesg: read kernel buffer failed: Operation not permitted" is an answer to the caller, not a log.
        said = item.text.strip().rpartition("\n")[2][:120]
        reasons.append(item.reason or said or f"{command} printed nothing")
    raise Unavailable("; ".join(reasons))


PROBES = (
    Probe(
        "dmesg",
        "The kernel's log: memory, GPU faults",
        fixed(_DMESG, _JOURNAL, _UPTIME),
        parse,
        cost_s=0.3,
        is_log=True,
    ),
)
