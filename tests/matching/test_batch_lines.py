"""Batch lines of every release, and nothing else, become samples."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.matching import batch_lines
from triage.matching.batch_lines import BatchSample, last_samples, read_batch_line, samples

FIXTURES = Path(__file__).parents[2] / "fixtures" / "logs"
START = 1_790_000_000.0

LINES = {
    "0.4.3 prefill": (
        ("[2025-02-20 10:00:00 TP0] Prefill batch. #new-seq: 2, #new-token: 398, #cached-token: 14, cache hit rate: 3.40%, "
        "token usage: 0.01, #running-req: 4, #queue-req: 38"),
        BatchSample("prefill", "TP0", running=4, queued=38, token_usage=0.01, new_requests=2, new_tokens=398, cached_tokens=14),
    ),
    "0.4.4 decode": (
        ("[2025-03-20 10:00:00] Decode batch. #running-req: 3, #token: 120, token usage: 0.02, accept len: 2.50, "
        "gen throughput (token/s): 81.84, largest-len: 0, #queue-req: 1, "),
        BatchSample("decode", running=3, queued=1, token_usage=0.02, throughput=81.84, accept_len=2.5),
    ),
    "0.4.6 prefill of a disaggregated server": (
        ("[2025-05-01 10:00:00 TP0] Prefill batch. #new-seq: 1, #new-token: 9, #cached-token: 0, token usage: 0.00, "
        "#running-req: 0, #unbootstrapped-req: 2, #queue-req: 1, #transferring-req: 3 "),
        BatchSample(
            "prefill", "TP0", running=0, queued=1, elsewhere=5, token_usage=0.0, new_requests=1, new_tokens=9, cached_tokens=0
        ),
    ),
    "0.4.9 decode with a time behind": (
        ("[2025-07-14 09:12:36] Decode batch. #running-req: 4, #token: 6640, token usage: 0.02, cuda graph: True, "
        "gen throughput (token/s): 433.81, #queue-req: 0, timestamp: 2025-07-14T09:12:36.315688.861111"),
        BatchSample("decode", running=4, queued=0, token_usage=0.02, throughput=433.81, graph=True),
    ),
    "0.5.9 decode, sliding window, numbered": (
        ("[2026-02-01 10:00:00 DP1 TP1] Decode batch [4711], #running-req: 8, #full token: 90, full token usage: 0.30, "
        "#swa token: 10, swa token usage: 0.75, accept len: 3.10, accept rate: 0.70, npu graph: False, "
        "gen throughput (token/s): 1200.50, #queue-req: 2"),
        BatchSample(
            "decode", "DP1 TP1", running=8, queued=2, token_usage=0.75, throughput=1200.5, accept_len=3.1, graph=False
        ),
    ),
    "0.5.9 decode of a model with state, disaggregated": (
        ("[2026-02-01 10:00:00 TP0] Decode batch, #running-req: 1, #full token: 9, full token usage: 0.10, mamba num: 5, "
        "mamba usage: 0.05, pre-allocated usage: 0.90, #prealloc-req: 1, #transfer-req: 2, #retracted-req: 0, "
        "cuda graph: True, gen throughput (token/s): 10.00, #queue-req: 0, "),
        BatchSample("decode", "TP0", running=1, queued=0, elsewhere=3, token_usage=0.1, throughput=10.0, graph=True),
    ),
    "0.5.23 prefill": (
        ("[2026-11-01 10:00:00 TP0] Prefill batch, #new-seq: 1, #new-token: 5, #cached-token: 3, token usage: 0.40, "
        "#running-req: 7, #queue-req: 0, #pending-token: 64, #bootstrap-req: 1, #inflight-req: 1, #optimistic-req: 0, "
        "cuda graph: False, input throughput (token/s): 55.00, est. prefill TFLOPS/s (per GPU): 3.20, fwd occupancy: 90.00%"),
        BatchSample(
            "prefill", "TP0", running=7, queued=0, elsewhere=2, token_usage=0.4, throughput=55.0, graph=False,
            new_requests=1, new_tokens=5, cached_tokens=3,
        ),
    ),
}  # fmt: skip


def untimed(sample: BatchSample | None) -> dict[str, object]:
    """The sample's fields but for its time."""
    assert sample is not None
    return {name: getattr(sample, name) for name in sample.__slots__ if name != "seconds"}


LINE = b"[2026-09-21 10:00:00 TP0] Decode batch, #running-req: 5, gen throughput (token/s): 7.00, #queue-req: 0"


def sampled(data: bytes, most: int = 2000) -> tuple[BatchSample, ...]:
    """Samples of a log in memory."""
    return samples(lambda offset, count: data[offset : offset + count], len(data), most)


def log(count: int) -> bytes:
    """Batch lines with other lines between them; the n-th batch line shows n tokens a second."""
    parts = []
    for number in range(count):
        parts.append(f"INFO:     10.0.0.1:4000 - {'x' * (number * 7 % 50)}\n")
        parts.append(
            f"[2026-09-21 10:{number // 60 % 60:02d}:{number % 60:02d} TP0] Decode batch, #running-req: 5, "
            f"gen throughput (token/s): {number}.00, #queue-req: 0\n"
        )
    return "".join(parts).encode()


@pytest.mark.parametrize("release", LINES)
def test_every_release(release: str) -> None:
    """Fields move, come and go between releases; what is there is read, what is not is None."""
    line, expected = LINES[release]
    sample = read_batch_line(line)
    assert untimed(sample) == untimed(expected)
    assert sample is not None
    assert sample.seconds is not None


