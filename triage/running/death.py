"""How a server ended: its exit status in words, and what that alone can and cannot tell."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

from triage.records import dataclass

SHELL_SIGNAL = 128
"""A shell adds this to the number of the signal that ended a command."""
_LIMITS = {signal.SIGXCPU: (resource.RLIMIT_CPU, "-t"), signal.SIGXFSZ: (resource.RLIMIT_FSIZE, "-f")}
_ASKED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_SENT_BY_SHELLS = "the status that a shell or a container gives a command which was ended by"


@dataclass(frozen=True, slots=True)
class Death:
    """The end of a server. ``signal``: what ended it, 0 if it exited by itself with ``status``; ``passed_on``: how often that
    very signal came to us and was passed on to it."""

    status: int
    signal: int = 0
    dumped_core: bool = False
    passed_on: int = 0

    @property
    def shell_status(self) -> int:
        """The exit status that a shell would tell: 128 and the signal, or its own."""
        return SHELL_SIGNAL + self.signal if self.signal else self.status

    @property
    def was_asked_for(self) -> bool:
        """It ended well, or by a signal that came to us to end it."""
        return self.shell_status == 0 or bool(self.passed_on)


def death_of(wait_status: int, sent: dict[int, int]) -> Death:
    """Read ``wait_status`` as waitpid gives it. ``sent``: how often each signal was passed on to the server."""
    if not os.WIFSIGNALED(wait_status):
        status = os.WEXITSTATUS(wait_status)
        # A server that handles a signal may end with the status that the signal would have given.
        asked = sum(sent.get(number, 0) for number in _ASKED if status in (0, SHELL_SIGNAL + number))
        return Death(status, passed_on=asked)
    number = os.WTERMSIG(wait_status)
    return Death(SHELL_SIGNAL + number, number, os.WCOREDUMP(wait_status), sent.get(number, 0))


def reason(death: Death) -> list[str]:
    """One or more plain lines: how it ended, and what of that is known for certain."""
    if not death.signal:
        return [_exited(death.status)]
    lines = [f"ended by signal {death.signal} ({_name(death.signal)})" + _who(death)]
    if death.signal in _LIMITS:
        limit, flag = _LIMITS[signal.Signals(death.signal)]
        soft, _ = resource.getrlimit(limit)
        if soft != resource.RLIM_INFINITY:
            lines.append(f"a limit was reached: ulimit {flag} is {soft}")
    lines += _core(death)
    return lines


def shell_words(death: Death) -> str:
    """What a shell would print of a server that ended by a fault of its own; empty where the signal tells of no fault, for
    who sent a SIGKILL is not known."""
    faults = (signal.SIGILL, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV, signal.SIGABRT)
    if death.signal not in faults:
        return ""
    words = signal.strsignal(death.signal) or _name(death.signal)
    return words + (" (core dumped)" if death.dumped_core else "") + "\n"


def _exited(status: int) -> str:
    number = status - SHELL_SIGNAL
    known = {item.value for item in signal.Signals}
    if number in known:
        return f"exit status {status}, {_SENT_BY_SHELLS} signal {number} ({_name(number)})"
    return f"exit status {status}"


def _who(death: Death) -> str:
    if death.passed_on:
        return ", which came to sgltriage and was passed on"
    if death.signal == signal.SIGKILL:
        return "; a signal does not tell who sent it"
    return ""


def _core(death: Death) -> list[str]:
    if death.dumped_core:
        return [f"a core was dumped (core_pattern: {_core_pattern()})"]
    faults = (signal.SIGILL, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT)
    if death.signal in faults and resource.getrlimit(resource.RLIMIT_CORE)[0] == 0:
        return ["no core was dumped: ulimit -c is 0"]
    return []


def _core_pattern() -> str:
    try:
        return Path("/proc/sys/kernel/core_pattern").read_text("utf-8", "replace").strip()
    except OSError:
        return "unknown"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"
