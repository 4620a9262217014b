"""How long a regex can take at most, told from its source: most patterns cannot blow up and need no watch over their time."""

from __future__ import annotations

import re

from triage.lazy_regex import lazy_regex
from triage.records import dataclass, field

_TOKEN = lazy_regex(
    r"\\."
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]"
    r"|(?P<open>\((?:\?(?:[:=!]|<[=!]|P?<\w+>|[aimsux]+:))?(?!\?))"
    r"|(?P<flags>\(\?[aimsux]+\))"
    r"|(?P<close>\))"
    r"|(?P<branch>\|)"
    r"|(?P<repeat>(?:[*+?]|\{(?P<low>\d*)(?P<range>,(?P<high>\d*))?\}))(?P<lazy>\??)"
    r"|(?P<unknown>\(\?)"
    r"|.",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Effort:
    """At most ``ways * length ** power`` ways through a regex from one place of a text of ``length`` characters."""

    ways: int = 1
    power: int = 0

    def steps(self, length: int) -> int:
        """The ways from all places of a text of that length."""
        places: int = max(1, length) ** (self.power + 1)
        return self.ways * places

    def __mul__(self, other: Effort) -> Effort:
        return Effort(self.ways * other.ways, self.power + other.power)

    def __add__(self, other: Effort) -> Effort:
        return Effort(self.ways + other.ways, max(self.power, other.power))


_ONE = Effort()


@dataclass(slots=True)
class _Group:
    """An open group: what its finished branches take together, and what its present one takes, the last item apart."""

    branches: list[Effort] = field(default_factory=list)
    before: Effort = _ONE
    last: Effort = _ONE

    def add(self, item: Effort) -> None:
        self.before, self.last = self.before * self.last, item

    def end_branch(self) -> None:
        self.branches.append(self.before * self.last)
        self.before = self.last = _ONE

    def whole(self) -> Effort:
        self.end_branch()
        total = self.branches[0]
        for other in self.branches[1:]:
            total = total + other
        return total


def effort(source: str) -> Effort | None:
    """The effort of ``source``, a regex of the dialect of signatures; None where no bound is known (a group with ways of its
    own that is repeated, an atomic group, a possessive repeat)."""
    groups = [_Group()]
    for token in _TOKEN.finditer(source):
        kind = token.lastgroup
        if kind == "unknown" or (kind == "close" and len(groups) == 1):
            return None
        if kind == "open":
            groups.append(_Group())
        elif kind == "close":
            inner = groups.pop().whole()
            groups[-1].add(inner)
        elif kind == "branch":
            groups[-1].end_branch()
        elif token["repeat"]:
            repeated = _repeated(groups[-1].last, token)
            if repeated is None or source[token.end() : token.end() + 1] == "+":
                return None
            groups[-1].last = repeated
        elif kind != "flags":
            groups[-1].add(_ONE)
    return groups[0].whole() if len(groups) == 1 else None


def _repeated(item: Effort, token: re.Match[str]) -> Effort | None:
    """An item under a repeat."""
    sign = token["repeat"]
    if sign == "?":
        return item + _ONE
    if sign in "*+":
        return Effort(1, 1) if item == _ONE else None
    if token["range"] is None:
        count = int(token["low"])
        return Effort(item.ways**count, item.power * count) if count < 100 else None
    if item != _ONE:
        return None
    low, high = int(token["low"] or 0), token["high"]
    return Effort(max(1, int(high) - low + 1)) if high else Effort(1, 1)
