"""The front of one line: what wrapped it, who printed it and when, on which rank, at which level.

Pure functions over one line without its line feed; nothing here raises for any text.
"""

from __future__ import annotations

import re
from functools import lru_cache

from triage.lazy_regex import lazy_regex
from triage.matching.prefix_formats import FORMATS, SGLANG, SGLANG_ANYWHERE
from triage.matching.prefix_rules import Kind, Rule, RuleTable, level_of
from triage.matching.timestamps import seconds_of
from triage.matching.wrappers import WRAPPERS
from triage.model import Prefix
from triage.records import dataclass, field, replace

_ANSI = lazy_regex(
    r"\x1b(?:\[[0-9;:<=>?]*[ -/]*[@-~]|\][^\x07\x1b]{0,500}(?:\x07|\x1b\\)|[ -/]{1,4}[0-~]|[0-Z\\^_`a-~])"
)
_MAX_LAYERS = 12
_MAX_TRIED_BRACKETS = 200
_REMEMBERED_LENGTH = 1024
_DIGIT = lazy_regex(r"\d")

_JSON_REACH = 4000
_JSON_TIME = lazy_regex(r'"(?:timestamp|asctime|ts|time)"\s*:\s*"?([^",}]{1,40})')
_JSON_LEVEL = lazy_regex(r'"(?:level|levelname|severity)"\s*:\s*"(\w{1,10})"')
_JSON_MESSAGE = lazy_regex(r'"(?:message|msg)"\s*:\s*"')


def strip_ansi(text: str) -> str:
    """``text`` without terminal escape sequences (colours, cursor moves, titles)."""
    return _ANSI.sub("", text) if "\x1b" in text else text


def segments(text: str) -> tuple[str, ...]:
    """The parts of one line between carriage returns, in order, empty ones left out: progress bars redraw that way."""
    text = text.rstrip("\r\n")
    if "\r" not in text:
        return (text,) if text else ()
    return tuple(part for part in text.split("\r") if part)


def parse_prefix(text: str) -> Prefix:
    """Read the front of one segment without escape sequences. ``end`` is where the message begins (0 if there is no prefix)."""
    return _remembered(text) if len(text) <= _REMEMBERED_LENGTH else _read(text)


def _read(text: str) -> Prefix:
    found = SGLANG.match(text, 0)
    if found is None:
        return _parse(text, 0)
    end = found.end()
    if _next_layer(_AGAIN, text, end)[0] is None:
        # Nine lines of ten end here, so they are spared the bookkeeping of layers.
        time, rank = found.group("time", "rank")
        return Prefix("sglang", time, seconds_of(time), _numbered(rank) if rank else None, end=end)
    layers = _Layers()
    layers.take(SGLANG, found)
    return _parse(text, end, layers, _AGAIN)


# A line is parsed when it is looked at, and again where it stands above or beside the next one.
_remembered = lru_cache(maxsize=256)(_read)


def parse_prefix_near(text: str, position: int) -> Prefix:
    """The last SGLang-style prefix that begins at or before ``position``: for lines glued together by torn writes or
    progress bars. Without one, what ``parse_prefix`` says. The wrappers of the line's front are kept."""
    front = parse_prefix(text)
    at = max(0, position) + 1
    for _ in range(_MAX_TRIED_BRACKETS):
        at = text.rfind("[", 0, at)
        if at < front.end:
            return front
        if SGLANG_ANYWHERE.match(text, at):
            near = _parse(text, at)
            if near.format:
                return replace(near, wrappers=front.wrappers, node=front.node or near.node, pid=near.pid or front.pid)
    return front


