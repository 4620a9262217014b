"""The fabric manager and the IMEX channels."""

from __future__ import annotations

import pytest

from triage.model import Value
from triage.probing.catalogue.gpu_fabric import parse_channels, parse_fabric
from triage.probing.probe import NotApplicable, Transcript

SWITCH = "/dev/nvidia-nvswitch0\n/dev/nvidia0"
# Every driver makes these, also without a switch.
CARD = "/dev/nvidia-nvswitchctl\n/dev/nvidia0\n/proc/driver/nvidia"


def report(state: str, status: str) -> str:
    """The part of the long report that counts."""
    return f"GPU 00000000:00:06.0\n    Product Name          : NVIDIA H200\n    Fabric\n        State             : {state}\n        Status            : {status}\n"


def fabric(text: str, services: str, devices: str, *, smi: str = "ok") -> dict[str, Value]:
    """Facts of ``fabric-manager``."""
    items = [
        Transcript("nvidia-smi -q", smi, text, reason="took more than 8 s"),
        Transcript("NVIDIA services", "ok", services),
        Transcript("NVIDIA devices", "ok", devices),
    ]
    return dict(parse_fabric(items))


DONE = report("Completed", "Success")


def test_a_service_that_runs() -> None:
    """Its name is cut by the kernel."""
    facts = fabric(DONE, "kthreadd\nnv-fabricmanage", SWITCH)
    assert facts == {
        "fabric_manager.running": True, "fabric.state": "Completed", "fabric.status": "Success", "fabric.gpus_not_ready": 0,
    }  # fmt: skip


def test_a_service_that_is_missing() -> None:
    """The whole host is seen, it has switches, and a GPU waits."""
    facts = fabric(DONE + report("In Progress", "N/A"), "kthreadd", SWITCH)
    assert facts == {
        "fabric_manager.running": False, "fabric.state": "In Progress", "fabric.status": "N/A", "fabric.gpus_not_ready": 1,
    }  # fmt: skip


def test_ampere_reports_no_fabric_but_has_switches() -> None:
    """There the switch's device is what tells that a service is needed."""
    assert fabric(report("N/A", "N/A"), "kthreadd", SWITCH) == {"fabric_manager.running": False}


def test_a_container_cannot_tell_that_it_does_not_run() -> None:
    """The processes of the host are not seen."""
    facts = fabric(report("In Progress", "N/A"), "", CARD)
    assert "fabric_manager.running" not in facts
    assert facts["fabric.state"] == "In Progress"


def test_a_virtual_machine_is_served_from_outside() -> None:
    """A fabric that is complete needs no service here."""
    assert "fabric_manager.running" not in fabric(DONE, "kthreadd", CARD)


def test_cards_without_a_fabric() -> None:
    """Neither a switch nor a state: no service is needed."""
    for text in (report("N/A", "N/A"), "GPU 00000000:3B:00.0\n    Product Name          : Tesla T4\n"):
        with pytest.raises(NotApplicable, match="NVSwitch"):
            fabric(text, "kthreadd", CARD)


def test_without_a_report_the_service_still_tells() -> None:
    """A tool that hangs hides the state, not the process."""
    assert fabric("", "kthreadd", SWITCH, smi="timed-out") == {"fabric_manager.running": False}
    assert fabric("", "nv-fabricmanage", CARD, smi="timed-out") == {"fabric_manager.running": True}
    with pytest.raises(ValueError, match="took more than 8 s"):
        fabric("", "kthreadd", CARD, smi="timed-out")


def channels(listing: str, services: str = "", devices: str = CARD, status: str = "ok") -> dict[str, Value]:
    """Facts of ``imex-channels``."""
    items = [
        Transcript("/dev/nvidia-caps-imex-channels", status, listing, reason="Permission denied"),
        Transcript("NVIDIA services", "ok", services),
        Transcript("NVIDIA devices", "ok", devices),
    ]
    return dict(parse_channels(items))


def test_channels_are_counted() -> None:
    """No folder is no channel."""
    assert channels("channel0\nchannel1", "kthreadd\nnvidia-imex") == {
        "imex.channel_count": 2,
        "imex.daemon_running": True,
    }
    assert channels("no such folder") == {"imex.channel_count": 0}
    assert channels("", "kthreadd")["imex.daemon_running"] is False


def test_channels_that_nobody_needs_or_sees() -> None:
    """Not applicable without NVIDIA, an error where the folder is closed."""
    with pytest.raises(NotApplicable):
        channels("no such folder", devices="")
    with pytest.raises(ValueError, match="Permission denied"):
        channels("", status="denied")
