"""The arguments a server prints when it starts, read as data: dataclass repr, argparse namespace or dict.

A parser of our own for Python reprs, since the line may be cut anywhere and holds things that are no literals
(``<Mode.NULL: 'null'>``, ``torch.bfloat16``, ``LoRARef(...)``). Nothing is evaluated.
"""

from __future__ import annotations

import itertools
import re
from math import isfinite

from triage.lazy_regex import lazy_regex
from triage.model import Value
from triage.records import dataclass, field
from triage.safety.secret_names import secret_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MAX_DEPTH = 20
_MAX_FIELDS = 2000
_MAX_ITEMS = 1024
_MAX_TEXT = 4096

_START = lazy_regex(r"server_args\s*=\s*(?:[A-Za-z_][\w.]*\(|\{)")
_STRING = lazy_regex(r"""[bBrRuU]{0,2}(?:'([^'\\]*(?:\\.[^'\\]*)*)'|"([^"\\]*(?:\\.[^"\\]*)*)")""", re.DOTALL)
_NUMBER = lazy_regex(r"[+-]?(?:\d+(?:_\d+)*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)(?![\w.])")
_FIELD = lazy_regex(r"[\w.\-/ ]{1,200}")
_NAME = lazy_regex(r"[A-Za-z_][\w.]*")
_KEYWORD = lazy_regex(r"([A-Za-z_]\w*)\s*=\s*")
_ANGLE = lazy_regex(r"<(?P<name>[^<>:'\"]{0,200})(?::\s*(?P<value>'[^']{0,200}'|\"[^\"]{0,200}\"|[^<>]{0,200}))?>")
_ESCAPE = lazy_regex(r"\\(?:([\\'\"ntr])|x([0-9a-f]{2})|u([0-9a-f]{4})|U(000[0-9a-f]{5}|0010[0-9a-f]{4}))")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_CONSTANTS: dict[str, bool | None] = {
    "True": True,
    "False": False,
    "None": None,
    "true": True,
    "false": False,
    "null": None,
}
_CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(slots=True)
class _Record:
    """Named values in print order: a dict, or the keywords of a call."""

    fields: list[tuple[str, _Item]] = field(default_factory=list)


_Item = Value | _Record


def server_arguments(text: str) -> Iterator[tuple[str, Value]]:
    """Each field of the first ``server_args=`` record in ``text`` with its value; nested records as ``outer.inner``.

    A cut record yields the fields that are whole. A value whose name promises a secret is replaced by ``<name>``.
    """
    found = _START.search(text)
    if found is not None:
        record = _Reader(text, found.end() - 1).container(0)
        if isinstance(record, _Record):
            yield from itertools.islice(_flatten(record, ""), _MAX_FIELDS)


def _flatten(record: _Record, outer: str) -> Iterator[tuple[str, Value]]:
    for name, value in record.fields:
        if name.startswith("_"):
            continue  # bookkeeping of the server, not an argument
        if isinstance(value, _Record):
            yield from _flatten(value, f"{outer}{name}.")
        else:
            yield outer + name, hidden(name, value)


def hidden(name: str, value: Value) -> Value:
    """``<api_key>`` for the value of ``api_key``; other values and unset secrets as they are."""
    label = secret_name(name)
    return f"<{label}>" if label and value and not isinstance(value, bool) else value


