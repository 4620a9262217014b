"""Loading a knowledge base: from the cache when nothing changed, else from the YAML files.

The cached form holds the decoded signatures as JSON and the automaton, in one file named after the hash of everything
that decides it. It is never a pickle, is replaced atomically, and is only read when it and its folder are ours alone.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence

from triage import __version__
from triage.knowledge.automaton import hyperscan
from triage.knowledge.base import KnowledgeBase, SignatureRecord
from triage.knowledge.database import Expression, Outline, PatternDatabase, expressions_of
from triage.knowledge.errors import KnowledgeError, Problem, Problems
from triage.knowledge.pack import PackFile, content_hash, read_pack
from triage.knowledge.stamp import stamp_of
from triage.model import Location
from triage.private_cache import StrPath, read_private, write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAGIC = b"sgltriage-knowledge-5\n"
_CHECKSUM = 9
"""Length of the line of the checksum: 8 hexadecimal digits, and a line feed."""


class Knowledge:
    """A knowledge base with its pattern database. Not a record: it is equal to itself alone, and can be a key."""

    __slots__ = ("base", "database")

    def __init__(self, base: KnowledgeBase, database: PatternDatabase) -> None:
        self.base, self.database = base, database


def load_packs(roots: Sequence[StrPath], markers: Sequence[Expression], cache: StrPath | None) -> Knowledge:
    """The knowledge of the packs in ``roots``, through the folder ``cache`` (None: without one).

    Raises:
        KnowledgeError: the first problem of a file, or a pattern that Hyperscan refuses.
    """
    stamp = None if cache is None else stamp_of(roots, _salt(markers))
    if cache is not None and stamp is not None:
        noted = stamp.known_hash(cache)
        found = _stored(cache, noted) if noted else None
        if found is not None:
            return found
    packs = [read_pack(root, Problems()) for root in roots]
    knowledge = load_knowledge(packs, markers, cache)
    if cache is not None and stamp is not None:
        stamp.note(cache, _name(packs, markers))
    return knowledge


def load_knowledge(
    packs: Sequence[Sequence[PackFile]], markers: Sequence[Expression], cache: StrPath | None
) -> Knowledge:
    """The knowledge of ``packs``, the files of each, through the folder ``cache`` (None: without one).

    Raises:
        KnowledgeError: the first problem of a file, or a pattern that Hyperscan refuses.
    """
    name = _name(packs, markers)
    if cache is not None:
        found = _stored(cache, name)
        if found is not None:
            return found
    # YAML, packaging and the checks are only needed when something changed.
    from triage.knowledge.loading import decode_files

    if cache is None or len(packs) < 2:
        base = decode_files([item for pack in packs for item in pack], Problems())
    else:
        # Who tries a signature of a pack again and again does not wait for hundreds of others that stay as they are.
        base = decode_files(packs[-1], Problems(), load_knowledge(packs[:-1], markers, cache).base)
    knowledge = Knowledge(base, compile_database(base, markers))
    if cache is not None:
        # Every edit of a pack makes a new file; a few are kept for those who go back and forth.
        write_private(_file(cache, name), _content(knowledge), most=8)
    return knowledge


def _name(packs: Sequence[Sequence[PackFile]], markers: Sequence[Expression]) -> str:
    return content_hash([item for pack in packs for item in pack], *_salt(markers))


def _salt(markers: Sequence[Expression]) -> list[str]:
    """What decides the compiled form, beside the files."""
    versions = [__version__, str(getattr(hyperscan, "__version__", "")), _compiler()]
    return versions + [f"{item.key} {item.source} {item.once}" for item in markers]


def _file(cache: StrPath, name: str) -> str:
    return os.path.join(cache, f"{name}.kb")  # noqa: PTH118  (pathlib takes milliseconds to load)


def _stored(cache: StrPath, name: str) -> Knowledge | None:
    return _parse(read_private(_file(cache, name)) or b"")


def _compiler() -> str:
    """Size and time of the modules that make the compiled form: in a checkout they change without a new version."""
    with os.scandir(os.path.dirname(__file__)) as entries:  # noqa: PTH120
        modules = sorted((entry.name, entry.stat()) for entry in entries if entry.name.endswith(".py"))
    return " ".join(f"{name}:{info.st_size}:{info.st_mtime_ns}" for name, info in modules)


def compile_database(base: KnowledgeBase, markers: Sequence[Expression]) -> PatternDatabase:
    """The database over all patterns of ``base`` and the engine's markers.

    Raises:
        KnowledgeError: Hyperscan refuses a pattern.
    """
    try:
        return PatternDatabase.compile([*expressions_of(base), *markers])
    except ValueError as error:
        raise KnowledgeError(Problem(_place_of(str(error).partition(":")[0], base), str(error))) from error


def _place_of(key: str, base: KnowledgeBase) -> Location:
    """Where the pattern ``signature/evidence/index`` was written."""
    identifier, _, rest = key.partition("/")
    if identifier not in base:
        return Location("<markers>")
    record = base.records[identifier]
    names = [item["id"] for item in record.data["evidence"]]
    return record.place("evidence", names.index(rest.partition("/")[0]), "log")


class _StoredRecords(Mapping[str, SignatureRecord]):
    """The signatures of a cache file; only those that are asked for are decoded, and a scan asks for few."""

    def __init__(self, rows: Sequence[tuple[str, str, str, int, int]], text: memoryview) -> None:
        self._rows = {row[0]: row for row in rows}
        self._text = text
        self._decoded: dict[str, SignatureRecord] = {}

    def __getitem__(self, identifier: str) -> SignatureRecord:
        found = self._decoded.get(identifier)
        if found is None:
            _, area, path, start, stop = self._rows[identifier]
            found = SignatureRecord(json.loads(bytes(self._text[start:stop])), area, path)
            self._decoded[identifier] = found
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, identifier: object) -> bool:
        return identifier in self._rows


def _parse(content: bytes) -> Knowledge | None:
    """Knowledge from the file's bytes (lines of format, checksum and four lengths; as JSON the head, the expressions and each
    signature; the automaton); None if they are damaged or of another platform."""
    try:
        return _parsed(content)
    except (ValueError, KeyError, TypeError, hyperscan.error):
        return None


def _parsed(content: bytes) -> Knowledge | None:
    if not content.startswith(_MAGIC):
        return None
    whole = memoryview(content)
    if content[len(_MAGIC) : len(_MAGIC) + _CHECKSUM] != _checksum([whole[len(_MAGIC) + _CHECKSUM :]]):
        return None
    start = content.index(b"\n", len(_MAGIC) + _CHECKSUM) + 1
    parts = []
    for size in map(int, content[len(_MAGIC) + _CHECKSUM : start].split()):
        parts.append(whole[start : start + size])
        start += size
    if start != len(content):
        return None
    head_part, expressions, text, automaton = parts
    head = json.loads(bytes(head_part))
    outline = Outline(
        tuple(head["keys"]),
        frozenset(head["once"]),
        {key: tuple(others) for key, others in head["shared"].items()},
    )
    members = [(form,) if isinstance(form, int) else tuple(form) for form in head["members"]]
    database = PatternDatabase.load(
        lambda: [_expression(row) for row in json.loads(bytes(expressions))], outline, members, bytes(automaton)
    )
    return Knowledge(KnowledgeBase(_StoredRecords(head["signatures"], text)), database)


def _expression(row: Sequence[Any]) -> Expression:
    key, source, literal, once, shared = row
    return Expression(key, source, literal, once, tuple(shared))


def _checksum(parts: Sequence[bytes | memoryview]) -> bytes:
    """A line with the CRC-32: against damage, for Hyperscan would run a damaged automaton without a word."""
    value = 0
    for part in parts:
        value = zlib.crc32(part, value)
    return f"{value:08x}\n".encode()


def _content(knowledge: Knowledge) -> list[bytes]:
    """The file that ``_parse`` reads."""
    rows: list[tuple[str, str, str, int, int]] = []
    text = bytearray()
    for identifier, item in knowledge.base.records.items():
        start = len(text)
        text += _json(item.data)
        rows.append((identifier, item.area, item.path, start, len(text)))
    expressions = [
        [item.key, item.source, item.literal, item.once, item.shared] for item in knowledge.database.expressions
    ]
    database = knowledge.database
    head = {
        "signatures": rows,
        "keys": database.keys,
        "once": sorted(database.once),
        "shared": database.shared,
        # A bare number where a form stands for one expression: a list for each is felt when it is read.
        "members": [form[0] if len(form) == 1 else form for form in database.members],
    }
    parts = [_json(head), _json(expressions), bytes(text), database.dump()]
    body = [" ".join(str(len(part)) for part in parts).encode() + b"\n", *parts]
    return [_MAGIC, _checksum(body), *body]


def _json(data: object) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()
