"""YAML text -> nodes that know their place, with guards against hostile packs.

Built on libyaml's event stream and not on its composer: the composer recurses in C and crashes on 100,000 nested
brackets, and it forgets anchors and tags, which are refused here.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from triage.knowledge.errors import Problems
from triage.knowledge.nodes import ListNode, MappingNode, Node, ScalarNode
from triage.knowledge.pack import MAX_BYTES
from triage.model import Location

MAX_DEPTH = 64


class _RefusedError(Exception):
    def __init__(self, location: Location, message: str) -> None:
        super().__init__(message)
        self.location = location
        self.message = message


def compose(text: str, path: str, problems: Problems) -> Node | None:
    """The one document in ``text`` as nodes, or None when it is refused (the reason goes to ``problems``).

    Refused: more than MAX_BYTES, deeper than MAX_DEPTH, tags, anchors, aliases, merge keys, duplicate keys, several
    documents, an empty document, and whatever YAML itself refuses.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        problems.add(Location(path), f"file is larger than {MAX_BYTES} bytes")
        return None
    try:
        events = yaml.parse(text, Loader=yaml.CBaseLoader)
        return _document(iter(events), path)
    except _RefusedError as refusal:
        problems.add(refusal.location, refusal.message)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Location(path, mark.line + 1, mark.column + 1) if mark else Location(path)
        problems.add(place, f"not valid YAML: {error.problem or error.context}")
    except (yaml.YAMLError, UnicodeError) as error:
        problems.add(Location(path), f"not valid YAML: {' '.join(str(error).split())}")
    return None


def _document(events: Iterator[yaml.Event], path: str) -> Node:
    root: Node | None = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            if root is not None:
                raise _RefusedError(_place(event, path), "a file holds one document; a second one starts here")
            root = _node(next(events), events, path, 1)
    if root is None:
        raise _RefusedError(Location(path), "the file is empty")
    return root


def _node(event: yaml.Event, events: Iterator[yaml.Event], path: str, depth: int) -> Node:
    place = _place(event, path)
    if depth > MAX_DEPTH:
        raise _RefusedError(place, f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(event, yaml.AliasEvent):
        raise _RefusedError(place, "aliases are not allowed; write the value out")
    if getattr(event, "anchor", None) is not None:
        raise _RefusedError(place, "anchors are not allowed")
    # libyaml reports the non-specific tag "!" for quoted scalars of some styles; only a named tag is an order to build something.
    if getattr(event, "tag", None) not in (None, "!"):
        raise _RefusedError(place, "tags are not allowed")
    if isinstance(event, yaml.ScalarEvent):
        return ScalarNode(event.value, event.style in (None, ""), place)
    if isinstance(event, yaml.SequenceStartEvent):
        items: list[Node] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(_node(event, events, path, depth + 1))
        return ListNode(tuple(items), place)
    return _mapping(events, path, depth, place)


def _mapping(events: Iterator[yaml.Event], path: str, depth: int, place: Location) -> MappingNode:
    pairs: list[tuple[ScalarNode, Node]] = []
    seen: dict[str, Location] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _node(event, events, path, depth + 1)
        if not isinstance(key, ScalarNode):
            raise _RefusedError(key.location, "a key must be plain text")
        if key.plain and key.value == "<<":
            raise _RefusedError(key.location, "merge keys are not allowed")
        if key.value in seen:
            raise _RefusedError(key.location, f"key '{key.value}' stands twice; first in line {seen[key.value].line}")
        seen[key.value] = key.location
        pairs.append((key, _node(next(events), events, path, depth + 1)))
    return MappingNode(tuple(pairs), place)


def _place(event: yaml.Event, path: str) -> Location:
    mark = event.start_mark
    return Location(path) if mark is None else Location(path, mark.line + 1, mark.column + 1)
