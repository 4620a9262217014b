"""Listening TCP sockets as /proc shows them, and the processes that hold them."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from triage.probing.catalogue.addresses import Address
from triage.records import dataclass

_LISTEN = "0A"
_SEARCH_S = 1.5


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket: the address and port it is bound to, and its inode."""

    address: Address
    port: int
    inode: int


def listening_rows(table: str, process: str = "self") -> str:
    """The rows of /proc/PID/net/tcp or tcp6 of listening sockets. The others name the peers, who are nobody's business."""
    with open(f"/proc/{process}/net/{table}", encoding="ascii", errors="replace") as rows:
        return "".join(row for row in rows if row.split()[3:4] == [_LISTEN])


def listeners(rows: str) -> Iterator[Listener]:
    """The sockets of ``listening_rows``.

    Raises:
        ValueError: a row is not of the kernel's form.
    """
    for row in rows.splitlines():
        words = row.split()
        if words[3:4] != [_LISTEN]:
            continue
        digits, _, port = words[1].partition(":")
        if len(digits) not in (8, 32) or len(port) != 4 or len(words) < 10:
            raise ValueError(f"not a row of listening sockets: {row[:80]!r}")
        yield Listener(_address(bytes.fromhex(digits)), int(port, 16), int(words[9]))


def own_listeners(process: str = "self") -> tuple[Listener, ...]:
    """The sockets that listen now; those of a table that cannot be read are missing."""
    found: list[Listener] = []
    for table in ("tcp", "tcp6"):
        try:
            found.extend(listeners(listening_rows(table, process)))
        except (OSError, ValueError):
            continue
    return tuple(found)


def holders(inodes: Collection[int]) -> dict[int, tuple[int, str]]:
    """Process and its name for each socket, as far as /proc lets us look and within a second and a half."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[int, tuple[int, str]] = {}
    end = time.monotonic() + _SEARCH_S
    for folder in Path("/proc").iterdir():
        if len(found) == len(wanted) or time.monotonic() > end:
            break
        if folder.name.isdecimal():
            for inode in filter(None, map(wanted.get, socket_links(folder.name))):
                found.setdefault(inode, (int(folder.name), _name(folder)))
    return found


def socket_links(process: str) -> Iterator[str]:
    """What the descriptors of a process lead to (``socket:[4711]``); none where we may not look or the process has ended."""
    try:
        entries = list(Path(f"/proc/{process}/fd").iterdir())
    except OSError:
        return
    for entry in entries:
        with contextlib.suppress(OSError):  # closed by now
            yield os.readlink(entry)  # noqa: PTH115  (text, as it stands)


def _name(folder: Path) -> str:
    try:
        return (folder / "comm").read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _address(data: bytes) -> Address:
    """The kernel writes words of 32 bits as its own machine holds them, here with the lowest byte first."""
    ordered = b"".join(data[at : at + 4][::-1] for at in range(0, len(data), 4))
    found = ipaddress.ip_address(ordered)
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found