class _Reader:
    """A cursor over the text. Every step moves forward, so the work is linear; at a cut it stops and keeps what is whole."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._at = at
        self.cut = False

    def container(self, depth: int) -> tuple[Value, ...] | _Record:
        """What stands between the bracket at the cursor and its partner: a record if its items are named, else a tuple."""
        closing = _CLOSING[self._text[self._at]]
        self._at += 1
        record, items = _Record(), list[Value]()
        while not self._closes(closing):
            name, item = self._entry(closing, depth + 1)
            if self.cut and not isinstance(item, _Record):
                break
            if name and _FIELD.fullmatch(name):
                record.fields.append((name, item))
            elif len(items) < _MAX_ITEMS:
                items.append(_plain(item))
            self._separator(closing)
        return record if record.fields or (closing == "}" and not items) else tuple(items)

    def _entry(self, closing: str, depth: int) -> tuple[str, _Item]:
        """``name=value``, ``'name': value`` or a bare value (no name)."""
        keyword = _KEYWORD.match(self._text, self._at) if closing == ")" else None
        if keyword is not None:
            self._at = keyword.end()
            return keyword[1], self._value(depth)
        item = self._value(depth)
        if closing != "}" or self.cut or not self._passes(":"):
            return "", item
        return (item if isinstance(item, str) else str(item)), self._value(depth)

    def _value(self, depth: int) -> _Item:
        text, at = self._text, self._at
        if depth < _MAX_DEPTH:
            if text[at : at + 1] in _CLOSING:
                return self.container(depth)
            for shape, convert in _SCALARS if text[at : at + 1] == "<" else _PLAIN_SCALARS:
                found = shape.match(text, at)
                if found is not None:
                    self._at = found.end()
                    # A word or number that ends with the text may have been cut there.
                    self.cut = self._at >= len(text) and text[-1] not in "'\">"
                    return convert(found)
            name = _NAME.match(text, at)
            if name is not None:
                return self._named(name, depth)
        self.cut = True
        return None

    def _named(self, name: re.Match[str], depth: int) -> _Item:
        self._at = name.end()
        if self._at >= len(self._text):
            self.cut = True
        if self._text[self._at : self._at + 1] != "(":
            return _CONSTANTS.get(name[0], name[0])
        inside = self.container(depth)
        return inside[0] if isinstance(inside, tuple) and len(inside) == 1 else inside

    def _closes(self, closing: str) -> bool:
        """Is the container at its end? True as well when nothing more can be read."""
        self._skip_space()
        self.cut = self.cut or self._at >= len(self._text)
        return self.cut or self._passes(closing)

    def _separator(self, closing: str) -> None:
        self._skip_space()
        if not self._passes(",") and self._text[self._at : self._at + 1] != closing:
            self.cut = True

    def _passes(self, character: str) -> bool:
        self._skip_space()
        if self._text[self._at : self._at + 1] != character:
            return False
        self._at += 1
        self._skip_space()
        return True

    def _skip_space(self) -> None:
        while self._text[self._at : self._at + 1].isspace():
            self._at += 1


def _plain(item: _Item) -> Value:
    """A record inside a list: its fields as pairs."""
    if isinstance(item, _Record):
        return tuple((name, hidden(name, _plain(value))) for name, value in item.fields)
    return item


def _string(found: re.Match[str]) -> str:
    text = found[1] if found[1] is not None else found[2]
    return (_ESCAPE.sub(_unescape, text) if "\\" in text else text)[:_MAX_TEXT]


def _unescape(escape: re.Match[str]) -> str:
    code = escape[2] or escape[3] or escape[4]
    return chr(int(code, 16)) if code else _ESCAPED.get(escape[1], escape[1])


def literal_list(text: str, at: int) -> tuple[Value, ...]:
    """The items of the list whose bracket stands at ``at``; empty when it is cut, since its items would not tell so."""
    reader = _Reader(text, at)
    found = reader.container(0)
    return () if reader.cut or isinstance(found, _Record) else found


def number(text: str) -> Value:
    """A number as Python prints it; one beyond what a float holds stays text, so that facts are valid JSON."""
    try:
        return int(text) if len(text) < 40 else text
    except ValueError:
        value = float(text)
        return value if isfinite(value) else text


def _enumerated(angle: re.Match[str]) -> Value:
    """``<Mode.NULL: 'null'>`` is its value; an object without one is its name."""
    value = (angle["value"] or "").strip()
    if not value:
        return angle["name"].strip()
    if value[0] in "'\"":
        return value[1:-1]
    return number(value) if _NUMBER.fullmatch(value) else value


_PLAIN_SCALARS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Value]], ...] = (
    (_STRING, _string),
    (_NUMBER, lambda found: number(found[0])),
)
_SCALARS = (*_PLAIN_SCALARS, (_ANGLE, _enumerated))
