"""YAML files of one kind -> plain records with their nodes; what is wrong is told, the rest is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from triage.knowledge.building import Plain
from triage.knowledge.errors import Problems
from triage.knowledge.nodes import Node
from triage.knowledge.pack import PackFile
from triage.knowledge.spec import Kind
from triage.knowledge.yaml_nodes import compose
from triage.model import Location


def decode_records(
    files: Sequence[PackFile], kind: Kind, problems: Problems
) -> Iterator[tuple[PackFile, dict[str, Plain], Node]]:
    """Each file that ``kind`` decodes without a problem, with its record and its nodes.

    Raises:
        KnowledgeError: the first problem, unless ``problems`` collects them.
    """
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
        data = kind.decode(node, problems)
        if data is not None and len(problems.found) == before:
            yield item, data, node
