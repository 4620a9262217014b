"""The variables that decide how a server runs: of its process where one is named, else of the process that asks."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from triage.model import Value
from triage.probing.catalogue.looks import look
from triage.probing.catalogue.target_process import inside, process_variables, root_of
from triage.probing.probe import Probe, Read, Target, Transcript, by_label
from triage.safety.secret_names import secret_name

LABEL = "environment variables"
_FAMILIES = (
    "NCCL_", "GLOO_", "SGL_", "SGLANG_", "NVSHMEM_", "UCX_", "MC_", "MOONCAKE_", "NIXL_", "HF_", "HUGGINGFACE_", "HUGGING_FACE_",
    "TRANSFORMERS_", "CUDA_", "NVIDIA_", "TORCH_", "TORCHINDUCTOR_", "PYTORCH_", "TRITON_", "DG_", "DEEPEP_", "EP_", "FLASHINFER_",
    "VLLM_", "HIP_", "HSA_", "ROCR_", "RCCL_", "AITER_", "FI_", "OMPI_", "SLURM_JOB_", "MODELSCOPE_", "UV_",
)  # fmt: skip
_NAMES = frozenset((
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "LD_LIBRARY_PATH", "LD_PRELOAD", "LIBRARY_PATH", "PATH", "PYTHONPATH",
    "PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONUSERBASE", "VIRTUAL_ENV", "CONDA_PREFIX", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
    "MASTER_ADDR", "MASTER_PORT", "RANK", "LOCAL_RANK", "WORLD_SIZE", "TMPDIR", "XDG_CACHE_HOME", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_INDEX_URL", "MALLOC_ARENA_MAX", "CC", "CXX", "CUDAHOSTCXX",
))  # fmt: skip
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,99})=(.*)")
_MAX_VALUE = 4000
_MAX_VARIABLES = 500
_LOOPBACK = ipaddress.ip_address("127.0.0.1")
_LOGIN_FILE = "# token file of the Hugging Face hub: "
PRESENT = "set"
"""The value of a fact about a variable whose name promises a secret."""
_SHOWN = f"<{PRESENT}>"
"""What stands for the secret in the transcript: a placeholder, which redaction neither replaces nor counts."""
_ALLOCATOR, _OLD_ALLOCATOR = "PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"


def describe(target: Target) -> str:
    """The text of the transcript: ``NAME=value`` of the variables that matter, and of no others.

    Raises:
        OSError: the process does not exist, is somebody else's, or has written over its variables.
    """
    if target.pid is None:
        origin, variables = "the process that asks", target.environment
    else:
        pid, variables = process_variables(target.pid)
        origin = f"process {pid}"
    lines = [f"# of {origin}"]
    for name, value in sorted(variables.items()):
        if _matters(name):
            visible = value[:_MAX_VALUE].replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
            lines.append(f"{name}={_SHOWN if value and secret_name(name) else visible}")
    lines.append(
        f"# token file of the Hugging Face hub: {'yes' if _has_token_file(variables, root_of(target)) else 'no'}"
    )
    return "\n".join(lines)


def parse(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    """``env.<name>``: a number where the whole value is one; what is not set or empty is left out.

    Only ``env.ld_library_path`` is then the empty text, which is what it means to the loader.
    """
    transcript = by_label(transcripts, LABEL)
    if transcript is None or not transcript.text.startswith("# of "):
        raise ValueError("no listing of variables")
    variables: dict[str, str] = {}
    lines = transcript.text.split("\n")
    for line in lines[:_MAX_VARIABLES]:
        if (found := _LINE.fullmatch(line)) and _matters(found[1]):
            variables[found[1]] = found[2]
    if variables.get(_ALLOCATOR):
        variables[_OLD_ALLOCATOR] = variables[_ALLOCATOR]  # PyTorch reads the newer name first, and then no other
    yield "env.ld_library_path", ""
    for name, value in sorted(variables.items()):
        if value:
            yield f"env.{name.lower()}", _typed(name, value)
    if variables.get("HUGGING_FACE_HUB_TOKEN") and not variables.get("HF_TOKEN"):
        yield "env.hf_token", PRESENT  # its older name, which the hub's client still reads
    yield "env.proxy_intercepts_loopback", _intercepts_loopback(variables)
    if lines[-1].startswith(_LOGIN_FILE):
        yield "hub.token_file", lines[-1].endswith("yes")


def _typed(name: str, value: str) -> Value:
    if secret_name(name):
        return PRESENT
    return int(value) if _INTEGER.fullmatch(value) else value


def _matters(name: str) -> bool:
    upper = name.upper()
    # Only the proxies are read in small letters too.
    return (upper in _NAMES and (name == upper or upper.endswith("_PROXY"))) or name.startswith(_FAMILIES)


def _intercepts_loopback(variables: Mapping[str, str]) -> bool:
    """Would an HTTP client that obeys the variables send a request for this machine's own address to a proxy?"""
    if not any(_either(variables, name) for name in ("http_proxy", "https_proxy", "all_proxy")):
        return False
    return not any(_covers(part) for part in re.split(r"[,\s]+", _either(variables, "no_proxy")) if part)


def _either(variables: Mapping[str, str], name: str) -> str:
    """Clients take the small letters first."""
    return variables.get(name) or variables.get(name.upper(), "")


def _covers(part: str) -> bool:
    """Does an entry of no_proxy except 127.0.0.1, which is where the server asks itself? The name localhost does not."""
    if part == "*":
        return True
    try:
        return _LOOPBACK in ipaddress.ip_network(part.partition(":")[0], strict=False)
    except ValueError:
        return False


def _has_token_file(variables: Mapping[str, str], root: Path) -> bool:
    home = variables.get("HOME", "")
    cache = variables.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else "")
    folder = variables.get("HF_HOME") or f"{cache}/huggingface"
    path = Path(variables.get("HF_TOKEN_PATH") or f"{folder}/token")
    try:
        return path.is_absolute() and inside(root, path).stat().st_size > 0
    except OSError:
        return False


def _reads(target: Target) -> Sequence[Read]:
    if target.pid is None and not target.environment:
        return ()
    return (look(LABEL, lambda: describe(target)),)


PROBES = (Probe("environment", "Variables that decide how the server runs", _reads, parse, cost_s=0.05),)
