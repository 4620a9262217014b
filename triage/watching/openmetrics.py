"""The text that Prometheus reads: OpenMetrics 1.0, and the older format 0.0.4. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from triage.records import dataclass
from triage.safety.visible import visible

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value with the labels that tell it from the others of its family."""

    value: float
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """Samples of one kind. ``name`` goes without the ``_total`` of counters and the ``_info`` of infos; ``unit``, if there is
    one, is its last part."""

    name: str
    kind: Literal["counter", "gauge", "info"]
    help: str
    samples: Sequence[Sample]
    unit: str = ""


def exposition(families: Iterable[Family], *, openmetrics: bool) -> str:
    """All families as text; OpenMetrics, or format 0.0.4."""
    lines: list[str] = []
    for family in families:
        lines += _lines(family, openmetrics)
    if openmetrics:
        lines.append("# EOF")
    return "".join(f"{line}\n" for line in lines)


def content_type(accept: str) -> str:
    """`OPENMETRICS` if the header ``Accept`` wants it at least as much as the older format, else `PLAIN`."""
    wanted = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for item in accept.split(","):
        media, *parameters = (part.strip().lower() for part in item.split(";"))
        if media in wanted:
            wanted[media] = max(wanted[media], _quality(parameters))
    new, old = wanted.values()
    return OPENMETRICS if new > 0 and new >= old else PLAIN


def _quality(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _lines(family: Family, openmetrics: bool) -> Iterator[str]:
    suffix = {"counter": "_total", "info": "_info", "gauge": ""}[family.kind]
    # The older format names a family as its samples are named, and knows no infos.
    name = family.name if openmetrics else family.name + suffix
    kind = "gauge" if family.kind == "info" and not openmetrics else family.kind
    yield f"# TYPE {name} {kind}"
    if openmetrics and family.unit:
        yield f"# UNIT {name} {family.unit}"
    text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    yield f"# HELP {name} " + (text.replace('"', '\\"') if openmetrics else text)
    for sample in family.samples:
        labels = ",".join(f'{label}="{_escaped(value)}"' for label, value in sample.labels)
        yield family.name + suffix + (f"{{{labels}}}" if labels else "") + f" {_number(sample.value)}"


def _escaped(value: str) -> str:
    return visible(value).replace("\\", "\\\\").replace('"', '\\"')


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
