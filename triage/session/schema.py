"""The JSON schema of session files, made from the types that they hold; ``session.schema.json`` beside this module is its text."""

from __future__ import annotations

import dataclasses
import types
from enum import Enum
from typing import Any, Union, cast, get_args, get_origin

from triage.model import Fact, Finding, Report
from triage.session.codec import field_types, is_value, required_fields
from triage.session.session_file import SCHEMA_VERSION
from triage.session.state import State

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}
_INFINITE = {"type": "object", "properties": {"float": {"enum": ["inf", "-inf", "nan"]}}, "required": ["float"]}


def session_schema() -> dict[str, Any]:
    """A schema of draft 2020-12. Keys that it does not name may come with later releases."""
    defined: dict[str, Any] = {
        "Value": {
            "anyOf": [
                {"type": ["string", "number", "boolean", "null"]},
                _INFINITE,
                {"type": "array", "items": {"$ref": "#/$defs/Value"}},
            ]
        }
    }
    properties = {
        "schema_version": {"const": SCHEMA_VERSION},
        "kind": {"const": "session"},
        "tool": _object({"name": {"const": "sgltriage"}, "version": {"type": "string"}}),
        "saved": {"type": "string", "description": "ISO time, UTC"},
        "machine": _object({"salt": {"type": "string"}, "mark": {"type": "string"}})
        | {"description": "tells whether the file is opened on the machine that made it"},
        "state": _of(State, defined) | {"description": "what was seen, answered and done"},
        "host": {"type": ["object", "null"], "description": "a snapshot, as 'sgltriage probe --record' writes it"},
        "report": _of(Report, defined) | {"description": "what followed from the state; its observation is left out"},
        "added": _object({"facts": _list(_of(Fact, defined)), "findings": _list(_of(Finding, defined))})
        | {"description": "what host and answers added to the observation of the logs"},
        "redacted": {"type": "object", "additionalProperties": {"type": "integer"}},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A session of sgltriage",
        **_object(properties),
        "$defs": defined,
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _of(kind: Any, defined: dict[str, Any]) -> dict[str, Any]:
    """The schema of a type; dataclasses and enums go to ``defined`` by their name."""
    if is_value(kind):
        return {"$ref": "#/$defs/Value"}
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        inner = next(item for item in get_args(kind) if item is not type(None))
        return {"anyOf": [_of(inner, defined), {"type": "null"}]}
    if origin is tuple:
        kinds = get_args(kind)
        if kinds[-1] is Ellipsis:
            return _list(_of(kinds[0], defined))
        items = [_of(item, defined) for item in kinds]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if kind in _SCALARS:
        plain = {"type": _SCALARS[kind]}
        return {"anyOf": [plain, _INFINITE]} if kind is float else plain
    if kind.__name__ not in defined:
        defined[kind.__name__] = {}
        defined[kind.__name__] = _define(kind, defined)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _define(kind: Any, defined: dict[str, Any]) -> dict[str, Any]:
    if issubclass(kind, Enum):
        return {"enum": [item.value for item in kind]}
    assert dataclasses.is_dataclass(kind)
    # The host stands beside the state, in the form of its own file.
    types_of = field_types(cast("type", kind))
    hints = {name: hint for name, hint in types_of.items() if (kind, name) != (State, "host")}
    properties = {name: _of(hint, defined) for name, hint in hints.items()}
    return {"type": "object", "properties": properties, "required": required_fields(kind)}
