"""How the GPUs of NVIDIA are joined: NVLink or the host's bridges, peer access, links that are down."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from triage.lazy_regex import lazy_regex
from triage.model import Value
from triage.probing.catalogue.nvidia_devices import DEVICES
from triage.probing.catalogue.nvidia_smi import TIMEOUT_S, output
from triage.probing.probe import Command, NotApplicable, Probe, Transcript, by_label, fixed

_MATRIX = Command(("nvidia-smi", "topo", "-m"), TIMEOUT_S)
_PEERS = Command(("nvidia-smi", "topo", "-p2p", "r"), TIMEOUT_S)
_LINKS = Command(("nvidia-smi", "nvlink", "-s"), TIMEOUT_S)

_OVER_HOST = frozenset({"PHB", "NODE", "SYS", "SOC"})
_NEAR = frozenset({"PIX", "PXB"})
_NVLINK = lazy_regex(r"NV(\d{1,3})")
_DISTANCE = lazy_regex(r"X|NV\d{1,3}|PIX|PXB|PHB|NODE|SYS|SOC|PSB")
_GPU = lazy_regex(r"GPU\d{1,3}")
_STATUS = lazy_regex(r"X|OK|[A-Z]{1,4}")


def parse_matrix(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    """Facts ``topology.*``. Raises NotApplicable without a GPU, ValueError if the matrix cannot be read."""
    columns, table = _table(output(transcripts, _MATRIX.label), _DISTANCE)
    gpus = sum(1 for name in columns if _GPU.fullmatch(name))
    pairs = [table[one][other] for one in range(gpus) for other in range(one + 1, gpus)]
    yield "topology.gpu_count", gpus
    yield "topology.pairs_over_host", sum(kind in _OVER_HOST for kind in pairs)
    yield "topology.pairs_across_sockets", pairs.count("SYS")
    if pairs:
        widths = [int(found[1]) for found in map(_NVLINK.fullmatch, pairs) if found is not None]
        yield "topology.nvlink", bool(widths)
        yield "topology.nvlink_all_pairs", len(widths) == len(pairs)
        if widths:
            yield "topology.nvlink_min_links", min(widths)
    nics = len(columns) - gpus
    yield "topology.nic_count", nics
    if nics:
        yield "topology.gpus_without_near_nic", sum(not _NEAR & set(row[gpus:]) for row in table)
    yield from _peer_access(transcripts)


def _peer_access(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    item = by_label(transcripts, _PEERS.label)
    if item is None or "GPU1" not in item.text:
        return
    columns, table = _table(item.text, _STATUS)
    gpus = range(len(columns))
    refused = {table[one][other] for one in gpus for other in gpus if one != other} - {"OK"}
    yield "topology.p2p", not refused
    if refused:
        yield "topology.p2p_status", tuple(sorted(refused))


def _table(text: str, cell: re.Pattern[str]) -> tuple[list[str], list[list[str]]]:
    """Names of the columns (GPUs first, then network cards) and the rows of the GPUs, as long as the columns."""
    lines = [line.split() for line in text.splitlines()]
    header = next(
        (words for words in lines if words and _GPU.fullmatch(words[0]) and not cell.fullmatch(words[-1])), None
    )
    if header is None:
        raise ValueError("not a matrix of nvidia-smi topo")
    start = lines.index(header)
    columns = header[: header.index("CPU")] if "CPU" in header else header
    gpus = [name for name in columns if _GPU.fullmatch(name)]
    rows = {words[0]: words[1 : len(columns) + 1] for words in lines[start + 1 :] if words and words[0] in gpus}
    table = [rows[name] for name in gpus if name in rows]
    if len(table) != len(gpus) or any(len(row) != len(columns) or not all(map(cell.fullmatch, row)) for row in table):
        raise ValueError("the matrix of nvidia-smi topo has gaps")
    if columns[: len(gpus)] != gpus:
        raise ValueError("the matrix of nvidia-smi topo does not begin with the GPUs")
    return columns, table


def parse_links(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    """Facts ``nvlink.*``; ``nvlink.links`` is 0 for cards without NVLink. Raises NotApplicable without a GPU, ValueError if
    the text is no list of links."""
    active: dict[str, int] = {}
    inactive: dict[str, int] = {}
    dead = 0
    gpu = ""
    text = output(transcripts, _LINKS.label)
    if not text.strip():
        raise NotApplicable("nvidia-smi tells of no links")
    for line in text.splitlines():
        found = re.match(r"GPU (\d{1,3}):", line)
        if found is not None:
            gpu = found[1]
            active[gpu] = inactive[gpu] = 0
        elif gpu and re.match(r"\s+Link \d{1,3}: ", line):
            # Not "inactive": a link that sleeps to save power is well.
            count = inactive if "inactive" in line.lower() else active
            count[gpu] += 1
        elif "all links are inactive" in line.lower():
            dead += 1
    if not active:
        raise ValueError("not a list of links")
    yield "nvlink.links", sum(active.values()) + sum(inactive.values())
    yield "nvlink.active_links", sum(active.values())
    yield "nvlink.inactive_links", sum(inactive.values())
    yield "nvlink.gpus_all_inactive", dead + sum(not active[gpu] and inactive[gpu] > 0 for gpu in active)
    yield "nvlink.uneven", len(set(active.values())) > 1


PROBES = (
    Probe(
        "gpu-topology",
        "How the GPUs are joined to each other",
        fixed(_MATRIX, _PEERS, DEVICES),
        parse_matrix,
        cost_s=1.0,
    ),
    Probe("nvlink", "The state of the NVLinks", fixed(_LINKS, DEVICES), parse_links, cost_s=1.0),
)
