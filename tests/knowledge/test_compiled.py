"""The cache of compiled knowledge: a convenience that is trusted only as far as it is whole and ours."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from triage.knowledge import compiled, loading
from triage.knowledge.compiled import Knowledge, load_knowledge
from triage.knowledge.database import marker
from triage.knowledge.errors import KnowledgeError, Problems
from triage.knowledge.pack import read_pack
from triage.private_cache import cache_directory

VALID = Path(__file__).resolve().parent / "packs" / "valid"
MARKERS = (marker("ready", "fired up and ready"), marker("ansi", r"\x1b\[", once=True))
SAMPLE = b"frobnicator exploded\nfrobnicator exploded\nplug is out of the wall\nfired up and ready\n\x1b[0m\n"
ROOT = os.geteuid() == 0


def seen(knowledge: Knowledge) -> tuple[Any, ...]:
    """All that a user of the knowledge can tell it by: signatures, expressions, and what the automaton reports."""
    found: list[tuple[int, int]] = []
    knowledge.database.scan(memoryview(SAMPLE), lambda index, _start, end, _flags, _context: found.append((index, end)))
    return list(knowledge.base), knowledge.database.expressions, knowledge.database.shared, sorted(found)


LOAD = """
import sys
from pathlib import Path
from triage.knowledge.compiled import load_knowledge
from triage.knowledge.database import marker
from triage.knowledge.errors import Problems
from triage.knowledge.pack import read_pack
markers = (marker("ready", "fired up and ready"), marker("ansi", r"\\x1b\\[", once=True))
load_knowledge([read_pack(Path(sys.argv[1]), Problems())], markers, Path(sys.argv[2]))
"""


class Loader:
    """A pack and a cache folder; counts how often the YAML files were decoded."""

    def __init__(self, pack: Path, cache: Path) -> None:
        self.pack, self.cache = pack, cache
        self.decoded = 0

    def load(self) -> Knowledge:
        return load_knowledge([read_pack(self.pack, Problems())], MARKERS, self.cache)

    def file(self) -> Path:
        (found,) = self.cache.glob("*.kb")
        return found


@pytest.fixture
def loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    """A loader on a copy of the valid pack, with an empty cache."""
    made = Loader(tmp_path / "pack", tmp_path / "home" / "cache")
    shutil.copytree(VALID, made.pack)
    original = loading.decode_files

    def counting(*arguments: Any) -> Any:
        made.decoded += 1
        return original(*arguments)

    monkeypatch.setattr(loading, "decode_files", counting)
    return made


def test_written_once_and_read_back_equal(loader: Loader) -> None:
    """The first load compiles and writes one file; the next reads it, gives the same, and leaves it alone."""
    first = loader.load()
    written = loader.file().stat()
    second = loader.load()
    assert loader.decoded == 1
    assert seen(second) == seen(first)
    assert loader.file().stat().st_mtime_ns == written.st_mtime_ns
    assert loader.file().stat().st_ino == written.st_ino
    assert [path.name for path in loader.cache.iterdir()] == [loader.file().name]


def test_what_is_read_back_late_is_the_same(loader: Loader) -> None:
    """Of a stored database everything is what it was when it was compiled, in whatever order it is asked for."""
    first, second = loader.load().database, loader.load().database
    assert loader.decoded == 1
    assert second.literals == first.literals
    assert (second.keys, second.index, second.once) == (first.keys, first.index, first.once)
    assert list(second.members) == list(first.members)
    assert second.expressions == first.expressions
    assert second.forms_within(second.once) == first.forms_within(first.once)


def test_only_the_owner_can_write_it(loader: Loader) -> None:
    """The cache folder and file are made so that no one else can change them, whatever the umask."""
    before = os.umask(0)
    try:
        loader.load()
    finally:
        os.umask(before)
    assert loader.cache.stat().st_mode & 0o022 == 0
    assert loader.file().stat().st_mode & 0o022 == 0


@pytest.mark.parametrize("change", ["edit", "add", "remove", "move", "markers"])
def test_any_change_of_the_rules_compiles_again(loader: Loader, change: str) -> None:
    """A file edited, added, removed or moved, or another marker, is seen at the next load."""
    before = seen(loader.load())
    file = loader.pack / "memory" / "frobnicator-failed.yaml"
    text = file.read_text(encoding="utf-8")
    if change == "edit":
        file.write_text(text.replace("title: The", "title: Once more the"), encoding="utf-8")
    elif change == "add":
        (loader.pack / "network" / "new-cause.yaml").write_text(
            text.replace("id: frobnicator-failed", "id: new-cause"), encoding="utf-8"
        )
    elif change == "remove":
        (loader.pack / "network" / "plug-pulled.yaml").unlink()
    elif change == "move":
        file.rename(loader.pack / "network" / file.name)
    if change == "markers":
        after = seen(load_knowledge([read_pack(loader.pack, Problems())], MARKERS[:1], loader.cache))
    else:
        after = seen(loader.load())
    assert loader.decoded == 2
    assert after != before
    assert len(list(loader.cache.glob("*.kb"))) == 2


def test_old_files_are_forgotten(loader: Loader) -> None:
    """However often a pack is edited, the cache keeps no more than a few files, and the newest among them."""
    file = loader.pack / "memory" / "frobnicator-failed.yaml"
    text = file.read_text(encoding="utf-8")
    for number in range(12):
        file.write_text(f"{text}# {number}\n", encoding="utf-8")
        loader.load()
    assert len(list(loader.cache.iterdir())) <= 8
    loader.load()
    assert loader.decoded == 12


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _halve(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def _other_format(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"knowledge-", b"knowledgf-", 1))


def _noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 64)


def _group_writable(path: Path) -> None:
    path.chmod(0o620)


def _world_writable(path: Path) -> None:
    path.chmod(0o602)


def _writable_folder(path: Path) -> None:
    path.parent.chmod(0o770)


def _symlink(path: Path) -> None:
    target = path.with_name("elsewhere")
    path.rename(target)
    path.symlink_to(target)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: list[Callable[[Path], None]] = [
    _empty, _cut, _halve, _lengthen, _other_format, _noise, _group_writable, _world_writable, _writable_folder, _symlink, _folder,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda function: function.__name__[1:])
def test_damaged_or_foreign_cache_is_not_read(loader: Loader, damage: Callable[[Path], None]) -> None:
    """A cache file that is not whole, or not surely ours, costs a compilation and changes nothing else."""
    before = seen(loader.load())
    damage(loader.file())
    assert seen(loader.load()) == before
    assert loader.decoded == 2


@pytest.mark.parametrize(
    "damage", [_cut, _noise, _group_writable, _symlink], ids=lambda function: function.__name__[1:]
)
def test_damaged_cache_is_replaced(loader: Loader, damage: Callable[[Path], None]) -> None:
    """After a bad cache file was passed over, a good regular file of ours stands in its place."""
    loader.load()
    damage(loader.file())
    loader.load()
    loader.load()
    assert loader.decoded == 2
    assert loader.file().is_file()
    assert not loader.file().is_symlink()


@pytest.mark.skipif(not ROOT, reason="only root can give a file away")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_cache_of_another_owner_is_not_read(loader: Loader, what: str) -> None:
    """A cache file, or its folder, that belongs to somebody else is not read."""
    before = seen(loader.load())
    os.chown(loader.file() if what == "file" else loader.cache, 65534, 65534)
    assert seen(loader.load()) == before
    assert loader.decoded == 2


def test_a_pipe_in_place_of_the_cache_is_not_waited_for(loader: Loader, tmp_path: Path) -> None:
    """A named pipe where the cache file should be does not make the command hang."""
    loader.load()
    path = loader.file()
    path.unlink()
    os.mkfifo(path)
    environment = {**os.environ, "PYTHONPATH": str(Path(compiled.__file__).resolve().parents[2])}
    subprocess.run(
        [sys.executable, "-c", LOAD, str(loader.pack), str(loader.cache)],
        check=True,
        timeout=10,
        env=environment,
        cwd=tmp_path,
    )


def test_a_flipped_byte_changes_nothing(loader: Loader) -> None:
    """Wherever one byte of the cache is flipped, the knowledge is what the rules say: the automaton and every signature."""
    before = seen(loader.load())
    content = loader.file().read_bytes()
    places = {len(content) * step // 150 for step in range(150)} | {len(content) - 1}
    wrong: list[object] = []
    for place in sorted(places):
        loader.file().write_bytes(content[:place] + bytes([content[place] ^ 0x01]) + content[place + 1 :])
        try:
            if seen(loader.load()) != before:
                wrong.append(place)
        except Exception as error:  # noqa: BLE001  (whatever it is, it may not happen)
            wrong.append((place, type(error).__name__))
        loader.file().write_bytes(content)
    assert wrong == []


def test_an_altered_rule_in_the_cache_is_noticed(loader: Loader) -> None:
    """A letter changed in the stored text of a rule is not taken for the rule."""
    before = seen(loader.load())
    content = loader.file().read_bytes()
    assert b"Mend the test." in content
    loader.file().write_bytes(content.replace(b"Mend the test.", b"Bend the test."))
    assert seen(loader.load()) == before


def test_without_a_cache(loader: Loader) -> None:
    """Without a cache folder the knowledge is the same and nothing is written."""
    first = load_knowledge([read_pack(loader.pack, Problems())], MARKERS, None)
    assert not loader.cache.exists()
    assert seen(first) == seen(loader.load())


def test_cache_that_cannot_be_written(loader: Loader, tmp_path: Path) -> None:
    """A cache folder that cannot be made costs nothing but the time to compile."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for impossible in (tmp_path / "file" / "cache", Path("/dev/null/cache"), Path("/proc/none/cache")):
        assert len(load_knowledge([read_pack(loader.pack, Problems())], MARKERS, impossible).base) == 3


