"""What holds for every probe of system, limits, network and servers: hostile text, recordings, and this very machine."""

from __future__ import annotations

import contextlib
import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.probing.catalogue import limits, network, server, system
from triage.probing.host import answers, look_at
from triage.probing.probe import (
    NOT_APPLICABLE,
    OK,
    TIMED_OUT,
    UNAVAILABLE,
    UNPARSABLE,
    NotApplicable,
    Probe,
    Target,
    Transcript,
)
from triage.probing.snapshot import from_json, to_json
from triage.safety.redact import Redactor

PROBES = (*system.PROBES, *limits.PROBES, *network.PROBES, *server.PROBES)
OUTCOMES = {OK, NOT_APPLICABLE, UNAVAILABLE, TIMED_OUT, UNPARSABLE}
# No port here is one that anybody is known to listen on.
TARGET = Target(
    facts={
        "server.port": 1,
        "router.port": 1,
        "server.dist_init_addr": "localhost:1",
        "server.numa_node": (0, 1),
        "server.disaggregation_ib_device": "mlx5_0",
        "server.model_path": "/models/m",
    },
    environment={
        "HOME": "/root",
        "NCCL_SOCKET_IFNAME": "eth",
        "GLOO_SOCKET_IFNAME": "eth0",
        "KUBERNETES_SERVICE_HOST": "x",
    },
)
LABELS = {probe.name: tuple(read.label for read in probe.reads(TARGET)) for probe in PROBES}
# What the parsers look for, so that the text gets past their first questions.
WORDS = st.sampled_from(
    """==> /sys/class/infiniband/mlx5_0/ports/1/state <==|==> /state <==|==> a/b <==|==> /sys/fs/cgroup/memory.max <==
    ==> /sys/fs/cgroup/cpu.max <==|==> /sys/fs/cgroup/memory.events <==|==> /sys/devices/system/node/node0/meminfo <==
    max|-1|9223372036854771712|Max open files|unlimited|MemTotal:|Mems_allowed_list:|CapEff:|Seccomp:|CapEff: zz|kB|Node 0 MemTotal:
    NAME="|ID=|0A|0: 00000000:7530 0 0A|gid a 1 3 ipv4 RoCE v2|device mlx5_0|port|bootstrap_port|dist_init|mode|numa_node|0-9|5-
    size_bytes 1|free_bytes|inodes 0|oom_kill|{"pid": 1}|{"kept": {}}|{"kept": {"workers": []}, "path": 1}|[]|{"port": 1e999}
    allowed|refused|size=64k|- tmpfs|dist_init_addr [::1]:5|dist_init_addr :|ib_device ,|nccl_ib_hca ^=|99999999999999999999999
    """.replace("\n", "|").split("|")
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=12).map("\n".join),
                  st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=12).map(" ".join))  # fmt: skip


def transcripts(labels: tuple[str, ...], data: st.DataObject) -> list[Transcript]:
    """One transcript a read, of any status, with any text where it was read."""
    made = []
    for label in labels:
        status = data.draw(st.sampled_from(("ok", "ok", "ok", "absent", "denied", "timed-out", "failed")))
        made.append(Transcript(label, status, data.draw(TEXTS) if status == "ok" else ""))
    return made


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_hostile_text(probe: Probe, data: st.DataObject) -> None:
    """No text makes a parser fail in any way but the two that it may, nor tell what is no fact."""
    made = transcripts(LABELS[probe.name], data)
    with contextlib.suppress(ValueError, NotApplicable):
        for name, value in probe.parse(made):
            assert name == name.lower()
            assert " " not in name
            assert isinstance(value, (bool, int, float, str, tuple))


def test_names_are_unique() -> None:
    """A recording finds its probe by name."""
    assert len({probe.name for probe in PROBES}) == len(PROBES)


@pytest.mark.parametrize("target", [TARGET, Target(), Target(pid=os.getpid()), Target(pid=2**22 + 5)], ids=range(4))
def test_this_machine(target: Target) -> None:
    """Carried out for real every probe ends in one of the five ways, in time, and its recording gives the same answers."""
    began = time.monotonic()
    snapshot = look_at(PROBES, target, Redactor())
    assert time.monotonic() - began < 15
    live = answers(PROBES, snapshot)
    assert {answer.outcome for answer in live} <= OUTCOMES
    assert [answer.name for answer in live if answer.outcome == UNPARSABLE] == []
    assert answers(PROBES, from_json(to_json(snapshot))) == live
