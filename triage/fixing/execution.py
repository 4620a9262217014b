"""Carries out one command of a step: in its own session, within its time, its output made safe line by line."""

from __future__ import annotations

import contextlib
import os
import queue
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from triage.fixing.running_command import Executed as Executed  # the alias says that it is exported
from triage.fixing.running_command import NotStartedError as NotStartedError
from triage.fixing.running_command import RunningCommand, started
from triage.fixing.step_output import StepOutput
from triage.safety.redact import Redactor
from triage.safety.visible import Safe

_GRACE_S = 5.0
_LOOK_S = 0.1
"""How long output is waited for before it is asked whether the command is to be ended."""


class Onlooker(Protocol):
    """Who sees what a command prints, and may have it ended."""

    def output(self, line: str) -> None:
        """A line that the command printed, redacted and visible."""

    def stop(self) -> bool:
        """Ctrl-C was typed: is the command to be ended?"""

    def wants_end(self) -> bool:
        """Asked some ten times a second, for those whom no Ctrl-C reaches: is the command to be ended?"""


class InterruptedStepError(KeyboardInterrupt):
    """The operator broke off, and the command was ended; ``executed`` says what became of it."""

    def __init__(self, executed: Executed) -> None:
        super().__init__("interrupted")
        self.executed = executed


class OutputError(Exception):
    """``on_output`` failed (its cause says how). The command went on to its end nevertheless; ``executed`` says to which."""

    def __init__(self, executed: Executed) -> None:
        super().__init__("the output of the step could not be shown")
        self.executed = executed


def execute(
    argv: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    timeout_s: float,
    on_output: Callable[[str], None],
    use_pty: bool,
    stop: Callable[[], bool],
    wants_end: Callable[[], bool] | None = None,
    redactor: Redactor | None = None,
    grace_s: float = _GRACE_S,
) -> Executed:
    """Run a command whose program is an absolute path, with ``environment`` and nothing else, and wait for its end.

    Standard input is empty; standard output and error are one pipe or, with ``use_pty``, a terminal of 80x24 that nothing is
    ever typed into. ``on_output`` gets whole lines, without their ends; a progress bar's are lines of their own. However slow
    it is, the command does not wait for it. When the time is over the whole process group gets SIGTERM and, ``grace_s`` later, SIGKILL.
    Processes that left the group live on; once the command itself has ended, their output is not waited for.

    Ctrl-C does not reach the command: ``stop`` is asked, and only if it says so (or is interrupted itself) the command is ended
    as if its time were over. A further Ctrl-C then kills it at once. ``wants_end`` is that of an `Onlooker`.

    Raises:
        NotStartedError: there is no such program or folder, or it may not be run.
        InterruptedStepError: ended because of ``stop`` or ``wants_end``.
        OutputError: ``on_output`` raised something.
        ValueError: the program is not an absolute path.
    """
    if not argv or not os.path.isabs(argv[0]):  # noqa: PTH117  (text, as it stands)
        raise ValueError("the program must be an absolute path")
    redactor = redactor or Redactor()
    child = RunningCommand(started(argv, cwd, environment, use_pty), timeout_s, grace_s)
    display = _Display(on_output, StepOutput(redactor))
    try:
        interrupted = _follow(child, display, stop, wants_end or (lambda: False))
    except BaseException:
        # Somebody unwinds us: what nobody watches any more must not go on.
        child.kill()
        raise
    executed = child.executed(redactor)
    if interrupted:
        raise InterruptedStepError(executed)
    if display.failure is not None:
        raise OutputError(executed) from display.failure
    return executed


def _follow(child: RunningCommand, display: _Display, stop: Callable[[], bool], wants_end: Callable[[], bool]) -> bool:
    """Show output until the command has ended; True if the operator had it ended."""
    interrupted = False
    child.start()
    while True:
        try:
            if not display.show_next(child):
                return interrupted
            if not interrupted and wants_end():
                interrupted = True
                child.end()
        except KeyboardInterrupt:
            if interrupted:
                child.kill()
            elif _wants_to(stop):
                interrupted = True
                child.end()


def _wants_to(stop: Callable[[], bool]) -> bool:
    try:
        return stop()
    except KeyboardInterrupt:
        return True


class _Display:
    """Hands lines to ``on_output`` until it fails."""

    def __init__(self, on_output: Callable[[str], None], output: StepOutput) -> None:
        self.failure: Exception | None = None
        self._on_output = on_output
        self._output = output
        self._lines: list[Safe] = []
        self._over = False

    def show_next(self, child: RunningCommand) -> bool:
        """Show a line, or wait a while for output to come; False when all has been shown and the command has ended."""
        if self._lines:
            line = self._lines.pop()
            if self.failure is None:
                try:
                    self._on_output(line)
                except Exception as error:  # noqa: BLE001  (a broken screen must not break the step that is under way)
                    self.failure = error
            return True
        if self._over:
            return False
        over = not child.is_alive()
        with contextlib.suppress(queue.Empty):
            self._lines = self._output.feed(child.chunks.get(block=not over, timeout=_LOOK_S))[::-1]
            return True
        if over:
            self._over = True
            # A line that was cut at the limit may hold half a secret, which looks like none.
            self._lines = [] if child.unshown else self._output.close()[::-1]
        return True
