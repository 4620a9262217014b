"""Commands run and measured: wall time and peak memory, several commands in turn."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Run:
    """One run. ``status`` is the exit status (negative: a signal), ``peak_kib`` the peak resident memory."""

    seconds: float
    peak_kib: int
    status: int
    output: bytes
    errors: bytes


@dataclass(slots=True)
class Series:
    """All runs of one command."""

    runs: list[Run] = field(default_factory=list)

    @property
    def best(self) -> float:
        """The shortest wall time in seconds."""
        return min(run.seconds for run in self.runs)

    @property
    def median(self) -> float:
        """The median wall time in seconds."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def peak_mib(self) -> float:
        """The highest peak memory of all runs in MiB."""
        return max(run.peak_kib for run in self.runs) / 1024


def run_once(argv: Sequence[str], environment: Mapping[str, str], limit_s: float = 600.0) -> Run:
    """Run ``argv`` with pipes for stdout and stderr and wait for it with wait4; it is killed after ``limit_s`` seconds."""
    started = time.perf_counter()
    child = subprocess.Popen(
        argv, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stderr is not None
    timer = threading.Timer(limit_s, child.send_signal, (signal.SIGKILL,))
    timer.start()
    errors: list[bytes] = []
    reader = threading.Thread(target=lambda stream: errors.append(stream.read()), args=(child.stderr,))
    reader.start()
    output = child.stdout.read()
    reader.join()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    timer.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stdout.close()
    child.stderr.close()
    return Run(seconds, usage.ru_maxrss, child.returncode, output, errors[0])


def interleaved(
    commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], repetitions: int
) -> dict[str, Series]:
    """Run every command once, then again, and so on: what the machine does meanwhile hits all of them alike."""
    result = {name: Series() for name in commands}
    for _ in range(repetitions):
        for name, argv in commands.items():
            result[name].runs.append(run_once(argv, environment))
    return result
