"""Signature files -> the knowledge base, with every problem located."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from triage.knowledge.base import KnowledgeBase, SignatureRecord
from triage.knowledge.compiled import compile_database
from triage.knowledge.database import Expression
from triage.knowledge.decoding import decode_records
from triage.knowledge.errors import KnowledgeError, Problem, Problems
from triage.knowledge.lint import check_signatures
from triage.knowledge.pack import PackFile, check_pack, read_packs
from triage.knowledge.signature_schema import SIGNATURE
from triage.private_cache import StrPath


def lint_packs(roots: Sequence[StrPath], markers: Sequence[Expression]) -> tuple[KnowledgeBase, list[Problem]]:
    """What can be read of the packs, and everything that is wrong with them, in order of file, line and column."""
    problems = Problems(collect=True)
    for root in roots:
        check_pack(root, problems)
    base = decode_files(read_packs(roots, problems), problems)
    if not problems.found:
        try:
            compile_database(base, markers)
        except KnowledgeError as error:
            problems.found.append(error.problem)
    return base, sorted(problems.found, key=_order)


def decode_files(files: Sequence[PackFile], problems: Problems, known: KnowledgeBase | None = None) -> KnowledgeBase:
    """The knowledge base of ``files``, added to one that was checked before; what is wrong goes to ``problems``, the rest
    is kept."""
    records = dict(known.records) if known is not None else {}
    for record in _decoded(files, problems):
        other = records.setdefault(record.data["id"], record)
        if other is not record:
            problems.add(record.place("id"), f"id '{record.data['id']}' is taken by {other.path}")
    base = KnowledgeBase(records)
    checked = known.records if known is not None else ()
    check_signatures(base, [identifier for identifier in base.ids() if identifier not in checked], problems)
    return base


def _decoded(files: Sequence[PackFile], problems: Problems) -> Iterator[SignatureRecord]:
    for item, data, node in decode_records(files, SIGNATURE, problems):
        yield SignatureRecord(data, item.area, item.path, node)


def _order(problem: Problem) -> tuple[str, int, int]:
    return problem.location.path, problem.location.line, problem.location.column
