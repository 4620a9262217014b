"""Loading a knowledge base: from the cache when nothing changed, else from the YAML files.

The cached form holds the decoded signatures as JSON and the automaton, in one file named after the hash of everything
that decides it. It is never a pickle, is replaced atomically, and is only read when it and its folder are ours alone.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import hyperscan

from triage import __version__
from triage.knowledge.base import KnowledgeBase, SignatureRecord
from triage.knowledge.database import Expression, PatternDatabase, expressions_of
from triage.knowledge.errors import KnowledgeError, Problem, Problems
from triage.knowledge.pack import PackFile, content_hash
from triage.model import Location
from triage.private_cache import read_private, write_private
from triage.records import dataclass

_MAGIC = b"sgltriage-knowledge-2\n"
_DIGEST = 33
"""Length of the line of the digest: 16 bytes as hexadecimal digits, and a line feed."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A knowledge base with its pattern database."""

    base: KnowledgeBase
    database: PatternDatabase


def load_knowledge(files: Sequence[PackFile], markers: Sequence[Expression], cache: Path | None) -> Knowledge:
    """The knowledge of ``files``, through the folder ``cache`` (None: without one).

    Raises:
        KnowledgeError: the first problem of a file, or a pattern that Hyperscan refuses.
    """
    salt = [
        __version__,
        str(getattr(hyperscan, "__version__", "")),
        _compiler(),
        *(f"{item.key} {item.source} {item.once}" for item in markers),
    ]
    name = content_hash(files, *salt) + ".kb"
    if cache is not None:
        found = _parse(read_private(cache / name) or b"")
        if found is not None:
            return found
    # YAML, packaging and the checks are only needed when something changed.
    from triage.knowledge.loading import decode_files

    base = decode_files(files, Problems())
    knowledge = Knowledge(base, compile_database(base, markers))
    if cache is not None:
        # Every edit of a pack makes a new file; a few are kept for those who go back and forth.
        write_private(cache / name, _content(knowledge), most=8)
    return knowledge


def _compiler() -> str:
    """Size and time of the modules that make the compiled form: in a checkout they change without a new version."""
    with os.scandir(Path(__file__).parent) as entries:
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


def _parse(content: bytes) -> Knowledge | None:
    """Knowledge from the file's bytes (a line of format, a line of digest, a line of two lengths, JSON, automaton); None if
    they are damaged or of another platform."""
    try:
        return _parsed(content)
    except (ValueError, KeyError, TypeError, hyperscan.error):
        return None


def _parsed(content: bytes) -> Knowledge | None:
    if not content.startswith(_MAGIC):
        return None
    body = memoryview(content)[len(_MAGIC) + _DIGEST :]
    if content[len(_MAGIC) : len(_MAGIC) + _DIGEST] != _digest(body):
        return None
    start = content.index(b"\n", len(_MAGIC) + _DIGEST) + 1
    lengths = [int(number) for number in content[len(_MAGIC) + _DIGEST : start].split()]
    if len(lengths) != 2 or sum(lengths) != len(content) - start:
        return None
    middle = start + lengths[0]
    head = json.loads(content[start:middle])
    records = {row["data"]["id"]: SignatureRecord(row["data"], row["area"], row["path"]) for row in head["signatures"]}
    expressions = [Expression(row[0], row[1], row[2], row[3], tuple(row[4])) for row in head["expressions"]]
    return Knowledge(KnowledgeBase(records), PatternDatabase.load(expressions, content[middle:]))


def _digest(body: bytes | memoryview) -> bytes:
    """A line with the digest: Hyperscan would run a damaged automaton without a word."""
    return hashlib.blake2b(body, digest_size=16).hexdigest().encode() + b"\n"


def _content(knowledge: Knowledge) -> list[bytes]:
    """The file that ``_parse`` reads."""
    automaton = knowledge.database.dump()
    head = json.dumps(
        {
            "signatures": [
                {"data": item.data, "area": item.area, "path": item.path} for item in knowledge.base.records.values()
            ],
            "expressions": [
                [item.key, item.source, item.literal, item.once, item.shared] for item in knowledge.database.expressions
            ],
        },
        separators=(",", ":"),
    ).encode()
    body = f"{len(head)} {len(automaton)}\n".encode() + head + automaton
    return [_MAGIC, _digest(body), body]
