"""Logs for the benchmark: the same bytes for the same size, written as a stream. Usage: logs.py PATH SIZE KIND"""

from __future__ import annotations

import itertools
import random
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_RANKS = 8
_BLOCK_LINES = 60_000
_DAY = date(2026, 3, 1)


def write_log(path: Path, size: int, kind: str) -> int:
    """Write about ``size`` bytes of ``kind`` (decode or storm) to ``path``; return the number of lines.

    A block of lines is made once and repeated with the next day's date, so that no line is equal to an earlier one and
    the clock never goes back.
    """
    lines = 0
    with path.open("wb") as file:
        head = _startup()
        lines += head.count(b"\n")
        written = file.write(head)
        block = _block(kind)
        per_block = block.count(b"\n")
        day = 0
        while written < size:
            day += 1
            dated = block.replace(b"@DAY@", (_DAY + timedelta(days=day)).isoformat().encode())
            if written + len(dated) >= size:
                last = dated[: dated.find(b"\n", size - written - 1) + 1]
                file.write(last)
                return lines + last.count(b"\n")
            written += file.write(dated)
            lines += per_block
    return lines


def endless_log(size: int) -> Iterator[bytes]:
    """A start, then serving without end, in pieces of whole lines of about ``size`` bytes. The clock never goes back: each round
    of the same lines is of the next day."""
    yield _startup()
    block, pieces, at = _block("decode"), [], 0
    while at < len(block):
        end = block.find(b"\n", at + size - 1) + 1 or len(block)
        pieces.append(block[at:end])
        at = end
    for day in itertools.count(1):
        date_of = (_DAY + timedelta(days=day)).isoformat().encode()
        for piece in pieces:
            yield piece.replace(b"@DAY@", date_of)


def small_log() -> bytes:
    """A healthy start and a minute of serving: what is mostly piped into a scan."""
    serving = b"".join(_decode_lines(random.Random(2), 200)).replace(b"@DAY@", _DAY.isoformat().encode())
    return _startup() + serving


def _block(kind: str) -> bytes:
    makers: dict[str, Callable[[random.Random, int], Iterator[bytes]]] = {
        "decode": _decode_lines,
        "storm": _storm_lines,
    }
    return b"".join(makers[kind](random.Random(1), _BLOCK_LINES))


def _clock(number: int) -> str:
    second = number * 86_000 // _BLOCK_LINES
    return f"@DAY@ {second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def _decode_lines(rng: random.Random, count: int) -> Iterator[bytes]:
    for number in range(count):
        time, rank = _clock(number), number % _RANKS
        running, queued, tokens = rng.randrange(1, 256), rng.randrange(40), rng.randrange(1000, 900_000)
        draw = rng.random()
        if draw < 0.6:
            line = (
                f"[{time} DP{rank} TP{rank}] Decode batch, #running-req: {running}, #token: {tokens}, "
                f"token usage: {tokens / 1e6:.2f}, cuda graph: True, "
                f"gen throughput (token/s): {rng.uniform(50, 5000):.2f}, #queue-req: {queued}"
            )
        elif draw < 0.8:
            line = (
                f"[{time} DP{rank} TP{rank}] Prefill batch, #new-seq: {rng.randrange(1, 9)}, "
                f"#new-token: {rng.randrange(1, 8192)}, #cached-token: {rng.randrange(4096)}, "
                f"token usage: {tokens / 1e6:.2f}, #running-req: {running}, #queue-req: {queued}, cuda graph: False, "
                f"input throughput (token/s): {rng.uniform(50, 20000):.2f}"
            )
        else:
            line = (
                f"[{time}] INFO:     10.0.0.{rng.randrange(2, 250)}:{rng.randrange(32768, 60999)} - "
                '"POST /v1/chat/completions HTTP/1.1" 200 OK'
            )
        yield f"{line}\n".encode()


def _storm_lines(rng: random.Random, count: int) -> Iterator[bytes]:
    for number in range(count):
        time, rank = _clock(number), number % _RANKS
        if rng.random() < 0.7:
            line = (
                f"[{time} TP{rank}] Error fetching prefill parallel info from bootstrap: HTTPConnectionPool(host='10.0.0.11', "
                f"port=8998): Max retries exceeded with url: /route?engine_rank=-1&target_dp_group={rank} (Caused by "
                f"NewConnectionError('<urllib3.connection.HTTPConnection object at 0x{rng.getrandbits(48):012x}>: "
                f"Failed to establish a new connection: [Errno 111] Connection refused'))"
            )
        else:
            line = (
                f"[{time} TP{rank}] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate "
                f"{rng.randrange(2, 900)}.00 MiB. GPU {rank} has a total capacity of 79.11 GiB of which 1.94 GiB is free."
            )
        yield f"{line}\n".encode()


def _startup() -> bytes:
    """A start of eight ranks: some hundred lines."""
    stamp = f"{_DAY.isoformat()} 09:00:"
    lines = [
        (
            f"[{stamp}00] server_args=ServerArgs(model_path='/models/m', tokenizer_path='/models/m', host='0.0.0.0', "
            f"port=30000, tp_size={_RANKS}, dp_size={_RANKS}, mem_fraction_static=0.85, context_length=None)"
        )
    ]
    for rank in range(_RANKS):
        prefix = f"DP{rank} TP{rank}"
        lines += [
            f"[{stamp}05 {prefix}] Init torch distributed begin.",
            f"[{stamp}07 {prefix}] Init torch distributed ends. mem usage=1.70 GB",
            f"[{stamp}08 {prefix}] Load weight begin. avail mem=77.15 GB",
        ]
    for part in range(1, 165):
        percent = 100 * part // 164
        lines.append(
            f"Loading safetensors checkpoint shards: {percent:3d}% Completed | {part}/164 [00:10<00:20,  5.00it/s]"
        )
    for rank in range(_RANKS):
        prefix = f"DP{rank} TP{rank}"
        lines += [
            f"[{stamp}40 {prefix}] Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=61.10 GB, mem usage=16.05 GB.",
            f"[{stamp}41 {prefix}] KV Cache is allocated. #tokens: 409600, K size: 25.00 GB, V size: 25.00 GB",
            f"[{stamp}41 {prefix}] Memory pool end. avail mem=10.90 GB",
            f"[{stamp}42 {prefix}] Capture cuda graph begin. This can take up to several minutes. avail mem=10.30 GB",
            f"[{stamp}55 {prefix}] Capture cuda graph end. Time elapsed: 13.00 s. mem usage=1.10 GB. avail mem=9.20 GB.",
        ]
    lines += [
        f"[{stamp}57] INFO:     Application startup complete.",
        f"[{stamp}57] INFO:     Uvicorn running on http://0.0.0.0:30000 (Press CTRL+C to quit)",
        f'[{stamp}58] INFO:     127.0.0.1:40052 - "GET /get_model_info HTTP/1.1" 200 OK',
        f"[{stamp}59] The server is fired up and ready to roll!",
    ]
    return "".join(f"{line}\n" for line in lines).encode()


if __name__ == "__main__":
    print(write_log(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
