"""Which modules the kernel has loaded, and whether nvidia_peermem could be."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from triage.model import Value
from triage.probing.catalogue.nvidia_devices import DEVICES, first, require_nvidia
from triage.probing.probe import Command, File, Look, NotApplicable, Probe, Read, Target, Transcript, by_label, fixed

# Never part of a kernel itself: what is not in the list of modules is not there.
_OUT_OF_TREE = (
    "nvidia", "nvidia_uvm", "nvidia_modeset", "nvidia_drm", "nvidia_peermem", "nv_peer_mem", "nvidia_fs", "gdrdrv",
)  # fmt: skip
# May be built in, and then leaves no trace in the list, nor always in /sys/module.
_IN_TREE = (
    "nouveau", "amdgpu", "ib_core", "ib_uverbs", "rdma_cm", "rdma_ucm", "mlx5_core", "mlx5_ib", "bnxt_re", "irdma", "efa",
)  # fmt: skip
_TOLD = (*_OUT_OF_TREE, *_IN_TREE)
_LOADED = File("/proc/modules")
_DRIVER = File("/proc/driver/nvidia/version")
_FOLDER = "/lib/modules"
_PEERMEM = "nvidia_peermem"
_SYMBOL, _ALWAYS_THERE = b" ib_register_peer_memory_client", b" ib_register_client"


def _all_in_sys() -> str:
    return "\n".join(sorted(os.listdir("/sys/module")))  # noqa: PTH208  (names, not paths)


def _peermem_on_disk() -> str:
    """Lines of the index of modules of the running kernel that name nvidia_peermem."""
    folder = Path(_FOLDER) / os.uname().release
    names = folder / "modules.dep"
    if not names.exists():
        return "no modules of this kernel"
    with names.open(errors="replace") as lines:
        found = [line.partition(":")[0] for line in lines if re.search(r"nvidia[-_]peermem\.ko", line)]
    return "\n".join(found) or "not among the modules of this kernel"


def _peer_memory_of_kernel() -> str:
    """Whether ib_core offers what nvidia_peermem calls: the distribution's kernel often does not, that of the vendor does."""
    ib_core = False
    with Path("/proc/kallsyms").open("rb") as lines:
        for line in lines:
            if _SYMBOL in line:
                return "offered"
            ib_core = ib_core or _ALWAYS_THERE in line
    return "not offered" if ib_core else "ib_core is not loaded"


def _reads_loaded(_: Target) -> Sequence[Read]:
    return (_LOADED, _IN_SYS, _DRIVER, File(f"{_FOLDER}/{os.uname().release}/modules.builtin"))


_IN_SYS = Look("/sys/module", _all_in_sys)
_ON_DISK = Look("nvidia_peermem in /lib/modules", _peermem_on_disk)
_OFFERED = Look("peer memory in /proc/kallsyms", _peer_memory_of_kernel)
_DRY_RUN = Command(("modprobe", "-n", "-v", _PEERMEM), 5.0)


def loaded_modules(text: str) -> frozenset[str]:
    """The names in the text of /proc/modules. Raises ValueError if it is something else."""
    lines = [line for line in text.splitlines() if line.strip()]
    found = [re.match(r"([\w-]{1,80}) \d{1,15} ", line) for line in lines]
    if None in found:
        raise ValueError("not a list of modules")
    return frozenset(item[1] for item in found if item is not None)


def _name_of(path: str) -> str:
    """``kernel/drivers/infiniband/core/rdma-cm.ko.zst`` is rdma_cm."""
    return path.rpartition("/")[2].partition(".ko")[0].replace("-", "_")


def parse_loaded(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    """``kernel.module.<name>``: true, or false where /proc/modules could be read and nothing else shows the module. Of those
    that can be part of the kernel false is told only where the list of its built-in modules could be read too.

    Raises NotApplicable for a kernel without modules, ValueError if the list is denied or not a list.
    """
    listed = first(transcripts, _LOADED.label)
    in_sys, built_in = by_label(transcripts, _IN_SYS.label), by_label(transcripts, _FOLDER)
    # A module that is part of the kernel, and one that a sandbox hides in /proc/modules, may have its folder here.
    shown = set(in_sys.text.split()) if in_sys is not None else set()
    if built_in is not None:
        shown |= {_name_of(line) for line in built_in.text.splitlines()}
    if by_label(transcripts, _DRIVER.label) is not None:
        shown.add("nvidia")
    if listed.status == "ok":
        shown |= loaded_modules(listed.text)
    elif not shown & set(_TOLD):
        if listed.status == "absent":
            raise NotApplicable("no /proc/modules: a kernel without modules, or a sandbox")
        raise ValueError(f"{listed.label}: {listed.reason or listed.status}")
    for name in _TOLD:
        if name in shown:
            yield f"kernel.module.{name}", True
        elif listed.status == "ok" and (name in _OUT_OF_TREE or built_in is not None):
            yield f"kernel.module.{name}", False


def parse_peermem(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    """``peermem.*``: whether nvidia_peermem is loaded or could be. False only where /proc/modules and the modules of the
    running kernel could be read.

    Raises NotApplicable without any NVIDIA device and where the kernel's modules cannot be seen (a container).
    """
    listed = by_label(transcripts, _LOADED.label)
    loaded = loaded_modules(listed.text) if listed is not None else frozenset()
    if _PEERMEM in loaded:
        yield "peermem.available", True
        yield "peermem.reason", "loaded"
        return
    require_nvidia(transcripts)
    yield from _could_load(transcripts, known=listed is not None)
    offered = by_label(transcripts, _OFFERED.label)
    # Without ib_core the symbol cannot be there, whoever built it.
    if offered is not None and offered.text.endswith("offered"):
        yield "peermem.kernel_offers_peer_memory", offered.text == "offered"


def _could_load(transcripts: Sequence[Transcript], *, known: bool) -> Iterator[tuple[str, Value]]:
    dry_run = by_label(transcripts, _DRY_RUN.label)
    said = dry_run.text.strip() if dry_run is not None else ""
    disk = by_label(transcripts, _ON_DISK.label)
    if re.search(r"^insmod \S*nvidia[-_]peermem\.ko", said, re.MULTILINE):
        yield "peermem.available", True
        yield "peermem.reason", "can be loaded"
    elif re.search(r"^install ", said, re.MULTILINE):
        yield "peermem.available", False
        yield "peermem.reason", "modprobe runs another command instead"
    elif disk is not None and ".ko" in disk.text:
        yield "peermem.available", True
        yield "peermem.reason", "is among the modules of this kernel"
    elif disk is not None and disk.text.startswith("not among"):
        if known:
            yield "peermem.available", False
        yield "peermem.reason", "is not among the modules of this kernel"
    else:
        raise NotApplicable("the modules of the running kernel are not visible from here")


PROBES = (
    Probe("lsmod", "Modules that the kernel has loaded", _reads_loaded, parse_loaded, cost_s=0.1),
    Probe(
        "peermem-dry-run",
        "Whether nvidia_peermem is loaded or could be",
        fixed(_DRY_RUN, _LOADED, _ON_DISK, _OFFERED, DEVICES),
        parse_peermem,
        cost_s=0.5,
    ),
)
