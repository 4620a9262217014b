"""GPUs of AMD: how many the kernel offers, which architecture, which driver."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence

from triage.lazy_regex import lazy_regex
from triage.model import Value
from triage.probing.catalogue.nvidia_devices import files, first
from triage.probing.probe import Command, File, Look, NotApplicable, Probe, Transcript, by_label, fixed


def _list_devices() -> str:
    patterns = ("/dev/kfd", "/sys/class/kfd/kfd", "/dev/dri/renderD*", "/sys/module/amdgpu")
    return "\n".join(sorted(path for pattern in patterns for path in glob.glob(pattern)))  # noqa: PTH207


_DEVICES = Look("AMD devices", _list_devices)
_NODES = File("/sys/class/kfd/kfd/topology/nodes/*/properties")
_DRIVER = File("/sys/module/amdgpu/version")
_RELEASE = File("/opt/rocm/.info/version")
_SMI = Command(("amd-smi", "list"), 5.0)
_OLD_SMI = Command(("rocm-smi", "--showid"), 5.0)
_ANY = lazy_regex(r"kfd|amdgpu")


def parse(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    """Facts ``rocm.*``. Raises NotApplicable where the kernel offers no AMD GPU, ValueError if none of the sources tells."""
    devices = by_label(transcripts, _DEVICES.label)
    paths = devices.text.split() if devices is not None else []
    facts = dict(_of_nodes(transcripts))
    if "rocm.gpu_count" not in facts:
        facts.update(_of_tools(transcripts))
    if not facts and devices is not None and not any(map(_ANY.search, paths)):
        raise NotApplicable("no AMD GPU: neither /dev/kfd nor the module amdgpu")
    for label, name in ((_DRIVER.label, "rocm.driver_version"), (_RELEASE.label, "rocm.version")):
        item = by_label(transcripts, label)
        found = re.match(r"\d{1,4}(?:\.\d{1,6}){1,3}", item.text.strip()) if item is not None else None
        if found is not None:
            facts[name] = found[0]
    if devices is not None:
        facts["rocm.kfd_device"] = "/dev/kfd" in paths
        facts["rocm.render_nodes"] = sum("/dev/dri/renderD" in path for path in paths)
    yield from facts.items()


def _of_nodes(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    """What the kernel's topology tells: the nodes with compute units are GPUs, the others CPUs."""
    item = first(transcripts, _NODES.label)
    if item.status != "ok":
        return
    targets: list[str] = []
    for text in files(item.text).values():
        values = dict(re.findall(r"^(\w{1,60}) (\d{1,20})$", text, re.MULTILINE))
        if int(values.get("simd_count", "0")) > 0:
            targets.append(_architecture(int(values.get("gfx_target_version", "0"))))
    yield "rocm.gpu_count", len(targets)
    known = sorted({name for name in targets if name})
    if known:
        yield "rocm.gfx", known[0]
        yield "rocm.mixed", len(known) > 1


def _architecture(version: int) -> str:
    """90402 is gfx942 and 90010 gfx90a: major, minor and stepping, the last in hexadecimal."""
    if version <= 0:
        return ""
    return f"gfx{version // 10000}{version // 100 % 100:x}{version % 100:x}"


def _of_tools(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    for command, pattern in ((_SMI, r"^\s*GPU: (\d{1,3})\s*$"), (_OLD_SMI, r"^GPU\[(\d{1,3})\]")):
        item = by_label(transcripts, command.label)
        found = set(re.findall(pattern, item.text, re.MULTILINE)) if item is not None else set()
        if found:
            yield "rocm.gpu_count", len(found)
            return


PROBES = (
    Probe(
        "rocm",
        "GPUs of AMD",
        fixed(_DEVICES, _NODES, _DRIVER, _RELEASE, _SMI, _OLD_SMI),
        parse,
        cost_s=0.5,
    ),
)
