"""The knowledge base: every signature by id, every pattern by key. Signatures are built when first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from triage.knowledge.building import Plain, build_signature
from triage.knowledge.nodes import Node, locate
from triage.model import Location, Pattern, Signature
from triage.records import dataclass, field


@dataclass(frozen=True, slots=True)
class SignatureRecord:
    """A decoded signature file: plain data, its area (folder), its path, and its nodes unless it comes from a cache."""

    data: dict[str, Plain]
    area: str
    path: str
    node: Node | None = field(default=None, compare=False, repr=False)

    def place(self, *steps: str | int) -> Location:
        """Where the key or the list item under ``steps`` stands, or as much of the way as there is."""
        return Location(self.path) if self.node is None else locate(self.node, steps)


class KnowledgeBase:
    """Signatures by id in sorted order. Only those that a log touches are ever built: a scan starts in milliseconds.

    Not a record: it is equal to itself alone, and can be a key.
    """

    __slots__ = ("_built", "records")

    def __init__(self, records: Mapping[str, SignatureRecord]) -> None:
        self.records = records
        self._built: dict[str, Signature] = {}

    def __contains__(self, identifier: object) -> bool:
        return identifier in self.records

    def __len__(self) -> int:
        return len(self.records)

    def ids(self) -> tuple[str, ...]:
        """Every id, sorted."""
        return tuple(sorted(self.records))

    def get(self, identifier: str) -> Signature:
        """The signature of that id.

        Raises:
            KeyError: if there is none.
        """
        if identifier not in self._built:
            record = self.records[identifier]
            self._built[identifier] = build_signature(record.data, record.area, Location(record.path))
        return self._built[identifier]

    def __iter__(self) -> Iterator[Signature]:
        return (self.get(identifier) for identifier in self.ids())

    def pattern(self, key: str) -> Pattern:
        """The pattern ``signature/evidence/index``.

        Raises:
            KeyError: if there is none.
        """
        owner = self.get(key.partition("/")[0])
        for pattern in owner.patterns():
            if pattern.key == key:
                return pattern
        raise KeyError(key)

    def without(self, identifiers: frozenset[str]) -> KnowledgeBase:
        """The same base less some ids."""
        return KnowledgeBase({key: value for key, value in self.records.items() if key not in identifiers})
