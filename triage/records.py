"""``dataclass`` as the standard library means it, for a quarter of its price at import.

The standard one writes and compiles the text of up to eight methods for each class, about a millisecond on a slow host; the
command line defines some seventy classes before it reads the first byte. Here only ``__init__`` is compiled, and that at its
first use; the other methods are written once and look the fields up. Everything else (fields, defaults, ``replace``, slots,
pickling) is the standard one's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # the alias says that it is exported
else:
    import dataclasses
    from collections.abc import Callable
    from dataclasses import FrozenInstanceError, fields

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, slots: bool = False) -> Any:
        """Decorate a class, as ``dataclasses.dataclass`` does (no other option, no inheritance between dataclasses)."""

        def decorate(plain: type) -> type:
            made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(plain)
            made.__init__ = _late_initializer(made)
            made.__repr__, made.__eq__ = _represent, _equal
            made.__hash__ = _hash if frozen else None
            if frozen:
                made.__setattr__, made.__delattr__ = _refuse_set, _refuse_delete
                made.__getstate__, made.__setstate__ = _get_state, _set_state
            return made

        return decorate if cls is None else decorate(cls)

    def _late_initializer(cls: type) -> Callable[..., None]:
        """``__init__`` that is compiled when the first object is made: most classes of a run have none."""

        def __init__(self: Any, *values: Any, **named: Any) -> None:  # noqa: N807
            made = _initializer(cls)
            cls.__init__ = made
            made(self, *values, **named)

        return __init__

    def _initializer(cls: type) -> Callable[..., None]:
        """``__init__`` with the fields as parameters; a default factory is called where the argument is left out."""
        scope: dict[str, Any] = {"_missing": dataclasses.MISSING, "_set": object.__setattr__}
        parameters, body = ["self"], []
        for item in fields(cls):
            name, value = item.name, item.name
            if item.default is not dataclasses.MISSING:
                scope[f"_default_{name}"] = item.default
                parameters.append(f"{name}=_default_{name}")
            elif item.default_factory is not dataclasses.MISSING:
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

    def _represent(self: Any) -> str:
        shown = ", ".join(f"{item.name}={getattr(self, item.name)!r}" for item in fields(self) if item.repr)
        return f"{type(self).__qualname__}({shown})"

    def _compared(self: Any) -> tuple[Any, ...]:
        return tuple([getattr(self, item.name) for item in self.__dataclass_fields__.values() if item.compare])

    def _equal(self: Any, other: object) -> bool:
        return _compared(self) == _compared(other) if other.__class__ is self.__class__ else NotImplemented

    def _hash(self: Any) -> int:
        return hash(_compared(self))

    def _refuse_set(_self: Any, name: str, _value: object) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def _refuse_delete(_self: Any, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def _get_state(self: Any) -> list[Any]:
        return [getattr(self, item.name) for item in fields(self)]

    def _set_state(self: Any, state: list[Any]) -> None:
        for item, value in zip(fields(self), state, strict=True):
            object.__setattr__(self, item.name, value)
