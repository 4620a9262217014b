"""The driver's version, from /proc and from nvidia-smi."""

from __future__ import annotations

import pytest

from triage.model import Value
from triage.probing.catalogue.nvidia_driver import parse
from triage.probing.probe import NotApplicable, Transcript

OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (builder@)  \nGCC version:  gcc version 13.3.0 (GCC) \n"
CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\nGCC version:\n"
BANNER = (
    "Sat Nov 21 21:31:08 2026       \n"
    "+-----------------------------------------------------------------------------------------+\n"
    "| NVIDIA-SMI 580.95.05              Driver Version: 580.95.05      CUDA Version: 13.0     |\n"
)
PARAMETERS = 'EnableStreamMemOPs: 1\nNvLinkDisable: 0\nCreateImexChannel0: 0\nRegistryDwords: "PeerMappingOverride=1;"\nRmMsg: ""\n'


def told(
    version: str = "", parameters: str = "", banner: str = "", devices: str = "/dev/nvidia0", *, smi: str = ""
) -> dict[str, Value]:
    """Facts of these transcripts; an empty text is an absent file."""
    return dict(
        parse(
            [
                Transcript("/proc/driver/nvidia/version", "ok" if version else "absent", version),
                Transcript("/proc/driver/nvidia/params", "ok" if parameters else "absent", parameters),
                Transcript("/sys/module/nvidia/version", "absent"),
                Transcript("nvidia-smi", smi or ("ok" if banner else "absent"), banner),
                Transcript("NVIDIA devices", "ok", devices),
            ]
        )
    )


def test_a_host_that_works() -> None:
    """Module, library, CUDA and options are all told."""
    assert told(OPEN, PARAMETERS, BANNER) == {
        "driver.version": "580.95.05",
        "driver.open_module": True,
        "driver.stream_mem_ops": True,
        "driver.nvlink_disabled": False,
        "driver.creates_imex_channel": False,
        "driver.peer_mapping_override": True,
        "driver.nvidia_smi": "ok",
        "driver.cuda": "13.0",
        "driver.library_version": "580.95.05",
        "driver.library_mismatch": False,
    }


def test_without_nvidia_smi_the_branch_tells_cuda() -> None:
    """The closed module of a container that lacks the tools."""
    facts = told(CLOSED)
    assert facts == {
        "driver.version": "535.183.01",
        "driver.open_module": False,
        "driver.nvidia_smi": "absent",
        "driver.cuda": "12.2",
    }


def test_a_mismatch_names_both_versions() -> None:
    """The module is older than the libraries, as after an update without a reboot."""
    facts = told(
        CLOSED, banner="Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 570.133\n"
    )
    assert facts["driver.version"] == "535.183.01"
    assert facts["driver.library_version"] == "570.133"
    assert facts["driver.library_mismatch"] is True
    assert facts["driver.nvidia_smi"] == "failed"
    assert facts["driver.nvml_error"] == "Driver/library version mismatch"


def test_another_failure_is_no_mismatch() -> None:
    """A container that lost its devices."""
    facts = told(OPEN, banner="Failed to initialize NVML: Unknown Error\n")
    assert facts["driver.nvml_error"] == "Unknown Error"
    assert facts["driver.library_mismatch"] is False


@pytest.mark.parametrize(
    ("banner", "version", "cuda"),
    [
        ("| NVIDIA-SMI 470.57.02    Driver Version: 470.57.02    CUDA Version: 11.4     |", "470.57.02", "11.4"),
        (
            "| NVIDIA-SMI 550.90.07              Driver Version: 550.90.07      CUDA Version: N/A      |",
            "550.90.07",
            "12.4",
        ),
        ("| NVIDIA-SMI 595.10.01   KMD Version: 595.10.01     CUDA UMD Version: 13.2     |", "595.10.01", "13.2"),
        ("| NVIDIA-SMI 390.116                Driver Version: 390.116                   |", "390.116", None),
    ],
)
def test_banners_over_the_years(banner: str, version: str, cuda: str | None) -> None:
    """The wording changed; a CUDA version that is not printed comes from the branch, if that is known."""
    facts = told(banner=banner)
    assert facts["driver.version"] == version
    assert facts.get("driver.cuda") == cuda


def test_no_nvidia_at_all() -> None:
    """Not a question for such a host; but a tool that finds no driver is worth telling."""
    with pytest.raises(NotApplicable):
        told(devices="")
    failed = told(
        devices="", banner="NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure"
    )
    assert failed["driver.nvml_error"] == "couldn't communicate with the NVIDIA driver"


def test_a_tool_that_hangs_is_a_fact() -> None:
    """A GPU that is gone makes nvidia-smi wait for ever; with nothing at all it is no answer."""
    assert told(smi="timed-out")["driver.nvidia_smi"] == "timed-out"
    with pytest.raises(ValueError, match="neither"):
        told()


def test_the_module_s_own_version_file_is_enough() -> None:
    """/sys/module/nvidia/version holds the bare number."""
    items = [
        Transcript("/proc/driver/nvidia/version", "denied"),
        Transcript("/proc/driver/nvidia/params", "denied"),
        Transcript("/sys/module/nvidia/version", "ok", "570.86.10\n"),
        Transcript("nvidia-smi", "absent"),
        Transcript("NVIDIA devices", "ok", "/dev/nvidia0"),
    ]
    assert dict(parse(items))["driver.version"] == "570.86.10"
