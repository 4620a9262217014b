"""What is shown of the present is what ranks said lately, summed over them."""

from __future__ import annotations

import pytest

from tests.watching.batches import decode
from triage.matching.batch_lines import BatchSample
from triage.watching.vital_signs import VitalSigns


def test_ranks_are_summed() -> None:
    """Requests and throughput add up; of memory the fullest rank is shown."""
    signs = VitalSigns()
    fuller = BatchSample("decode", "DP1", running=3, queued=2, elsewhere=1, token_usage=0.9, throughput=50.0)
    signs.take([decode(rank="DP0", queued=1), fuller], 10.0)
    assert (signs.running(10.0), signs.queued(10.0)) == (11, 4)
    assert (signs.token_usage(10.0), signs.throughput(10.0)) == (0.9, 150.0)


def test_a_prefill_is_at_work_and_generates_nothing() -> None:
    """Its requests run too; throughput stays that of the decode before it."""
    signs = VitalSigns()
    signs.take([decode(running=5), BatchSample("prefill", running=5, new_requests=2, throughput=9000.0)], 10.0)
    assert (signs.running(10.0), signs.throughput(10.0)) == (7, 100.0)


def test_old_words_are_no_longer_shown() -> None:
    """An idle server prints nothing, so that silence means: not known."""
    signs = VitalSigns()
    assert signs.running(0.0) is None
    signs.take([decode()], 10.0)
    assert (signs.running(70.0), signs.throughput(20.0)) == (8, 100.0)
    assert (signs.running(70.1), signs.queued(70.1), signs.token_usage(70.1), signs.throughput(20.1)) == (None,) * 4


def test_throughput_by_seconds() -> None:
    """Thirty of them, the newest last; a rank's word holds until its next, but not long."""
    signs = VitalSigns()
    for second in range(100, 105):
        signs.take([decode(throughput=float(second))], second + 0.5)
    series = signs.series(104.9)
    assert len(series) == 30
    assert series[-6:] == (0.0, 100.0, 101.0, 102.0, 103.0, 104.0)
    assert signs.series(120.0)[-16:] == pytest.approx([104.0] * 10 + [0.0] * 6)
    assert signs.series(5000.0) == (0.0,) * 30


def test_ranks_are_bounded() -> None:
    """Names of ranks come from the log."""
    signs = VitalSigns()
    signs.take([decode(rank=f"TP{number}", running=1) for number in range(2000)], 1.0)
    assert signs.running(1.0) == 512


def test_a_new_server_starts_anew() -> None:
    """What the old one said is gone, what it generated is not."""
    signs = VitalSigns()
    signs.take([decode()], 1.0)
    signs.forget()
    assert signs.running(1.5) is None
    assert max(signs.series(2.0)) == 100.0
