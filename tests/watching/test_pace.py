"""How often a watcher may weigh what it knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.watching.pace import BURST_S, REST_S, SHARE, Pace


@given(st.lists(st.tuples(st.floats(0.0001, 2.0), st.floats(0.0, 3.0)), min_size=1, max_size=60))
def test_looks_take_a_share_of_the_time(looks: list[tuple[float, float]]) -> None:
    """Whatever looks cost, and however soon the next is wanted: over any time they take a share of it, one burst and one look."""
    pace, now = Pace(), 10.0
    done: list[tuple[float, float]] = []
    for cost, later in looks:
        now = max(now + later, pace.next_look)
        pace.looked(now, now + cost)
        done.append((now, now + cost))
        now += cost
        assert pace.next_look >= now + REST_S
    for first in range(len(done)):
        for last in range(first, len(done)):
            taken = sum(end - begin for begin, end in done[first : last + 1])
            allowed = (done[last][1] - done[first][0]) / SHARE + BURST_S + max(cost for cost, _ in looks)
            assert taken <= allowed + 1e-6


@pytest.mark.parametrize("cost_s", [0.005, 0.04])
def test_a_burst_is_not_held_up(cost_s: float) -> None:
    """After a quiet time several looks follow each other with no more than the rest between them; then they are held up."""
    pace, now, waits = Pace(), 100.0, []
    for _ in range(80):
        pace.looked(now, now + cost_s)
        waits.append(pace.next_look - (now + cost_s))
        now = pace.next_look
    in_burst = int(BURST_S / cost_s) - 1
    assert waits[:in_burst] == pytest.approx([REST_S] * in_burst)
    assert waits[-1] == pytest.approx(max(REST_S, cost_s * SHARE), rel=0.3)
    pace.looked(now + 60, now + 60 + cost_s)
    assert pace.next_look == pytest.approx(now + 60 + cost_s + REST_S)
