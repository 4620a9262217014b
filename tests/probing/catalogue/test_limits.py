"""Limits of a process, shared memory, temporary folder and disk space."""

from __future__ import annotations

from pathlib import Path

import pytest

from triage.model import Value
from triage.probing.capture import capture
from triage.probing.catalogue.filesystems import mount_of, volume_look, volume_of
from triage.probing.catalogue.limits import PROBES, disk_places
from triage.probing.probe import Target, Transcript

BY_NAME = {probe.name: probe for probe in PROBES}
LIMITS = """Limit                     Soft Limit           Hard Limit           Units     
Max stack size            8388608              unlimited            bytes     
Max processes             unlimited            unlimited            processes 
Max open files            1024                 1048576              files     
Max locked memory         65536                65536                bytes     
Max address space         unlimited            unlimited            bytes     
Max nice priority         0                    0                    
"""  # noqa: W291  (as the kernel writes it)
MOUNT = "30 25 0:27 / /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs shm rw,size=65536k,inode64\n"


def volume(free_gb: int, path: str = "/x", options: str = "rw", inodes: int = 100) -> str:
    """What a look at a file system of 100 GiB gives."""
    return (
        f"size_bytes {100 << 30}\nfree_bytes {free_gb << 30}\ninodes {inodes}\nfree_inodes {inodes // 2}\n"
        f"options {options}\nwritable yes\npath {path}\nat {path}\n"
    )


def facts(name: str, **texts: str) -> dict[str, Value]:
    """The facts of a probe for readable transcripts; ``_`` in a label stands for a blank."""
    made = [Transcript(label.replace("_", " "), "ok", text) for label, text in texts.items()]
    return dict(BY_NAME[name].parse(made))


def test_limits_of_a_process() -> None:
    """Soft limits are the facts; an unlimited one has no number but says so."""
    assert facts("ulimit", limits=LIMITS) == {
        "ulimit.nofile": 1024,
        "ulimit.nofile_hard": 1048576,
        "ulimit.memlock_unlimited": False,
        "ulimit.memlock_kb": 64,
        "ulimit.stack_unlimited": False,
        "ulimit.stack_kb": 8192,
        "ulimit.address_space_unlimited": True,
    }
    with pytest.raises(ValueError, match="open files"):
        facts("ulimit", limits="nothing of the kind")


def test_limits_are_those_of_the_target() -> None:
    """A running server has its own limits, which may differ from those of the shell that asks."""
    assert [read.label for read in BY_NAME["ulimit"].reads(Target(pid=77))] == ["/proc/77/limits"]


def test_shared_memory() -> None:
    """The kernel's own numbers count; without them the mount's option does."""
    made = [
        Transcript("mount of /dev/shm", "ok", MOUNT),
        Transcript("file system of /dev/shm", "ok", volume(64)),
    ]
    probe = BY_NAME["shm-size"]
    assert dict(probe.parse(made)) == {
        "shm.is_tmpfs": True,
        "shm.size_mb": 100 << 10,
        "shm.free_mb": 64 << 10,
        "shm.writable": True,
    }
    assert dict(probe.parse([made[0], Transcript(made[1].label, "denied")])) == {
        "shm.is_tmpfs": True,
        "shm.size_mb": 64,
    }


def test_temporary_folder() -> None:
    """A mount option forbids to run programs; the folder is the one of the variables."""
    found = facts("temp-directory", temporary_folder=volume(3, "/tmp", "nosuid,nodev,noexec"))
    assert found["tmp.noexec"] is True
    assert found["tmp.free_gb"] == 3.0
    assert found["tmp.path"] == "/tmp"
    assert facts("temp-directory", temporary_folder=volume(3, "/tmp", "nosuid"))["tmp.noexec"] is False


def test_temporary_folder_follows_the_variables(tmp_path: Path) -> None:
    """TMPDIR decides, and a folder that does not exist stands for the one above it."""
    target = Target(environment={"TMPDIR": str(tmp_path / "not" / "there")})
    (read,) = BY_NAME["temp-directory"].reads(target)
    found = dict(BY_NAME["temp-directory"].parse([capture(read, {})]))
    assert found["tmp.path"] == str(tmp_path / "not" / "there")
    assert found["tmp.free_gb"] == pytest.approx(
        volume_of(capture(volume_look("x", target, "/"), {}).text).free / 2**30, abs=5
    )


def test_fullest_disk() -> None:
    """The least of the places that are written to counts; the model's own volume and a read-only image are full by design."""
    found = facts(
        "disk-space",
        disk_root=volume(50, "/"),
        disk_hf=volume(2, "/hf", inodes=0),
        disk_cache=volume(0, "/image", "ro"),
        disk_model=volume(0, "/models/m", "rw"),
    )
    assert found["disk.min_free_gb"] == 2.0
    assert found["disk.min_free_path"] == "/hf"
    assert found["disk.model_free_gb"] == 0.0
    assert found["disk.root_free_inodes"] == 50
    assert "disk.hf_free_inodes" not in found
    assert found["disk.min_free_inodes"] == 50


def test_places_of_a_server() -> None:
    """The hub's folder follows its variables in their order; a model's name on the hub is no folder."""
    home = {"HOME": "/home/u"}
    assert disk_places(Target(environment=home)) == {
        "root": "/",
        "cache": "/home/u/.cache",
        "hf": "/home/u/.cache/huggingface/hub",
    }
    assert disk_places(Target(environment={**home, "HF_HOME": "/data/hf"}))["hf"] == "/data/hf/hub"
    assert (
        disk_places(Target(environment={**home, "HF_HOME": "/data/hf", "HF_HUB_CACHE": "~/hub"}))["hf"] == "/home/u/hub"
    )
    assert "model" not in disk_places(Target(facts={"server.model_path": "org/model"}))
    assert disk_places(Target(facts={"server.model_path": "/models/m"}))["model"] == "/models/m"


def test_names_that_are_no_paths() -> None:
    """What no file system accepts is unavailable, and a line feed in a name does not change the numbers."""
    assert capture(volume_look("x", Target(), "/a\0b"), {}).status in ("failed", "absent", "ok")
    odd = capture(volume_look("x", Target(), "/a\nsize_bytes 1\nfree_bytes 2"), {})
    plain = capture(volume_look("x", Target(), "/"), {})
    assert volume_of(odd.text).size == volume_of(plain.text).size


def test_mounts_of_this_machine() -> None:
    """Of /proc there is a mount; of a folder in it there is none."""
    assert " - proc " in mount_of("/proc")
    with pytest.raises(FileNotFoundError):
        mount_of("/proc/self/there-is-no-such-mount")
