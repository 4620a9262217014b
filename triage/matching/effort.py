"""How long a regex can take at most, told from its source: most patterns cannot blow up and need no watch over their time."""

from __future__ import annotations

import re

from triage.lazy_regex import lazy_regex
from triage.records import dataclass, field

_TOKEN = lazy_regex(
    r"\\."
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]"
    r"|(?P<open>\((?:\?(?:[:=!]|<[=!]|P?<\w+>|[aimsu]+:))?(?!\?))"
    r"|(?P<flags>\(\?[aimsu]+\))"
    r"|(?P<close>\))"
    r"|(?P<branch>\|)"
    r"|(?P<repeat>(?:[*+?]|\{(?=,?\d)(?P<low>\d*)(?P<range>,(?P<high>\d*))?\}))(?P<lazy>\??)"
    r"|(?P<unknown>\(\?)"
    r"|[.^$]"
    r"|(?P<character>.)",
    re.DOTALL,
)
_MOST_TIMES = 100
_HEAVY = 4
"""What anything costs that is no plain character, which costs 1."""
_STEP_COST = 80
"""What is done in one step, the longest there is: few ways are followed to their end."""


@dataclass(frozen=True, slots=True)
class Effort:
    """At most ``ways * length ** power`` ways through a regex from one place of a text of ``length`` characters, each of
    which costs at most ``cost`` plain characters."""

    ways: int = 1
    power: int = 0
    cost: int = 1

    def steps(self, length: int) -> int:
        """What the ways from all places of a text of that length take."""
        places: int = max(1, length) ** (self.power + 1)
        return self.ways * places * (1 + self.cost // _STEP_COST)

    def __mul__(self, other: Effort) -> Effort:
        return Effort(self.ways * other.ways, self.power + other.power, self.cost + other.cost)

    def __add__(self, other: Effort) -> Effort:
        return Effort(self.ways + other.ways, max(self.power, other.power), max(self.cost, other.cost))


_NOTHING = Effort(cost=0)
_CHARACTER = Effort()
_ITEM = Effort(cost=_HEAVY)


@dataclass(slots=True)
class _Group:
    """An open group: what its finished branches take together, and what its present one takes, the last item apart."""

    branches: list[Effort] = field(default_factory=list)
    before: Effort = _NOTHING
    last: Effort = _NOTHING

    def add(self, item: Effort) -> None:
        self.before, self.last = self.before * self.last, item

    def end_branch(self) -> None:
        self.branches.append(self.before * self.last)
        self.before = self.last = _NOTHING

    def whole(self) -> Effort:
        self.end_branch()
        total = self.branches[0]
        for other in self.branches[1:]:
            total = total + other
        return total


def effort(source: str) -> Effort | None:
    """The effort of ``source``, a regex of the dialect of signatures; None where no bound is known (a group with ways of its
    own that is repeated, an atomic group, a possessive repeat, the flag ``x``)."""
    groups = [_Group()]
    for token in _TOKEN.finditer(source):
        kind = token.lastgroup
        if kind == "unknown" or (kind == "close" and len(groups) == 1):
            return None
        if kind == "open":
            groups.append(_Group())
        elif kind == "close":
            inner = groups.pop().whole()
            groups[-1].add(inner * _ITEM)
        elif kind == "branch":
            groups[-1].end_branch()
        elif token["repeat"]:
            repeated = _repeated(groups[-1].last, token)
            if repeated is None or source[token.end() : token.end() + 1] == "+":
                return None
            groups[-1].last = repeated
        elif kind != "flags":
            groups[-1].add(_CHARACTER if kind == "character" else _ITEM)
    return groups[0].whole() if len(groups) == 1 else None


def _repeated(item: Effort, token: re.Match[str]) -> Effort | None:
    """An item under a repeat."""
    sign, low, high = token["repeat"], int(token["low"] or 0), token["high"]
    if sign == "?":
        return item + _NOTHING
    if sign[0] == "{" and token["range"] is None:
        return Effort(item.ways**low, item.power * low, item.cost * (low + 1)) if low < _MOST_TIMES else None
    if item.ways != 1 or item.power:
        return None
    # Each way shares its rounds with the one before it, but for the last.
    cost = item.cost * (low + 1)
    return Effort(max(1, int(high) - low + 1), 0, cost) if high else Effort(1, 1, cost)
