"""Kernels that DeepGEMM kept are counted where its releases keep them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from triage.model import Value
from triage.probing.catalogue import deepgemm_cache
from triage.probing.host import answers, look_at
from triage.probing.probe import Target, Transcript
from triage.safety.redact import Redactor


def asked(**variables: str) -> dict[str, Value]:
    """Facts for a process with these variables."""
    (found,) = answers(deepgemm_cache.PROBES, look_at(deepgemm_cache.PROBES, Target(environment=variables), Redactor()))
    assert found.outcome == "ok"
    return {fact.name: fact.value for fact in found.facts}


def kernel(cache: Path, name: str, *files: str) -> None:
    """A kernel's folder with these files."""
    folder = cache / "cache" / f"kernel.{name}.0a1b"
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).touch()


def test_kernels_of_the_default_folder_are_counted(tmp_path: Path) -> None:
    """One whole, one whose compilation broke off; each process may have a folder of its own."""
    kernel(tmp_path / ".cache" / "deep_gemm", "gemm", "kernel.cu", "kernel.cubin")
    kernel(tmp_path / ".cache" / "deep_gemm", "broken", "kernel.cu")
    kernel(tmp_path / ".cache" / "sglang" / "deep_gemm" / "rank0", "gemm", "kernel.cu", "kernel.cubin")
    facts = asked(HOME=str(tmp_path))
    assert facts["deepgemm.cached_kernels"] == 2
    assert facts["deepgemm.broken_kernels"] == 1
    assert facts["deepgemm.cache_folders"] == (f"{tmp_path}/.cache/deep_gemm", f"{tmp_path}/.cache/sglang/deep_gemm")


def test_a_variable_names_another_folder(tmp_path: Path) -> None:
    """Two variables with one folder count it once."""
    kernel(tmp_path / "dg", "gemm", "kernel.cu", "kernel.cubin")
    assert (
        asked(SGLANG_DG_CACHE_DIR=f"{tmp_path}/dg", DG_JIT_CACHE_DIR=f"{tmp_path}/dg")["deepgemm.cached_kernels"] == 1
    )


def test_no_folder_is_no_kernel() -> None:
    """Nothing was ever compiled, or nobody says where."""
    assert asked() == {"deepgemm.cached_kernels": 0, "deepgemm.broken_kernels": 0}
    assert asked(**dict(os.environ))["deepgemm.broken_kernels"] is not None


@given(text=st.text(max_size=200) | st.text(max_size=200).map("caches\nfolder kernels=".__add__))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Anything but a listing is refused by its name."""
    with suppress(ValueError):
        assert "deepgemm.cached_kernels" in dict(deepgemm_cache.parse([Transcript(deepgemm_cache.LABEL, "ok", text)]))