@dataclass(slots=True)
class _Layers:
    """What the layers read so far say; the inner one wins, except that an outer date completes an inner time without one."""

    wrappers: list[str] = field(default_factory=list)
    last: Rule | None = None
    time: str | None = None
    outer_seconds: float | None = None
    rank: str | None = None
    level: str | None = None
    pid: int | None = None
    node: str | None = None
    own_node: str | None = None

    def take(self, rule: Rule, found: re.Match[str]) -> None:
        """Add one layer."""
        parts = found.groupdict()
        if self.last is not None and self.last.kind is Kind.CARRIER:
            self.wrappers.append(self.last.name)
            self.level = None  # a carrier's level is that of the pipe, not of what it carries
        if rule.kind is Kind.WRAPPER:
            self.wrappers.append(rule.name)
            self.last = None
        self._take_identity(rule, parts)
        time = parts.get("time")
        if time:
            if self.time is not None and self.outer_seconds is None:
                self.outer_seconds = seconds_of(self.time)
            follows_format = self.last is not None and self.last.kind is Kind.FORMAT
            self.time = self.time if follows_format and self.time else time
        if rule.kind is not Kind.WRAPPER:
            redirected = parts.get("role") in ("stderr", "stdout")
            self.level = (None if redirected else level_of(parts.get("level"))) or self.level
            self.last = rule

    def _take_identity(self, rule: Rule, parts: dict[str, str | None]) -> None:
        self.rank = _rank(parts) or self.rank
        pid = parts.get("pid")
        if pid and len(pid) < 12:
            self.pid = int(pid)
        node = parts.get("node") or (f"task{parts['task']}" if parts.get("task") else None)
        if rule.kind is Kind.WRAPPER:
            self.node = node or self.node
        else:
            self.own_node = node or self.own_node

    def prefix(self, end: int) -> Prefix:
        """The result. A host named by the runtime stands above the one that the program itself prints."""
        seconds = seconds_of(self.time) if self.time else None
        return Prefix(
            self.last.name if self.last else "",
            self.time,
            self.outer_seconds if seconds is None else seconds,
            self.rank,
            self.level,
            self.pid,
            self.node or self.own_node,
            tuple(self.wrappers),
            end,
        )


def _rank(parts: dict[str, str | None]) -> str | None:
    """The rank as printed: words with a number in them (``DP3 TP3``), ``rank7`` for a bare number."""
    number = parts.get("ranknum")
    if number:
        return f"rank{number}"
    return _numbered(parts.get("rank") or (parts.get("joined") or "").replace("_", " "))


@lru_cache(maxsize=1024)
def _numbered(words: str) -> str | None:
    """The words that hold a number; a word without one is a role (``encode_server``), not a rank."""
    return " ".join(word for word in words.split() if _DIGIT.search(word)) or None


def _parse(text: str, at: int, layers: _Layers | None = None, table: RuleTable | None = None) -> Prefix:
    layers = layers or _Layers()
    table = table or _FRONT
    for _ in range(_MAX_LAYERS):
        rule, found = _next_layer(table, text, at)
        if rule is None or found is None:
            break
        layers.take(rule, found)
        if rule.name in ("json", "docker-json"):
            at = _read_json(rule, layers, text, found)
        elif rule.name == "tqdm" and not (found["bar"] and text[found.end() :].strip()):
            break  # a bar alone is its own message
        elif found.end() == at:
            break
        else:
            at = found.end()
        table = _FRONT if rule.kind is Kind.WRAPPER else _UNWRAPPED if rule.kind is Kind.CARRIER else _AGAIN
    return layers.prefix(at)


def _next_layer(table: RuleTable, text: str, at: int) -> tuple[Rule | None, re.Match[str] | None]:
    for rule in table.beginning(text[at : at + 2]):
        found = rule.match(text, at)
        if found is not None:
            return rule, found
    return None, None


def _read_json(rule: Rule, layers: _Layers, text: str, found: re.Match[str]) -> int:
    """Time and level of a JSON record; returns where its message begins (the record itself when it has none)."""
    start, stop = found.start(), found.start() + _JSON_REACH
    if rule.kind is Kind.WRAPPER:
        # docker's json-file puts the time behind the text.
        start, stop = max(found.end(), len(text) - _JSON_REACH), len(text)
        start = max(start, text.rfind('","stream":"', start))
    time = _JSON_TIME.search(text, start, stop)
    layers.time = time[1] if time else layers.time
    if rule.kind is Kind.WRAPPER:
        return found.end()
    level = _JSON_LEVEL.search(text, start, stop)
    layers.level = level_of(level[1]) if level else layers.level
    message = _JSON_MESSAGE.search(text, start, stop)
    return message.end() if message else found.start()


_FRONT = RuleTable((SGLANG, *WRAPPERS, *FORMATS))
_UNWRAPPED = RuleTable((SGLANG, *(rule for rule in (*WRAPPERS, *FORMATS) if rule.kind is not Kind.WRAPPER)))
_AGAIN = RuleTable(tuple(rule for rule in FORMATS if rule.again))
