"""Regexes that are compiled when they are first used: most inputs need few of them, and each costs up to milliseconds."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, AnyStr


class _LazyRegex:
    """Stands for the compiled regex; what is looked up on it is kept, so that only the first use takes the detour."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._source = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._source), name)  # re keeps what it compiled
        self.__dict__[name] = found
        return found


def lazy_regex(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """``re.compile(pattern, flags)``, later. A wrong pattern raises ``re.error`` at its first use."""
    stand_in: Any = _LazyRegex(pattern, flags)
    regex: re.Pattern[AnyStr] = stand_in
    return regex
