"""Tainted value -> typed value that may enter a command, or the reason why it may not."""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Callable, Mapping
from unicodedata import category

from packaging.version import InvalidVersion, Version

from triage.matching.captures import typed as captured
from triage.model import Value
from triage.playbook import Missing, Parameter, ParameterType, Typed
from triage.safety.visible import visible

_WORDS: Mapping[ParameterType, str] = {
    ParameterType.INT: "a whole number",
    ParameterType.FLOAT: "a number",
    ParameterType.SIZE: "a size",
    ParameterType.PORT: "a port",
    ParameterType.PID: "a process id",
    ParameterType.PATH: "a path",
    ParameterType.IDENT: "an identifier",
    ParameterType.MODEL: "a model",
    ParameterType.VERSION: "a version",
    ParameterType.ENUM: "one of the choices",
    ParameterType.BOOL: "true or false",
}
_PLACES = 18
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"-?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})(?:[eE][+-]?\d{1,2})?", re.ASCII)
_MODEL = re.compile(r"/?[A-Za-z0-9_][A-Za-z0-9._/:@+-]{0,255}", re.ASCII)
_TRUTH = {"true": True, "false": False}
_MOST = 10**18
_LAST_PORT, _LAST_PID = 65535, 1 << 22
_MAX_PATH_BYTES = 4096
_MAX_VERSION = 64
_SHOWN_VALUE, _SHOWN_ORIGIN = 60, 160
_UNWELCOME = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Control, format (bidi, zero-width), undecodable and line-separating characters: no honest path holds one."""


def convert(parameter: Parameter, value: Value, origin: str) -> Typed | Missing:
    """``value``, read at ``origin``, as the parameter's type; Missing says why it is not one, or out of bounds.

    The text that comes back never begins with a dash (but for a number whose minimum is below 0) and holds no control
    character, no line end and no blank at its ends. Sizes are whole bytes; paths absolute and normalised.
    """
    found = None if isinstance(value, str) and _is_unclean(value) else _CONVERTERS[parameter.type](parameter, value)
    if found is None:
        return _refused(value, origin, f"is not {_wanted(parameter)}")
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        if found < 0 and not (parameter.minimum is not None and parameter.minimum < 0):
            return _refused(value, origin, "is below 0")
        if parameter.minimum is not None and found < parameter.minimum:
            return _refused(value, origin, f"is below {parameter.minimum:g}")
        if parameter.maximum is not None and found > parameter.maximum:
            return _refused(value, origin, f"is above {parameter.maximum:g}")
    return Typed(_text(found), found, origin)


def _is_unclean(text: str) -> bool:
    return not text or text != text.strip() or any(category(char) in _UNWELCOME for char in text)


def _wanted(parameter: Parameter) -> str:
    if parameter.type is ParameterType.ENUM:
        return f"one of {', '.join(parameter.choices)}"
    return _WORDS[parameter.type]


def _refused(value: Value, origin: str, why: str) -> Missing:
    shown = visible(value if isinstance(value, str) else repr(value)[: 4 * _SHOWN_VALUE])
    if len(shown) > _SHOWN_VALUE:
        shown = visible(f"{shown[: _SHOWN_VALUE - 1]}…")
    return Missing(f"value from {visible(origin)[:_SHOWN_ORIGIN]} {why}: {shown or '(empty)'}")


def _text(value: float | str) -> str:
    """How a command takes it: plain decimals, ``true`` and ``false``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        plain = repr(value)
        return plain if "e" not in plain else f"{value:.{_PLACES}f}".rstrip("0").rstrip(".")
    return str(value)


def _whole(value: Value) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return int(value) if _WHOLE.fullmatch(value) else None
    if isinstance(value, float):
        value = int(value) if math.isfinite(value) and value.is_integer() else None
    return value if isinstance(value, int) and abs(value) < _MOST else None


def _float(_: Parameter, value: Value) -> float | None:
    if isinstance(value, str):
        value = float(value) if _DECIMAL.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not math.isfinite(value) or abs(value) >= _MOST:
        return None
    # As it will be written: no more places than that, and no zero with a sign.
    return float(f"{value:.{_PLACES}f}") + 0.0


def _int(_: Parameter, value: Value) -> int | None:
    return _whole(value)


def _size(_: Parameter, value: Value) -> int | None:
    if isinstance(value, str):
        value = captured("size", value) if value.isascii() else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return round(value) if 0 <= value < _MOST else None


def _port(_: Parameter, value: Value) -> int | None:
    number = _whole(value)
    return number if number is not None and 0 < number <= _LAST_PORT else None


def _pid(_: Parameter, value: Value) -> int | None:
    number = _whole(value)
    return number if number is not None and 0 < number <= _LAST_PID else None


def _path(_: Parameter, value: Value) -> str | None:
    if not isinstance(value, str) or not value.startswith("/") or ".." in value.split("/"):
        return None
    # POSIX lets two leading slashes mean something else; normpath keeps them.
    path = "/" + posixpath.normpath(value).lstrip("/")
    return path if len(path.encode()) <= _MAX_PATH_BYTES and not _is_unclean(path) else None


def _ident(_: Parameter, value: Value) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    found = captured("ident", value) if isinstance(value, str) else None
    return found if isinstance(found, str) else None


def _model(_: Parameter, value: Value) -> str | None:
    """What stands behind ``--model-path``: a hub's name, or an absolute folder without characters that any format reads."""
    if not isinstance(value, str) or not _MODEL.fullmatch(value) or ".." in value.split("/"):
        return None
    return value


def _version(_: Parameter, value: Value) -> str | None:
    if not isinstance(value, str) or not value.isascii() or len(value) > _MAX_VERSION:
        return None
    try:
        return str(Version(value))
    except InvalidVersion:
        return None


def _enum(parameter: Parameter, value: Value) -> str | None:
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return text if text in parameter.choices and not text.startswith("-") else None


def _bool(_: Parameter, value: Value) -> bool | None:
    return value if isinstance(value, bool) else _TRUTH.get(value.lower()) if isinstance(value, str) else None


_CONVERTERS: Mapping[ParameterType, Callable[[Parameter, Value], int | float | str | None]] = {
    ParameterType.INT: _int,
    ParameterType.FLOAT: _float,
    ParameterType.SIZE: _size,
    ParameterType.PORT: _port,
    ParameterType.PID: _pid,
    ParameterType.PATH: _path,
    ParameterType.IDENT: _ident,
    ParameterType.MODEL: _model,
    ParameterType.VERSION: _version,
    ParameterType.ENUM: _enum,
    ParameterType.BOOL: _bool,
}
