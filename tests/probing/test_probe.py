"""The nouns of probing: how reads are called, and how a parser finds its transcripts."""

from __future__ import annotations

import pytest

from triage.probing.probe import Command, File, Look, Target, Transcript, by_label, fixed


def test_reads_are_called_after_what_they_read() -> None:
    """The label is what an operator would type or open."""
    assert Command(("nvidia-smi", "topo", "-m")).label == "nvidia-smi topo -m"
    assert File("/proc/*/limits").label == "/proc/*/limits"
    assert Look("devices", lambda: "").label == "devices"


def test_fixed_reads_ask_nothing_of_the_target() -> None:
    """They are the same for every target, and in their order."""
    reads = (File("/proc/meminfo"), Command(("dmesg",)))
    assert fixed(*reads)(Target()) == fixed(*reads)(Target(pid=7)) == reads


@pytest.mark.parametrize("status", ["absent", "denied", "timed-out", "failed"])
def test_only_what_could_be_read_is_found(status: str) -> None:
    """A transcript of the right name that gave nothing is passed over for a later one that did."""
    unread, read = Transcript("/proc/modules", status, "half"), Transcript("/proc/modules.old", "ok", "nvidia")
    assert by_label((unread, read), "/proc/modules") is read
    assert by_label((unread,), "/proc/modules") is None


def test_a_label_is_found_by_its_beginning() -> None:
    """Arguments may differ between releases of ours, so the first words are enough, the middle is not."""
    item = Transcript("nvidia-smi --query-gpu=index,name", "ok", "")
    assert by_label((item,), "nvidia-smi --query-gpu=") is item
    assert by_label((item,), "--query-gpu=") is None
