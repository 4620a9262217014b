"""Packages whose version in a log is worth a fact, and how their versions are named."""

from __future__ import annotations

from triage.lazy_regex import lazy_regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from triage.model import Value

_RUN = lazy_regex(r"[-_.]+")
_LOCAL_CUDA = lazy_regex(r"cu(\d{2,3})")
_LOCAL_ROCM = lazy_regex(r"rocm(\d+(?:\.\d+)*)")

PACKAGES = (
    "sglang",
    "sgl_kernel",
    "sglang-kernel",
    "sgl-kernel",
    "sgl-kernel-npu",
    "sglang-router",
    "torch",
    "torchvision",
    "torchaudio",
    "torch_npu",
    "torchao",
    "torchcodec",
    "triton",
    "flashinfer",
    "flashinfer_python",
    "flashinfer-python",
    "flashinfer_cubin",
    "flashinfer-cubin",
    "flashinfer_jit_cache",
    "flashinfer-jit-cache",
    "vllm",
    "xgrammar",
    "outlines",
    "transformers",
    "tokenizers",
    "huggingface_hub",
    "huggingface-hub",
    "hf_transfer",
    "hf-xet",
    "modelscope",
    "numpy",
    "deep_ep",
    "deep-ep",
    "deep_gemm",
    "nixl",
    "mooncake-transfer-engine",
    "compressed-tensors",
    "decord",
    "decord2",
    "pyzmq",
    "uvicorn",
    "uvloop",
    "fastapi",
    "pydantic",
)
"""Distribution names as check_env and pip print them."""

KNOWN = frozenset(_RUN.sub("-", name).lower() for name in PACKAGES)


def normalised(name: str) -> str:
    """The name as package indexes compare it: ``sgl_kernel`` is ``sgl-kernel``."""
    return _RUN.sub("-", name).lower()


def of_interest(name: str) -> bool:
    """Is it a package of the table, or one of NVIDIA's libraries?"""
    plain = normalised(name)
    return plain in KNOWN or plain.startswith("nvidia-")


def version_facts(name: str, version: str) -> Iterator[tuple[str, Value]]:
    """Facts about one installed package: its version, and for torch what it was built for (``+cu128`` is CUDA 12.8)."""
    plain = normalised(name)
    yield f"{plain}.installed", True
    if plain != "torch":
        yield f"{plain}.version", version
        return
    release, _, local = version.partition("+")
    yield "torch.version", release
    if local:
        yield "torch.build", local
    cuda, rocm = _LOCAL_CUDA.fullmatch(local), _LOCAL_ROCM.fullmatch(local)
    if cuda is not None:
        yield "torch.cuda", f"{cuda[1][:-1]}.{cuda[1][-1]}"
    if rocm is not None:
        yield "torch.rocm", rocm[1]
