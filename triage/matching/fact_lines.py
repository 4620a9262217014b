"""The kinds of lines that tell facts: what each must look like, and who reads it."""

from __future__ import annotations

import re
from functools import cache

from triage.matching import fact_readers as readers
from triage.matching.fact_packages import PACKAGES
from triage.matching.fact_router import PAIRS, STARTED, router_pairs, router_started
from triage.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from triage.matching.fact_readers import Named


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


_VERSION = r"v?(\d+(?:\.\d+)+[\w.+!-]*)"
_PACKAGES = frozenset(PACKAGES)
_PACKAGE = r"([A-Za-z][\w-]*)"


def _reader(
    literal: str, pattern: str, read: Callable[[re.Match[str]], Named], *, after_package: bool = False
) -> FactLine:
    return FactLine(literal, pattern, read, after_package)


FACT_LINES: tuple[FactLine, ...] = (
    _reader("server_args=", r"server_args=(?:[A-Za-z_]\w*\(|\{)", readers.server_args),
    _reader("Python: ", rf"Python: {_VERSION}", readers.one("python.version")),
    _reader(" available: ", r"(CUDA|ROCM|NPU|XPU|MUSA|HPU) available: (True|False)\s*$", readers.accelerator),
    _reader(
        "Automatically detected platform ",
        r"Automatically detected platform (cuda|rocm|cpu|xpu|npu|tpu)\b",
        readers.one("platform"),
    ),
    _reader("GPU ", r"GPU (\d+(?:,\d+)*): (?=[A-Z])([^(\n]{2,80})", readers.gpu_name),
    _reader(
        " Compute Capability: ",
        r"GPU \d+(?:,\d+)* Compute Capability: (\d{1,2}\.\d)\s*$",
        readers.one("gpu.compute_capability", float),
    ),
    _reader(
        "CUDA capability sm_",
        r"(\S[^\n]{1,60}?) with CUDA capability sm_(\d{2,3})\w? is not compatible",
        readers.unsupported_gpu,
    ),
    _reader("CUDA_HOME: ", r"CUDA_HOME: (/\S+)", readers.one("cuda.home")),
    _reader("ROCM_HOME: ", r"ROCM_HOME: (/\S+)", readers.one("rocm.home")),
    _reader(
        "Cuda compilation tools", r"(?:NVCC: )?Cuda compilation tools, release (\d+\.\d+)", readers.one("nvcc.version")
    ),
    _reader("CUDA Driver Version", r"CUDA Driver Versions?: ([\d.]+)", readers.driver),
    _reader(
        "Driver Version: ", r"\|?[^|\n]{0,80}?(?<!CUDA )(?<!ROCM )\bDriver Version: (\d{3}\.\d[\d.]*)", readers.driver
    ),
    _reader(" CUDA Version: ", r"\|[^\n]{0,120}? CUDA Version: (\d+\.\d+)", readers.one("driver.cuda")),
    _reader(
        "(found version ",
        r"[^\n]{0,200}driver on your system is too old \(found version (\d{4,5})\)",
        readers.one("driver.cuda", readers.driver_api),
    ),
    _reader(
        "NVIDIA UNIX ",
        r"NVRM[^\n]{0,40}NVIDIA UNIX [^\n]{0,80}?\s(\d{3}\.\d{2,3}(?:\.\d+)?)(?=\s|$)",
        readers.one("driver.version"),
    ),
    _reader("NVML library version: ", r"NVML library version: (\d[\d.]*)", readers.one("nvml.version")),
    _reader("ROCM Driver Version: ", rf"ROCM Driver Version: {_VERSION}", readers.one("driver.version")),
    _reader("PyTorch: ", rf"PyTorch: {_VERSION}", readers.torch),
    _reader(
        "Current Environment: ", rf"Current Environment: PyTorch {_VERSION} \| CuDNN (\d+\.\d+)", readers.environment
    ),
    _reader(": ", rf"{_PACKAGE}: (\d+\.\d[\w.+!-]*|Module Not Found)\s*$", readers.package, after_package=True),
    _reader("==", r"([A-Za-z][\w.-]{0,60})==(\d+\.\d[\w.+!-]*)\s*$", readers.package),
    _reader("  ", rf"{_PACKAGE} {{2,60}}(\d+\.\d[\w.+!-]*)(?:\s{{2,}}\S+)?\s*$", readers.package, after_package=True),
    _reader("Successfully installed ", r"Successfully installed ([^\n]{1,8000})", readers.installed),
    _reader("NCCL version ", r"NCCL version (\d+\.\d+\.\d+)(?:\+cuda(\d+\.\d+))?", readers.nccl),
    _reader("is using nccl==", r"(?:sglang|vLLM) is using nccl==(\d+\.\d+[\d.]*)", readers.one("nccl.version")),
    _reader("vLLM API server version ", rf"vLLM API server version {_VERSION}", readers.one("vllm.version")),
    _reader("ulimit soft: ", r"ulimit soft: (\d{1,12})\s*$", readers.one("ulimit.nofile", int)),
    _reader("Hypervisor vendor:", r"Hypervisor vendor::? (\S[^\n]{0,40})", readers.one("host.hypervisor")),
    _reader(
        "Load weight begin",
        rf"Load weight begin\. avail mem=(?P<free>{readers.SIZE})",
        readers.gigabytes(free="memory.available_gb"),
    ),
    _reader("Load weight end", r"Load weight end\. ([^\n]{1,400})", readers.weights_loaded),
    _reader(
        "Memory pool end",
        rf"Memory pool end\. avail mem=(?P<free>{readers.SIZE})",
        readers.gigabytes(free="memory.after_pool_gb"),
    ),
    _reader(
        "KV Cache is allocated", r"KV Cache is allocated\.[^#\n]{0,80}#tokens: (\d{1,15})([^\n]{0,120})", readers.pool
    ),
    _reader("Capture cuda graph bs [", r"Capture cuda graph bs \[([\d, ]{1,8000})\]", readers.graph_sizes),
    _reader(
        "Capture cuda graph end",
        rf"Capture cuda graph end\.[^\n]{{0,60}}?(?:mem usage=(?P<used>{readers.SIZE}) GB\. )?avail mem=(?P<free>{readers.SIZE})",
        readers.gigabytes(used="memory.graphs_gb", free="memory.after_graphs_gb"),
    ),
    _reader(
        "max_total_num_tokens=",
        r"max_total_num_tokens=\d+, (?:chunked_prefill_size|max_prefill_tokens)=[^\n]{1,300}",
        readers.scheduler,
    ),
    _reader(
        "The server is fired up", r"The server is fired up and ready to roll", lambda _: iter([("server.ready", True)])
    ),
    _reader("Starting router on ", STARTED, router_started),
    _reader("mode: PrefillDecode {", PAIRS, router_pairs),
    _reader(
        "sglang",
        r"(?=[^\n]{0,400}(?:sglang\.launch_server|sglang_router\.launch_|sglang serve|'sglang\.launch))",
        readers.command,
    ),
)
