"""What holds for every probe of GPUs, kernel and toolkit: hostile text, recordings, and this very machine."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.probing.catalogue import (
    cuda_toolkit,
    gpu_fabric,
    gpu_health,
    gpu_topology,
    gpus,
    kernel_log,
    kernel_modules,
    nvidia_driver,
    rocm,
)
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
from triage.safety.redact import Redactor

MODULES = (nvidia_driver, gpus, gpu_health, gpu_topology, gpu_fabric, kernel_log, kernel_modules, cuda_toolkit, rocm)
PROBES = tuple(probe for module in MODULES for probe in module.PROBES)
TARGETS = (Target(), Target(python=Path("/opt/venv/bin/python"), pid=1, environment={"CUDA_HOME": "/opt/[cuda]"}))
# Pieces of what is really printed, so that text reaches further into the parsers than noise does.
PIECES = st.sampled_from(
    (
        "GPU 00000000:00:06.0\n", "    Fabric\n", "        State : Completed\n", "\tGPU0\tGPU1\tCPU Affinity\n", "GPU0\t X \tNV18\n",
        "GPU1\tNV18\t X \n", "GPU 0: NVIDIA H200 (UUID: x)\n", "\t Link 0: <inactive>\n", "index, name, memory.used [MiB], compute_cap\n",
        "0, NVIDIA H200, 5, 9.0\n", "gpu_bus_id, pid, used_gpu_memory [MiB], process_name\n", "0, 1, [N/A], x\n", "==> /a <==\n", " : ",
        "[ 1.0] NVRM: Xid (x): 79, \n", "[ 1.0] Out of memory: Killed process 1 (x)\n", "nvidia 1 2 - Live 0x0\n", "simd_count 4\n",
        "Device Minor: 0\n", "Model: x\n", "gfx_target_version 90402\n", "home: /x\n", "exists: True\n", "insmod x/nvidia-peermem.ko\n",
        "NVRM version: NVIDIA UNIX x 580.1.2 \n", "NVIDIA-SMI 580.1 Driver Version: 580.1\n", "/dev/nvidia0\n", "kthreadd\n", "²", "\r", "\0",
    )
)  # fmt: skip
TEXT = st.lists(PIECES | st.text(max_size=20), max_size=12).map("".join)
STATUS = st.sampled_from(("ok", "ok", "ok", "absent", "denied", "timed-out", "failed"))


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_text_breaks_a_parser(probe: Probe, data: st.DataObject) -> None:
    """Whatever the transcripts hold, a parser gives facts, or says that it cannot."""
    reads = probe.reads(data.draw(st.sampled_from(TARGETS)))
    items = [Transcript(read.label, data.draw(STATUS), data.draw(TEXT)) for read in reads]
    facts = {}
    with contextlib.suppress(NotApplicable, ValueError):
        facts = dict(probe.parse(items))
    assert all(isinstance(value, (bool, int, float, str, tuple)) for value in facts.values())


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_a_recording_that_lacks_every_read(probe: Probe) -> None:
    """It is refused in words, not with an IndexError."""
    with pytest.raises((ValueError, NotApplicable)):
        dict(probe.parse([Transcript("something else", "ok", "text")]))


def test_this_machine_can_be_asked() -> None:
    """Every probe ends in one of the five ways, whatever this machine has."""
    target = Target(python=Path(sys.executable), pid=os.getpid(), environment=dict(os.environ))
    found = answers(PROBES, look_at(PROBES, target, Redactor()))
    assert [answer.name for answer in found] == [probe.name for probe in PROBES]
    assert {answer.outcome for answer in found} <= {OK, NOT_APPLICABLE, UNAVAILABLE, TIMED_OUT, UNPARSABLE}


def test_only_known_programs_are_run() -> None:
    """Names of probes are unique, and nothing that a probe runs goes through a shell."""
    assert len({probe.name for probe in PROBES}) == len(PROBES)
    programs = {read.argv[0] for probe in PROBES for read in probe.reads(Target()) if hasattr(read, "argv")}
    assert programs == {
        "nvidia-smi",
        "dmesg",
        "journalctl",
        "modprobe",
        "nvcc",
        "ninja",
        "gcc",
        "g++",
        "amd-smi",
        "rocm-smi",
    }
