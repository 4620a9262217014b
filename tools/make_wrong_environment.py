"""Makes a virtual environment in which SGLang dies by itself: its sgl-kernel is built for CUDA 12, its torch for CUDA 13.

    python tools/make_wrong_environment.py FOLDER
    SGLTRIAGE_WRONG_ENV=FOLDER pytest tests/slow

Needs Linux on x86-64, Python 3.10 to 3.13, pip's index, some 3 GB of downloads and 7 GB of disk; no GPU, since sgl-kernel is
imported before one is asked for. FOLDER must not exist or be empty. What the server prints is kept in FOLDER/server.log.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

# Run by its path, it finds its neighbour beside the checkout's root.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from tools.server_environment import fill, new_folder, run_launch, server_environment

# 2.11 is the first torch whose wheel on PyPI is a CUDA 13 build. The last sgl-kernel of that name is linked with CUDA 12 and
# is the one that this SGLang pins.
TORCH = "torch==2.11.0"
UNRESOLVED = ("sglang==0.5.9", "sgl-kernel==0.3.21", "torchvision==0.26.0")
# Of what SGLang requires, only these (and what they require) are imported before sgl-kernel is.
IMPORTED = (
    "transformers==4.57.1", "openai==2.6.1", "aiohttp", "compressed-tensors", "dill", "fastapi", "gguf", "ipython", "msgspec",
    "orjson", "partial-json-parser", "pillow", "psutil", "pybase64", "pyyaml", "pyzmq", "requests", "sentencepiece",
    "setproctitle", "uvicorn", "uvloop",
)  # fmt: skip
DEATH = "libnvrtc.so.12: cannot open shared object file"
NEEDED_GB = 12  # the environment, the downloads beside it, and room to breathe
_START_S = 600.0


def server_command(folder: Path) -> tuple[str, ...]:
    """The launch that fails, as an argv."""
    python, model = folder / "bin" / "python", folder / "model"
    return (
        str(python),
        "-m",
        "sglang.launch_server",
        "--model-path",
        str(model),
        "--device",
        "cuda",
        "--port",
        "30000",
    )


def run_server(folder: Path) -> tuple[int, bytes]:
    """Exit status, and stdout and stderr together.

    Raises:
        subprocess.TimeoutExpired: the server still runs after ten minutes, so it did not die.
    """
    return run_launch(server_command(folder), folder, server_environment(os.environ), _START_S)


def main(arguments: Sequence[str]) -> int:
    """0 if the environment is there and its server died of the pairing."""
    folder = new_folder("Make an environment whose sgl-kernel does not fit its torch.", arguments, NEEDED_GB)
    fill(folder, (TORCH, *IMPORTED), ("--no-deps", *UNRESOLVED))
    status, output = run_server(folder)
    log = folder / "server.log"
    log.write_bytes(output)
    died = status != 0 and DEATH.encode() in output
    print(f"{log}: exit status {status}, " + (DEATH if died else f"and not of {DEATH!r}"))
    return 0 if died else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
