"""Folders of installed packages: found by looking, of the interpreter that was meant, and nothing is started for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from triage.sources import environments
from triage.sources.environments import library_folders, package_version

ROOT = os.geteuid() == 0
VERSION = "import sys; from pathlib import Path; from triage.sources.environments import package_version; print(repr(package_version(Path(sys.argv[1]))))"


@pytest.fixture(autouse=True)
def no_interpreter_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that runs the tests is not looked at."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "ours"))


def environment(prefix: Path, *libraries: str) -> tuple[Path, ...]:
    """An environment with an interpreter that would tell if it was started, and its libraries' folders."""
    python = prefix / "bin" / "python3"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\ntouch '{prefix}/was-started'\n", encoding="utf-8")
    python.chmod(0o755)
    found = tuple(prefix / library for library in libraries or ("lib/python3.11/site-packages",))
    for folder in found:
        folder.mkdir(parents=True)
    return found


def found(python: Path | None, **variables: str) -> list[Path]:
    return list(library_folders(python, variables))


def test_a_folder_and_its_interpreter_mean_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment may be named by its folder or by its interpreter, from anywhere; the interpreter is not started."""
    (library,) = environment(tmp_path / "env")
    assert found(tmp_path / "env") == [library]
    assert found(tmp_path / "env" / "bin" / "python3") == [library]
    for place in (tmp_path, tmp_path / "env", tmp_path / "env" / "bin"):
        monkeypatch.chdir(place)
        relative = Path(os.path.relpath(tmp_path / "env" / "bin" / "python3"))
        assert [path.resolve() for path in found(relative)] == [library], relative
    assert not (tmp_path / "env" / "was-started").exists()


@pytest.mark.parametrize(
    "library",
    [
        "lib/python3.10/site-packages",
        "lib/python3.13t/site-packages",
        "lib/python3/dist-packages",
        "lib/python3.10/dist-packages",
        "local/lib/python3.10/dist-packages",
    ],
)
def test_layouts(tmp_path: Path, library: str) -> None:
    """Virtual and conda environments, a Python built from source, and Debian's own with its local packages."""
    assert found(tmp_path / "usr") == []
    assert environment(tmp_path / "usr", library) == tuple(found(tmp_path / "usr" / "bin" / "python3"))


def test_folders_of_another_python_are_not_taken(tmp_path: Path) -> None:
    """Neither Python 2 nor what is no folder of packages."""
    environment(
        tmp_path / "env", "lib/python2.7/site-packages", "lib/node/site-packages", "share/python3.11/site-packages"
    )
    assert found(tmp_path / "env") == []


def test_only_what_belongs_to_the_interpreter(tmp_path: Path) -> None:
    """Where an interpreter is named, neither the active environment nor the PATH matters."""
    (library,) = environment(tmp_path / "env")
    environment(tmp_path / "active")
    active = {"VIRTUAL_ENV": str(tmp_path / "active"), "PATH": str(tmp_path / "active" / "bin")}
    assert found(tmp_path / "env", **active) == [library]


def test_an_interpreter_that_is_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The link of a virtual environment means that environment, also by its bare name from beside it; one that lies
    anywhere else means what it leads to."""
    (base,) = environment(tmp_path / "base")
    (virtual,) = environment(tmp_path / "virtual")
    for link in (tmp_path / "virtual" / "bin" / "python", tmp_path / "somewhere" / "python"):
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(tmp_path / "base" / "bin" / "python3")
    assert found(tmp_path / "virtual" / "bin" / "python") == [virtual]
    assert found(tmp_path / "somewhere" / "python") == [base]
    monkeypatch.chdir(tmp_path / "virtual" / "bin")
    assert found(Path("python")) == [virtual]


def test_where_one_would_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The active environment first, then our own, then the interpreters on the PATH in its order; each folder once."""
    libraries = {name: environment(tmp_path / name)[0] for name in ("active", "ours", "first", "second")}
    path = [tmp_path / name / "bin" for name in ("first", "active", "second", "first")]
    joined = os.pathsep.join(map(str, path))
    assert found(None, VIRTUAL_ENV=str(tmp_path / "active"), PATH=joined) == list(libraries.values())
    assert found(None, PATH=joined) == [libraries[name] for name in ("ours", "first", "active", "second")]
    assert found(None) == [libraries["ours"]]
    assert not list(tmp_path.glob("*/was-started"))


def test_a_link_on_the_path_counts_twice(tmp_path: Path) -> None:
    """Of a linked interpreter on the PATH both are looked at: the environment it lies in, and the one it leads to."""
    (base,) = environment(tmp_path / "base")
    (virtual,) = environment(tmp_path / "virtual")
    (tmp_path / "virtual" / "bin" / "python3").unlink()
    (tmp_path / "virtual" / "bin" / "python3").symlink_to(tmp_path / "base" / "bin" / "python3")
    assert found(None, PATH=str(tmp_path / "virtual" / "bin")) == [virtual, base]


