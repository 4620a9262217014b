"""Makes a virtual environment in which SGLang dies by itself: its sgl-kernel is built for CUDA 12, its torch for CUDA 13.

    python tools/make_wrong_environment.py FOLDER
    SGLTRIAGE_WRONG_ENV=FOLDER pytest tests/slow

Needs Linux on x86-64, Python 3.10 to 3.13, pip's index, some 3 GB of downloads and 7 GB of disk; no GPU, since sgl-kernel is
imported before one is asked for. FOLDER must not exist or be empty. What the server prints is kept in FOLDER/server.log.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

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
# Without a configuration SGLang stops over the model path first. Weights are not reached.
MODEL = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "intermediate_size": 128,
    "max_position_embeddings": 512, "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 4,
    "torch_dtype": "bfloat16", "vocab_size": 320,
}  # fmt: skip
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


def server_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """``variables`` without those that bring a CUDA toolkit or other modules in, and with the model hub left alone."""
    unwanted = {"CUDA_HOME", "CUDA_PATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONHOME", "PYTHONPATH"}
    return {key: value for key, value in variables.items() if key not in unwanted} | {"HF_HUB_OFFLINE": "1"}


def run_server(folder: Path) -> tuple[int, bytes]:
    """Exit status, and stdout and stderr together.

    Raises:
        subprocess.TimeoutExpired: the server still runs after ten minutes, so it did not die.
    """
    done = subprocess.run(  # noqa: S603  (an argv of ours, in the folder that was named)
        server_command(folder), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder,
        env=server_environment(os.environ), timeout=_START_S, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def make(folder: Path) -> None:
    """Fills ``folder``.

    Raises:
        subprocess.CalledProcessError: venv or pip failed; they have printed why.
    """
    scratch = folder / "tmp"
    subprocess.run((sys.executable, "-m", "venv", str(folder)), check=True)  # noqa: S603  (our own interpreter)
    scratch.mkdir()
    # pip unpacks wheels of half a gigabyte where TMPDIR says, and that is often a small tmpfs.
    environment = server_environment(os.environ) | {"TMPDIR": str(scratch)}
    _pip(folder, environment, (TORCH, *IMPORTED))
    _pip(folder, environment, ("--no-deps", *UNRESOLVED))
    shutil.rmtree(scratch)
    model = folder / "model"
    model.mkdir()
    (model / "config.json").write_text(json.dumps(MODEL, indent=2) + "\n", encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """0 if the environment is there and its server died of the pairing."""
    parser = argparse.ArgumentParser(description="Make an environment whose sgl-kernel does not fit its torch.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        parser.error(f"{folder} is not an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free / 1e9
    if free < NEEDED_GB:
        parser.error(f"{free:.0f} GB are free at {folder}, {NEEDED_GB} are needed")
    make(folder)
    status, output = run_server(folder)
    log = folder / "server.log"
    log.write_bytes(output)
    died = status != 0 and DEATH.encode() in output
    print(f"{log}: exit status {status}, " + (DEATH if died else f"and not of {DEATH!r}"))
    return 0 if died else 1


def _pip(folder: Path, environment: Mapping[str, str], arguments: Sequence[str]) -> None:
    options = ("--quiet", "--disable-pip-version-check", "--no-cache-dir", "--no-compile", "--only-binary", ":all:")
    subprocess.run(  # noqa: S603  (versions are named above, and nothing is built)
        (str(folder / "bin" / "python"), "-m", "pip", "install", *options, *arguments),
        env=dict(environment),
        check=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
