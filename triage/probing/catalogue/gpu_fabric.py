"""What joins GPUs through switches: the fabric manager, and the IMEX channels between nodes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from triage.lazy_regex import lazy_regex
from triage.model import Value
from triage.probing.catalogue.nvidia_devices import DEVICES, device_paths, first, require_nvidia, require_text
from triage.probing.catalogue.nvidia_smi import REPORT, gpu_reports, output
from triage.probing.catalogue.process_list import SERVICES, sees_whole_host
from triage.probing.probe import Look, NotApplicable, Probe, Transcript, by_label, fixed

_CHANNEL_FOLDER = "/dev/nvidia-caps-imex-channels"
_NO_FOLDER = "no such folder"
# The driver makes the control device and the folder in /proc on every host, the numbered ones only for a switch.
_SWITCH = lazy_regex(r"nvswitch\d|nvswitch/devices/")


def _list_channels() -> str:
    try:
        return "\n".join(sorted(os.listdir(_CHANNEL_FOLDER)))  # noqa: PTH208  (names, not paths)
    except FileNotFoundError:
        return _NO_FOLDER


_CHANNELS = Look(_CHANNEL_FOLDER, _list_channels)


def parse_fabric(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    """Facts ``fabric.*`` and ``fabric_manager.running``.

    The service may run where this process cannot see it: outside the container, or on the host of a virtual machine. So
    false is told only where the whole host is seen and some GPU waits for its fabric, or none reports on it. Raises
    NotApplicable where no switch is seen, ValueError if neither the report nor the services can be read.
    """
    services = by_label(transcripts, SERVICES.label)
    runs = services is not None and "nv-fabricmanage" in services.text.split()
    if runs:
        yield "fabric_manager.running", True
    paths = device_paths(transcripts) or ()
    switches = any(map(_SWITCH.search, paths))
    try:
        states = _states(output(transcripts, REPORT.label))
    except ValueError:
        # With a broken fabric nvidia-smi still answers; without an answer only the service can be told.
        if not runs and not switches:
            raise
        states = []
    if not (runs or switches or states):
        raise NotApplicable("no NVSwitch and no fabric are seen from here")
    yield from _worst(states)
    done = bool(states) and all(state == ("Completed", "Success") for state in states)
    if not runs and not done and services is not None and sees_whole_host(services.text):
        yield "fabric_manager.running", False


def _states(text: str) -> list[tuple[str, str]]:
    """State and status of each GPU that has a fabric."""
    reports = gpu_reports(text)
    pairs = [(gpu.get("Fabric/State", "N/A"), gpu.get("Fabric/Status", "N/A")) for gpu in reports]
    return [pair for pair in pairs if pair[0] not in ("N/A", "Not Supported", "")]


def _worst(states: Sequence[tuple[str, str]]) -> Iterator[tuple[str, Value]]:
    if not states:
        return
    state, status = next((pair for pair in states if pair != ("Completed", "Success")), states[0])
    yield "fabric.state", state
    yield "fabric.status", status
    yield "fabric.gpus_not_ready", sum(pair != ("Completed", "Success") for pair in states)


def parse_channels(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    """Facts ``imex.*``. Raises NotApplicable without any NVIDIA device, ValueError if the folder cannot be listed."""
    require_nvidia(transcripts)
    listing = require_text(first(transcripts, _CHANNELS.label))
    yield "imex.channel_count", sum(bool(re.fullmatch(r"channel\d{1,6}", name)) for name in listing.split())
    services = by_label(transcripts, SERVICES.label)
    if services is not None:
        runs = "nvidia-imex" in services.text.split()
        if runs or sees_whole_host(services.text):
            yield "imex.daemon_running", runs


PROBES = (
    Probe(
        "fabric-manager",
        "The fabric manager and the state of the NVLink fabric",
        fixed(REPORT, SERVICES, DEVICES),
        parse_fabric,
        cost_s=2.0,
    ),
    Probe(
        "imex-channels", "IMEX channels between nodes", fixed(_CHANNELS, SERVICES, DEVICES), parse_channels, cost_s=0.1
    ),
)
