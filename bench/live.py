"""How late a watcher is, what it costs the server's output, and how much memory it takes. See README.md."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

_ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_ROOT))  # so that `python bench/live.py` finds its neighbours under the name the checker knows

from bench.logs import endless_log, write_log  # noqa: E402
from bench.surroundings import command_here, environment_in, size_of  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PIECE = 1 << 20
_TICK_S = 0.002
"""Between two writes of the paced writer: short against what is measured."""
_EVERY_S = 0.2
_PATIENCE_S = 30.0
_STEPS = {
    "weights": b"Load weight begin. avail mem=77.15 GB",
    "memory-pool": b"Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=61.10 GB, mem usage=16.05 GB.",
    "graph-capture": b"Memory pool end. avail mem=10.90 GB",
    "warmup": b"INFO:     Uvicorn running on http://0.0.0.0:30000 (Press CTRL+C to quit)",
}
"""A server that starts over and over: each line changes what is known, and so is an event; the report stays as small as
it is in life, which one diagnosis for each event would not."""
_FAILURE = b"[2036-03-01 23:59:59 TP0] RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.\n"


def main() -> None:
    """Run what the arguments ask for, print a table each and write the JSON."""
    args = _arguments()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="sgltriage-bench-") as name:
        bench = LiveBench(Path(name), args.command.split() if args.command else command_here())
        if "latency" in args.what:
            results["latency"] = [bench.latency(rate, args.events) for rate in args.rates]
        if "tee" in args.what:
            results["tee"] = bench.tee(args.size, args.repetitions)
        if "memory" in args.what:
            results["memory"] = bench.memory(args.total)
    if args.json:
        Path(args.json).write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["latency", "tee", "memory"], metavar="latency|tee|memory")
    parser.add_argument("--rates", type=int, nargs="+", default=[1, 50, 200], help="MB/s of ordinary output")
    parser.add_argument("--events", type=int, default=100, help="diagnosable lines a rate (default 100, five a second)")
    parser.add_argument("--size", type=size_of, default=1 << 30, help="bytes passed through by --tee (default 1G)")
    parser.add_argument("--repetitions", type=int, default=3, help="rounds of cat and --tee in turn (default 3)")
    parser.add_argument("--total", type=size_of, default=20 << 30, help="bytes for the memory run (default 20G)")
    parser.add_argument("--command", help="the sgltriage to measure (default: beside this Python, or python -m triage)")
    parser.add_argument("--json", metavar="OUT", help="write all numbers to this file")
    return parser.parse_args()


class LiveBench:
    """The measurements. ``folder`` holds the pattern cache, which is warmed first."""

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        self._folder, self._command = folder, command
        self._environment = environment_in(folder)

    def latency(self, rate: int, events: int) -> dict[str, Any]:
        """Seconds from before the write of a telling line to its event, at ``rate`` MB/s of ordinary output."""
        pieces = endless_log(max(1, int(rate * 1e6 * _TICK_S)))
        with self._watching([*self._command, "watch", "--format", "jsonl"]) as process:
            told = _Told(process)
            written, seconds = _paced(process, pieces, rate * 1e6, events, told)
        delays = sorted(at - mark.written for mark in told.marks if (at := mark.told) is not None)
        row = {
            "rate_mb_s": rate,
            "reached_mb_s": written / seconds / 1e6,
            "events": len(delays),
            "missing": events - len(delays),
            "p50_ms": statistics.median(delays) * 1e3 if delays else None,
            "p99_ms": delays[max(0, -(-99 * len(delays) // 100) - 1)] * 1e3 if delays else None,
            "max_ms": delays[-1] * 1e3 if delays else None,
        }
        _print("latency", row)
        return {**row, "each_ms": [(mark.told - mark.written) * 1e3 for mark in told.marks if mark.told is not None]}

    def tee(self, size: int, repetitions: int) -> dict[str, Any]:
        """Bytes a second through ``cat`` and through ``watch --tee``, each between a writer and a reader, in turn."""
        log = self._folder / "tee.log"
        write_log(log, size, "decode")
        commands = {"cat": ["cat"], "watch --tee": [*self._command, "watch", "--tee"]}
        best = dict.fromkeys(commands, 0.0)
        self._through(commands["watch --tee"], log)
        for _ in range(repetitions):
            for name, command in commands.items():
                best[name] = max(best[name], self._through(command, log))
        log.unlink()
        row = {**{f"{name}_mb_s": speed / 1e6 for name, speed in best.items()}}
        row["share_of_cat"] = best["watch --tee"] / best["cat"]
        _print("tee", row)
        return row

    def memory(self, total: int) -> dict[str, Any]:
        """Peak resident memory of a watcher that takes ``total`` bytes of generated output as fast as it can."""
        with self._watching([*self._command, "watch", "--format", "jsonl"]) as process:
            assert process.stdout is not None
            drain = threading.Thread(target=process.stdout.read, daemon=True)
            drain.start()
            began, written, early = time.perf_counter(), 0, 0.0
            for piece in endless_log(_PIECE):
                if written >= total:
                    break
                _write(process, piece)
                written += len(piece)
                if not early and written >= min(total // 10, 1 << 30):
                    early = _peak_mib(process.pid)
            seconds, peak = time.perf_counter() - began, _peak_mib(process.pid)
        row = {"gb": written / 1e9, "mb_s": written / seconds / 1e6, "early_peak_mib": early, "peak_mib": peak}
        _print("memory", row)
        return row

    @contextmanager
    def _watching(self, command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        warmed = subprocess.run(command, env=self._environment, stdin=subprocess.DEVNULL, capture_output=True)
        if warmed.returncode:
            raise SystemExit(f"{' '.join(command)} failed: {warmed.stderr.decode(errors='replace')[-500:]}")
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, env=self._environment, stdin=pipe, stdout=pipe, bufsize=0)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()

    def _through(self, command: Sequence[str], log: Path) -> float:
        """Bytes a second of ``cat log | command | wc -c``, from when the command passes bytes."""
        (their_in, our_out), (our_in, their_out) = os.pipe(), os.pipe()
        middle = subprocess.Popen(
            command, env=self._environment, stdin=their_in, stdout=their_out, stderr=subprocess.DEVNULL
        )
        os.close(their_in)
        os.close(their_out)
        os.write(our_out, b"\n")
        os.read(our_in, 1)
        began = time.perf_counter()
        with subprocess.Popen(["cat", str(log)], stdout=our_out):
            os.close(our_out)
            counted = subprocess.run(["wc", "-c"], stdin=our_in, capture_output=True, check=True)
            seconds = time.perf_counter() - began
        os.close(our_in)
        middle.wait()
        if int(counted.stdout) != log.stat().st_size:
            raise SystemExit(f"{command}: {int(counted.stdout):,} bytes came out of {log.stat().st_size:,}")
        return log.stat().st_size / seconds


@dataclass(slots=True)
class _Mark:
    """A telling line: the state that it leads to, and when it was written and told, on one clock."""

    state: str
    written: float
    told: float | None = None


class _Told:
    """Marks, and when the event of each came; read by a thread."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.marks: list[_Mark] = []
        self.running = threading.Event()
        self.failed = threading.Event()
        self._process = process
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in iter(self._process.stdout.readline, b""):
            now = time.perf_counter()
            event = json.loads(line)
            self.running.set()
            if event["event"] == "diagnosis-appeared":
                self.failed.set()
            if event["event"] == "phase":
                self._tell(event["state"], now)

    def _tell(self, state: str, now: float) -> None:
        """The last mark that leads to ``state`` is told, and with it those before it, which were overtaken."""
        count = len(self.marks)
        last = next((at for at in reversed(range(count)) if self.marks[at].state == state), -1)
        for mark in self.marks[: last + 1]:
            if mark.told is None:
                mark.told = now


