"""A course of numbers in plain characters: one column a moment, eight steps a row."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from triage.matching.batch_lines import BatchSample
from triage.records import dataclass

_STEPS = " ▁▂▃▄▅▆▇█"
_NOTHING = "·"
_HOLD = 16


@dataclass(frozen=True, slots=True)
class Course:
    """Points of one quantity: (seconds or position, value). ``top``: the value at the upper edge, None: the largest."""

    name: str
    points: tuple[tuple[float, float], ...]
    unit: str = ""
    top: float | None = None


def courses_of(found: Sequence[BatchSample]) -> list[Course]:
    """Throughput, token usage, running and queued requests; only those of which the log tells."""
    # Without dates the order of the lines has to stand for the time.
    timed = [(sample.seconds, sample) for sample in found if sample.seconds is not None]
    placed = timed if len(timed) * 2 >= len(found) else [(float(at), sample) for at, sample in enumerate(found)]
    decode = [(at, sample) for at, sample in placed if sample.kind == "decode"]
    wanted = [
        Course("throughput", _points((at, item.throughput) for at, item in decode), "token/s"),
        Course("token usage", _points((at, item.token_usage) for at, item in placed), top=1.0),
        Course("running", _points((at, item.running) for at, item in decode), "requests"),
        Course("queued", _points((at, item.queued) for at, item in placed), "requests"),
    ]
    return [course for course in wanted if course.points]


def plot(course: Course, width: int, rows: int) -> list[str]:
    """``rows`` lines of ``width`` cells below a headline: the mean of each moment; ``·`` where nothing was told."""
    means = _means(course.points, width)
    top = course.top or max(value for _, value in course.points) or 1.0
    levels = [None if mean is None else round(max(0.0, min(1.0, mean / top)) * rows * 8) for mean in means]
    lines = [_headline(course, top)]
    for row in range(rows - 1, -1, -1):
        cells = (
            (_NOTHING if row == 0 else " ") if level is None else _STEPS[max(0, min(8, level - 8 * row))]
            for level in levels
        )
        lines.append("".join(cells))
    return lines


def axis(courses: Sequence[Course], width: int) -> str:
    """The first and the last moment, as far as they are times, at the two ends."""
    moments = [at for course in courses for at, _ in course.points]
    first, last = min(moments), max(moments)
    if first < 1e8:
        return f"{'first':<{width // 2}}{'last':>{width - width // 2}}"
    form = "%H:%M:%S" if last - first < 86_400 else "%m-%d %H:%M"
    left, right = (time.strftime(form, time.gmtime(moment)) for moment in (first, last))
    return f"{left}{right:>{max(0, width - len(left))}}"


def _headline(course: Course, top: float) -> str:
    values = [value for _, value in course.points]
    unit = f" {course.unit}" if course.unit else ""
    return f"{course.name}  last {_short(values[-1])}, most {_short(max(values))}{unit}   (edge {_short(top)})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _points(pairs: Iterable[tuple[float, float | int | None]]) -> tuple[tuple[float, float], ...]:
    return tuple((at, float(value)) for at, value in pairs if value is not None)


def _means(points: Sequence[tuple[float, float]], width: int) -> list[float | None]:
    first, last = min(at for at, _ in points), max(at for at, _ in points)
    span = (last - first) or 1.0
    sums, counts = [0.0] * width, [0] * width
    for at, value in points:
        column = min(width - 1, int((at - first) / span * width))
        sums[column] += value
        counts[column] += 1
    means = [total / number if number else None for total, number in zip(sums, counts, strict=True)]
    return _held(means, max(2, width // _HOLD))


def _held(means: list[float | None], most: int) -> list[float | None]:
    """A value holds until the next one, over at most so many columns: a server prints a batch now and then, not every second."""
    held = list(means)
    since = most + 1
    for at, mean in enumerate(means):
        since = 0 if mean is not None else since + 1
        if mean is None and 0 < since <= most:
            held[at] = held[at - 1]
    return held
