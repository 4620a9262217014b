"""What tells that a host has something of NVIDIA."""

from __future__ import annotations

import pytest

from triage.probing.catalogue.nvidia_devices import (
    DEVICES,
    device_paths,
    files,
    first,
    gpu_nodes,
    require_nvidia,
    require_text,
)
from triage.probing.probe import NotApplicable, Transcript


def devices(text: str, status: str = "ok") -> Transcript:
    """The transcript of the look at device nodes."""
    return Transcript(DEVICES.label, status, text)


def test_gpus_are_the_numbered_nodes() -> None:
    """Control nodes are not GPUs."""
    item = devices("/dev/nvidia-uvm\n/dev/nvidia0\n/dev/nvidia11\n/dev/nvidiactl\n/proc/driver/nvidia")
    assert gpu_nodes([item]) == frozenset({0, 11})


def test_nothing_of_nvidia_is_not_applicable() -> None:
    """An empty listing says that the question makes no sense, one path that it does."""
    with pytest.raises(NotApplicable, match="no NVIDIA device"):
        require_nvidia([devices("")])
    require_nvidia([devices("/proc/driver/nvidia")])


def test_a_failed_look_says_nothing() -> None:
    """Neither presence nor absence follows from a look that failed."""
    failed = [devices("", "timed-out")]
    assert device_paths(failed) is None
    assert gpu_nodes(failed) is None
    require_nvidia(failed)


def test_what_a_recording_lacks_is_a_value_error() -> None:
    """A recording of an older release may lack a read."""
    with pytest.raises(ValueError, match="no transcript of NVIDIA devices"):
        first([], DEVICES.label)
    with pytest.raises(ValueError, match="x: took more than 5 s"):
        require_text(Transcript("x", "timed-out", reason="took more than 5 s"))


def test_files_are_parted_at_their_headers() -> None:
    """Each file's text stands under its path."""
    assert files("==> /a/1 <==\nx: 1\n==> /a/2 <==\ny: 2\n") == {"/a/1": "\nx: 1\n", "/a/2": "\ny: 2\n"}
    assert files("no header") == {}
