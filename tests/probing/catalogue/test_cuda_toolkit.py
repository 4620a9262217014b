"""The tools that compile kernels at run time."""

from __future__ import annotations

from pathlib import Path

import pytest

from triage.model import Value
from triage.probing.catalogue.cuda_toolkit import PROBES, parse
from triage.probing.probe import Command, Look, Target, Transcript

NVCC = (
    "nvcc: NVIDIA (R) Cuda compiler driver\nCopyright (c) 2005-2025 NVIDIA Corporation\nBuilt on Wed_Aug_20_01:58:59_PM_PDT_2025\n"
    "Cuda compilation tools, release 12.8, V12.8.93\nBuild cuda_12.8.r12.8/compiler.35583870_0\n"
)
GCC = "gcc (Ubuntu 13.3.0-6ubuntu2~24.04) 13.3.0\nCopyright (C) 2023 Free Software Foundation, Inc.\n"


def told(**texts: str | None) -> dict[str, Value]:
    """Facts; a text of None is a command or file that is not there, one that is not named was never asked for."""
    labels = {"nvcc": "nvcc --version", "ninja": "ninja --version", "gcc": "gcc --version", "gxx": "g++ --version",
              "home": "CUDA home", "version": "/usr/local/cuda/version.[jt][sx][ot]*", "beside": "ninja beside python"}  # fmt: skip
    given = {"nvcc": None, "ninja": None, "gcc": None, "gxx": None, **texts}
    return dict(
        parse(
            [Transcript(labels[name], "absent" if text is None else "ok", text or "") for name, text in given.items()]
        )
    )


def test_everything_is_there() -> None:
    """Versions, and the folder that PyTorch would use."""
    home = "home: /usr/local/cuda\nnamed by: CUDA_HOME\nexists: True\nnvcc: True\nheaders: True"
    version = '==> /usr/local/cuda/version.json <==\n{\n   "cuda" : {\n      "name" : "CUDA SDK",\n      "version" : "12.8.1"\n   }\n}\n'
    facts = told(
        nvcc=NVCC,
        ninja="1.11.1.git.kitware.jobserver-1\n",
        gcc=GCC,
        gxx=GCC.replace("gcc", "g++"),
        home=home,
        version=version,
    )
    assert facts == {
        "nvcc.on_path": True, "nvcc.version": "12.8", "ninja.on_path": True, "ninja.version": "1.11.1",
        "gcc.on_path": True, "gcc.version": "13.3.0", "gxx.on_path": True, "gxx.version": "13.3.0",
        "cuda.home": "/usr/local/cuda", "cuda.home_named_by": "CUDA_HOME", "cuda.home_exists": True,
        "cuda.home_has_nvcc": True, "cuda.home_has_headers": True, "cuda.toolkit_version": "12.8.1",
    }  # fmt: skip


def test_nothing_is_there() -> None:
    """A default folder that does not exist is nobody's choice."""
    facts = told(
        home="home: /usr/local/cuda\nnamed by: default\nexists: False\nnvcc: False\nheaders: False", beside="False"
    )
    assert facts == {
        "nvcc.on_path": False, "ninja.on_path": False, "gcc.on_path": False, "gxx.on_path": False,
        "cuda.home_exists": False, "ninja.beside_python": False,
    }  # fmt: skip


def test_a_home_that_does_not_exist_is_named() -> None:
    """Somebody set it."""
    facts = told(home="home: /opt/cuda\nnamed by: CUDA_HOME\nexists: False\nnvcc: False\nheaders: False")
    assert facts["cuda.home"] == "/opt/cuda"
    assert facts["cuda.home_exists"] is False
    assert "cuda.home_has_nvcc" not in facts


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("gcc (GCC) 8.5.0 20210514 (Red Hat 8.5.0-28)\n", "8.5.0"),
        ("gcc (Debian 12.2.0-14) 12.2.0\n", "12.2.0"),
        ("gcc-11 (SUSE Linux) 11.3.0\n", "11.3.0"),
        ("Apple clang\n", None),
    ],
)
def test_the_compiler_s_version_is_not_the_package_s(line: str, version: str | None) -> None:
    """Distributions put their own numbers into brackets."""
    assert told(gcc=line).get("gcc.version") == version


def test_the_old_version_file() -> None:
    """Before CUDA 11.1 it was a line of text."""
    assert (
        told(version="==> /usr/local/cuda/version.txt <==\nCUDA Version 10.2.89\n")["cuda.toolkit_version"] == "10.2.89"
    )


def described(target: Target) -> str:
    """What the look at the toolkit's folder says."""
    return next(
        read.function() for read in PROBES[0].reads(target) if isinstance(read, Look) and read.label == "CUDA home"
    )


def test_the_folder_is_found_as_pytorch_does(tmp_path: Path) -> None:
    """The variable first, then nvcc on the path, then the default."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nvcc").touch(mode=0o755)
    assert f"home: {tmp_path}\nnamed by: CUDA_PATH\nexists: True\nnvcc: True" in described(
        Target(environment={"CUDA_PATH": str(tmp_path)})
    )
    assert f"home: {tmp_path}\nnamed by: PATH" in described(Target(environment={"PATH": str(tmp_path / "bin")}))
    assert "home: /usr/local/cuda\nnamed by: default" in described(Target(environment={"PATH": str(tmp_path)}))


def test_what_a_variable_names_is_never_run() -> None:
    """It may be another user's; only commands on the path of whoever asks are."""
    reads = PROBES[0].reads(Target(environment={"CUDA_HOME": "/home/other/cuda"}))
    assert {read.argv[0] for read in reads if isinstance(read, Command)} == {"nvcc", "ninja", "gcc", "g++"}


def test_ninja_beside_the_server_s_python(tmp_path: Path) -> None:
    """It serves only those who activate the environment, or call it by path."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ninja").touch()
    for python in (tmp_path, tmp_path / "bin" / "python"):
        look = PROBES[0].reads(Target(python=python))[-1]
        assert isinstance(look, Look)
        assert look.function() == "True"
