"""What runs on a host, read from a folder like /proc."""

from __future__ import annotations

import os
from pathlib import Path

from triage.probing.catalogue.process_list import _services, descendants, sees_whole_host


def process(proc: Path, pid: int, name: str, parent: int) -> None:
    """A folder of /proc."""
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "comm").write_text(name + "\n")
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) S {parent} 1 1 0 -1 4194560 0 0\n")


def test_descendants_of_a_server(tmp_path: Path) -> None:
    """Children of children count, a name full of brackets does not confuse, and strangers are left out."""
    for pid, name, parent in ((1, "init", 0), (50, "python3", 1), (60, "a) S 1 (b", 50), (61, "x", 60), (70, "y", 1)):
        process(tmp_path, pid, name, parent)
    (tmp_path / "99").mkdir()  # ended between two reads
    (tmp_path / "self").mkdir()
    assert descendants(50, tmp_path) == (50, 60, 61)


def test_only_services_of_the_driver_are_listed(tmp_path: Path) -> None:
    """Names of other people's processes never enter a transcript."""
    for pid, name in ((2, "kthreadd"), (9, "nv-fabricmanage"), (10, "secret-job")):
        process(tmp_path, pid, name, 0)
    assert _services(tmp_path).split() == ["kthreadd", "nv-fabricmanage"]


def test_the_kernel_s_own_thread_shows_the_whole_host() -> None:
    """A container does not see it."""
    assert sees_whole_host("kthreadd\nnvidia-imex")
    assert not sees_whole_host("nvidia-imex")


def test_our_own_children_are_found() -> None:
    """The real /proc is readable in the same way."""
    assert os.getpid() in descendants(os.getppid())