def test_only_interpreters_count_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be run is none, and an empty entry of the PATH is not the folder one stands in."""
    environment(tmp_path / "env")
    (tmp_path / "env" / "bin" / "python3").chmod(0o644)
    assert found(None, PATH=str(tmp_path / "env" / "bin")) == []
    (tmp_path / "env" / "bin" / "python3").chmod(0o755)
    monkeypatch.chdir(tmp_path / "env" / "bin")
    assert found(None, PATH=f"{os.pathsep}{tmp_path / 'gone'}{os.pathsep}") == []


@pytest.mark.parametrize("name", ["gone", "x" * 300, "file", "loop", "file/deeper"])
def test_what_is_no_environment(tmp_path: Path, name: str) -> None:
    """A name that is too long or leads nowhere, a file, a link to itself: no folders, no error, and others still count."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")
    (library,) = environment(tmp_path / "env")
    path = os.pathsep.join((str(tmp_path / name), str(tmp_path / "env" / "bin")))
    assert found(None, VIRTUAL_ENV=str(tmp_path / name), PATH=path) == [library]
    assert found(tmp_path / name) == []


@pytest.mark.skipif(ROOT, reason="root reads where it may not")
def test_a_folder_that_may_not_be_read(tmp_path: Path) -> None:
    """It counts as empty, and the next one is still looked at."""
    environment(tmp_path / "locked")
    (library,) = environment(tmp_path / "env")
    (tmp_path / "locked").chmod(0)
    assert found(None, VIRTUAL_ENV=str(tmp_path / "locked"), PATH=str(tmp_path / "env" / "bin")) == [library]
    (tmp_path / "locked").chmod(0o700)


def package(folder: Path, files: dict[str, str]) -> Path:
    """A package ``sglang`` in the folder, with those files (paths from the folder)."""
    (folder / "sglang").mkdir(parents=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "sglang"


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({"sglang/version.py": '__version__ = "0.4.6.post1"\n'}, "0.4.6.post1"),
        ({"sglang/version.py": "# by hand\nversion = '0.3'\n"}, "0.3"),
        ({"sglang/_version.py": "TYPE = 1\n__version__ = version = '0.5.4.dev1+g12'\n"}, "0.5.4.dev1+g12"),
        ({"sglang/version.py": "__version__ = '1'\n", "sglang/_version.py": "__version__ = '2'\n"}, "1"),
        ({"sglang/version.py": "from x import y\n", "sglang/_version.py": "version = '2'\n"}, "2"),
        ({"sglang/version.py": "__version__ = '1'\n", "sglang-2.dist-info/METADATA": ""}, "1"),
        ({"sglang-0.5.1.post2+cu129.dist-info/METADATA": ""}, "0.5.1.post2+cu129"),
        ({"sglang_router-0.1.dist-info/METADATA": ""}, ""),
        ({"sglang/version.py": "__version__ = read()\n  version = '9'\nold_version = '8'\n"}, ""),
        ({"sglang/version.py": f"__version__ = '{'1' * 61}'\n"}, ""),
        ({"sglang/version.py": "#" * 20_000 + "\n__version__ = '1'\n"}, ""),
        ({}, ""),
    ],
)
def test_version(tmp_path: Path, files: dict[str, str], version: str) -> None:
    """What the package states in so many words, else what its metadata's folder is named after, else nothing."""
    assert package_version(package(tmp_path, files)) == version


def test_version_is_read_and_not_run(tmp_path: Path) -> None:
    """A version that is computed is not computed for us."""
    text = f"open({str(tmp_path / 'was-run')!r}, 'w')\n__version__ = '0.5'\nraise SystemExit\n"
    assert package_version(package(tmp_path, {"sglang/version.py": text})) == "0.5"
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize("kind", ["pipe", "folder", "dangling link", "bytes"])
def test_odd_files_in_place_of_the_version(tmp_path: Path, kind: str) -> None:
    """What is no text file is passed over, without waiting for it."""
    odd = package(tmp_path, {"sglang/_version.py": "version = '0.5'\n"}) / "version.py"
    if kind == "pipe":
        os.mkfifo(odd)
    elif kind == "folder":
        odd.mkdir()
    elif kind == "bytes":
        odd.write_bytes(bytes(range(256)))
    else:
        odd.symlink_to("nowhere")
    variables = {**os.environ, "PYTHONPATH": str(Path(environments.__file__).resolve().parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", VERSION, str(odd.parent)], capture_output=True, check=True, timeout=20, env=variables, cwd=tmp_path
    )  # fmt: skip
    assert done.stdout == b"'0.5'\n"


def test_editable_installs_are_followed(tmp_path: Path) -> None:
    """A line of a .pth file that names a folder adds it; code in such a file is neither run nor taken for one."""
    library = tmp_path / "env/lib/python3.12/site-packages"
    checkout = tmp_path / "checkout/python"
    library.mkdir(parents=True)
    (checkout / "sglang").mkdir(parents=True)
    ran = tmp_path / "ran"
    (library / "__editable__.sglang-0.5.9.pth").write_text(
        f"{checkout}\nimport os; open({str(ran)!r}, 'w')\n/no/such\n"
    )
    assert list(library_folders(tmp_path / "env", {})) == [library, checkout]
    assert not ran.exists()
