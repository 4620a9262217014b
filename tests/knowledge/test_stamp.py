"""A pack is read again exactly when one of its files changed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from triage.knowledge.stamp import Stamp, stamp_of

LONG_AGO = time.time() - 3600


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack of two old files. A file's change time cannot be set, so the stamps below are told a ``newest`` of their own."""
    for name in ("a", "b"):
        path = tmp_path / "pack" / "area" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"id: {name}\n")
        os.utime(path, (LONG_AGO, LONG_AGO))
    return tmp_path / "pack"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A folder that is ours alone."""
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    return folder


def settled(pack: Path, *salt: str) -> Stamp:
    """The pack's stamp, as if nothing in it had changed for an hour."""
    stamp = stamp_of([pack], salt)
    assert stamp is not None
    return Stamp(stamp.roots, stamp.text, LONG_AGO)


def test_an_unchanged_pack_is_known(pack: Path, cache: Path) -> None:
    """What was noted for a state is found again for the same state."""
    settled(pack, "1.0").note(cache, "abc")
    assert settled(pack, "1.0").known_hash(cache) == "abc"


@pytest.mark.parametrize("change", ["content", "same size and time", "new", "gone", "renamed", "salt"])
def test_a_change_is_seen(pack: Path, cache: Path, change: str) -> None:
    """Any change of the files, also one that keeps size and modification time, and of the salt."""
    settled(pack, "1.0").note(cache, "abc")
    path = pack / "area" / "a.yaml"
    if change == "content":
        path.write_text("id: other\n")
    elif change == "same size and time":
        path.write_text("id: c\n")
        os.utime(path, (LONG_AGO, LONG_AGO))
    elif change == "new":
        (pack / "area" / "c.yaml").write_text("id: c\n")
    elif change == "gone":
        path.unlink()
    elif change == "renamed":
        path.rename(pack / "area" / "z.yaml")
    assert settled(pack, "2.0" if change == "salt" else "1.0").known_hash(cache) is None


def test_a_fresh_change_is_not_noted(pack: Path, cache: Path) -> None:
    """Files written just now may be written again within the same tick of the clock."""
    stamp = stamp_of([pack], ["1.0"])
    assert stamp is not None
    stamp.note(cache, "abc")
    assert stamp.known_hash(cache) is None


def test_links_are_not_trusted(pack: Path) -> None:
    """What a link leads to may change while the link stays."""
    (pack / "area" / "link.yaml").symlink_to("a.yaml")
    assert stamp_of([pack], []) is None


def test_a_missing_folder_gives_no_stamp(tmp_path: Path) -> None:
    """The reader says what is wrong with it, not the stamp."""
    assert stamp_of([tmp_path / "absent"], []) is None


def test_stamps_of_different_packs_stand_side_by_side(pack: Path, cache: Path, tmp_path: Path) -> None:
    """Going back and forth between packs costs nothing."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.yaml").write_text("id: x\n")
    settled(pack).note(cache, "abc")
    settled(other).note(cache, "def")
    assert (settled(pack).known_hash(cache), settled(other).known_hash(cache)) == ("abc", "def")