def _paced(
    process: subprocess.Popen[bytes], pieces: Iterator[bytes], rate: float, events: int, told: _Told
) -> tuple[int, float]:
    """Write ``pieces`` over and over at ``rate`` bytes a second, a mark every 0.2 s; bytes written, and seconds taken.

    The last line is a failure, so that what comes before it was certainly read once its diagnosis is told.
    """
    _write(process, next(pieces))
    told.running.wait(_PATIENCE_S)
    began = time.perf_counter()
    written = 0
    for piece in pieces:
        now = time.perf_counter()
        mark = b""
        if now - began >= _EVERY_S * (len(told.marks) + 1):
            if len(told.marks) == events:
                break
            state = list(_STEPS)[len(told.marks) % len(_STEPS)]
            told.marks.append(_Mark(state, now))
            mark = b"%s] %s\n" % (piece[: len("[2026-03-01 09:59:59")], _STEPS[state])
        _write(process, mark + piece)
        written += len(piece) + len(mark)
        time.sleep(max(0.0, began + written / rate - time.perf_counter()))
    seconds = time.perf_counter() - began
    _write(process, _FAILURE)
    told.failed.wait(_PATIENCE_S)
    return written, seconds


def _write(process: subprocess.Popen[bytes], data: bytes) -> None:
    assert process.stdin is not None
    while data:
        data = data[process.stdin.write(data) :]


def _print(what: str, row: dict[str, Any]) -> None:
    print(f"{what:<10}" + "  ".join(f"{key} {_shown(value)}" for key, value in row.items()), flush=True)


def _peak_mib(pid: int) -> float:
    """The largest resident memory that the process ever had."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"


if __name__ == "__main__":
    main()