@pytest.mark.skipif(ROOT, reason="root writes where it may not")
def test_read_only_home(loader: Loader, tmp_path: Path) -> None:
    """A home that may not be written is no error."""
    (tmp_path / "home").mkdir(mode=0o500)
    assert len(loader.load().base) == 3
    assert not loader.cache.exists()


def test_a_bad_pack_is_not_cached(loader: Loader) -> None:
    """A pack with a problem raises it at every load, and leaves no cache behind."""
    file = loader.pack / "memory" / "frobnicator-failed.yaml"
    file.write_text("{}", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(KnowledgeError):
            loader.load()
    assert not loader.cache.exists()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, "/c/sgltriage"),
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/sgltriage"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/sgltriage"),
        ({"HOME": "/h"}, "/h/.cache/sgltriage"),
        ({"HOME": ""}, None),
        ({"HOME": "relative"}, None),
        ({}, None),
    ],
)
def test_where_the_cache_lies(environment: dict[str, str], expected: str | None) -> None:
    """XDG_CACHE_HOME if it is absolute, else below HOME, else nowhere."""
    assert cache_directory(environment) == expected


def test_nothing_unpickles() -> None:
    """No module of the knowledge layer imports a format that can run code when it is read."""
    for path in Path(compiled.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [item.name for item in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not {"pickle", "marshal", "shelve", "dill", "cloudpickle"} & {
                name.partition(".")[0] for name in names
            }, path


def test_a_further_pack_is_added_to_what_was_compiled_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two packs whose first was loaded before only the second is decoded, and all is as when both were decoded at once."""
    cache = tmp_path / "cache"
    shutil.copytree(VALID, tmp_path / "one")
    text = (tmp_path / "one" / "memory" / "frobnicator-failed.yaml").read_text(encoding="utf-8")
    (tmp_path / "two" / "memory").mkdir(parents=True)
    (tmp_path / "two" / "memory" / "new-cause.yaml").write_text(
        text.replace("id: frobnicator-failed", "id: new-cause"), encoding="utf-8"
    )
    packs = [read_pack(tmp_path / name, Problems()) for name in ("one", "two")]
    load_knowledge(packs[:1], MARKERS, cache)
    decoded: list[str] = []
    original = loading.decode_files

    def counting(files: Any, *rest: Any) -> Any:
        decoded.extend(item.path for item in files)
        return original(files, *rest)

    monkeypatch.setattr(loading, "decode_files", counting)
    added = load_knowledge(packs, MARKERS, cache)
    assert decoded == [packs[1][0].path]
    assert seen(added) == seen(load_knowledge(packs, MARKERS, cache)) == seen(load_knowledge(packs, MARKERS, None))


def test_a_further_pack_may_not_take_an_id(tmp_path: Path) -> None:
    """An id that an earlier pack has is refused, also when that pack comes from the cache."""
    shutil.copytree(VALID, tmp_path / "one")
    shutil.copytree(VALID, tmp_path / "two")
    packs = [read_pack(tmp_path / name, Problems()) for name in ("one", "two")]
    load_knowledge(packs[:1], MARKERS, tmp_path / "cache")
    with pytest.raises(KnowledgeError, match=r"two/.*id '.*' is taken by .*one/"):
        load_knowledge(packs, MARKERS, tmp_path / "cache")
