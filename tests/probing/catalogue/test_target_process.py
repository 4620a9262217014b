"""The variables of a process, also of one that wrote its title over them."""

from __future__ import annotations

from pathlib import Path

import pytest

from triage.probing.catalogue import target_process
from triage.probing.catalogue.target_process import inside, outside, process_variables, root_of, variables_of
from triage.probing.probe import Target


def process(proc: Path, pid: int, environ: bytes, parent: int, program: str = "/usr/bin/python3.12") -> None:
    """A folder as /proc has it."""
    folder = proc / str(pid)
    folder.mkdir()
    (folder / "environ").write_bytes(environ)
    (folder / "stat").write_text(f"{pid} (sglang::a) b)) S {parent} 1 1 0 -1\n")
    (folder / "exe").symlink_to(program)


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty /proc."""
    monkeypatch.setattr(target_process, "PROC", tmp_path)
    return tmp_path


def test_own_variables_are_read(proc: Path) -> None:
    """Pairs between NUL bytes; what is no pair is left out, and a line feed stays in its value."""
    process(proc, 10, b"A=1\0B=x=y\nz\0broken\0=odd\0", 1)
    assert process_variables(10) == (10, {"A": "1", "B": "x=y\nz"})


def test_overwritten_variables_are_read_from_the_parent(proc: Path) -> None:
    """A scheduler's title leaves zeros; its parent runs the same program and started it."""
    process(proc, 10, b"\0" * 64, 9)
    process(proc, 9, b"sglang::x\0\0", 8)
    process(proc, 8, b"NCCL_DEBUG=INFO\0", 1)
    assert process_variables(10) == (8, {"NCCL_DEBUG": "INFO"})


def test_a_parent_of_another_kind_is_not_asked(proc: Path) -> None:
    """The variables of the container's shim or of a shell say nothing about the server."""
    process(proc, 10, b"\0" * 64, 9)
    process(proc, 9, b"\0", 1, program="/usr/bin/containerd-shim")
    process(proc, 1, b"HOME=/root\0", 0, program="/usr/bin/containerd-shim")
    with pytest.raises(OSError, match="written over"):
        process_variables(10)
    assert variables_of(Target(pid=10, environment={"PATH": "/bin"})) == {"PATH": "/bin"}


def test_same_root_is_the_root() -> None:
    """Without a process, and for one that shares our root or does not exist, paths stay as they are."""
    assert root_of(Target()) == Path("/")
    assert root_of(Target(pid=2**22 + 1)) == Path("/")
    assert inside(Path("/"), Path("/opt")) == Path("/opt")


def test_inside_and_outside_are_inverse(tmp_path: Path) -> None:
    """A path goes below another root and comes back; what lies elsewhere keeps its name."""
    assert inside(tmp_path, Path("/opt/venv")) == tmp_path / "opt" / "venv"
    assert outside(tmp_path, inside(tmp_path, Path("/opt/venv"))) == Path("/opt/venv")
    assert outside(tmp_path, Path("/elsewhere")) == Path("/elsewhere")
