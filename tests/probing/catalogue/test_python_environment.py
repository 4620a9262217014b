"""The server's Python is found by what points to it, as the interpreter itself would find its folders."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from triage.probing.catalogue import python_environment, target_process
from triage.probing.catalogue.python_environment import find_environment
from triage.probing.probe import Target


def system(top: Path, minor: str = "3.12") -> Path:
    """A Python's own prefix below ``top``, whose interpreter is no real program."""
    (top / "bin").mkdir(parents=True)
    program = top / "bin" / f"python{minor}"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (top / "bin" / "python3").symlink_to(program.name)
    (top / "lib" / f"python{minor}" / "site-packages").mkdir(parents=True)
    return top


def virtual(top: Path, base: Path, *lines: str) -> Path:
    """A virtual environment on ``base``."""
    (top / "bin").mkdir(parents=True)
    (top / "bin" / "python3").symlink_to(base / "bin" / "python3")
    (top / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    (top / "pyvenv.cfg").write_text("\n".join((f"home = {base}/bin", "version = 3.12.3", *lines)))
    return top


def test_interpreter_of_an_environment_belongs_to_it(tmp_path: Path) -> None:
    """Its link to the system's interpreter is not followed; its folder and its interpreter name the same one."""
    base = system(tmp_path / "usr")
    prefix = virtual(tmp_path / "venv", base)
    for python in (prefix, prefix / "bin", prefix / "bin" / "python3", prefix / "lib" / "python3.12" / "site-packages"):
        found = find_environment(Target(python=python))
        assert (found.prefix, found.base, found.version) == (prefix, base, "3.12.3")
        assert [folder.path for folder in found.folders] == [prefix / "lib" / "python3.12" / "site-packages"]


def test_system_packages_follow_where_the_environment_wants_them(tmp_path: Path) -> None:
    """include-system-site-packages puts the system's folders behind its own."""
    base = system(tmp_path / "usr")
    prefix = virtual(tmp_path / "venv", base, "include-system-site-packages = true")
    folders = [folder.path for folder in find_environment(Target(python=prefix)).folders]
    assert folders == [prefix / "lib" / "python3.12" / "site-packages", base / "lib" / "python3.12" / "site-packages"]


def test_path_files_add_folders(tmp_path: Path) -> None:
    """A .pth file names folders of packages that are edited in place; its code is not run."""
    prefix = virtual(tmp_path / "venv", system(tmp_path / "usr"))
    (tmp_path / "src").mkdir()
    site = prefix / "lib" / "python3.12" / "site-packages"
    (site / "edit.pth").write_text(f"# comment\nimport os; os.abort()\n{tmp_path}/src\n./none\n")
    folders = find_environment(Target(python=prefix)).folders
    assert [(folder.path, folder.is_linked) for folder in folders] == [(site, False), (tmp_path / "src", True)]


def test_the_first_guess_that_holds_a_server_is_taken(tmp_path: Path) -> None:
    """VIRTUAL_ENV goes before PATH, unless only a later one has SGLang."""
    first = virtual(tmp_path / "tools", system(tmp_path / "usr"))
    second = system(tmp_path / "conda")
    variables = {"VIRTUAL_ENV": str(first), "PATH": f"relative:{second}/bin"}
    assert find_environment(Target(environment=variables)).prefix == first
    (second / "lib" / "python3.12" / "site-packages" / "sglang").mkdir()
    found = find_environment(Target(environment=variables))
    assert (found.prefix, found.chosen, found.is_guess) == (second, "PATH", True)


def test_marker_of_a_managed_python(tmp_path: Path) -> None:
    """EXTERNALLY-MANAGED forbids pip in the system's Python and not in an environment on it."""
    base = system(tmp_path / "usr")
    (base / "lib" / "python3.12" / "EXTERNALLY-MANAGED").write_text("[externally-managed]\n")
    assert find_environment(Target(python=base)).is_managed
    assert not find_environment(Target(python=virtual(tmp_path / "venv", base))).is_managed


def test_versions_of_pyenv_and_headers(tmp_path: Path) -> None:
    """A shim names no version itself; the patch level stands in a header or in a folder's name."""
    system(tmp_path / "pyenv" / "versions" / "3.12.1")
    (tmp_path / "pyenv" / "shims").mkdir()
    (tmp_path / "pyenv" / "shims" / "python3").write_text("#!/bin/sh\n")
    (tmp_path / "pyenv" / "version").write_text("3.12.1\n")
    assert find_environment(Target(python=tmp_path / "pyenv" / "shims" / "python3")).version == "3.12.1"
    base = system(tmp_path / "usr")
    assert find_environment(Target(python=base)).version == "3.12"
    (base / "include" / "python3.12").mkdir(parents=True)
    (base / "include" / "python3.12" / "patchlevel.h").write_text('#define PY_VERSION             "3.12.7"\n')
    assert find_environment(Target(python=base)).version == "3.12.7"


def test_the_interpreter_that_runs_the_tests_is_described_right() -> None:
    """Version, prefix and the folder of packages agree with what that interpreter says of itself."""
    found = find_environment(Target(python=Path(sys.executable)))
    assert found.prefix.resolve() == Path(sys.prefix).resolve()
    assert found.version.split(".")[:2] == [str(part) for part in sys.version_info[:2]]
    site = next(Path(entry).resolve() for entry in sys.path if entry.endswith(("site-packages", "dist-packages")))
    assert site in [folder.path.resolve() for folder in found.folders]


def test_a_process_in_another_root_names_its_own_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders are found below its root, links to absolute paths included; the prefix is called as the process calls it."""
    root = tmp_path / "container"
    base = system(root / "usr")
    prefix = root / "opt" / "venv"
    virtual(prefix, Path("/usr"))
    process = tmp_path / "proc" / "77"
    process.mkdir(parents=True)
    (process / "root").symlink_to(root)
    (process / "exe").symlink_to("/usr/bin/python3.12")
    (process / "environ").write_bytes(b"VIRTUAL_ENV=/opt/venv\0PATH=/opt/venv/bin\0")
    (process / "cmdline").write_bytes(b"sglang::scheduler_TP0\0")
    for module in (target_process, python_environment):
        monkeypatch.setattr(module, "PROC", tmp_path / "proc")
    found = find_environment(Target(pid=77))
    assert (found.prefix, found.base) == (Path("/opt/venv"), Path("/usr"))
    assert [folder.path.resolve() for folder in found.folders] == [prefix / "lib" / "python3.12" / "site-packages"]
    assert base.is_dir()


def test_no_python_is_an_os_error(tmp_path: Path) -> None:
    """Nothing to look at: unavailable, with a reason."""
    with pytest.raises(OSError, match="no Python environment"):
        find_environment(Target(environment={"PATH": str(tmp_path)}))
