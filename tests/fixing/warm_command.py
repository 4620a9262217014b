"""The command without its start: a process that has imported everything forks for each call, so that what runs is a process of
its own, with its own environment, folder and streams, which can be killed and stopped, after milliseconds instead of half a second."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
_KEEPER = """
import contextlib, importlib, json, os, pkgutil, sys, traceback
import triage
# Beforehand only to be fast: what cannot be imported fails in the call that needs it.
for module in pkgutil.walk_packages(triage.__path__, "triage.", onerror=lambda name: None):
    if not module.name.startswith("triage.tui") and not module.name.endswith("__main__"):
        with contextlib.suppress(Exception):
            importlib.import_module(module.name)
from triage.cli.main import run

def become(call):
    for number, name in enumerate(call["streams"]):
        stream = os.open(name, os.O_RDWR)
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(call["folder"])
    os.environ.clear()
    os.environ.update(call["environment"])
    sys.argv[:] = ["sgltriage", *call["words"]]
    exec(call["prelude"], {})
    run()

calls, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
for line in calls:
    pid = os.fork()
    if not pid:
        try:
            become(json.loads(line))
        except BaseException:
            traceback.print_exc()
        os._exit(70)
    status = os.waitpid(pid, os.WUNTRACED)[1]
    if os.WIFSTOPPED(status):
        print(json.dumps({"stopped": pid}), file=answers, flush=True)
        status = os.waitpid(pid, 0)[1]
    print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), file=answers, flush=True)
"""


class WarmCommand:
    """``sgltriage``, ready to run many times. ``cache`` is where Python keeps compiled modules; closed, it ends."""

    def __init__(self, cache: Path) -> None:
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "PYTHONPYCACHEPREFIX": str(cache / "bytecode"),
        }  # fmt: skip
        self._keeper = subprocess.Popen(
            [sys.executable, "-c", _KEEPER], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(
        self,
        words: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        stdin: bytes = b"",
        prelude: str = "",
        on_stop: Callable[[int], object] = lambda pid: os.kill(pid, signal.SIGCONT),
    ) -> subprocess.CompletedProcess[bytes]:
        """One call, to its end. ``prelude`` is Python that its process runs first; ``on_stop`` gets its number if it is stopped."""
        with tempfile.TemporaryDirectory() as place:
            streams = [Path(place, name) for name in ("in", "out", "err")]
            for stream in streams:
                stream.write_bytes(stdin if stream.name == "in" else b"")
            call = {
                "words": list(words), "folder": str(folder), "environment": dict(environment), "prelude": prelude,
                "streams": [str(stream) for stream in streams],
            }  # fmt: skip
            told = self._ask(json.dumps(call))
            if "stopped" in told:
                on_stop(told["stopped"])
                told = self._ask("")
            return subprocess.CompletedProcess(
                list(words), told["status"], streams[1].read_bytes(), streams[2].read_bytes()
            )

    def _ask(self, line: str) -> dict[str, int]:
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        if line:
            self._keeper.stdin.write(line + "\n")
            self._keeper.stdin.flush()
        found: dict[str, int] = json.loads(self._keeper.stdout.readline())
        return found

    def close(self) -> None:
        """Let the process end."""
        self._keeper.communicate(timeout=60)
