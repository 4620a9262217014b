"""The text of metrics is read by the parsers of those who scrape them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import parser

from tests.watching.telling import families as parse_openmetrics
from triage.safety.visible import visible
from triage.watching.openmetrics import OPENMETRICS, PLAIN, Family, Sample, content_type, exposition

FAMILIES = [
    Family("sgltriage_build", "info", "The watcher.", [Sample(1, (("version", "1.0"),))]),
    Family("sgltriage_events", "counter", 'Events "told"\\\nby kind.', [Sample(3, (("kind", "phase"),)), Sample(0.5, (("kind", "x"),))]),
    Family("sgltriage_time_seconds", "gauge", "Time.", [Sample(1.25)], unit="seconds"),
    Family("sgltriage_none", "gauge", "Nothing yet.", []),
]  # fmt: skip


def parse_plain(text: str) -> list[Any]:
    """What a parser of the older format makes of it."""
    parse: Any = parser.text_string_to_metric_families  # it has no types
    return list(parse(text))


def test_openmetrics() -> None:
    """Types, units, help and values arrive as they were meant."""
    text = exposition(FAMILIES, openmetrics=True)
    assert text.endswith("# EOF\n")
    build, events, seconds, none = parse_openmetrics(text)
    assert (build.name, build.type) == ("sgltriage_build", "info")
    assert (events.type, events.documentation) == ("counter", 'Events "told"\\\nby kind.')
    assert {(item.name, item.labels["kind"], item.value) for item in events.samples} == {
        ("sgltriage_events_total", "phase", 3.0), ("sgltriage_events_total", "x", 0.5),
    }  # fmt: skip
    assert (seconds.unit, seconds.samples[0].value) == ("seconds", 1.25)
    assert none.samples == []


def test_the_older_format() -> None:
    """Says the same to those who know no other."""
    text = exposition(FAMILIES, openmetrics=False)
    assert "EOF" not in text
    names = {item.name: item.value for family in parse_plain(text) for item in family.samples}
    assert names == {"sgltriage_build_info": 1.0, "sgltriage_events_total": 0.5, "sgltriage_time_seconds": 1.25}
    assert "# TYPE sgltriage_events_total counter\n" in text


@given(st.text(max_size=30), st.floats())
def test_any_label_and_any_number(label: str, value: float) -> None:
    """Whatever a source is called, the text is one sample, and the label is what may be shown of it."""
    family = Family("sgltriage_x", "gauge", "X.", [Sample(value, (("source", label),))])
    for parse, openmetrics in ((parse_openmetrics, True), (parse_plain, False)):
        (found,) = parse(exposition([family], openmetrics=openmetrics))
        (sample,) = found.samples
        assert sample.labels == {"source": visible(label)}
        assert sample.value == value or (math.isnan(sample.value) and math.isnan(value))


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", PLAIN),
        ("*/*", PLAIN),
        ("text/plain", PLAIN),
        ("application/openmetrics-text", OPENMETRICS),
        ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5", OPENMETRICS),
        ("text/plain;q=0.9, Application/OpenMetrics-Text;q=0.1", PLAIN),
        ("application/openmetrics-text;q=0", PLAIN),
        ("application/openmetrics-text;q=x, text/plain", PLAIN),
    ],
)  # fmt: skip
def test_what_is_asked_for(accept: str, expected: str) -> None:
    """The newer format only for who wants it."""
    assert content_type(accept) == expected
