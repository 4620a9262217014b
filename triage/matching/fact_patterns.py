"""The lines worth reading for facts: what the automaton looks for. Apart from their readers, which few scans need at once."""

from __future__ import annotations

import re

from triage.matching.fact_packages import PACKAGES

_VERSION = r"\d+\.\d"

FACT_PATTERNS: tuple[tuple[str, str, str], ...] = (
    ("server-args", r"server_args=(?:[A-Za-z_]\w*\(|\{)", "server_args="),
    ("python", rf"Python: {_VERSION}", "Python: "),
    ("accelerator", r"(?:CUDA|ROCM|NPU|XPU|MUSA|HPU) available: (?:True|False)", " available: "),
    ("platform", r"Automatically detected platform [a-z]", "Automatically detected platform "),
    ("gpu-name", r"GPU \d[\d,]*: [A-Z]", "GPU "),
    ("gpu-capability", r"GPU \d[\d,]* Compute Capability: \d", " Compute Capability: "),
    ("gpu-unsupported", r"with CUDA capability sm_\d+\w? is not compatible", "with CUDA capability sm_"),
    ("cuda-home", r"CUDA_HOME: /", "CUDA_HOME: "),
    ("rocm-home", r"ROCM_HOME: /", "ROCM_HOME: "),
    ("nvcc", r"Cuda compilation tools, release \d", "Cuda compilation tools, release "),
    ("cuda-driver", r"CUDA Driver Versions?: \d", "CUDA Driver Version"),
    ("driver", r"Driver Version: \d{3}\.\d", "Driver Version: "),
    ("driver-too-old", r"driver on your system is too old \(found version \d", "(found version "),
    ("driver-module", r"NVRM.{1,40}NVIDIA UNIX ", "NVIDIA UNIX "),
    ("nvml", r"NVML library version: \d", "NVML library version: "),
    ("rocm-driver", r"ROCM Driver Version: \w", "ROCM Driver Version: "),
    ("pytorch", rf"PyTorch: {_VERSION}", "PyTorch: "),
    ("current-environment", rf"Current Environment: PyTorch {_VERSION}", "Current Environment: PyTorch "),
    ("pip-installed", r"Successfully installed \w", "Successfully installed "),
    ("nccl-version", rf"NCCL version {_VERSION}", "NCCL version "),
    ("nccl-used", rf"is using nccl=={_VERSION}", "is using nccl=="),
    ("vllm-version", rf"vLLM API server version v?{_VERSION}", "vLLM API server version "),
    ("ulimit", r"ulimit soft: \d", "ulimit soft: "),
    ("hypervisor", r"Hypervisor vendor::? \w", "Hypervisor vendor:"),
    ("weights-begin", r"Load weight begin\. avail mem=\d", "Load weight begin. avail mem="),
    ("weights-end", r"Load weight end\. \w", "Load weight end. "),
    ("pool-end", r"Memory pool end\. avail mem=\d", "Memory pool end. avail mem="),
    ("kv-cache", r"KV Cache is allocated\..{0,80}#tokens: \d", "KV Cache is allocated."),
    ("graph-sizes", r"Capture cuda graph bs \[\d", "Capture cuda graph bs ["),
    ("graphs-end", r"Capture cuda graph end\. ", "Capture cuda graph end. "),
    ("scheduler", r"max_total_num_tokens=\d+, (?:chunked_prefill_size|max_prefill_tokens)=", "max_total_num_tokens="),
    ("ready", r"The server is fired up and ready to roll", "The server is fired up and ready to roll"),
    ("launch-module", r"sglang\.launch_server[ '\"]", "sglang.launch_server"),
    ("launch-command", r"sglang serve ", "sglang serve "),
    ("launch-router", r"sglang_router\.launch_\w+[ '\"]", "sglang_router.launch_"),
    ("router-started", r"Starting router on \S{1,260}:\d{1,5} \| mode: ", "Starting router on "),
    ("router-pairs", r"Router mode: PrefillDecode \{", "Router mode: PrefillDecode {"),
    ("package-missing", r"\w: Module Not Found", ": Module Not Found"),
    *((f"package-{name}", rf"{re.escape(name)}(?:: |==| {{2,60}}){_VERSION}", name) for name in PACKAGES),
)
"""Which lines are worth giving to ``read_facts``: name, regex for the scan over raw bytes, literal that must occur."""
