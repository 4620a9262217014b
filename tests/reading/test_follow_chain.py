"""A file that is truncated at a moment of our choosing: before its first byte was read, and after."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.reading.following import Clock, append, kinds
from tests.reading.live_items import joined
from triage.reading.follow_chain import Chain
from triage.reading.follow_file import WasCut
from triage.reading.follow_path import FollowedPath
from triage.reading.live import Item, Note

OLD, NEW = b"old line\n" * 50, b"new\n"


@pytest.fixture(name="chain")
def chain_fixture(log: Path, clock: Clock) -> Iterator[Chain]:
    """A file with content, of which it is known what came before it, and of which nothing was read."""
    log.write_bytes(OLD)
    with closing(Chain(FollowedPath(str(log), privileged=False), clock)) as chain:
        chain.begin(at_end=False)
        out: list[Item] = []
        assert chain.catch_up(chain.files[0], out)
        assert out == []
        yield chain


def cut(chain: Chain, log: Path, *, copied: bool) -> list[Note]:
    """The notes on a truncation, after which there is new content; ``copied``: a copy was made before it."""
    if copied:
        shutil.copyfile(log, log.with_name("server.log.1"))
    os.truncate(log, 0)
    append(log, NEW)
    with pytest.raises(WasCut) as caught:
        chain.read(1 << 20)
    out: list[Item] = []
    assert chain.cut(chain.files[0], caught.value.doubtful, out)
    return [item for item in out if isinstance(item, Note)]


def rest(chain: Chain) -> tuple[bytes, list[Note]]:
    """All that is still to be read, and the notes on it."""
    out: list[Item] = []
    data = b""
    while True:
        file = chain.files[0]
        if not file.caught_up:
            assert chain.catch_up(file, out)
            continue
        part = chain.read(1 << 20)
        data += part
        if part:
            continue
        if len(chain.files) == 1:
            assert joined(out) == b""
            return data, [item for item in out if isinstance(item, Note)]
        chain.retire()


def test_cut_before_the_first_byte(chain: Chain, log: Path) -> None:
    """Nothing was read, so nothing is cut short: that content came and went is said once, where what came before is looked for."""
    assert cut(chain, log, copied=False) == []
    data, notes = rest(chain)
    assert (data, kinds(notes)) == (NEW, ["rotated!"])


def test_cut_before_the_first_byte_with_a_copy(chain: Chain, log: Path) -> None:
    """The copy is read first, from its beginning, and nothing is lost."""
    assert cut(chain, log, copied=True) == []
    data, notes = rest(chain)
    assert (data, kinds(notes)) == (OLD + NEW, ["rotated"])


def test_cut_after_some_bytes(chain: Chain, log: Path) -> None:
    """What was written between the last look and the truncation is lost, and that is said."""
    assert chain.read(18) == OLD[:18]
    (note,) = cut(chain, log, copied=False)
    assert (note.kind, note.loss) == ("truncated", True)
    assert "after byte 18," in note.text
    assert rest(chain) == (NEW, [])


def test_cut_after_some_bytes_with_a_copy(chain: Chain, log: Path) -> None:
    """The copy has the rest: the bytes that were read do not come again, and none is lost."""
    assert chain.read(18) == OLD[:18]
    assert kinds(cut(chain, log, copied=True)) == ["truncated"]
    assert rest(chain) == (OLD[18:] + NEW, [])
