"""Dataclasses as plain JSON values and back, by their type hints, with the place of whatever does not fit."""

from __future__ import annotations

import dataclasses
import math
import types
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

_SCALARS = (str, int, float, bool)
_INFINITE = "float"
"""JSON knows no infinity: ``{"float": "-inf"}``."""


class CodecError(ValueError):
    """What stands at ``where`` is not what belongs there; ``what`` says so in words."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}" if where else what)
        self.where = where
        self.what = what


def to_plain(value: object) -> Any:
    """``value`` (dataclasses, enums, tuples, scalars) for JSON. Fields that have their default value are left out."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        held = ((item, getattr(value, item.name)) for item in dataclasses.fields(value))
        return {item.name: to_plain(found) for item, found in held if not _is_default(item, found)}
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {_INFINITE: str(value)}
    if value is None or isinstance(value, _SCALARS):
        return value
    raise TypeError(f"no JSON for {type(value).__name__}")


def from_plain(kind: type[T], data: object, where: str = "") -> T:
    """The value of type ``kind`` that ``to_plain`` made ``data`` of. Keys that ``kind`` does not have are passed over, for a
    later release may write more.

    Raises:
        CodecError: with the place, written as ``where.field[3].field``.
    """
    return cast("T", _decode(kind, data, where))


@lru_cache(maxsize=256)
def field_types(kind: type) -> dict[str, Any]:
    """The types of the fields of a dataclass, by name."""
    return get_type_hints(kind)


def is_value(kind: Any) -> bool:
    """Whether ``kind`` is model.Value: scalars and tuples of them, as deep as you like."""
    options = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else ()
    return str in options and any(get_origin(item) is tuple for item in options)


def required_fields(kind: Any) -> list[str]:
    """The fields of a dataclass without a default."""
    lacking = dataclasses.MISSING
    return [
        item.name for item in dataclasses.fields(kind) if item.default is lacking and item.default_factory is lacking
    ]


def _is_default(item: dataclasses.Field[Any], value: object) -> bool:
    # True equals 1, and -0.0 equals 0.0: only what is the same value of the same type may be left out.
    return (
        item.default is not dataclasses.MISSING
        and type(value) is type(item.default)
        and repr(value) == repr(item.default)
    )


def _decode(kind: Any, data: object, where: str) -> object:
    if is_value(kind):
        return _value(data, where)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        inner = [item for item in get_args(kind) if item is not type(None)]
        return None if data is None else _decode(inner[0], data, where)
    if origin is tuple:
        return _tuple(get_args(kind), data, where)
    if dataclasses.is_dataclass(kind):
        return _record(cast("type", kind), data, where)
    if issubclass(kind, Enum):
        words = [str(item.value) for item in kind]
        if data not in words:
            raise CodecError(where, f"{_brief(data)} is none of {', '.join(words)}")
        return kind(data)
    return _scalar(kind, data, where)


def _record(kind: type, data: object, where: str) -> object:
    if not isinstance(data, dict):
        raise CodecError(where, f"{_brief(data)} is no object")
    lacking = [name for name in required_fields(kind) if name not in data]
    if lacking:
        raise CodecError(where, f"'{lacking[0]}' is missing")
    found = {
        name: _decode(inner, data[name], f"{where}.{name}" if where else name)
        for name, inner in field_types(kind).items()
        if name in data
    }
    return kind(**found)


def _tuple(kinds: tuple[Any, ...], data: object, where: str) -> tuple[object, ...]:
    if not isinstance(data, list):
        raise CodecError(where, f"{_brief(data)} is no list")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_decode(kinds[0], item, f"{where}[{number}]") for number, item in enumerate(data))
    if len(data) != len(kinds):
        raise CodecError(where, f"a list of {len(kinds)} is needed, and not of {len(data)}")
    return tuple(
        _decode(kind, item, f"{where}[{number}]") for number, (kind, item) in enumerate(zip(kinds, data, strict=True))
    )


def _scalar(kind: type, data: object, where: str) -> object:
    if kind is float and isinstance(data, dict):
        return _infinite(data, where)
    right = isinstance(data, (int, float) if kind is float else kind)
    if not right or (isinstance(data, bool) and kind is not bool):
        words = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
        raise CodecError(where, f"{_brief(data)} is not {words[kind]}")
    return data


def _value(data: object, where: str) -> object:
    if isinstance(data, list):
        return tuple(_value(item, f"{where}[{number}]") for number, item in enumerate(data))
    if isinstance(data, dict):
        return _infinite(data, where)
    if data is None or isinstance(data, _SCALARS):
        return data
    raise CodecError(where, f"{_brief(data)} is no value")


def _infinite(data: dict[str, object], where: str) -> float:
    text = data.get(_INFINITE)
    if text not in ("inf", "-inf", "nan"):
        raise CodecError(where, f"{_brief(data)} is not a number")
    return float(str(text))


def _brief(data: object) -> str:
    text = repr(data)
    return text if len(text) <= 40 else f"{text[:40]}..."
