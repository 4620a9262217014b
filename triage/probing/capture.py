"""Carries out a probe's reads: child processes, files and looks, each within its time, with its output capped."""

from __future__ import annotations

import glob
import os
import queue
import shutil
import threading
import time
from collections.abc import Mapping

from triage.child import run_child
from triage.probing.probe import Command, File, Look, Read, Transcript

MAX_TEXT = 1 << 20
"""Bytes kept of one read; the rest is read and dropped, so that no child waits for us."""
_MAX_FILES = 400
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/cuda/bin:/usr/local/nvidia/bin:/opt/rocm/bin"


def capture(read: Read, environment: Mapping[str, str]) -> Transcript:
    """The transcript of one read, not yet redacted. Never raises for what a host lacks or refuses."""
    began = time.monotonic()
    if isinstance(read, Command):
        found = _run(read, environment)
    elif isinstance(read, File):
        found = _read_files(read)
    else:
        found = _look(read)
    label, status, text, code, reason = found
    return Transcript(label, status, text, code, reason, round(time.monotonic() - began, 3))


_Found = tuple[str, str, str, "int | None", str]


def _run(read: Command, environment: Mapping[str, str]) -> _Found:
    path = os.pathsep.join(filter(None, (environment.get("PATH", ""), _PATH)))
    program = shutil.which(read.argv[0], path=path)
    if program is None:
        return read.label, "absent", "", None, f"no command {read.argv[0]}"
    # Plain English output, and no pager or colour: parsers know one wording.
    child_environment = {**environment, "PATH": path, "LC_ALL": "C", "LANG": "C", "NO_COLOR": "1", "PAGER": "cat"}
    try:
        printed = run_child((program, *read.argv[1:]), child_environment, read.timeout_s, MAX_TEXT, tail=read.tail)
    except OSError as error:
        return read.label, _status_of(error), "", None, str(error.strerror or error)
    if printed.exit_code is None:
        return read.label, "timed-out", _text(printed.output), None, f"took more than {read.timeout_s:g} s"
    return read.label, "ok", _text(printed.output), printed.exit_code, ""


def _read_files(read: File) -> _Found:
    several = glob.has_magic(read.pattern)
    # Path.glob wants a folder to start from; the pattern is a whole path.
    paths = sorted(glob.glob(read.pattern))[:_MAX_FILES] if several else [read.pattern]  # noqa: PTH207
    if not paths:
        return read.label, "absent", "", None, f"no file {read.pattern}"
    parts: list[str] = []
    problem: OSError | None = None
    for path in paths:
        try:
            # Not to wait for a writer, should a named pipe stand in its place.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            with open(descriptor, "rb") as stream:
                # A pipe whose writer is silent has nothing, not even an end.
                text = _text(stream.read(MAX_TEXT) or b"")
        except OSError as error:
            problem = error
            continue
        parts.append(f"==> {path} <==\n{text.rstrip()}\n" if several else text)
    if not parts and problem is not None:
        return read.label, _status_of(problem), "", None, str(problem.strerror or problem)
    return read.label, "ok", "".join(parts)[:MAX_TEXT], None, ""


def _look(read: Look) -> _Found:
    answers: queue.SimpleQueue[str | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(read.function())
        except Exception as error:  # noqa: BLE001  (a look that fails is an outcome, whatever went wrong)
            answers.put(error)

    # A daemon: a look that hangs on a dead file system must not keep the process from ending.
    threading.Thread(target=ask, name="look", daemon=True).start()
    try:
        answer = answers.get(timeout=read.timeout_s)
    except queue.Empty:
        return read.label, "timed-out", "", None, f"took more than {read.timeout_s:g} s"
    if isinstance(answer, OSError):
        return read.label, _status_of(answer), "", None, str(answer.strerror or answer)
    if isinstance(answer, Exception):
        return read.label, "failed", "", None, f"{type(answer).__name__}: {answer}"[:200]
    return read.label, "ok", answer[:MAX_TEXT], None, ""


def _text(output: bytes) -> str:
    return output[:MAX_TEXT].decode("utf-8", "replace").replace("\0", "\n")


def _status_of(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "denied"
    return "absent" if isinstance(error, (FileNotFoundError, NotADirectoryError)) else "failed"
