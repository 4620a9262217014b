"""The reader of shared objects gives what the loader reads, and refuses damage with a ValueError."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triage.probing.catalogue.elf_file import machine_of, read_elf


def shared_object(*needed: str, runpath: str = "", rpath: str = "", machine: int = 62) -> bytes:
    """A 64-bit object of nothing but a dynamic section: headers, then the section, then its names."""
    names, entries = b"\0", []
    for tag, texts in ((1, needed), (29, [runpath] if runpath else []), (15, [rpath] if rpath else [])):
        for text in texts:
            entries.append((tag, len(names)))
            names += text.encode() + b"\0"
    start = 64 + 2 * 56
    size = (len(entries) + 3) * 16
    entries += [(5, 0x1000 + start + size), (10, len(names)), (0, 0)]
    table = b"".join(struct.pack("<qQ", *entry) for entry in entries)
    whole = start + size + len(names)
    header = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 64, 0, 0)
    )
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x1000, 0x1000, whole, whole, 4096)
    dynamic = struct.pack("<IIQQQQQQ", 2, 6, start, 0x1000 + start, 0x1000 + start, size, size, 8)
    return header + load + dynamic + table + names


def test_needed_names_and_paths(tmp_path: Path) -> None:
    """Names in the loader's order, paths as they are written, the machine as uname names it."""
    path = tmp_path / "x.so"
    path.write_bytes(
        shared_object("libc10.so", "libcudart.so.12", runpath="$ORIGIN/../torch/lib:/opt/lib", machine=183)
    )
    found = read_elf(path)
    assert found.needed == ("libc10.so", "libcudart.so.12")
    assert found.runpath == ("$ORIGIN/../torch/lib", "/opt/lib")
    assert found.rpath == ()
    assert found.machine == machine_of(path) == "aarch64"


@pytest.mark.skipif(shutil.which("readelf") is None, reason="no readelf to compare with")
def test_real_objects_read_as_readelf_reads_them() -> None:
    """Compiled modules beside this interpreter."""
    paths = [path for entry in sys.path if entry for path in sorted(Path(entry).rglob("*.so"))[:10]][:40]
    assert paths
    for path in paths:
        stated = subprocess.run(["readelf", "-d", str(path)], capture_output=True, text=True, check=True).stdout
        found = read_elf(path)
        assert found.needed == tuple(re.findall(r"\(NEEDED\).*\[(.*)\]", stated))
        assert ":".join(found.runpath) == "".join(re.findall(r"\(RUNPATH\).*\[(.*)\]", stated))
        assert ":".join(found.rpath) == "".join(re.findall(r"\(RPATH\).*\[(.*)\]", stated))


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(80), b"\x7fELF\x02\x01" + bytes(12)])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    """A script, a 32-bit object, the beginning of one."""
    path = tmp_path / "x.so"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="ELF"):
        read_elf(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(4, 400), st.integers(0, 255)), max_size=6), keep=st.integers(0, 500))
def test_damage_is_a_value_error(tmp_path: Path, changes: list[tuple[int, int]], keep: int) -> None:
    """Whatever byte is changed or cut off, it reads or is refused."""
    data = bytearray(shared_object("libc10.so", "libcudart.so.13", rpath="/usr/lib"))
    for place, value in changes:
        if place < len(data):
            data[place] = value
    path = tmp_path / "x.so"
    path.write_bytes(bytes(data[:keep]) if keep < 400 else bytes(data))
    with suppress(ValueError):
        assert all(isinstance(name, str) for name in read_elf(path).needed)
