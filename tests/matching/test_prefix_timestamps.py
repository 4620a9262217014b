"""Printed times become seconds only when they name their date."""

from __future__ import annotations

from datetime import date, datetime, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from triage.matching.timestamps import seconds_of


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1)))
def test_agrees_with_datetime(moment: datetime) -> None:
    """The plain form is read as the standard library reads it."""
    moment = moment.replace(microsecond=0)
    assert seconds_of(moment.strftime("%Y-%m-%d %H:%M:%S")) == moment.replace(tzinfo=timezone.utc).timestamp()


@given(st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32))
@example(1900, 2, 29)
@example(2000, 2, 29)
@example(2024, 12, 31)
@example(1, 1, 1)
@example(9999, 12, 31)
def test_every_day_is_that_of_the_calendar(year: int, month: int, number: int) -> None:
    """Each date that exists has its place in the count of days, and no other has one."""
    expected: float | None
    try:
        expected = (date(year, month, number) - date(1970, 1, 1)).days * 86400.0
    except ValueError:
        expected = None
    assert seconds_of(f"{year:04}-{month:02}-{number:02} 00:00:00") == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T10:00:00Z", "2026-03-01T12:00:00+02:00", "2026-03-01T12:00:00+0200", "2026-03-01 04:30:00-0530", "20260301 10:00:00",
        "Sun Mar  1 10:00:00 2026", "01/Mar/2026:18:00:00 +0800", "1772359200", "2026-03-01 10:00:00,000", "2026-03-01T10:00:00.000000000Z",
    ],
)  # fmt: skip
def test_one_moment_in_many_forms(text: str) -> None:
    """Offsets are converted to UTC."""
    assert seconds_of(text) == 1772359200.0


@pytest.mark.parametrize("text", ["03-01 10:00:00", "10:00:00", "0301 10:00:00.123456", "22859.081860", "2026-13-01 10:00:00", "2026-02-30 10:00:00",
                                  "2026-03-01 25:00:00", "Sun Foo  1 10:00:00 2026", ""])  # fmt: skip
def test_unknown_dates_have_no_seconds(text: str) -> None:
    """A time without a year, and an impossible one, is not guessed at."""
    assert seconds_of(text) is None
