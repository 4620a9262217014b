"""``dataclass`` as the standard library means it, for a tenth of its price at import.

The standard one brings `inspect` and its ten modules, and compiles the text of up to eight methods for each class; the command
line defines some seventy classes before it reads the first byte, and a short log makes a handful of objects of each. Here the
methods are written once and look the fields up; ``__init__`` is compiled for a class of which many objects are made. What else
knows dataclasses (``dataclasses.fields``, ``replace``, ``asdict``, pattern matching, pickling) finds what it looks for.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    # The aliases say that they are exported.
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
    from typing import Any
else:
    from operator import attrgetter

    _MISSING = object()
    _MADE = frozenset(
        ("__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__", "__getstate__", "__setstate__")
    )
    _GENERAL_CALLS = 16
    """So many objects are made before ``__init__`` is compiled, which costs about as much as making twenty the slow way."""

    class Field:
        """One field of a record."""

        __slots__ = ("compare", "default", "default_factory", "name", "repr", "type")

        def __init__(self, default: Any, default_factory: Any, repr: bool, compare: bool) -> None:  # noqa: A002
            self.name, self.type = "", None
            self.default, self.default_factory, self.repr, self.compare = default, default_factory, repr, compare

        def value(self) -> Any:
            """The value where none is given; ``_MISSING`` if one must be."""
            return self.default if self.default_factory is _MISSING else self.default_factory()

    def field(*, default=_MISSING, default_factory=_MISSING, repr=True, compare=True) -> Any:  # noqa: A002
        """As ``dataclasses.field``: a default made anew for each object, or a field that is not shown or not compared."""
        return Field(default, default_factory, repr, compare)

    def replace(record: Any, /, **changes: Any) -> Any:
        """As ``dataclasses.replace``: a new record with other values."""
        for item in record.__record_fields__:
            if item.name not in changes:
                changes[item.name] = getattr(record, item.name)
        return type(record)(**changes)

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, slots: bool = False) -> Any:
        """Decorate a class, as ``dataclasses.dataclass`` does (no other option, no inheritance between dataclasses).

        Raises:
            TypeError: the class inherits from a record, or writes a method that is made for it.
        """

        def decorate(plain: type) -> type:
            own = _MADE.intersection(plain.__dict__)
            if own or hasattr(plain, "__record_fields__"):
                raise TypeError(
                    f"{plain.__qualname__}: {', '.join(sorted(own)) or 'a record as base class'} is not supported"
                )
            items = _fields(plain)
            made = _with_slots(plain, items) if slots else plain
            made.__record_fields__ = items
            made.__match_args__ = tuple([item.name for item in items])
            made.__dataclass_fields__ = _StandardFields()
            made.__init__ = _first_initializer(made, items)
            made.__repr__, made.__eq__ = _represent, _equal
            made.__record_key__ = _key([item.name for item in items if item.compare])
            made.__hash__ = _hash if frozen else None
            if frozen:
                made.__setattr__, made.__delattr__ = _refuse_set, _refuse_delete
                made.__getstate__, made.__setstate__ = _get_state, _set_state
            return made

        return decorate if cls is None else decorate(cls)

    def _fields(cls: type) -> tuple[Field, ...]:
        """The fields in their order. The defaults stay on the class, as those of the standard one do."""
        items = []
        for name, annotation in cls.__annotations__.items():
            if str(annotation).startswith(("ClassVar", "typing.ClassVar")):
                continue
            given = cls.__dict__.get(name, _MISSING)
            item = given if isinstance(given, Field) else Field(given, _MISSING, True, True)
            item.name, item.type = name, annotation
            if item.default is not _MISSING:
                if item.default.__class__.__hash__ is None:
                    raise ValueError(f"mutable default of {name}: use default_factory")
                setattr(cls, name, item.default)
            elif given is item:
                delattr(cls, name)
            items.append(item)
        return tuple(items)

    def _with_slots(plain: type, items: tuple[Field, ...]) -> type:
        """The class again: slots must be known when a class is made."""
        names = [item.name for item in items]
        body = {key: value for key, value in plain.__dict__.items() if key not in ("__dict__", "__weakref__", *names)}
        made = type(plain)(plain.__name__, plain.__bases__, {**body, "__slots__": tuple(names)})
        made.__qualname__ = plain.__qualname__
        return made

    def _first_initializer(cls: type, items: tuple[Field, ...]) -> Any:
        """``__init__`` of the first objects. What it cannot place is left to the compiled one, which raises the usual errors."""
        known = frozenset([item.name for item in items])
        calls = 0

        def __init__(self: Any, *values: Any, **named: Any) -> None:  # noqa: N807
            nonlocal calls
            calls += 1
            given = dict(zip(cls.__match_args__, values, strict=False))
            count = len(given)
            given.update(named)
            fits = count == len(values) and len(given) == count + len(named) and known.issuperset(given)
            if fits and calls <= _GENERAL_CALLS:
                for item in items:
                    if item.name not in given:
                        given[item.name] = item.value()
                # Not `in`, which asks values whether they are equal: arrays do not say yes or no.
                if all(value is not _MISSING for value in given.values()):
                    for name in given:
                        object.__setattr__(self, name, given[name])
                    if hasattr(cls, "__post_init__"):
                        self.__post_init__()
                    return
            cls.__init__ = _compiled_initializer(cls, items)
            cls.__init__(self, *values, **named)

        return __init__

    def _compiled_initializer(cls: type, items: tuple[Field, ...]) -> Any:
        """``__init__`` with the fields as parameters; a default factory is called where the argument is left out."""
        scope: dict[str, Any] = {"_missing": _MISSING, "_set": object.__setattr__}
        parameters, body = ["self"], []
        for item in items:
            name, value = item.name, item.name
            if item.default is not _MISSING:
                scope[f"_default_{name}"] = item.default
                parameters.append(f"{name}=_default_{name}")
            elif item.default_factory is not _MISSING:
                scope[f"_make_{name}"] = item.default_factory
                parameters.append(f"{name}=_missing")
                value = f"_make_{name}() if {name} is _missing else {name}"
            else:
                parameters.append(name)
            body.append(f"    _set(self, {name!r}, {value})")
        if hasattr(cls, "__post_init__"):
            body.append("    self.__post_init__()")
        exec("def __init__({}):\n{}".format(", ".join(parameters), "\n".join(body) or "    pass"), scope)  # noqa: S102
        made = scope["__init__"]
        made.__qualname__, made.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
        return made

    class _StandardFields:
        """``__dataclass_fields__`` of a record: the standard library's own objects, made when it first asks for them."""

        def __get__(self, _record: object, cls: type) -> Any:
            import dataclasses

            rows = []
            for item in cls.__record_fields__:
                options = {"default": item.default, "default_factory": item.default_factory}
                given = {key: value for key, value in options.items() if value is not _MISSING}
                rows.append((item.name, item.type, dataclasses.field(repr=item.repr, compare=item.compare, **given)))
            twin = dataclasses.make_dataclass(cls.__name__, rows, init=False, repr=False, eq=False)
            cls.__dataclass_fields__ = {one.name: one for one in dataclasses.fields(twin)}
            return cls.__dataclass_fields__

    def _key(names: list[str]) -> Any:
        """A function from a record to what it is compared by."""
        return staticmethod(attrgetter(*names) if names else lambda _record: ())

    def _represent(self: Any) -> str:
        shown = ", ".join([f"{item.name}={getattr(self, item.name)!r}" for item in self.__record_fields__ if item.repr])
        return f"{type(self).__qualname__}({shown})"

    def _equal(self: Any, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.__record_key__(self) == self.__record_key__(other)

    def _hash(self: Any) -> int:
        return hash(self.__record_key__(self))

    def _refuse_set(_self: Any, name: str, _value: object) -> None:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def _refuse_delete(_self: Any, name: str) -> None:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def _get_state(self: Any) -> list[Any]:
        return [getattr(self, item.name) for item in self.__record_fields__]

    def _set_state(self: Any, state: list[Any]) -> None:
        for item, value in zip(self.__record_fields__, state, strict=True):
            object.__setattr__(self, item.name, value)
