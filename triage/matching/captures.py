"""Text of a named group -> typed value. What does not convert stays away rather than pretend."""

from __future__ import annotations

import re

from triage.lazy_regex import lazy_regex
from triage.model import Value

_SIZE = lazy_regex(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[KMGTP]i?)?(?:B|b|bytes)?\Z")
_UNITS = {
    None: 1.0,
    "K": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
}
_FORMS = {
    "ident": re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,127}\Z"),
    "path": re.compile(r"/[^\x00-\x1f]{0,4095}\Z"),
    "version": re.compile(r"\d[0-9A-Za-z.+_-]{0,63}\Z"),
}
MAX_TEXT = 512


def typed(kind: str, text: str) -> Value:
    """``text`` as ``kind`` (int, float, size in bytes, port, pid, path, ident, version, text), or None."""
    text = text.strip()
    if kind == "text":
        return text[:MAX_TEXT]
    if kind in _FORMS:
        return text if _FORMS[kind].match(text) else None
    if kind == "size":
        return _size(text)
    try:
        number = float(text) if kind == "float" else int(text)
    except (ValueError, OverflowError):
        return None
    if kind == "port" and not 0 < number < 65536:
        return None
    return None if kind == "pid" and number <= 0 else number


def _size(text: str) -> Value:
    found = _SIZE.match(text)
    if found is None:
        return None
    return float(found["number"]) * _UNITS[found["unit"]]
