"""Printed times to seconds: one naive UTC scale for everything that names its date."""

from __future__ import annotations

import re
from functools import lru_cache

from triage.lazy_regex import lazy_regex

_ISO = lazy_regex(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
    r"(?:[.,](?P<fraction>\d{1,9}))?\s?(?P<zone>Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_PLAIN = lazy_regex(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_COMPACT = lazy_regex(
    r"(?P<day>\d{8}) (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?(?P<zone>)", re.ASCII
)
_CTIME = lazy_regex(
    r"\w{3} (?P<month>\w{3}) {1,2}(?P<number>\d{1,2}) (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
    r"(?P<fraction>) (?P<year>\d{4})(?P<zone>)",
    re.ASCII,
)
_APACHE = lazy_regex(
    r"(?P<number>\d\d)/(?P<month>\w{3})/(?P<year>\d{4}):(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
    r"(?P<fraction>) (?P<zone>[+-]\d{4})",
    re.ASCII,
)
_EPOCH = lazy_regex(r"\d{9,10}(?:\.\d{1,9})?", re.ASCII)
_MONTHS = {"JanFebMarAprMayJunJulAugSepOctNovDec"[at : at + 3]: at // 3 + 1 for at in range(0, 36, 3)}
_DAYS_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)
"""Days of an ordinary year before each month, and before the next year."""
_EPOCH_DAY = 719_163
"""The first of January 1970, counted from the first of January of the year 1 as day 1."""


def seconds_of(text: str) -> float | None:
    """Seconds since 1970 for a time that names its full date; None for one without a year and for nonsense.

    A printed offset is converted to UTC; without one the time is taken as it stands.
    """
    if len(text) == 19 and text[10] == " " and _PLAIN.fullmatch(text):
        return _second(text)
    if len(text) >= 19 and text[4] == "-":
        found = _ISO.fullmatch(text)
    else:
        found = _CTIME.fullmatch(text) or _COMPACT.fullmatch(text) or _APACHE.fullmatch(text)
        if found is None:
            return float(text) if _EPOCH.fullmatch(text) else None
    if found is None:
        return None
    parts = found.groupdict()
    day = _day(parts["day"]) if "day" in parts else _named_day(parts["year"], parts["month"], parts["number"])
    hour, minute, second = int(parts["hour"]), int(parts["minute"]), int(parts["second"])
    if day is None or hour > 23 or minute > 59 or second > 60:
        return None
    fraction = float("0." + parts["fraction"]) if parts["fraction"] else 0.0
    return day * 86400 + hour * 3600 + minute * 60 + second + fraction - _offset(parts["zone"])


@lru_cache(maxsize=1024)
def _second(text: str) -> float | None:
    """The plain form that SGLang prints: many lines of a log share a second."""
    day, hour, minute, second = _day(text[:10]), int(text[11:13]), int(text[14:16]), int(text[17:])
    if day is None or hour > 23 or minute > 59 or second > 60:
        return None
    return float(day * 86400 + hour * 3600 + minute * 60 + second)


@lru_cache(maxsize=256)
def _day(text: str) -> int | None:
    """Days since 1970 of ``2026-03-01`` or ``20260301``; remembered, since a log names few days on many lines."""
    digits = text.replace("-", "")
    return _days_since_1970(int(digits[:4]), int(digits[4:6]), int(digits[6:]))


def _named_day(year: str, month: str, number: str) -> int | None:
    return _days_since_1970(int(year), _MONTHS.get(month, 0), int(number))


def _days_since_1970(year: int, month: int, number: int) -> int | None:
    # Not `datetime`, which takes as long to load as all of a short log's lines to read.
    if not (1 <= year <= 9999 and 1 <= month <= 12):
        return None
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    length = _DAYS_BEFORE[month] - _DAYS_BEFORE[month - 1] + (leap and month == 2)
    if not 1 <= number <= length:
        return None
    past = year - 1
    before = past * 365 + past // 4 - past // 100 + past // 400 + _DAYS_BEFORE[month - 1] + (leap and month > 2)
    return before + number - _EPOCH_DAY


def _offset(zone: str | None) -> int:
    """Seconds east of UTC of ``+0800``, ``+08:00`` or ``Z``."""
    if not zone or zone == "Z":
        return 0
    east = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
    return east if zone[0] == "+" else -east
