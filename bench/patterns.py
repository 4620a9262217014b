"""The patterns of the knowledge base for other tools, and copies of it that differ in every pattern."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

_WORD = re.compile(r"(?<!\(\?P=)(?<!\(\?&)(?<![\\A-Za-z_<])[A-Za-z]{5,}")
_CLASSES = {"d": "0-9", "s": " \t", "w": "A-Za-z0-9_"}
_TOKEN = re.compile(
    r"\\x[0-9a-fA-F]{2}|\\.|\[\^?\]?(?:\\x[0-9a-fA-F]{2}|\\.|[^\]\\])*\]|\(\?:|\(\?P?<\w+>|([*+?}])[?+]|\(\?|."
)


def extended(pattern: str) -> str | None:
    """``pattern`` in POSIX extended syntax as GNU grep reads it, or None where that syntax has no words for it."""
    parts = []
    for token in _TOKEN.finditer(pattern):
        text = token.group()
        if text.startswith("(?"):
            if text == "(?":
                return None
            parts.append("(")
        elif token.group(1):
            # A lazy or possessive repeat finds the same lines as a plain one.
            parts.append(token.group(1))
        elif text.startswith("["):
            bracket = _bracket(text)
            if bracket is None:
                return None
            parts.append(bracket)
        elif text.startswith("\\"):
            parts.append(_escape(text))
        else:
            parts.append(text)
    result = "".join(parts)
    return None if "\n" in result or "[]" in result else result


def _escape(text: str) -> str:
    if text.startswith("\\x"):
        char = bytes.fromhex(text[2:]).decode("latin-1")
        return char if char.isalnum() or char in " _-:/,'\"=<>@!%&;#~`]" else f"\\{char}"
    if text[1] == "d":
        return "[0-9]"
    if text[1] == "D":
        return "[^0-9]"
    return {"\\t": "\t", "\\A": "^", "\\Z": "$", "\\z": "$"}.get(text, text)


def _bracket(text: str) -> str | None:
    """A bracket expression: backslashes mean themselves in POSIX, a ] comes first and a - last; None for what it cannot say."""
    negated = text.startswith("[^")
    body = text[2:-1] if negated else text[1:-1]
    first = last = ""
    middle: list[str] = []
    for item in re.findall(r"\\x[0-9a-fA-F]{2}|\\.|.", body, re.DOTALL):
        if item.startswith("\\x"):
            char = bytes.fromhex(item[2:]).decode("latin-1")
        elif item in ("\\n", "\\r"):
            continue
        elif item in ("\\S", "\\W", "\\D"):
            return f"[^{_CLASSES[item[1].lower()]}]" if body == item and not negated else None
        elif item.startswith("\\"):
            char = _CLASSES.get(item[1], "\t" if item[1] == "t" else item[1])
        else:
            char = item
        if char == "]":
            first = "]"
        elif char == "[":
            last = f"[{last}"  # before . : or = it would begin a class
        elif char == "-" and item != "-":
            last += "-"
        else:
            middle.append(char)
    if negated and not (first or middle or last):
        return "."  # all but the line feed, which no line holds
    return f"[{'^' if negated else ''}{first}{''.join(middle)}{last}]"


def write_copies(source: Path, target: Path, copies: int) -> int:
    """Write ``copies`` altered copies of every signature under ``source`` to ``target``; return how many files.

    Ids get a suffix, and in every pattern the words are turned letter by letter into words that no log holds: length and
    shape stay, so that a copy costs what its original costs. A pattern without a word gets one at its end.
    """
    count = 0
    for path in sorted(source.rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        for number in range(1, copies + 1):
            record: dict[str, Any] = yaml.safe_load(text)
            record["id"] = f"{record['id']}-copy{number}"
            for item in record["evidence"]:
                if "log" in item:
                    item["log"] = _altered(item["log"], number)
            folder = target / path.parent.relative_to(source)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{record['id']}.yaml").write_text(
                yaml.safe_dump(record, sort_keys=False, allow_unicode=True, width=4096), encoding="utf-8"
            )
            count += 1
    return count


def _altered(node: Any, number: int) -> Any:
    """A log condition with other words in every regex and literal."""
    if isinstance(node, str):
        other = _turn(node, number)
        return other if other != node else f"{node}{_turn(' another', number)}"
    if isinstance(node, list):
        return [_altered(item, number) for item in node]
    kept = ("captures", "levels", "lines", "within", "by", "count")
    result = {key: value if key in kept else _altered(value, number) for key, value in node.items()}
    if "literal" in node:
        # The pattern is turned word by word, so its literal is turned in the same way and never gets a word more.
        result["literal"] = _turn(node["literal"], number)
    return result


def _turn(text: str, number: int) -> str:
    shift = 1 + (number - 1) % 25
    more = "q" * ((number - 1) // 25)

    def turned(match: re.Match[str]) -> str:
        return "".join(_shifted(char, shift) for char in match.group()) + more

    return _WORD.sub(turned, text)


def _shifted(char: str, shift: int) -> str:
    base = ord("a") if char.islower() else ord("A")
    return chr((ord(char) - base + shift) % 26 + base)
