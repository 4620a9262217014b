"""Virtual environments with real wheels in which a server fails by itself: what the scripts that make them share."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# Without a configuration SGLang stops over the model path first. Weights are not reached.
MODEL = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "intermediate_size": 128,
    "max_position_embeddings": 512, "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 4,
    "torch_dtype": "bfloat16", "vocab_size": 320,
}  # fmt: skip


def server_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """``variables`` without those that bring a CUDA toolkit or other modules in, and with the model hub left alone."""
    unwanted = {"CUDA_HOME", "CUDA_PATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONHOME", "PYTHONPATH"}
    return {key: value for key, value in variables.items() if key not in unwanted} | {"HF_HUB_OFFLINE": "1"}


def new_folder(description: str, arguments: Sequence[str], needed_gb: int) -> Path:
    """The FOLDER of the command line, made.

    Raises:
        SystemExit: it is not empty, or the disk has less than ``needed_gb``; that was printed.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args(arguments).folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        parser.error(f"{folder} is not an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free / 1e9
    if free < needed_gb:
        parser.error(f"{free:.0f} GB are free at {folder}, {needed_gb} are needed")
    return folder


def fill(folder: Path, *installs: Sequence[str]) -> None:
    """Makes the environment in ``folder``, with a ``model`` that has a configuration alone. ``installs``: words for ``pip
    install``, one call each.

    Raises:
        subprocess.CalledProcessError: venv or pip failed; they have printed why.
    """
    scratch = folder / "tmp"
    subprocess.run((sys.executable, "-m", "venv", str(folder)), check=True)  # noqa: S603  (our own interpreter)
    scratch.mkdir()
    # pip unpacks wheels of half a gigabyte where TMPDIR says, and that is often a small tmpfs.
    environment = server_environment(os.environ) | {"TMPDIR": str(scratch)}
    options = ("--quiet", "--disable-pip-version-check", "--no-cache-dir", "--no-compile", "--only-binary", ":all:")
    for words in installs:
        subprocess.run(  # noqa: S603  (versions are named by the scripts, and nothing is built)
            (str(folder / "bin" / "python"), "-m", "pip", "install", *options, *words), env=environment, check=True
        )
    shutil.rmtree(scratch)
    model = folder / "model"
    model.mkdir()
    (model / "config.json").write_text(json.dumps(MODEL, indent=2) + "\n", encoding="utf-8")


def run_launch(
    argv: Sequence[str], folder: Path, environment: Mapping[str, str], timeout_s: float
) -> tuple[int, bytes]:
    """Exit status, and stdout and stderr together, of a launch in ``folder``.

    Raises:
        subprocess.TimeoutExpired: the server still runs, so it did not die.
    """
    done = subprocess.run(  # noqa: S603  (an argv of ours, in the folder that was named)
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder, env=dict(environment),
        timeout=timeout_s, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout
