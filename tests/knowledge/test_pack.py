"""Reading packs from disk: what is a file of a pack, to which area it belongs, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from triage.knowledge import pack as pack_module
from triage.knowledge.errors import KnowledgeError, Problems
from triage.knowledge.loading import decode_files
from triage.knowledge.pack import (
    MAX_BYTES,
    PackFile,
    bundled_directory,
    check_pack,
    content_hash,
    read_pack,
    read_packs,
)


def _put(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_files_areas_and_order(tmp_path: Path) -> None:
    """Every .yaml file below the pack is read, sorted by path; its area is the first folder below the pack's top."""
    _put(tmp_path / "network" / "b.yaml", b"1")
    _put(tmp_path / "memory" / "deep" / "c.yaml", b"2")
    _put(tmp_path / "a.yaml", b"3")
    _put(tmp_path / "memory" / "README.md")
    _put(tmp_path / "memory" / "d.yaml.bak")
    assert [(item.path, item.area, item.content) for item in read_pack(tmp_path, Problems())] == [
        (str(tmp_path / "a.yaml"), "", b"3"),
        (str(tmp_path / "memory" / "deep" / "c.yaml"), "memory", b"2"),
        (str(tmp_path / "network" / "b.yaml"), "network", b"1"),
    ]


def test_signatures_folder_is_the_top(tmp_path: Path) -> None:
    """A pack that also holds playbooks names its signatures' folder, and only that is read."""
    _put(tmp_path / "signatures" / "memory" / "a.yaml")
    _put(tmp_path / "playbooks" / "memory" / "b.yaml")
    assert [item.area for item in read_pack(tmp_path, Problems())] == ["memory"]


def test_several_packs_keep_their_order(tmp_path: Path) -> None:
    """Packs are read in the order in which they are named."""
    _put(tmp_path / "two" / "m" / "a.yaml")
    _put(tmp_path / "one" / "m" / "a.yaml")
    found = read_packs([tmp_path / "two", tmp_path / "one"], Problems())
    assert [item.path for item in found] == [str(tmp_path / "two/m/a.yaml"), str(tmp_path / "one/m/a.yaml")]


@pytest.mark.parametrize("what", ["absolute", "relative"])
def test_links_that_lead_out_are_refused(tmp_path: Path, what: str) -> None:
    """A link to a file outside of the pack is a problem of the link and its target is not read."""
    outside = _put(tmp_path / "outside.yaml", b"secret")
    link = tmp_path / "pack" / "memory" / "link.yaml"
    link.parent.mkdir(parents=True)
    link.symlink_to(outside if what == "absolute" else "../../outside.yaml")
    problems = Problems(collect=True)
    assert read_pack(tmp_path / "pack", problems) == []
    assert [str(problem) for problem in problems.found] == [f"{link}:1:1: leads out of its pack"]
    with pytest.raises(KnowledgeError, match="leads out of its pack"):
        read_pack(tmp_path / "pack", Problems())


def test_signatures_folder_that_leads_out_is_refused(tmp_path: Path) -> None:
    """A pack whose ``signatures`` is a link to a folder elsewhere does not make that folder its own."""
    _put(tmp_path / "elsewhere" / "memory" / "a.yaml", b"secret")
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "signatures").symlink_to(tmp_path / "elsewhere")
    problems = Problems(collect=True)
    assert read_pack(tmp_path / "pack", problems) == []
    assert problems.found


def test_folder_that_leads_out_is_not_read(tmp_path: Path) -> None:
    """Files behind a link to a folder outside are not files of the pack."""
    _put(tmp_path / "elsewhere" / "a.yaml", b"secret")
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "memory").symlink_to(tmp_path / "elsewhere")
    assert read_pack(tmp_path / "pack", Problems(collect=True)) == []


def test_links_within_the_pack_and_a_linked_pack_are_read(tmp_path: Path) -> None:
    """A link to a file of the same pack is a file of it, and so are the files of a pack that is itself named by a link."""
    _put(tmp_path / "pack" / "memory" / "a.yaml", b"1")
    (tmp_path / "pack" / "memory" / "b.yaml").symlink_to("a.yaml")
    (tmp_path / "linked").symlink_to("pack")
    assert [item.content for item in read_pack(tmp_path / "linked", Problems())] == [b"1", b"1"]


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    """A folder, a pipe and a dead link with the right ending are no files of the pack, and none of them is waited for."""
    (tmp_path / "m" / "folder.yaml").mkdir(parents=True)
    os.mkfifo(tmp_path / "m" / "pipe.yaml")
    (tmp_path / "m" / "dead.yaml").symlink_to("nowhere.yaml")
    assert read_pack(tmp_path, Problems()) == []


def test_link_in_a_circle_is_a_problem_at_most(tmp_path: Path) -> None:
    """A link to itself ends as a located problem or is passed over, never as another exception."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "self.yaml").symlink_to("self.yaml")
    problems = Problems(collect=True)
    assert read_pack(tmp_path, problems) == []


def test_oversize_file_is_refused(tmp_path: Path) -> None:
    """A file of exactly the cap is read; one byte more and it is refused without being read."""
    _put(tmp_path / "m" / "fits.yaml", b"x" * MAX_BYTES)
    big = _put(tmp_path / "m" / "big.yaml", b"x" * (MAX_BYTES + 1))
    problems = Problems(collect=True)
    assert [Path(item.path).name for item in read_pack(tmp_path, problems)] == ["fits.yaml"]
    assert [str(problem) for problem in problems.found] == [f"{big}:1:1: file is larger than {MAX_BYTES} bytes"]


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the cap of files the rest is left out and said to be."""
    monkeypatch.setattr(pack_module, "MAX_FILES", 2)
    for name in "abc":
        _put(tmp_path / "m" / f"{name}.yaml")
    problems = Problems(collect=True)
    assert len(read_pack(tmp_path, problems)) == 2
    assert [str(problem) for problem in problems.found] == [f"{tmp_path}:1:1: more than 2 files; the rest is left out"]


def test_not_utf8_is_located(tmp_path: Path) -> None:
    """A file in another encoding is a problem that names the byte."""
    path = _put(tmp_path / "m" / "latin.yaml", b"title: caf\xe9\n")
    problems = Problems(collect=True)
    decode_files(read_pack(tmp_path, problems), problems)
    assert [str(problem) for problem in problems.found] == [f"{path}:1:1: not UTF-8 at byte 10"]


def test_bundled_folders() -> None:
    """The bundled signatures are found, and a folder that the installation lacks is an error that names it."""
    assert any(Path(bundled_directory("signatures")).rglob("*.yaml"))
    with pytest.raises(FileNotFoundError, match="the bundled nonsense are missing"):
        bundled_directory("nonsense")


def test_content_hash_tells_everything_apart() -> None:
    """The hash changes with path, area, bytes, order, salt and with where one value ends and the next begins."""
    one, two = PackFile("a", "m", b"xy"), PackFile("b", "m", b"z")
    variants = [
        ([one, two], ("s",)), ([two, one], ("s",)), ([one], ("s",)), ([one, two], ("t",)), ([one, two], ()), ([one, two], ("s", "")),
        ([PackFile("c", "m", b"xy"), two], ("s",)), ([PackFile("a", "n", b"xy"), two], ("s",)), ([PackFile("a", "m", b"xyz"), two], ("s",)),
        ([PackFile("a", "mx", b"y"), two], ("s",)), ([PackFile("am", "", b"xy"), two], ("s",)), ([], ("s",)), ([], ()),
    ]  # fmt: skip
    hashes = [content_hash(files, *salt) for files, salt in variants]
    assert len(set(hashes)) >= len(variants) - 1  # no salt and an empty salt may be the same
    assert content_hash([one, two], "s") == hashes[0]


def test_what_an_author_meant_to_be_read(tmp_path: Path) -> None:
    """A signature with the other ending of YAML, which is not read, and a pack without any signature are told."""
    _put(tmp_path / "pack" / "memory" / "a.yml")
    _put(tmp_path / "pack" / "notes" / "README.md")
    problems = Problems(collect=True)
    check_pack(tmp_path / "pack", problems)
    assert [str(problem) for problem in problems.found] == [
        f"{tmp_path}/pack/memory/a.yml:1:1: is not read: name it a.yaml",
        f"{tmp_path}/pack:1:1: holds no signature: no file ends in .yaml",
    ]


def test_a_pack_in_order_has_nothing_to_tell(tmp_path: Path) -> None:
    """A folder with signatures and other files, and one with a ``signatures`` folder, are packs as they should be."""
    _put(tmp_path / "one" / "memory" / "a.yaml")
    _put(tmp_path / "one" / "memory" / "a.yml.bak")
    _put(tmp_path / "two" / "signatures" / "memory" / "a.yaml")
    _put(tmp_path / "two" / "playbooks" / "b.yml")
    for name in ("one", "two"):
        check_pack(tmp_path / name, Problems())
