"""Evidence by family: each line or traceback vouches for one item in full."""

from __future__ import annotations

from collections.abc import Sequence

Family = tuple[str, str]
"""(source, first line of the record), or a name that stands for itself."""


def assign(choices: Sequence[Sequence[Family]]) -> list[Family | None]:
    """A family of its own for as many items as can have one, earlier items first; None for the rest.

    Augmenting paths (Kuhn) and not first come first served: a further line that shows an item must never cost another
    item its place.
    """
    holder: dict[Family, int] = {}

    def place(item: int, tried: set[Family]) -> bool:
        for family in choices[item]:
            if family in tried:
                continue
            tried.add(family)
            if family not in holder or place(holder[family], tried):
                holder[family] = item
                return True
        return False

    for item in range(len(choices)):
        place(item, set())
    taken = {item: family for family, item in holder.items()}
    return [taken.get(item) for item in range(len(choices))]
