"""The health of GPUs, from the long report."""

from __future__ import annotations

import pytest

from triage.model import Value
from triage.probing.catalogue.gpu_health import parse
from triage.probing.probe import NotApplicable, Transcript

HOPPER = """
==============NVSMI LOG==============

Driver Version                                         : 580.95.05
CUDA Version                                           : 13.0

Attached GPUs                                          : 1
GPU 00000000:00:06.0
    Product Name                                       : NVIDIA H200
    Persistence Mode                                   : Enabled
    GPU Recovery Action                                : None
    PCI
        GPU Link Info
            PCIe Generation
                Max                                    : 5
                Current                                : 5
            Link Width
                Max                                    : 16x
                Current                                : 16x
    Clocks Event Reasons
        Idle                                           : Active
        SW Power Cap                                   : Not Active
        HW Slowdown                                    : Not Active
            HW Thermal Slowdown                        : Not Active
        SW Thermal Slowdown                            : Not Active
    Clocks Event Reasons Counters
        SW Power Capping                               : 0 us
    ECC Errors
        Volatile
            SRAM Correctable                           : 0
            SRAM Uncorrectable Parity                  : 0
            SRAM Uncorrectable SEC-DED                 : 0
            DRAM Correctable                           : 7
            DRAM Uncorrectable                         : 0
        Aggregate
            SRAM Uncorrectable Parity                  : 0
            DRAM Uncorrectable                         : 1
            SRAM Threshold Exceeded                    : No
        Channel Repair Pending                         : No
    Retired Pages
        Single Bit ECC                                 : N/A
        Double Bit ECC                                 : N/A
        Pending Page Blacklist                         : N/A
    Remapped Rows
        Correctable Error                              : 0
        Uncorrectable Error                            : 2
        Pending                                        : No
        Remapping Failure Occurred                     : No
    Temperature
        GPU Current Temp                               : 37 C
"""
VOLTA = """
Attached GPUs                             : 1
GPU 00000000:3B:00.0
    Product Name                          : Tesla V100-SXM2-32GB
    Clocks Throttle Reasons
        Idle                              : Not Active
        HW Slowdown                       : Active
            HW Thermal Slowdown           : Active
    Ecc Mode
        Current                           : Enabled
    ECC Errors
        Volatile
            Single Bit
                Device Memory             : 0
                Total                     : 3
            Double Bit
                Device Memory             : 2
                Total                     : 2
    Retired Pages
        Single Bit ECC                    : 1
        Double Bit ECC                    : 2
        Pending Page Blacklist            : Yes
    Temperature
        GPU Current Temp                  : 91 C
"""


def told(text: str, status: str = "ok", devices: str = "/dev/nvidia0") -> dict[str, Value]:
    """Facts of a report."""
    items = [
        Transcript("nvidia-smi -q", status, text, reason="" if status == "ok" else "took more than 8 s"),
        Transcript("NVIDIA devices", "ok", devices),
    ]
    return dict(parse(items))


def test_a_healthy_card_with_a_past() -> None:
    """Old errors and spare rows in use are told apart from what is wrong now."""
    assert told(HOPPER) == {
        "gpu.unreachable": 0,
        "gpu.ecc_uncorrected": 0,
        "gpu.ecc_uncorrected_ever": 1,
        "gpu.remapped_rows_pending": False,
        "gpu.remapped_rows_failed": False,
        "gpu.channel_repair_pending": False,
        "gpu.remapped_rows": 2,
        "gpu.throttled": False,
        "gpu.temperature_max_c": 37,
        "gpu.recovery_action": "None",
        "gpu.requires_reset": False,
        "gpu.persistence_mode": True,
        "gpu.pcie_width_reduced": False,
    }


def test_the_report_of_older_drivers() -> None:
    """Single and double bit errors, retired pages, throttling under its old name."""
    facts = told(VOLTA)
    assert facts["gpu.ecc_uncorrected"] == 2
    assert facts["gpu.retired_pages"] == 3
    assert facts["gpu.retired_pages_pending"] is True
    assert facts["gpu.throttled"] is True
    assert facts["gpu.throttle_reasons"] == ("HW Slowdown", "HW Thermal Slowdown")
    assert "gpu.remapped_rows_pending" not in facts


def test_one_bad_card_among_good_ones() -> None:
    """The worst counts."""
    bad = (
        HOPPER.replace(
            "Pending                                        : No",
            "Pending                                        : Yes",
        )
        .replace("DRAM Uncorrectable                         : 0", "DRAM Uncorrectable                         : 4")
        .replace(
            "Recovery Action                                : None",
            "Recovery Action                                : Reset",
        )
        .replace("Current                                : 16x", "Current                                : 4x")
    )
    facts = told(HOPPER + bad)
    assert facts["gpu.remapped_rows_pending"] is True
    assert facts["gpu.ecc_uncorrected"] == 4
    assert facts["gpu.recovery_action"] == "Reset"
    assert facts["gpu.pcie_width_reduced"] is True


def test_a_cap_on_power_is_not_trouble() -> None:
    """Every busy GPU meets it."""
    facts = told(
        HOPPER.replace(
            "SW Power Cap                                   : Not", "SW Power Cap                                   :"
        )
    )
    assert facts["gpu.throttled"] is False
    assert facts["gpu.throttle_reasons"] == ("SW Power Cap",)


def test_a_card_that_wants_a_reset() -> None:
    """Its values say so in place of numbers."""
    facts = told(HOPPER.replace("37 C", "GPU requires reset"))
    assert facts["gpu.requires_reset"] is True
    assert "gpu.temperature_max_c" not in facts


def test_all_gpus_lost() -> None:
    """Nothing but the complaint is printed."""
    assert told("Unable to determine the device handle for GPU0000:3B:00.0: GPU is lost\n") == {"gpu.unreachable": 1}


def test_no_report() -> None:
    """Not applicable without NVIDIA, else an error with the reason."""
    with pytest.raises(NotApplicable):
        told("", "absent", devices="")
    with pytest.raises(ValueError, match="took more than 8 s"):
        told("", "timed-out")
    with pytest.raises(ValueError, match="not a report"):
        told("hello")
