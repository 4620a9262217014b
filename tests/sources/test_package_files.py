"""The files of a package: all that are its own, none that are not, whatever lies in the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from triage.sources import package_files
from triage.sources.package_files import PackageFiles


def write(folder: Path, name: str, text: str = "x = 1\n") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_begin_with_the_package(tmp_path: Path) -> None:
    """Files come with their paths from the package's parent, Python ones only, folder by folder, and can be read twice."""
    for name in ("sglang/srt/b.py", "sglang/srt/a.py", "sglang/top.py", "sglang/config.json", "other/x.py"):
        write(tmp_path, name, name)
    files = PackageFiles(tmp_path / "sglang")
    expected = ["sglang/top.py", "sglang/srt/a.py", "sglang/srt/b.py"]
    assert [file.path for file in files] == expected
    assert [file.text for file in files] == expected


def test_tests_are_left_out(tmp_path: Path) -> None:
    """The package's own tests state messages that the server never prints."""
    for name in ("p/test/a.py", "p/tests/b.py", "p/__pycache__/c.py", "p/testing.py"):
        write(tmp_path, name)
    assert [file.path for file in PackageFiles(tmp_path / "p")] == ["p/testing.py"]


def test_what_is_no_plain_small_file_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links, folders named like files, and files above the limit do not count; strange bytes are replaced."""
    monkeypatch.setattr(package_files, "MAX_SOURCE", 20)
    write(tmp_path, "p/long.py", "x" * 21)
    write(tmp_path, "p/fits.py", "x" * 20)
    (tmp_path / "p" / "folder.py").mkdir()
    (tmp_path / "p" / "link.py").symlink_to(tmp_path / "p" / "fits.py")
    (tmp_path / "p" / "bytes.py").write_bytes(b"x = '\xff'")
    assert {file.path: file.text for file in PackageFiles(tmp_path / "p")} == {
        "p/bytes.py": "x = '\ufffd'",
        "p/fits.py": "x" * 20,
    }


def test_the_number_of_files_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond MAX_FILES nothing is read."""
    monkeypatch.setattr(package_files, "MAX_FILES", 2)
    for name in ("p/a.py", "p/b.py", "p/c.py"):
        write(tmp_path, name)
    assert [file.path for file in PackageFiles(tmp_path / "p")] == ["p/a.py", "p/b.py"]
