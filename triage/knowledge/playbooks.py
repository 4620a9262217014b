"""Playbook files -> playbooks: one by its id when it is needed, all of them for lint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from triage.knowledge.decoding import decode_records
from triage.knowledge.errors import Problems
from triage.knowledge.nodes import Node, locate
from triage.knowledge.pack import PackFile, bundled_directory, read_pack, yaml_files
from triage.knowledge.playbook_building import build_playbook
from triage.knowledge.playbook_schema import PLAYBOOK
from triage.model import Location
from triage.playbook import Playbook
from triage.records import dataclass


@dataclass(frozen=True, slots=True)
class PlaybookFile:
    """A playbook with the nodes of its file, for what is wrong in it to be located."""

    playbook: Playbook
    node: Node

    def place(self, *steps: str | int) -> Location:
        """Where the key or the list item under ``steps`` stands, or as much of the way as there is."""
        return locate(self.node, steps)


def playbook_roots(packs: Sequence[Path] = ()) -> tuple[Path, ...]:
    """The folders of playbooks: the bundled one first, then the ``playbooks`` folder of each pack that has one."""
    return (
        Path(bundled_directory("playbooks")),
        *(pack / "playbooks" for pack in packs if (pack / "playbooks").is_dir()),
    )


def playbook_ids(roots: Sequence[Path]) -> tuple[str, ...]:
    """The ids of all playbooks, by their files' names, sorted."""
    return tuple(sorted({PurePath(path).stem for root in roots for path, _, _ in yaml_files(root)}))


def load_playbook(identifier: str, roots: Sequence[Path]) -> Playbook | None:
    """The playbook of that id, the first root's if several have one; None if there is none.

    Raises:
        KnowledgeError: its file is wrong.
    """
    for root in roots:
        if any(PurePath(path).stem == identifier for path, _, _ in yaml_files(root)):
            for item in read_pack(root, Problems()):
                if PurePath(item.path).stem == identifier:
                    return next(decode_playbooks([item], Problems())).playbook
    return None


def decode_playbooks(files: Sequence[PackFile], problems: Problems) -> Iterator[PlaybookFile]:
    """The playbooks of ``files``; what is wrong goes to ``problems``, the rest is kept."""
    taken: dict[str, str] = {}
    for item, data, node in decode_records(files, PLAYBOOK, problems):
        found = PlaybookFile(build_playbook(data, item.area, Location(item.path)), node)
        if PurePath(item.path).stem != data["id"]:
            problems.add(found.place("id"), f"the file of '{data['id']}' must be named {data['id']}.yaml")
        elif taken.setdefault(data["id"], item.path) != item.path:
            problems.add(found.place("id"), f"id '{data['id']}' is taken by {taken[data['id']]}")
        else:
            yield found
