"""The GPUs of NVIDIA: which, how many, how much memory, and who else holds some of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from triage.lazy_regex import lazy_regex
from triage.model import Value
from triage.probing.catalogue.nvidia_devices import DEVICES, files, first, gpu_nodes, require_nvidia
from triage.probing.catalogue.nvidia_smi import TIMEOUT_S, failure, no_devices, number, output, rows, unreachable
from triage.probing.catalogue.process_list import SERVICES, below, sees_whole_host
from triage.probing.probe import Command, File, Probe, Read, Target, Transcript, Unavailable, by_label, fixed

_FIELDS = "index,name,driver_version,memory.total,memory.used,memory.free,compute_mode,mig.mode.current,compute_cap"
_LIST = Command(("nvidia-smi", f"--query-gpu={_FIELDS}", "--format=csv,nounits"), TIMEOUT_S)
# The name comes last: it may hold commas.
_HOLDER_FIELDS = ("gpu_bus_id", "pid", "used_gpu_memory", "process_name")
_HOLDERS = Command(
    ("nvidia-smi", f"--query-compute-apps={','.join(_HOLDER_FIELDS)}", "--format=csv,nounits"), TIMEOUT_S
)
# Labels by their beginning: a recording of another release may have asked for other fields.
_LISTED, _HELD = "nvidia-smi --query-gpu=", "nvidia-smi --query-compute-apps="
_CARDS = File("/proc/driver/nvidia/gpus/*/information")
_MOST_NAMES = 16
# What the driver itself and a context that just ended may hold.
_UNEXPLAINED_MB = 1500

# Compute capability by name, for hosts where nvidia-smi cannot be asked; the first that fits counts.
_CAPABILITIES = tuple(
    (lazy_regex(rf"\b(?:{names})\b"), value)
    for names, value in (
        (r"G?B300", 10.3), (r"G?B[12]00", 10.0), (r"GB10", 12.1), (r"RTX PRO [2-6]\d{3}|RTX 50\d0", 12.0),
        (r"G?H[128]00|GH200|H20", 9.0), (r"L2|L4|L20|L40S?|RTX 40\d0|RTX [2-6]\d{3} Ada", 8.9), (r"A[18]00|A30", 8.0),
        (r"A2|A10G?|A16|A40|RTX A\d{4}|RTX 30\d0", 8.6), (r"T4|RTX 20\d0|Quadro RTX \d{4}", 7.5), (r"V100", 7.0),
        (r"P100", 6.0), (r"P4|P40", 6.1),
    )
)  # fmt: skip


def parse_list(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    """Facts ``gpu.*``: of nvidia-smi, else what /proc tells of the cards whose device node is here.

    Raises NotApplicable without any NVIDIA device, ValueError if neither answers.
    """
    listed = first(transcripts, _LISTED)
    works = listed.status == "ok" and not failure(listed.text)
    cards = by_label(transcripts, _CARDS.label)
    if cards is not None:
        yield "gpu.host_count", len(_cards(cards))
    if works and no_devices(listed.text):
        yield "gpu.count", 0
        return
    if works:
        lost = unreachable(listed.text)
        yield "gpu.unreachable", lost
        # With every GPU lost there is no table.
        if not lost or "index," in listed.text:
            yield from _of_rows([row for row in rows(listed.text, "index", "name") if row["index"].isdigit()])
        return
    nodes = gpu_nodes(transcripts)
    if cards is None or nodes is None:
        require_nvidia(transcripts)
        raise Unavailable(failure(listed.text) or f"nvidia-smi: {listed.reason or listed.status}")
    yield "gpu.device_nodes", len(nodes)
    # The driver shows all cards of the host, also to a container that got none of them.
    names = [name for minor, name in _cards(cards) if minor in nodes]
    if names:
        yield from _of_names(names)
        yield from _capability(names[0])


def _of_rows(gpus: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, Value]]:
    if not gpus:
        raise Unavailable("nvidia-smi lists no GPU and does not say why")
    yield from _of_names([gpu.get("name", "") for gpu in gpus])
    capability = number(gpus[0].get("compute_cap", ""))
    if capability is not None:
        yield "gpu.compute_capability", capability
    else:
        yield from _capability(gpus[0].get("name", ""))
    for name, field, choose in (
        ("gpu.memory_total_mb", "memory.total", min),
        ("gpu.memory_used_mb", "memory.used", max),
        ("gpu.memory_free_min_mb", "memory.free", min),
    ):
        sizes = [size for size in (number(gpu.get(field, "")) for gpu in gpus) if size is not None]
        if sizes:
            yield name, int(choose(sizes))
    modes = {gpu.get("mig.mode.current", "") for gpu in gpus}
    if modes & {"Enabled", "Disabled", "[N/A]", "N/A"}:
        yield "gpu.mig", "Enabled" in modes
    for name, field in (("gpu.driver", "driver_version"), ("gpu.compute_mode", "compute_mode")):
        value = _odd_one([gpu.get(field, "") for gpu in gpus], "Default")
        if value and not value.startswith("["):
            yield name, value


def _odd_one(values: Sequence[str], usual: str) -> str:
    """The first value that is not the usual one: one GPU in another mode is enough to stop a server."""
    return next((value for value in values if value != usual), values[0])


def _of_names(names: Sequence[str]) -> Iterator[tuple[str, Value]]:
    yield "gpu.count", len(names)
    yield "gpu.names", tuple(names)
    yield "gpu.name", names[0]
    yield "gpu.mixed", len(set(names)) > 1


def _capability(name: str) -> Iterator[tuple[str, Value]]:
    for pattern, value in _CAPABILITIES:
        if pattern.search(name):
            yield "gpu.compute_capability", value
            return


def _cards(item: Transcript) -> list[tuple[int, str]]:
    """Minor number and name of every card of the host."""
    found = []
    for text in files(item.text).values():
        values = dict(re.findall(r"^([\w ]+):[ \t]*(.*)$", text, re.MULTILINE))
        minor = values.get("Device Minor", "").strip()
        if re.fullmatch(r"[0-9]{1,4}", minor):
            found.append((int(minor), values.get("Model", "").strip()))
    return found


def _holder_reads(target: Target) -> Sequence[Read]:
    own = (below(target.pid),) if target.pid is not None else ()
    return (_HOLDERS, _LIST, SERVICES, DEVICES, *own)


def parse_holders(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    """Facts on processes that hold GPU memory and are not the server of ``Target.pid``.

    A container does not see the processes of others: memory that nobody seen holds is ``gpu.hidden_memory_mb``, and then
    no count is given. Raises NotApplicable without a GPU, ValueError if nvidia-smi does not answer.
    """
    holders = rows(output(transcripts, _HELD), *_HOLDER_FIELDS)
    tree = by_label(transcripts, "processes below ")
    own = set(tree.text.split()) if tree is not None else set()
    hidden = _hidden(transcripts, holders)
    others = [row for row in holders if row["pid"].isdigit() and row["pid"] not in own]
    if hidden:
        yield "gpu.hidden_memory_mb", hidden
    if others or not hidden:
        yield "gpu.other_processes", len({row["pid"] for row in others})
    memory = _memory_of(others)
    if memory:
        yield "gpu.process_memory_mb", max(memory.values())
    names = sorted({row["process_name"] for row in others})
    if names:
        yield "gpu.process_names", tuple(names[:_MOST_NAMES])


def _memory_of(holders: Sequence[Mapping[str, str]]) -> Counter[str]:
    """MiB held on each GPU; a GPU where a size is not known is left out."""
    held: Counter[str] = Counter()
    for row in holders:
        size = number(row["used_gpu_memory"])
        if size is not None:
            held[row["gpu_bus_id"]] += int(size)
    return held


def _hidden(transcripts: Sequence[Transcript], holders: Sequence[Mapping[str, str]]) -> int:
    """MiB in use, on the GPU with most, that no process seen here holds; 0 where that cannot be told."""
    listed, services = by_label(transcripts, _LISTED), by_label(transcripts, SERVICES.label)
    if listed is None or failure(listed.text) or no_devices(listed.text):
        return 0
    if services is not None and sees_whole_host(services.text):
        return 0
    # Which row is which GPU is not needed: with holders, only what exceeds all of them counts.
    sizes = [number(row["memory.used"]) for row in rows(listed.text, "memory.used")]
    used = max((int(size) for size in sizes if size is not None), default=0)
    seen = max(_memory_of(holders).values(), default=0)
    unknown = any(number(row["used_gpu_memory"]) is None for row in holders)
    return used - seen if used - seen > _UNEXPLAINED_MB and not unknown else 0


PROBES = (
    Probe(
        "gpu-list",
        "The GPUs: names, compute capability, memory, MIG",
        fixed(_LIST, _CARDS, DEVICES),
        parse_list,
        cost_s=1.0,
    ),
    Probe("nvidia-smi", "Processes that hold GPU memory", _holder_reads, parse_holders, cost_s=1.0),
)
