"""What the dynamic loader reads in a shared object: machine, needed libraries, search paths."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from triage.records import dataclass

_MACHINES = {
    3: "i686", 20: "ppc", 21: "ppc64le", 22: "s390x", 40: "armv7l", 62: "x86_64", 183: "aarch64", 243: "riscv64", 258: "loongarch64",
}  # fmt: skip
_LOAD, _DYNAMIC = 1, 2
_NEEDED, _STRINGS, _STRINGS_SIZE, _RPATH, _RUNPATH = 1, 5, 10, 15, 29
_MAX_HEADERS = 512
_MAX_DYNAMIC = 1 << 18
_MAX_STRINGS = 16 << 20
_LARGEST_FILE = 1 << 40


@dataclass(frozen=True, slots=True)
class ElfFile:
    """``machine`` as ``uname -m`` names it; ``needed`` in the loader's order; paths as they are written, ``$ORIGIN`` included."""

    machine: str
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()


def machine_of(path: Path) -> str:
    """The machine that a program or library is built for.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no ELF file.
    """
    with open(path, "rb") as stream:
        return _machine(stream.read(64))


def read_elf(path: Path) -> ElfFile:
    """The dynamic section of a 64-bit object; only its headers and its table of names are read, whatever its size.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no 64-bit ELF file, or is damaged.
    """
    with open(path, "rb") as stream:
        try:
            return _read(stream)
        except (struct.error, OverflowError) as error:
            raise ValueError(f"damaged ELF file: {error}") from error


def _machine(header: bytes) -> str:
    if len(header) < 20 or header[:4] != b"\x7fELF":
        raise ValueError("not an ELF file")
    number: int = struct.unpack_from(_order(header) + "H", header, 18)[0]
    return _MACHINES.get(number, f"machine-{number}")


def _order(header: bytes) -> str:
    return ">" if header[5] == 2 else "<"


def _read(stream: BinaryIO) -> ElfFile:
    header = stream.read(64)
    machine = _machine(header)
    if header[4] != 2 or len(header) < 64:
        raise ValueError("not a 64-bit ELF file")
    order = _order(header)
    segments = _segments(stream, header, order)
    section = next(((offset, size) for kind, offset, _, size in segments if kind == _DYNAMIC), None)
    if section is None:
        return ElfFile(machine)
    table = _at(stream, section[0], min(section[1], _MAX_DYNAMIC))
    entries = list(struct.iter_unpack(order + "qQ", table[: len(table) // 16 * 16]))
    # The entry with tag 0 ends the table; what lies behind it is padding.
    end = next((number for number, (tag, _) in enumerate(entries) if tag == 0), len(entries))
    values = dict(reversed(entries[:end]))
    names = _at(
        stream, _file_offset(values.get(_STRINGS, 0), segments), min(values.get(_STRINGS_SIZE, 0), _MAX_STRINGS)
    )
    return ElfFile(
        machine,
        tuple(_name(names, value) for tag, value in entries[:end] if tag == _NEEDED),
        _folders(names, values.get(_RPATH)),
        _folders(names, values.get(_RUNPATH)),
    )


def _segments(stream: BinaryIO, header: bytes, order: str) -> list[tuple[int, int, int, int]]:
    """(kind, offset in the file, address, size in the file) of each program header."""
    (start,) = struct.unpack_from(order + "Q", header, 32)
    size, count = struct.unpack_from(order + "HH", header, 54)
    if size < 56 or count > _MAX_HEADERS:
        raise ValueError("damaged ELF file: program headers")
    table = _at(stream, start, size * count)
    found: list[tuple[int, int, int, int]] = []
    for number in range(len(table) // size):
        kind, _, offset, address, _, length = struct.unpack_from(order + "IIQQQQ", table, number * size)
        found.append((kind, offset, address, length))
    return found


def _file_offset(address: int, segments: list[tuple[int, int, int, int]]) -> int:
    for kind, offset, start, length in segments:
        if kind == _LOAD and start <= address < start + length:
            return offset + address - start
    raise ValueError("damaged ELF file: its table of names lies in no segment")


def _at(stream: BinaryIO, offset: int, size: int) -> bytes:
    if offset >= _LARGEST_FILE:
        raise ValueError("damaged ELF file: offset")
    stream.seek(offset)
    return stream.read(size)


def _name(names: bytes, start: int) -> str:
    end = names.find(b"\0", start)
    if start >= len(names) or end < 0:
        raise ValueError("damaged ELF file: a name lies outside its table")
    return names[start:end].decode("utf-8", "replace")


def _folders(names: bytes, start: int | None) -> tuple[str, ...]:
    return () if start is None else tuple(part for part in _name(names, start).split(":") if part)
