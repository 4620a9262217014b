"""Which package brings a Python module. A log must not choose what is installed from an index: only names that SGLang's own
requirements name (releases 0.4.3 to 0.5.23), or that are known under another name, are offered by themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from triage.playbook import Case, Missing
from triage.records import dataclass

_OTHER_NAMES = {
    "PIL": "pillow", "bs4": "beautifulsoup4", "cuda": "cuda-python", "cuda.bindings": "cuda-bindings",
    "cutlass": "nvidia-cutlass-dsl", "cv2": "opencv-python-headless", "dateutil": "python-dateutil", "deep_gemm": "sgl-deep-gemm",
    "decord": "decord2", "dotenv": "python-dotenv", "flash_attn": "flash-attn", "flashinfer": "flashinfer-python",
    "google.protobuf": "protobuf", "grpc": "grpcio", "grpc_health": "grpcio-health-checking",
    "grpc_reflection": "grpcio-reflection", "jwt": "PyJWT", "mooncake": "mooncake-transfer-engine", "multipart": "python-multipart",
    "nixl": "nixl", "openai_harmony": "openai-harmony", "opentelemetry": "opentelemetry-api",
    "opentelemetry.exporter": "opentelemetry-exporter-otlp", "opentelemetry.sdk": "opentelemetry-sdk",
    "prometheus_client": "prometheus-client", "pynvml": "nvidia-ml-py", "quack": "quack-kernels", "skimage": "scikit-image",
    "sklearn": "scikit-learn", "smg_grpc_servicer": "smg-grpc-servicer", "tvm_ffi": "apache-tvm-ffi", "yaml": "PyYAML",
    "zmq": "pyzmq",
}  # fmt: skip
_SAME_NAME = frozenset((
    "accelerate", "addict", "aiohttp", "anthropic", "av", "bitsandbytes", "blobfile", "cloudpickle", "compressed_tensors",
    "datasets", "diffusers", "distro", "easydict", "einops", "fastapi", "gguf", "granian", "hf_transfer", "huggingface_hub",
    "imageio", "interegular", "IPython", "jsonlines", "kernels", "litellm", "llguidance", "loguru", "matplotlib", "mistral_common",
    "modelscope", "moviepy", "msgpack", "msgspec", "ninja", "numba", "numpy", "openai", "orjson", "outlines", "packaging", "pandas",
    "partial_json_parser", "peft", "polars", "psutil", "pybase64", "pydantic", "ray", "regex", "requests", "scipy",
    "sentence_transformers", "sentencepiece", "setproctitle", "soundfile", "tabulate", "termcolor", "tiktoken", "tilelang", "timm",
    "tokenizers", "tomli", "torch_memory_saver", "torchao", "torchcodec", "tqdm", "transformers", "trimesh", "uvicorn", "uvloop",
    "watchfiles", "websockets", "xgrammar", "xxhash", "zstandard",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chosen:
    """A text that was looked up in a table of ours, and why it is the one."""

    value: str
    sum: tuple[str, ...]


def package_of_module(case: Case) -> Chosen | Missing:
    """The package that brings the module which the log says is missing (capture ``module``)."""
    module = case.captures.get("module")
    if not isinstance(module, str):
        return Missing("the log does not name a module")
    name, parent = module.strip(), module.strip().partition(".")[0]
    for known in (name, parent):
        if known in _OTHER_NAMES:
            return Chosen(_OTHER_NAMES[known], (f"the module {known} comes with the package {_OTHER_NAMES[known]}",))
        if known in _SAME_NAME:
            return Chosen(known.replace("_", "-"), (f"the module {known} comes with the package of the same name",))
    return Missing("the module is none that we know the package of, and a log must not choose what is installed")


LOOKUPS: Mapping[str, Callable[[Case], Chosen | Missing]] = {"package-of-module": package_of_module}
"""What a playbook may name beside the formulas: ``from: compute NAME``."""
