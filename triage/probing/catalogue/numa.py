"""Probe: whether memory may be bound to NUMA nodes here."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterable, Sequence

from triage.model import Value
from triage.probing.catalogue.text_forms import ASKED, asked, numbers, pairs, text_of, whole
from triage.probing.probe import File, Look, Probe, Read, Target, Transcript

_GET_MEMPOLICY = {"x86_64": 239, "aarch64": 236, "riscv64": 236, "ppc64le": 260, "s390x": 269}
"""The number of the system call, by machine."""
_SYS_NICE = 1 << 23
"""The capability's bit: container profiles allow the calls of NUMA policy only with it."""


def _reads(target: Target) -> Sequence[Read]:
    process = target.pid or "self"
    return (
        File("/sys/devices/system/node/online"),
        File(f"/proc/{process}/status"),
        # Our own right tells nothing about a process in another container.
        *(() if target.pid else (Look("get_mempolicy", _ask_policy),)),
        *asked({"numa_node": target.facts.get("server.numa_node")}),
    )


def _ask_policy() -> str:
    """Reads this thread's own policy: what forbids set_mempolicy in a container forbids get_mempolicy with it."""
    number = _GET_MEMPOLICY.get(os.uname().machine)
    if number is None:
        raise FileNotFoundError(f"the call's number on {os.uname().machine} is not known")
    library = ctypes.CDLL(None, use_errno=True)
    mode = ctypes.c_int(-1)
    if (
        library.syscall(ctypes.c_long(number), ctypes.byref(mode), None, ctypes.c_ulong(0), None, ctypes.c_ulong(0))
        == 0
    ):
        return f"allowed mode={mode.value}\n"
    code = ctypes.get_errno()
    return f"refused {errno.errorcode.get(code, code)}\n"


def _parse(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    online = text_of(transcripts, "/node/online")
    nodes = numbers(online) if online is not None else ()
    if nodes:
        yield "numa.nodes", len(nodes)
    status = pairs(text_of(transcripts, "/status") or "")
    allowed = numbers(status["Mems_allowed_list"]) if "Mems_allowed_list" in status else None
    if allowed is not None:
        yield "numa.mems_allowed", allowed
        if nodes:
            yield "numa.nodes_not_allowed", tuple(node for node in nodes if node not in allowed)
    if "Seccomp" in status:
        yield "numa.seccomp", whole(status["Seccomp"]) == 2
    if "CapEff" in status:
        yield "numa.cap_sys_nice", bool(int(status["CapEff"], 16) & _SYS_NICE)
    binding = _binding(text_of(transcripts, "get_mempolicy"), _wanted(transcripts), allowed)
    if binding is not None:
        yield "numa.membind_allowed", binding


def _wanted(transcripts: Sequence[Transcript]) -> tuple[int, ...]:
    """The nodes of --numa-node, if they are known."""
    text = pairs(text_of(transcripts, ASKED) or "").get("numa_node", "")
    return tuple(int(part) for part in text.split(",") if part.strip().isdecimal())


def _binding(answer: str | None, wanted: Sequence[int], allowed: Sequence[int] | None) -> bool | None:
    """Whether a binding is accepted; None where neither the call nor the nodes tell."""
    if allowed is not None and any(node not in allowed for node in wanted):
        return False
    if answer is None:
        return None
    # A kernel without NUMA (ENOSYS) refuses as a profile does (EPERM).
    return answer.startswith("allowed")


NUMA_POLICY = Probe("numa-policy", "NUMA nodes, and whether memory may be bound to them", _reads, _parse, 0.01)
