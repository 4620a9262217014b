"""Which libraries sgl_kernel's objects need, and whether the loader would find them."""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model import Value
from triage.probing.catalogue import kernel_libraries
from triage.probing.catalogue.shared_libraries import CACHE
from triage.probing.host import answers, look_at
from triage.probing.probe import NotApplicable, Target, Transcript
from triage.safety.redact import Redactor

LISTING = """python /opt/venv
object sm90/common_ops.abi3.so machine=x86_64 /opt/venv/lib/python3.12/site-packages/sgl_kernel/sm90/common_ops.abi3.so
needs libc10.so found /opt/venv/lib/python3.12/site-packages/torch/lib/libc10.so
needs libcudart.so.13 unfound
needs libcuda.so.1 unfound
needs ld-linux-x86-64.so.2 unfound
object sm100/common_ops.abi3.so machine=x86_64 /opt/venv/lib/python3.12/site-packages/sgl_kernel/sm100/common_ops.abi3.so
needs libcudart.so.13 unfound
unreadable flash_ops.abi3.so not an ELF file"""
CACHED = (
    "1 libs found in cache `/etc/ld.so.cache'\n\tlibcuda.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libcuda.so.1\n"
)


def facts_of(text: str, cache: str = "") -> dict[str, Value]:
    """What the parser makes of both reads."""
    return dict(
        kernel_libraries.parse([Transcript(kernel_libraries.LABEL, "ok", text), Transcript(CACHE.label, "ok", cache)])
    )


def needing(path: Path, *needed: str, rpath: str = "") -> None:
    """Write an object that needs these libraries: headers, dynamic section, names."""
    names = b"\0" + b"".join(text.encode() + b"\0" for text in (*needed, rpath))
    places, at = [], 1
    for text in (*needed, rpath):
        places.append(at)
        at += len(text) + 1
    entries = [(1, place) for place in places[:-1]] + ([(15, places[-1])] if rpath else [])
    start, size = 176, (len(entries) + 3) * 16
    entries += [(5, start + size), (10, len(names)), (0, 0)]
    table = b"".join(struct.pack("<qQ", *entry) for entry in entries)
    whole = start + size + len(names)
    header = (
        b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 64, 0, 0)
    )
    segments = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, whole, whole, 4096) + struct.pack(
        "<IIQQQQQQ", 2, 6, start, start, start, size, size, 8
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header + segments + table + names)


def test_what_neither_folders_nor_cache_have_is_missing() -> None:
    """The cache finds the driver's library; the loader itself is never missing."""
    facts = facts_of(LISTING, CACHED)
    assert facts["sgl_kernel.missing_libraries"] == ("libcudart.so.13",)
    assert facts["sgl_kernel.needs"] == ("ld-linux-x86-64.so.2", "libc10.so", "libcuda.so.1", "libcudart.so.13")
    assert facts["sgl_kernel.objects"] == ("sm90/common_ops.abi3.so", "sm100/common_ops.abi3.so")
    assert facts["sgl_kernel.cuda_majors"] == ("13",)
    assert facts["sgl_kernel.unreadable_objects"] == ("flash_ops.abi3.so",)


def test_without_the_package_it_is_not_applicable() -> None:
    """No kernels, no question."""
    with pytest.raises(NotApplicable, match="/usr"):
        facts_of("python /usr\nno-package")


def test_libraries_are_found_where_the_loader_looks(tmp_path: Path) -> None:
    """Its own RPATH, torch's folder, NVIDIA's wheels, LD_LIBRARY_PATH and the toolkit; what is nowhere is missing."""
    prefix = tmp_path / "venv"
    site = prefix / "lib" / "python3.12" / "site-packages"
    (prefix / "pyvenv.cfg").parent.mkdir(parents=True, exist_ok=True)
    (prefix / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.3\n")
    names = ("libc10.so", "libown.so", "libnvrtc-x.so.13", "libset.so.1", "libcudart.so.13", "libnowhere.so.7")
    needing(site / "sgl_kernel" / "common_ops.abi3.so", *names, rpath="$ORIGIN/../own")
    for folder, name in (
        (site / "torch" / "lib", "libc10.so"),
        (site / "own", "libown.so"),
        (site / "nvidia" / "cu13" / "lib", "libnvrtc-x.so.13"),
        (tmp_path / "set", "libset.so.1"),
        (tmp_path / "cuda" / "lib64", "libcudart.so.13"),
    ):
        folder.mkdir(parents=True)
        (folder / name).touch()
    variables = {"LD_LIBRARY_PATH": f":{tmp_path}/set", "CUDA_HOME": f"{tmp_path}/cuda"}
    text = kernel_libraries.describe(Target(python=prefix, environment=variables))
    assert facts_of(text)["sgl_kernel.missing_libraries"] == ("libnowhere.so.7",)
    assert f"needs libown.so found {site}/own/libown.so" in text


def test_a_folder_that_cannot_be_looked_at_is_passed_over(tmp_path: Path) -> None:
    """A variable may hold anything, also a name that no system takes."""
    site = tmp_path / "lib" / "python3.12" / "site-packages"
    needing(site / "sgl_kernel" / "common_ops.abi3.so", "libnowhere.so.7")
    variables = {"LD_LIBRARY_PATH": "/" + "x" * 5000, "PYTHONPATH": "/" + "y" * 5000}
    target = Target(python=tmp_path, environment=variables)
    assert facts_of(kernel_libraries.describe(target))["sgl_kernel.missing_libraries"] == ("libnowhere.so.7",)


def test_probe_runs_here() -> None:
    """On this machine it ends in one of the five ways."""
    for target in (Target(environment=dict(os.environ)), Target(pid=os.getpid())):
        found = answers(kernel_libraries.PROBES, look_at(kernel_libraries.PROBES, target, Redactor()))
        assert {item.outcome for item in found} <= {"ok", "not-applicable", "unavailable", "timed-out", "unparsable"}


@given(
    text=st.text(max_size=200) | st.lists(st.sampled_from(LISTING.split("\n")) | st.text(max_size=30)).map("\n".join),
    cache=st.text(max_size=100),
)
def test_no_text_breaks_the_parser(text: str, cache: str) -> None:
    """Anything but a listing is refused by its name."""
    with suppress(ValueError, NotApplicable):
        assert "sgl_kernel.needs" in facts_of(text, cache)
