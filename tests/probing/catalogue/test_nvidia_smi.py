"""How nvidia-smi prints."""

from __future__ import annotations

import pytest

from triage.probing.catalogue.nvidia_devices import DEVICES
from triage.probing.catalogue.nvidia_smi import BANNER, failure, gpu_reports, number, output, rows, unreachable
from triage.probing.probe import NotApplicable, Transcript

MISMATCH = "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 570.133\n"
NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. "
    "Make sure that the latest NVIDIA driver is installed and running.\n"
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (MISMATCH, "Driver/library version mismatch"),
        ("Failed to initialize NVML: Unknown Error\n", "Unknown Error"),
        (
            "Failed to initialize NVML: GPU access blocked by the operating system\n",
            "GPU access blocked by the operating system",
        ),
        (NO_DRIVER, "couldn't communicate with the NVIDIA driver"),
        (
            "NVIDIA-SMI couldn't find libnvidia-ml.so library in your system. Please make",
            "couldn't find libnvidia-ml.so library",
        ),
        ('Field "compute_cap" is not a valid field to query.\n', 'Field "compute_cap" is not a valid field to query'),
        ("index, name\n0, NVIDIA H200\n", ""),
    ],
)
def test_failures_are_told_by_their_words(text: str, reason: str) -> None:
    """The reason is what nvidia-smi itself says, and nothing for an answer."""
    assert failure(text) == reason


def asked(text: str, status: str, paths: str) -> list[Transcript]:
    """nvidia-smi's answer beside the device nodes."""
    return [
        Transcript(BANNER.label, status, text, reason="no command nvidia-smi"),
        Transcript(DEVICES.label, "ok", paths),
    ]


def test_no_driver_and_no_device_is_not_applicable() -> None:
    """nvidia-smi may be installed where no driver is; the same failure beside a device is a missing answer."""
    for text, status in ((NO_DRIVER, "ok"), ("", "absent")):
        with pytest.raises(NotApplicable):
            output(asked(text, status, ""), BANNER.label)
        with pytest.raises(ValueError, match=r"communicate|no command"):
            output(asked(text, status, "/dev/nvidia0"), BANNER.label)


def test_no_gpu_is_not_applicable() -> None:
    """A driver without a card."""
    with pytest.raises(NotApplicable, match="no GPU"):
        output(asked("No devices were found\n", "ok", "/dev/nvidiactl"), BANNER.label)


def test_tables_are_read_by_their_header() -> None:
    """Units leave the names, warnings above leave the table, and the last field keeps its commas."""
    text = "Warning: a, b\npid, used_gpu_memory [MiB], process_name\n7, 500, run --x=1, --y\nshort\n"
    assert rows(text, "pid") == [{"pid": "7", "used_gpu_memory": "500", "process_name": "run --x=1, --y"}]
    with pytest.raises(ValueError, match="not the table"):
        rows("pid\n1\n", "pid", "name")


@pytest.mark.parametrize(
    ("text", "value"),
    [("143771 MiB", 143771), ("9.0", 9.0), (" -2 C", -2), ("N/A", None), ("[Not Supported]", None), ("", None)],
)
def test_numbers_with_units(text: str, value: float | None) -> None:
    """What is not a number is none, rather than zero."""
    assert number(text) == value


def test_reports_are_parted_by_gpu_and_indentation() -> None:
    """Depth makes the path, a name that returns keeps its first value, and lines before the first GPU belong to none."""
    text = (
        "Driver Version                            : 570.86.10\n"
        "GPU 00000000:00:06.0\n"
        "    Product Name                          : NVIDIA H100 80GB HBM3\n"
        "    Remapped Rows\n"
        "        Pending                           : No\n"
        "        Histogram\n"
        "            Max                           : 3072 bank(s)\n"
        "    Clocks Event Reasons\n"
        "        Idle                              : Active\n"
        "    Empty                                 :\n"
        "    Product Name                          : forged\n"
        "GPU 00000000:00:07.0\n"
        "    Product Name                          : Tesla T4\n"
    )
    one, two = gpu_reports(text)
    assert one == {
        "Product Name": "NVIDIA H100 80GB HBM3",
        "Remapped Rows/Pending": "No",
        "Remapped Rows/Histogram/Max": "3072 bank(s)",
        "Clocks Event Reasons/Idle": "Active",
        "Empty": "",
    }
    assert two["Product Name"] == "Tesla T4"
    with pytest.raises(ValueError, match="not a report"):
        gpu_reports("GPU utilisation: none")


def test_lost_gpus_are_counted() -> None:
    """One line for each that does not answer."""
    text = "Unable to determine the device handle for GPU0000:3B:00.0: Unknown Error\n" * 2
    assert unreachable(text) == 2