@pytest.mark.parametrize(
    ("wrapped", "node"),
    [
        ("Mar 11 20:03:51 node-1 sglang[4388]: {}", "node-1"),
        ("[pod/sglang-0/sglang] 2026-04-02T00:41:28.172792065Z {}", "pod/sglang-0"),
        ("\x1b[32m{}\x1b[0m", None),
        ("Loading:  50%|#####     | 1/2\r{}", None),
    ],
)
def test_lines_that_others_wrapped(wrapped: str, node: str | None) -> None:
    """A runtime's own prefix, colours and a bar before the line."""
    line, expected = LINES["0.5.23 prefill"]
    (sample,) = last_samples(wrapped.format(line).encode() + b"\n", 1)
    assert sample.running == expected.running
    assert sample.rank == "TP0"
    if node is not None:
        assert sample.node is not None
        assert node.partition("/")[2] in sample.node


@pytest.mark.parametrize(
    "line",
    [
        '[2026-01-01 10:00:00] Receive: obj=GenerateReqInput(text="Decode batch, #running-req: 99, #queue-req: 9")',
        "[2026-01-01 10:00:00] prompt='a' Decode batch, #running-req: 99, #queue-req: 9",
        "[2026-01-01 10:00:00] Decode batches are slow, #running-req: 9",
        "[2026-01-01 10:00:00] Capturing batches (bs=8)",
        "",
        "\x00",
    ],
)
def test_what_is_no_batch_line(line: str) -> None:
    """Above all no text that a client wrote."""
    assert read_batch_line(line) is None


def test_numbers_that_are_none() -> None:
    """Other than a number is not told."""
    sample = read_batch_line(
        "Decode batch, #running-req: many, token usage: nan, gen throughput (token/s): -3.00, #queue-req: 1.5, accept len: inf"
    )
    assert untimed(sample) == untimed(BatchSample("decode"))


@given(st.text(max_size=300))
def test_any_text_is_taken(text: str) -> None:
    """Nothing is raised, whatever stands behind the words."""
    read_batch_line(text)
    sample = read_batch_line(f"Decode batch, {text}".replace("\r", "").replace("\n", ""))
    assert sample is None or sample.kind == "decode"


@given(st.binary(max_size=400), st.integers(0, 5))
def test_any_bytes_are_taken(data: bytes, most: int) -> None:
    """Neither of the two ways to get samples raises, and neither gives more than was asked for."""
    assert len(last_samples(data + b"#running-req: " + data, most)) <= most
    assert len(sampled(data + b"#running-req: " + data, most)) <= max(most, 1)


def test_the_last_ones_in_order() -> None:
    """As many lines as asked for, from the end, oldest first."""
    assert [sample.throughput for sample in last_samples(log(50), 3)] == [47.0, 48.0, 49.0]


@pytest.mark.parametrize("count", [0, 1, 39, 40, 41, 1000])
@pytest.mark.parametrize("small", [1 << 20, 0], ids=["read at once", "read in places"])
def test_samples_are_spread(count: int, small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All lines of a short log, and of a long one some of each part."""
    monkeypatch.setattr(batch_lines, "_SMALL", small)
    found = [sample.throughput or 0.0 for sample in sampled(log(count), 40)]
    assert found == sorted(set(found))
    if count <= 40:
        # Lines of several lengths do not always fall into stretches of their own.
        assert len(found) >= count * (1 if small else 0.6)
        return
    assert 20 <= len(found) <= 40
    gaps = [later - earlier for earlier, later in itertools.pairwise(found)]
    assert max(gaps) <= 4 * count / len(found)


@given(
    st.lists(st.sampled_from([b"", b"x" * 9, b"y" * 5000, LINE]), max_size=40), st.integers(1, 40), st.integers(1, 300)
)
def test_the_first_line_of_each_stretch(parts: list[bytes], most: int, piece: int) -> None:
    """What is read in places is what a look at every line would give, in whatever pieces."""
    data = b"\n".join(parts)
    stretch = max(1, -(-len(data) // most))
    wanted: dict[int, int] = {}
    at = 0
    for part in parts:
        if part == LINE:
            wanted.setdefault(at // stretch, at)
        at += len(part) + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_lines, "_SMALL", 0)
        patch.setattr(batch_lines, "_PIECE", piece)
        assert len(sampled(data, most)) == len(wanted)


def test_rare_lines_are_searched_for() -> None:
    """Where batch lines are rare more is read, but never all of a log without any."""
    rest = b"INFO:     10.0.0.1:4000 - POST /v1/chat/completions\n" * 6000
    parts = 60
    data = (rest + LINE + b"\n") * parts
    read_bytes = 0

    def read(offset: int, count: int) -> bytes:
        nonlocal read_bytes
        read_bytes += count
        return data[offset : offset + count]

    assert len(samples(read, len(data), parts)) == parts
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_lines, "_BUDGET", 4 << 20)
        data = rest * parts
        read_bytes = 0
        assert samples(read, len(data), parts) == ()
        assert read_bytes < 10 << 20 < len(data)


@pytest.mark.parametrize("small", [1 << 20, 0], ids=["read at once", "read in places"])
def test_an_overlong_line_is_none(small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although its end alone would look like one."""
    monkeypatch.setattr(batch_lines, "_SMALL", small)
    assert sampled(b"x" * 5000 + LINE, 3) == ()


def test_every_batch_line_of_the_fixtures_is_read() -> None:
    """Whatever form their releases, runtimes and operators gave them."""
    seen = 0
    for path in sorted(FIXTURES.glob("*/*.log")):
        for line in path.read_bytes().split(b"\n"):
            if b"#running-req: " in line and (b"Decode batch" in line or b"Prefill batch" in line):
                seen += 1
                assert sampled(line), f"{path}: {line!r}"
    assert seen > 50
