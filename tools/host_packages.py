"""Python environments of the example hosts: packages with their requirements, and the transcripts that list them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SYSTEM = "/usr/local/lib/python3.12/dist-packages"
USER = "/root/.local/lib/python3.12/site-packages"


@dataclass(frozen=True)
class Package:
    """An installed package; ``torch_cuda`` is what torch's own version file states, for torch alone."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    folder: str = SYSTEM
    torch_cuda: str = ""
    module: str = ""
    installer: str = "pip"


@dataclass(frozen=True)
class Environment:
    """An interpreter, the folders on its path in their order, and what lies in them."""

    packages: tuple[Package, ...]
    version: str = "3.12.11"
    prefix: str = "/usr"
    folders: tuple[str, ...] = (SYSTEM, "/usr/lib/python3/dist-packages")
    marks: tuple[str, ...] = ()

    def listing(self) -> str:
        """The transcript of installed packages."""
        lines = self._header()
        for folder in self.folders:
            lines.append(f"folder {folder}")
            here = [item for item in self.packages if item.folder == folder]
            lines += [
                f"package {item.name} {item.version} {folder} RECORD=yes INSTALLER={item.installer}" for item in here
            ]
            lines += [f"module {item.module} {folder}" for item in here if item.module]
            lines += [
                f"torch-version-file version={item.version}{_build(item)} cuda={item.torch_cuda} hip=none {folder}"
                for item in here
                if item.torch_cuda
            ]
        return "\n".join(lines)

    def requirements(self) -> str:
        """The transcript of what each package requires; of equal names the first on the path."""
        lines, seen = self._header(), set[str]()
        for folder in self.folders:
            for item in self.packages:
                if item.folder == folder and item.name not in seen:
                    seen.add(item.name)
                    lines += [f"package {item.name} {item.version}", *(f"requires {text}" for text in item.requires)]
        return "\n".join(lines)

    def kernel_libraries(self, unfound: Sequence[str], cuda: str) -> str:
        """The transcript of what sgl_kernel needs, if it is installed."""
        home = next((item.folder for item in self.packages if item.module == "sgl_kernel"), "")
        if not home:
            return f"python {self.prefix}\nno-package"
        torch = next((item.folder for item in self.packages if item.name == "torch"), home)
        lines = [f"python {self.prefix}"]
        for variant in ("sm100", "sm90"):
            lines.append(
                f"object {variant}/common_ops.abi3.so machine=x86_64 {home}/sgl_kernel/{variant}/common_ops.abi3.so"
            )
            of_torch = (
                "libc10.so",
                "libtorch_cpu.so",
                f"libcudart.so.{cuda}",
                f"libcublas.so.{cuda}",
                f"libnvrtc.so.{cuda}",
            )
            places = {name: f"{torch}/torch/lib/{name}" for name in of_torch}
            places |= {name: f"/lib/x86_64-linux-gnu/{name}" for name in ("libcuda.so.1", "libnuma.so.1")}
            for name, place in places.items():
                lines.append(f"needs {name} unfound" if name in unfound else f"needs {name} found {place}")
        return "\n".join(lines)

    def _header(self) -> list[str]:
        return [f"python {self.version} x86_64 prefix={self.prefix}", "chosen PATH", *self.marks]


def _build(item: Package) -> str:
    return "" if "+" in item.version else f"+cu{item.torch_cuda.replace('.', '')}"


def nvidia(cuda: int, *, folder: str = SYSTEM) -> tuple[Package, ...]:
    """NVIDIA's wheels that torch 2.9 brings along, for CUDA 12 or 13."""
    if cuda == 12:
        versions = {
            "nvidia-cublas-cu12": "12.8.4.1", "nvidia-cuda-nvrtc-cu12": "12.8.93", "nvidia-cuda-runtime-cu12": "12.8.90",
            "nvidia-cudnn-cu12": "9.10.2.21", "nvidia-cusparselt-cu12": "0.7.1", "nvidia-nccl-cu12": "2.27.5",
            "nvidia-nvshmem-cu12": "3.3.20",
        }  # fmt: skip
    else:
        versions = {
            "nvidia-cublas": "13.0.0.19", "nvidia-cuda-nvrtc": "13.0.48", "nvidia-cuda-runtime": "13.0.48",
            "nvidia-cudnn-cu13": "9.13.0.50", "nvidia-cusparselt-cu13": "0.8.0", "nvidia-nccl-cu13": "2.27.7",
            "nvidia-nvshmem-cu13": "3.3.24",
        }  # fmt: skip
    return tuple(Package(name, version, folder=folder) for name, version in versions.items())


def torch(version: str, cuda: str, *, folder: str = SYSTEM, triton: str = "3.5.1") -> tuple[Package, ...]:
    """torch with its triton and NVIDIA's wheels."""
    wheels = nvidia(int(cuda.partition(".")[0]), folder=folder)
    requires = ("filelock", f"triton=={triton}", *(f"{item.name}=={item.version}" for item in wheels))
    return (
        Package("torch", version, requires, folder, torch_cuda=cuda, module="torch"),
        Package("triton", triton, folder=folder, module="triton"),
        Package("filelock", "3.20.0", folder=folder),
        *wheels,
    )


SGLANG = (
    Package(
        "sglang",
        "0.5.9",
        (
            "torch==2.9.1",
            "sgl-kernel==0.3.21",
            "transformers==4.57.1",
            "xgrammar==0.1.27",
            "flashinfer_python==0.6.3",
            "pyzmq>=25.1.2",
            "setproctitle",
        ),
        module="sglang",
    ),
    Package("sgl-kernel", "0.3.21", module="sgl_kernel"),
    Package("transformers", "4.57.1", ("filelock", "packaging>=20.0"), module="transformers"),
    Package("xgrammar", "0.1.27", ("torch>=1.10.0",), module="xgrammar"),
    Package("flashinfer_python", "0.6.3", module="flashinfer"),
    Package("flashinfer_cubin", "0.6.3", module="flashinfer_cubin"),
    Package("pyzmq", "27.1.0", module="zmq"),
    Package("setproctitle", "1.3.7", module="setproctitle"),
    Package("packaging", "25.0"),
    Package("mooncake-transfer-engine", "0.3.9", module="mooncake"),
    Package("sglang-router", "0.3.2", module="sglang_router"),
    Package("grpcio", "1.76.0", module="grpc"),
)
"""SGLang 0.5.9 with what belongs to it, without torch."""

SERVER = Environment((*torch("2.9.1", "12.8"), *SGLANG))
"""An environment in which everything fits."""
