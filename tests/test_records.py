"""Our dataclass against the standard library's."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from triage import records


@records.dataclass(frozen=True, slots=True)
class Place:
    """A sample of every kind of field."""

    line: int
    text: str = "x"
    tags: list[str] = dataclasses.field(default_factory=list)
    seen: int = dataclasses.field(default=0, compare=False, repr=False)


@records.dataclass(slots=True)
class Tally:
    """One that can change."""

    count: int = 0

    def __post_init__(self) -> None:
        self.count += 1


@dataclasses.dataclass(frozen=True, slots=True)
class StandardPlace:
    """What Place should behave like."""

    line: int
    text: str = "x"
    tags: list[str] = dataclasses.field(default_factory=list)
    seen: int = dataclasses.field(default=0, compare=False, repr=False)


def test_defaults_and_keywords() -> None:
    """Positional, keyword and left-out arguments arrive as they do in a standard dataclass."""
    assert (Place(1).text, Place(1, text="y").text, Place(line=3).line) == ("x", "y", 3)
    assert Place(1).tags is not Place(1).tags
    with pytest.raises(TypeError):
        Place()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Place(1, colour="red")  # type: ignore[call-arg]


def test_repr_equals_the_standard_one() -> None:
    """The representation is the standard one, without fields that are not to be shown."""
    standard = StandardPlace(1, "a'b", ["t"], 9)
    assert repr(Place(1, "a'b", ["t"], 9)) == repr(standard).replace("StandardPlace", "Place")


def test_equality_and_hash_go_by_the_compared_fields() -> None:
    """Fields with ``compare=False`` do not count; another class is never equal."""
    assert Place(1, seen=1) == Place(1, seen=2)
    assert Place(1) != Place(2)
    assert Place(1) != StandardPlace(1)  # type: ignore[comparison-overlap]
    hashable: Any = Place(1, tags=())  # type: ignore[arg-type]
    assert hash(hashable) == hash(Place(1, tags=(), seen=5))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        hash(Tally())


def test_frozen_ones_refuse_to_change() -> None:
    """Setting and deleting raise the standard error; one that is not frozen can be changed."""
    place = Place(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        place.line = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del place.line
    with pytest.raises((AttributeError, TypeError)):
        place.other = 2  # type: ignore[attr-defined]
    tally = Tally()
    tally.count += 1
    assert tally.count == 2


def test_the_standard_tools_work_on_it() -> None:
    """``replace``, ``fields``, ``asdict``, copies and pickles are those of the standard library."""
    place = Place(1, tags=["a"])
    assert dataclasses.replace(place, line=2) == Place(2, tags=["a"])
    assert [item.name for item in dataclasses.fields(place)] == ["line", "text", "tags", "seen"]
    assert dataclasses.asdict(place) == {"line": 1, "text": "x", "tags": ["a"], "seen": 0}
    assert pickle.loads(pickle.dumps(place)) == place
    assert copy.deepcopy(place) == place
    assert not hasattr(place, "__dict__")
    match place:
        case Place(line, _):
            assert line == 1
