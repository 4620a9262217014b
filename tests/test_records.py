"""Our dataclass against the standard library's."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any, ClassVar

import pytest

from triage import records


@records.dataclass(frozen=True, slots=True)
class Place:
    """A sample of every kind of field."""

    line: int
    text: str = "x"
    tags: list[str] = records.field(default_factory=list)
    seen: int = records.field(default=0, compare=False, repr=False)


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


@pytest.mark.parametrize("made", [0, 100])
def test_the_first_objects_are_as_the_later_ones(made: int) -> None:
    """``__init__`` is compiled after some objects: defaults, errors and what runs behind it stay the same."""

    @records.dataclass(slots=True)
    class Some:
        """Made anew in each test, so that none was made of it before."""

        one: int
        two: int = 2
        rest: list[int] = records.field(default_factory=list)
        limit: ClassVar[int] = 5

        def __post_init__(self) -> None:
            self.one += 1

    for _ in range(made):
        Some(0)
    wrong: Any = Some
    for positional, named in (
        ((), {}),
        ((1, 2, [], 4), {}),
        ((1,), {"one": 1}),
        ((1,), {"limit": 1}),
        ((1,), {"x": 1}),
    ):
        with pytest.raises(TypeError, match=r"__init__\(\)"):
            wrong(*positional, **named)
    some = Some(1, rest=[3])
    assert (some.one, some.two, some.rest, Some(1).rest, Some.limit) == (2, 2, [3], [], 5)
    assert records.replace(some, two=7) == Some(2, 7, [3])
    with pytest.raises(TypeError):
        records.replace(some, wrong=1)  # type: ignore[call-arg]


def test_values_are_not_compared() -> None:
    """A value that does not say whether it equals another, as arrays do not, is kept like any other."""

    class Array:
        def __eq__(self, other: object) -> bool:
            raise ValueError("ambiguous")

        __hash__ = None  # type: ignore[assignment]

    @records.dataclass(frozen=True, slots=True)
    class Holder:
        value: object

    assert isinstance(Holder(Array()).value, Array)


def test_a_record_without_fields() -> None:
    """It is equal to any other of its class, and has a hash."""

    @records.dataclass(frozen=True, slots=True)
    class Nothing:
        """No fields at all."""

    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())
    assert repr(Nothing()).endswith("Nothing()")


def test_what_would_be_lost_is_refused() -> None:
    """Fields of a base class, and methods that are made for the class, would go without a word."""

    class Base:
        """No record, so any record may inherit from it."""

    @records.dataclass(frozen=True)
    class Fine(Base):
        """One that does."""

        line: int

    assert Fine(3).line == 3
    with pytest.raises(TypeError, match="Longer: a record as base class is not supported"):

        @records.dataclass(slots=True)
        class Longer(Tally):
            """Its base has a field."""

            more: int = 0

    with pytest.raises(TypeError, match="Loud: __repr__ is not supported"):

        @records.dataclass(slots=True)
        class Loud:
            """It says how it is shown."""

            def __repr__(self) -> str:
                return "loud"


def test_a_mutable_default_is_refused() -> None:
    """All objects would share it, as the standard library says too."""

    def decorated() -> None:
        @records.dataclass(slots=True)
        class Shared:
            """One list for all."""

            items: list[int] = []  # noqa: RUF012

    with pytest.raises(ValueError, match="mutable default"):
        decorated()
