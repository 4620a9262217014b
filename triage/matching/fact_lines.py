"""How each kind of line that tells facts is read: what it must look like, and the names and values in it."""

from __future__ import annotations

import re
from functools import cache

from triage.lazy_regex import lazy_regex
from triage.matching.fact_packages import PACKAGES, of_interest, version_facts
from triage.matching.fact_router import PAIRS, STARTED, router_command, router_pairs, router_started, server_place
from triage.matching.launch_line import is_router, launch_line, option_values, without_secrets
from triage.matching.server_args import server_arguments
from triage.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from triage.model import Value

    Named = Iterator[tuple[str, Value]]

_ACCELERATORS = {"CUDA": "cuda", "ROCM": "rocm", "NPU": "npu", "XPU": "xpu", "MUSA": "musa", "HPU": "hpu"}
# A draft model loads after the main one and prints the same lines.
_DRAFT_MODEL = lazy_regex(r"(?:NextN|Eagle\d?|MTP|Medusa)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FactLine:
    """One kind of line: ``literal`` must occur (``after_package``: behind the name of a package that begins the message),
    ``pattern`` must match at the beginning of the message, and ``read`` turns the match into names and values."""

    literal: str
    pattern: str
    read: Callable[[re.Match[str]], Named]
    after_package: bool = False

    def match(self, message: str) -> re.Match[str] | None:
        """The match at the beginning of ``message``, or None."""
        if self.literal not in message:
            return None
        # Looked up, since an alternation of all names takes long to compile and many messages hold the literal.
        if self.after_package and message.partition(self.literal)[0] not in _PACKAGES:
            return None
        return _compiled(self.pattern).match(message)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when its literal is first met."""
    return re.compile(pattern)


def _one(name: str, convert: Callable[[str], Value] = str) -> Callable[[re.Match[str]], Named]:
    def read(match: re.Match[str]) -> Named:
        yield name, convert(match[1].strip())

    return read


def _gigabytes(**names: str) -> Callable[[re.Match[str]], Named]:
    """Groups of the match as facts in gigabytes: ``_gigabytes(free="memory.available_gb")``."""

    def read(match: re.Match[str]) -> Named:
        for group, name in names.items():
            if match[group]:
                yield name, float(match[group])

    return read


def _server_args(match: re.Match[str]) -> Named:
    stated = tuple(server_arguments(match.string))
    yield from ((f"server.{name}", value) for name, value in stated)
    yield from server_place(dict(stated))


def _accelerator(match: re.Match[str]) -> Named:
    platform, present = _ACCELERATORS[match[1]], match[2] == "True"
    yield f"{platform}.available", present
    if present:
        yield "platform", platform


def _gpu_name(match: re.Match[str]) -> Named:
    yield "gpu.name", match[2].strip()
    yield "gpu.count", match[1].count(",") + 1


def _torch(match: re.Match[str]) -> Named:
    yield from version_facts("torch", match[1])


def _environment(match: re.Match[str]) -> Named:
    yield from version_facts("torch", match[1])
    yield "cudnn.version", match[2]


def _package(match: re.Match[str]) -> Named:
    if not of_interest(match[1]):
        return
    if match[2] == "Module Not Found":
        yield f"{match[1].replace('_', '-').lower()}.installed", False
    else:
        yield from version_facts(match[1], match[2])


def _installed(match: re.Match[str]) -> Named:
    for word in match[1].split():
        name, _, version = word.rpartition("-")
        if name and of_interest(name):
            yield from version_facts(name, version)


def _driver_api(text: str) -> str:
    """``12080``, as the driver counts, is ``12.8``."""
    return f"{int(text) // 1000}.{int(text) % 1000 // 10}"


def _driver(match: re.Match[str]) -> Named:
    if "." in match[1]:
        yield "driver.version", match[1]
    elif len(match[1]) in (4, 5):
        yield "driver.cuda", _driver_api(match[1])


def _nccl(match: re.Match[str]) -> Named:
    yield "nccl.version", match[1]
    if match[2]:
        yield "nccl.cuda", match[2]


def _unsupported_gpu(match: re.Match[str]) -> Named:
    yield "gpu.name", match[1].strip()
    yield "gpu.compute_capability", float(f"{match[2][:-1]}.{match[2][-1]}")


def _weights_loaded(match: re.Match[str]) -> Named:
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


def _pool(match: re.Match[str]) -> Named:
    yield "memory.kv_tokens", int(match[1])
    sizes = re.findall(r"(?:K|V|KV) size: (\d+\.\d+) GB", match[2])
    if sizes:
        yield "memory.kv_gb", round(sum(float(size) for size in sizes), 2)


def _graph_sizes(match: re.Match[str]) -> Named:
    sizes = [int(size) for size in re.findall(r"\d{1,6}", match[1])]
    if sizes:
        yield "memory.graph_max_bs", max(sizes)


def _scheduler(match: re.Match[str]) -> Named:
    for name, value in re.findall(r"(\w+)=(-?\d{1,15})(?![\d.])", match[0]):
        yield f"scheduler.{name}", int(value)
    free = re.search(r"available_gpu_mem=(\d{1,6}(?:\.\d+)?) GB", match[0])
    if free is not None:
        yield "memory.after_start_gb", float(free[1])


def _command(match: re.Match[str]) -> Named:
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


_VERSION = r"v?(\d+(?:\.\d+)+[\w.+!-]*)"
_SIZE = r"\d{1,6}(?:\.\d+)?"
_MEMORY = lazy_regex(rf"(avail mem|mem usage)=({_SIZE}) GB")
_PACKAGES = frozenset(PACKAGES)
_PACKAGE = r"([A-Za-z][\w-]*)"


def _reader(
    literal: str, pattern: str, read: Callable[[re.Match[str]], Named], *, after_package: bool = False
) -> FactLine:
    return FactLine(literal, pattern, read, after_package)


FACT_LINES: tuple[FactLine, ...] = (
    _reader("server_args=", r"server_args=(?:[A-Za-z_]\w*\(|\{)", _server_args),
    _reader("Python: ", rf"Python: {_VERSION}", _one("python.version")),
    _reader(" available: ", r"(CUDA|ROCM|NPU|XPU|MUSA|HPU) available: (True|False)\s*$", _accelerator),
    _reader(
        "Automatically detected platform ",
        r"Automatically detected platform (cuda|rocm|cpu|xpu|npu|tpu)\b",
        _one("platform"),
    ),
    _reader("GPU ", r"GPU (\d+(?:,\d+)*): (?=[A-Z])([^(\n]{2,80})", _gpu_name),
    _reader(
        " Compute Capability: ",
        r"GPU \d+(?:,\d+)* Compute Capability: (\d{1,2}\.\d)\s*$",
        _one("gpu.compute_capability", float),
    ),
    _reader(
        "CUDA capability sm_",
        r"(\S[^\n]{1,60}?) with CUDA capability sm_(\d{2,3})\w? is not compatible",
        _unsupported_gpu,
    ),
    _reader("CUDA_HOME: ", r"CUDA_HOME: (/\S+)", _one("cuda.home")),
    _reader("ROCM_HOME: ", r"ROCM_HOME: (/\S+)", _one("rocm.home")),
    _reader("Cuda compilation tools", r"(?:NVCC: )?Cuda compilation tools, release (\d+\.\d+)", _one("nvcc.version")),
    _reader("CUDA Driver Version", r"CUDA Driver Versions?: ([\d.]+)", _driver),
    _reader("Driver Version: ", r"\|?[^|\n]{0,80}?(?<!CUDA )(?<!ROCM )\bDriver Version: (\d{3}\.\d[\d.]*)", _driver),
    _reader(" CUDA Version: ", r"\|[^\n]{0,120}? CUDA Version: (\d+\.\d+)", _one("driver.cuda")),
    _reader(
        "(found version ",
        r"[^\n]{0,200}driver on your system is too old \(found version (\d{4,5})\)",
        _one("driver.cuda", _driver_api),
    ),
    _reader(
        "NVIDIA UNIX ",
        r"NVRM[^\n]{0,40}NVIDIA UNIX [^\n]{0,80}?\s(\d{3}\.\d{2,3}(?:\.\d+)?)(?=\s|$)",
        _one("driver.version"),
    ),
    _reader("NVML library version: ", r"NVML library version: (\d[\d.]*)", _one("nvml.version")),
    _reader("ROCM Driver Version: ", rf"ROCM Driver Version: {_VERSION}", _one("driver.version")),
    _reader("PyTorch: ", rf"PyTorch: {_VERSION}", _torch),
    _reader("Current Environment: ", rf"Current Environment: PyTorch {_VERSION} \| CuDNN (\d+\.\d+)", _environment),
    _reader(": ", rf"{_PACKAGE}: (\d+\.\d[\w.+!-]*|Module Not Found)\s*$", _package, after_package=True),
    _reader("==", r"([A-Za-z][\w.-]{0,60})==(\d+\.\d[\w.+!-]*)\s*$", _package),
    _reader("  ", rf"{_PACKAGE} {{2,60}}(\d+\.\d[\w.+!-]*)(?:\s{{2,}}\S+)?\s*$", _package, after_package=True),
    _reader("Successfully installed ", r"Successfully installed ([^\n]{1,8000})", _installed),
    _reader("NCCL version ", r"NCCL version (\d+\.\d+\.\d+)(?:\+cuda(\d+\.\d+))?", _nccl),
    _reader("is using nccl==", r"(?:sglang|vLLM) is using nccl==(\d+\.\d+[\d.]*)", _one("nccl.version")),
    _reader("vLLM API server version ", rf"vLLM API server version {_VERSION}", _one("vllm.version")),
    _reader("ulimit soft: ", r"ulimit soft: (\d{1,12})\s*$", _one("ulimit.nofile", int)),
    _reader("Hypervisor vendor:", r"Hypervisor vendor::? (\S[^\n]{0,40})", _one("host.hypervisor")),
    _reader(
        "Load weight begin",
        rf"Load weight begin\. avail mem=(?P<free>{_SIZE})",
        _gigabytes(free="memory.available_gb"),
    ),
    _reader("Load weight end", r"Load weight end\. ([^\n]{1,400})", _weights_loaded),
    _reader(
        "Memory pool end",
        rf"Memory pool end\. avail mem=(?P<free>{_SIZE})",
        _gigabytes(free="memory.after_pool_gb"),
    ),
    _reader("KV Cache is allocated", r"KV Cache is allocated\.[^#\n]{0,80}#tokens: (\d{1,15})([^\n]{0,120})", _pool),
    _reader("Capture cuda graph bs [", r"Capture cuda graph bs \[([\d, ]{1,8000})\]", _graph_sizes),
    _reader(
        "Capture cuda graph end",
        rf"Capture cuda graph end\.[^\n]{{0,60}}?(?:mem usage=(?P<used>{_SIZE}) GB\. )?avail mem=(?P<free>{_SIZE})",
        _gigabytes(used="memory.graphs_gb", free="memory.after_graphs_gb"),
    ),
    _reader(
        "max_total_num_tokens=",
        r"max_total_num_tokens=\d+, (?:chunked_prefill_size|max_prefill_tokens)=[^\n]{1,300}",
        _scheduler,
    ),
    _reader(
        "The server is fired up", r"The server is fired up and ready to roll", lambda _: iter([("server.ready", True)])
    ),
    _reader("Starting router on ", STARTED, router_started),
    _reader("mode: PrefillDecode {", PAIRS, router_pairs),
    _reader(
        "sglang",
        r"(?=[^\n]{0,400}(?:sglang\.launch_server|sglang_router\.launch_|sglang serve|'sglang\.launch))",
        _command,
    ),
)
