"""Probe: RDMA devices, their ports and address tables."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from triage.model import Value
from triage.probing.catalogue.target_process import variables_of
from triage.probing.catalogue.text_forms import ASKED, asked, nccl_takes, pairs, sections, text_of
from triage.probing.probe import File, Look, Probe, Read, Target, Transcript

_DEVICES = Path("/sys/class/infiniband")
_NODES = Path("/dev/infiniband")
_EMPTY_IN_A_ROW = 32
"""After so many empty entries the rest of an address table is taken for empty: tables are long and filled from the front."""
_RATE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?) Gb/sec")
_GID = re.compile(r"gid (\S+) ([0-9]{1,3}) ([0-9]{1,3}) (\S+) (.*)")


def _reads(target: Target) -> Sequence[Read]:
    ports = f"{_DEVICES}/*/ports/*"
    return (
        Look("RDMA devices", _list_devices),
        *(File(f"{ports}/{name}") for name in ("state", "link_layer", "phys_state", "rate")),
        File(f"{_DEVICES}/*/fw_ver"),
        Look("RDMA address tables", _list_gids),
        Look(f"files of {_NODES}", _list_nodes),
        *asked(
            {
                "ib_device": target.facts.get("server.disaggregation_ib_device"),
                "nccl_ib_hca": variables_of(target).get("NCCL_IB_HCA"),
            }
        ),
    )


def _list_devices() -> str:
    try:
        return "".join(f"device {name}\n" for name in sorted(os.listdir(_DEVICES)))  # noqa: PTH208  (names only)
    except FileNotFoundError:
        # The folder comes with the first driver; where sysfs is readable its absence says that there is none.
        if _DEVICES.parent.is_dir():
            return ""
        raise


def _list_gids() -> str:
    """One line for each address that is set: device, port, index, what it carries, and the protocol, without the address."""
    return "".join(line for table in sorted(_DEVICES.glob("*/ports/*/gids")) for line in _table(table))


def _table(folder: Path) -> Iterator[str]:
    empty = 0
    for index in range(256):
        try:
            gid = (folder / str(index)).read_text("ascii", "replace").strip()
        except OSError:
            return
        if not gid.replace(":", "").strip("0"):
            empty += 1
            if empty >= _EMPTY_IN_A_ROW:
                return
            continue
        empty = 0
        try:
            protocol = (folder.parent / "gid_attrs" / "types" / str(index)).read_text("ascii", "replace").strip()
        except OSError:
            protocol = "unknown"
        yield f"gid {folder.parents[2].name} {folder.parent.name} {index} {_kind(gid)} {protocol}\n"


def _kind(gid: str) -> str:
    if gid.startswith("0000:0000:0000:0000:0000:ffff:"):
        return "ipv4"
    return "link-local" if gid.startswith("fe80:") else "global"


def _list_nodes() -> str:
    names = sorted(os.listdir(_NODES))  # noqa: PTH208  (names only)
    return "".join(f"{name} {'rw' if os.access(_NODES / name, os.R_OK | os.W_OK) else 'no'}\n" for name in names)


def _parse(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    listing = text_of(transcripts, "RDMA devices")
    devices = re.findall(r"^device (\S+)$", listing or "", re.MULTILINE)
    if listing is not None:
        yield "rdma.device_count", len(devices)
        yield "rdma.devices", tuple(devices)
        yield from _choices(pairs(text_of(transcripts, ASKED) or ""), devices)
    yield from _ports(transcripts)
    firmware = dict.fromkeys(body.strip() for _, body in sections(text_of(transcripts, "/fw_ver") or ""))
    if firmware:
        yield "rdma.firmware", tuple(firmware)
    table = text_of(transcripts, "RDMA address tables")
    if devices and table is not None:
        yield from _gids(table)
    yield from _nodes(transcripts)


def _ports(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    states = _by_port(text_of(transcripts, "/state"))
    layers = _by_port(text_of(transcripts, "/link_layer"))
    active = [port for port, state in states.items() if state.endswith("ACTIVE")]
    if states:
        yield "rdma.active_ports", len(active)
        yield "rdma.inactive_ports", tuple(port for port in states if port not in active)
    used = tuple(dict.fromkeys(layers[port] for port in active or layers if port in layers))
    if used:
        yield "rdma.link_layers", used
    # Of both kinds at once nobody can say which one the traffic takes.
    if len(used) == 1:
        yield "rdma.link_layer", used[0]
    linked = _by_port(text_of(transcripts, "/phys_state"))
    if linked:
        yield "rdma.unlinked_ports", tuple(port for port, state in linked.items() if not state.endswith("LinkUp"))
    found = (_RATE.match(rate) for port, rate in _by_port(text_of(transcripts, "/rate")).items() if port in active)
    rates = [float(rate[1]) for rate in found if rate]
    if rates:
        yield "rdma.rate_gbit_s", min(rates)


def _by_port(text: str | None) -> dict[str, str]:
    """Content by ``mlx5_0/1``."""
    found = {}
    for path, body in sections(text or ""):
        parts = path.split("/")
        if len(parts) > 4:
            found[f"{parts[-4]}/{parts[-2]}"] = body.strip()
    return found


def _gids(text: str) -> Iterator[tuple[str, Value]]:
    known = _GID.findall(text)
    yield "rdma.gid_count", len(known)
    # What NCCL_IB_GID_INDEX wants on RoCE: an address that can be routed, in version 2, at the same place on every port.
    routed: dict[tuple[str, str], set[int]] = {(device, port): set() for device, port, *_ in known}
    for device, port, index, kind, protocol in known:
        if protocol == "RoCE v2" and kind != "link-local":
            routed[device, port].add(int(index))
    tables = [indices for indices in routed.values() if indices]
    if tables:
        yield "rdma.roce_v2_gid_indices", tuple(sorted(set.intersection(*tables)))


def _nodes(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    item = next((item for item in transcripts if item.label == f"files of {_NODES}"), None)
    if item is None or item.status not in ("ok", "absent"):
        return
    files = pairs(item.text) if item.status == "ok" else {}
    verbs = {name: right for name, right in files.items() if name.startswith("uverbs")}
    yield "rdma.uverbs_present", bool(verbs)
    yield "rdma.rdma_cm_present", "rdma_cm" in files
    if verbs:
        yield "rdma.uverbs_accessible", "no" not in verbs.values()


def _choices(wanted: dict[str, str], devices: Sequence[str]) -> Iterator[tuple[str, Value]]:
    named = wanted.get("ib_device", "")
    # Newer releases also take a JSON text or file there, by GPU.
    if named and not re.search(r"[{}/]|\.json$", named):
        yield "rdma.ib_device_exists", all(name.strip() in devices for name in named.split(",") if name.strip())
    if "nccl_ib_hca" in wanted:
        yield "rdma.nccl_ib_hca_exists", nccl_takes(wanted["nccl_ib_hca"], devices)


RDMA_DEVICES = Probe(
    "rdma-devices", "RDMA devices: ports, link layer, firmware, address tables, device files", _reads, _parse, 0.1
)
