"""Variables that hold a list (``no_proxy``, ``LD_LIBRARY_PATH``): an item put in or taken out, while the others stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from triage.playbook import ListChange

_COMPUTED = frozenset("$`")


def separator_of(name: str) -> str:
    """What stands between the items: a colon for folders to search, as the loader and shells read them, else a comma."""
    return ":" if name.upper().endswith(("PATH", "PATHS", "DIRS")) else ","


def with_item(name: str, value: str, item: str) -> str:
    """The list ``value`` with ``item`` at its end, unless it is there."""
    separator = separator_of(name)
    if item in value.split(separator):
        return value
    return value + item if not value or value.endswith(separator) else value + separator + item


def without_item(name: str, value: str, item: str) -> str:
    """The list ``value`` without ``item``; what else is in it keeps its order, empty items too, since some mean something."""
    separator = separator_of(name)
    items = value.split(separator)
    return separator.join(each for each in items if each != item) if item in items else value


def whole_values(change: ListChange, known: Mapping[str, str]) -> Iterator[tuple[str, str | None, str]]:
    """Each variable that changes, with its whole new value (None: nothing can be done) and what people should know of it.
    ``known``: the present values, for a name that has one; where a shell computes a value, it is not ours to change."""
    values = dict(known)
    for name, item in (*change.append, *change.take_out):
        present = values.get(name)
        if present is not None and _COMPUTED.intersection(present):
            yield name, None, f"{name} is computed by the shell: its item {item} is to be changed by hand"
            continue
        if (name, item) in change.append:
            note = f"{name} is not set here: it is set to {item} alone, which hides what would be inherited"
            values[name] = with_item(name, present or "", item)
            yield name, values[name], "" if present is not None else note
        elif present is None:
            yield name, None, f"{name} is not set here; where it is set elsewhere, take {item} out there"
        else:
            values[name] = without_item(name, present, item)
            yield name, values[name], ""
