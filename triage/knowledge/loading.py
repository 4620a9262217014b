"""Signature files -> the knowledge base, with every problem located."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from triage.knowledge.base import KnowledgeBase, SignatureRecord
from triage.knowledge.building import Plain
from triage.knowledge.errors import Problems
from triage.knowledge.lint import check_signatures
from triage.knowledge.pack import PackFile
from triage.knowledge.signature_schema import SIGNATURE
from triage.knowledge.yaml_nodes import compose
from triage.model import Location


def decode_files(files: Sequence[PackFile], problems: Problems) -> KnowledgeBase:
    """The knowledge base of ``files``; what is wrong goes to ``problems``, the rest is kept."""
    records: dict[str, SignatureRecord] = {}
    for item, record in _decoded(files, problems):
        other = records.get(record["id"])
        if other is not None:
            problems.add(Location(item.path), f"id '{record['id']}' is taken by {other.path}")
            continue
        records[record["id"]] = SignatureRecord(record, item.area, item.path)
    base = KnowledgeBase(records)
    check_signatures(base, problems)
    return base


def _decoded(files: Sequence[PackFile], problems: Problems) -> Iterator[tuple[PackFile, dict[str, Plain]]]:
    for item in files:
        try:
            text = item.content.decode("utf-8")
        except UnicodeDecodeError as error:
            problems.add(Location(item.path), f"not UTF-8 at byte {error.start}")
            continue
        node = compose(text, item.path, problems)
        if node is None:
            continue
        before = len(problems.found)
        record = SIGNATURE.decode(node, problems)
        if record is not None and len(problems.found) == before:
            yield item, record
