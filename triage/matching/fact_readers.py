"""What each kind of line that tells facts says: the match of its pattern as names and values."""

from __future__ import annotations

import re

from triage.lazy_regex import lazy_regex
from triage.matching.fact_packages import of_interest, version_facts
from triage.matching.fact_router import router_command, server_place
from triage.matching.launch_line import is_router, launch_line, option_values, without_secrets
from triage.matching.server_args import server_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from triage.model import Value

    Named = Iterator[tuple[str, Value]]

SIZE = r"\d{1,6}(?:\.\d+)?"
"""A size in gigabytes as it is printed."""
_ACCELERATORS = {"CUDA": "cuda", "ROCM": "rocm", "NPU": "npu", "XPU": "xpu", "MUSA": "musa", "HPU": "hpu"}
# A draft model loads after the main one and prints the same lines.
_DRAFT_MODEL = lazy_regex(r"(?:NextN|Eagle\d?|MTP|Medusa)$", re.IGNORECASE)
_MEMORY = lazy_regex(rf"(avail mem|mem usage)=({SIZE}) GB")


def one(name: str, convert: Callable[[str], Value] = str) -> Callable[[re.Match[str]], Named]:
    """A fact from the first group."""

    def read(match: re.Match[str]) -> Named:
        yield name, convert(match[1].strip())

    return read


def gigabytes(**names: str) -> Callable[[re.Match[str]], Named]:
    """Groups of the match as facts in gigabytes: ``gigabytes(free="memory.available_gb")``."""

    def read(match: re.Match[str]) -> Named:
        for group, name in names.items():
            if match[group]:
                yield name, float(match[group])

    return read


def server_args(match: re.Match[str]) -> Named:
    """What a server was started with."""
    stated = tuple(server_arguments(match.string))
    yield from ((f"server.{name}", value) for name, value in stated)
    yield from server_place(dict(stated))


def accelerator(match: re.Match[str]) -> Named:
    """Which kind of accelerator there is."""
    platform, present = _ACCELERATORS[match[1]], match[2] == "True"
    yield f"{platform}.available", present
    if present:
        yield "platform", platform


def gpu_name(match: re.Match[str]) -> Named:
    """The GPU and how many of it."""
    yield "gpu.name", match[2].strip()
    yield "gpu.count", match[1].count(",") + 1


def torch(match: re.Match[str]) -> Named:
    """PyTorch's release and build."""
    yield from version_facts("torch", match[1])


def environment(match: re.Match[str]) -> Named:
    """PyTorch and cuDNN."""
    yield from version_facts("torch", match[1])
    yield "cudnn.version", match[2]


def package(match: re.Match[str]) -> Named:
    """A package and its release, or that it is missing."""
    if not of_interest(match[1]):
        return
    if match[2] == "Module Not Found":
        yield f"{match[1].replace('_', '-').lower()}.installed", False
    else:
        yield from version_facts(match[1], match[2])


def installed(match: re.Match[str]) -> Named:
    """What pip says it installed."""
    for word in match[1].split():
        name, _, version = word.rpartition("-")
        if name and of_interest(name):
            yield from version_facts(name, version)


def driver_api(text: str) -> str:
    """``12080``, as the driver counts, is ``12.8``."""
    return f"{int(text) // 1000}.{int(text) % 1000 // 10}"


def driver(match: re.Match[str]) -> Named:
    """The driver's release, or the newest CUDA that it knows."""
    if "." in match[1]:
        yield "driver.version", match[1]
    elif len(match[1]) in (4, 5):
        yield "driver.cuda", driver_api(match[1])


def nccl(match: re.Match[str]) -> Named:
    """NCCL's release and the CUDA that it was built for."""
    yield "nccl.version", match[1]
    if match[2]:
        yield "nccl.cuda", match[2]


def unsupported_gpu(match: re.Match[str]) -> Named:
    """The GPU for which PyTorch was not built."""
    yield "gpu.name", match[1].strip()
    yield "gpu.compute_capability", float(f"{match[2][:-1]}.{match[2][-1]}")


def weights_loaded(match: re.Match[str]) -> Named:
    """The model and the memory that its weights take; a draft model's are left out."""
    described = dict(re.findall(r"(\w+)=([\w.:-]+)", match[1]))
    if _DRAFT_MODEL.search(described.get("type", "")):
        return
    names = {"type": "model.architecture", "dtype": "model.dtype", "quant": "model.quantization"}
    yield from ((name, described[key].removeprefix("torch.")) for key, name in names.items() if key in described)
    sizes: dict[str, float] = {}
    for found in _MEMORY.finditer(match[1]):
        sizes.setdefault(found[1], float(found[2]))
    for words, name in (("avail mem", "memory.after_weights_gb"), ("mem usage", "memory.weights_gb")):
        if words in sizes:
            yield name, sizes[words]


def pool(match: re.Match[str]) -> Named:
    """Slots and size of the KV pool."""
    yield "memory.kv_tokens", int(match[1])
    sizes = re.findall(r"(?:K|V|KV) size: (\d+\.\d+) GB", match[2])
    if sizes:
        yield "memory.kv_gb", round(sum(float(size) for size in sizes), 2)


def graph_sizes(match: re.Match[str]) -> Named:
    """The largest batch for which a graph is captured."""
    sizes = [int(size) for size in re.findall(r"\d{1,6}", match[1])]
    if sizes:
        yield "memory.graph_max_bs", max(sizes)


def scheduler(match: re.Match[str]) -> Named:
    """What the scheduler settled on."""
    for name, value in re.findall(r"(\w+)=(-?\d{1,15})(?![\d.])", match[0]):
        yield f"scheduler.{name}", int(value)
    free = re.search(r"available_gpu_mem=(\d{1,6}(?:\.\d+)?) GB", match[0])
    if free is not None:
        yield "memory.after_start_gb", float(free[1])


def command(match: re.Match[str]) -> Named:
    """The command of a server or a router."""
    argv, whole = launch_line(match.string)
    if not argv:
        return
    if is_router(argv):
        if whole:
            yield "router.command", without_secrets(argv)
            yield "router.pd_mode", "--pd-disaggregation" in argv
            yield from router_command(argv)
        return
    if whole:
        yield "launch.command", without_secrets(argv)
    stated = tuple(option_values(argv))
    yield from ((f"server.{name}", value) for name, value in stated)
    yield from server_place(dict(stated))
