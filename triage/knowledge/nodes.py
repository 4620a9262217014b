"""The nodes of a rule file: scalars, lists and mappings that know their place."""

from __future__ import annotations

from collections.abc import Sequence

from triage.model import Location
from triage.records import dataclass


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A scalar as written; ``plain`` means unquoted, so that it may be read as a number or a boolean."""

    value: str
    plain: bool
    location: Location


@dataclass(frozen=True, slots=True)
class ListNode:
    """A sequence of nodes."""

    items: tuple[Node, ...]
    location: Location


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys (text scalars, no duplicates) with their nodes, in file order."""

    pairs: tuple[tuple[ScalarNode, Node], ...]
    location: Location

    def get(self, key: str) -> Node | None:
        """The node under ``key``, or None."""
        return next((value for name, value in self.pairs if name.value == key), None)


Node = ScalarNode | ListNode | MappingNode


def locate(node: Node, steps: Sequence[str | int]) -> Location:
    """The place of the key (a text step) or list item (a number) at the end of ``steps``, or of the last that exists."""
    place = node.location
    for step in steps:
        if isinstance(node, MappingNode):
            pair = next((pair for pair in node.pairs if pair[0].value == step), None)
            if pair is None:
                break
            place, node = pair[0].location, pair[1]
        elif isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            place = node.location
        else:
            break
    return place
