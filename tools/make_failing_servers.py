"""Makes a virtual environment with a real SGLang whose launches fail by themselves, each for another reason, on a machine
without a GPU.

    python tools/make_failing_servers.py FOLDER
    SGLTRIAGE_FAILING_SERVERS=FOLDER pytest tests/cli/test_run_real_servers.py

Needs Linux on x86-64, Python 3.10 to 3.12, pip's index, some 1.5 GB of downloads and 4 GB of disk (a build of torch with CUDA
takes 3 GB more of each: point pip at one for the CPU). FOLDER must not exist or be empty. What each server prints is kept in
FOLDER/NAME.log.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Run by its path, it finds its neighbour beside the checkout's root.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from tools.server_environment import fill, new_folder, run_launch, server_environment

SGLANG = "sglang==0.5.6"
TORCH = "torch==2.13.0"
# The last torchvision that can be imported beside a torch that it was not built for; only its names are needed.
UNRESOLVED = (SGLANG, "sglang-router==0.3.2", "torchvision==0.15.2")
# Of what SGLang requires, only these (and what they require) are imported before it looks at its arguments.
IMPORTED = (
    "transformers==4.57.1", "openai==2.6.1", "aiohttp", "compressed-tensors", "dill", "einops", "fastapi", "gguf", "ipython",
    "msgspec", "numpy", "orjson", "partial-json-parser", "pillow", "psutil", "pybase64", "pyyaml", "pyzmq", "requests",
    "sentencepiece", "setproctitle", "triton", "uvicorn", "uvloop",
)  # fmt: skip
KERNEL = "sgl-kernel==0.3.21"
"""Not the one that this SGLang pins, and built for a torch with CUDA: it cannot be loaded beside the one for the CPU."""
NEEDED_GB = 8
_START_S = 300.0


@dataclass(frozen=True)
class FailingServer:
    """A launch that fails. ``causes``: the signatures that may be named for it, any one of them; ``death``: what it prints;
    ``path``: folders below FOLDER that Python imports from first; ``takes_port``: somebody else listens on it meanwhile."""

    name: str
    causes: tuple[str, ...]
    status: int
    death: str
    options: tuple[str, ...]
    module: str = "sglang.launch_server"
    path: tuple[str, ...] = ()
    takes_port: int = 0


_MODEL = ("--model-path", "model")
_PORT = 30199
SERVERS = (
    FailingServer(
        "unknown-flag", ("launch-arg-invalid",), 2, "unrecognized arguments: --tensor-paralel-size",
        (*_MODEL, "--tensor-paralel-size", "2"),
    ),
    FailingServer(
        "no-gpu", ("torch-cpu-build-installed",), 1, "No accelerator (CUDA, XPU, HPU) is available.", _MODEL,
    ),
    FailingServer(
        "missing-module", ("missing-python-module",), 1, "No module named 'sgl_kernel'", (*_MODEL, "--device", "cpu"),
    ),
    # Which of the two it is only the packages on the machine can tell; the log has a library of CUDA 12 that is not found.
    FailingServer(
        "wrong-sgl-kernel", ("sgl-kernel-cuda-major-mismatch", "cuda-library-path"), 1, "libnvrtc.so.12: cannot open shared object file",
        (*_MODEL, "--device", "cuda"), path=("kernel",),
    ),
    # A server gets as far as its port on a GPU alone; the router does without.
    FailingServer(
        "taken-port", ("port-in-use",), 1, "Address already in use",
        ("--worker-urls", "http://127.0.0.1:9", "--host", "127.0.0.1", "--port", str(_PORT)),
        module="sglang_router.launch_router", takes_port=_PORT,
    ),
)  # fmt: skip


def server_command(folder: Path, server: FailingServer) -> tuple[str, ...]:
    """The launch, as an argv, for ``folder`` as the current one."""
    return (str(folder / "bin" / "python"), "-m", server.module, *server.options)


def variables_of(folder: Path, server: FailingServer, variables: Mapping[str, str]) -> dict[str, str]:
    """``variables`` as the launch is to find them."""
    found = server_environment(variables)
    if server.path:
        found["PYTHONPATH"] = os.pathsep.join(str(folder / name) for name in server.path)
    return found


@contextmanager
def occupied(server: FailingServer) -> Iterator[None]:
    """Somebody else listens on the port of the server.

    Raises:
        OSError: the port is taken by a stranger.
    """
    if not server.takes_port:
        yield
        return
    with socket.create_server(("127.0.0.1", server.takes_port)):
        yield


def run_server(folder: Path, server: FailingServer) -> tuple[int, bytes]:
    """Exit status, and stdout and stderr together.

    Raises:
        subprocess.TimeoutExpired: the server still runs after five minutes, so it did not die.
    """
    with occupied(server):
        environment = variables_of(folder, server, os.environ)
        return run_launch(server_command(folder, server), folder, environment, _START_S)


def main(arguments: Sequence[str]) -> int:
    """0 if the environment is there and every server died of what it was to die of."""
    folder = new_folder("Make an environment in which launches of SGLang fail by themselves.", arguments, NEEDED_GB)
    # The kernel lies beside the environment, so that only those launches find it that are to fail of it.
    kernel = ("--no-deps", "--target", str(folder / "kernel"), KERNEL)
    fill(folder, (TORCH, *IMPORTED), ("--no-deps", *UNRESOLVED), kernel)
    failed = 0
    for server in SERVERS:
        status, output = run_server(folder, server)
        log = folder / f"{server.name}.log"
        log.write_bytes(output)
        died = status == server.status and server.death.encode() in output
        failed += not died
        print(
            f"{log}: exit status {status}, "
            + (server.death if died else f"and not {server.status} of {server.death!r}")
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
