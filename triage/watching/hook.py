"""Runs a command of the operator's when a diagnosis appears or is over."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from triage.child import Printed, run_child
from triage.records import dataclass
from triage.safety.redact import Redactor
from triage.watching.background import Background, Closing
from triage.watching.events import whole_percent

if TYPE_CHECKING:
    from triage.watching.alert_gate import AlertGate
    from triage.watching.background import Delivery
    from triage.watching.fan_out import Notes
    from triage.watching.listener import Told
    from triage.watching.live_state import LiveState
    from triage.watching.session import Ended

_OUTPUT_MOST = 8 << 10
_LINES_SHOWN = 5
_LINE_MOST = 400
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Command:
    """What is run: ``argv`` with the absolute path of the program first, in ``cwd`` with ``environment`` and within
    ``timeout_s`` seconds."""

    argv: tuple[str, ...]
    cwd: str
    environment: tuple[tuple[str, str], ...]
    timeout_s: float


class Hook:
    """One command, run for each alert that ``gate`` lets through, one at a time and in a thread of its own.

    Nothing of an event enters its argv. ``encode``'s text, a line of JSON, is its standard input; the environment has besides
    ``SGLTRIAGE_EVENT``, ``SGLTRIAGE_ID``, ``SGLTRIAGE_SEVERITY`` and ``SGLTRIAGE_CONFIDENCE`` (whole percent), all of them
    words of ours that hold no text of a log. What it prints, and how it failed, is noted. ``encode`` is called in that thread.
    """

    def __init__(
        self, command: Command, gate: AlertGate, encode: Callable[[Told], str], delivery: Delivery, notes: Notes
    ) -> None:
        self._command, self._encode, self._notes = command, encode, notes
        self._name = os.path.basename(command.argv[0])  # noqa: PTH119  (text, as it stands)
        self._redactor = Redactor()
        self._background = Background(gate, self._run, delivery, notes)

    def tell(self, told: Told) -> None:
        """Run it, if the event is worth it."""
        self._background.offer(told)

    def tick(self, state: LiveState) -> None:
        """Nothing: hooks are for what changes."""

    def close(self, ended: Ended) -> None:
        """What waits is run, all together within the time that one run may take."""
        self._background.finish(self._command.timeout_s)

    def _run(self, told: Told, closing: Closing) -> bool:
        command = self._command
        body = self._encode(told).encode("utf-8", "surrogateescape") + b"\n"
        seconds = min(command.timeout_s, closing.left_s())
        try:
            printed = run_child(
                command.argv, dict(command.environment) | variables(told), seconds, _OUTPUT_MOST + 1,
                stdin=body, cwd=command.cwd,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            self._note(f"could not be started: {error}")
            return False
        for line in self._shown(printed):
            self._note(line)
        if printed.exit_code is None:
            self._note(f"took more than {seconds:.3g} s and was ended")
        elif printed.exit_code:
            self._note(_how(printed.exit_code))
        return printed.exit_code == 0

    def _note(self, text: str) -> None:
        self._notes.add("hook", f"{self._name}: {text}")

    def _shown(self, printed: Printed) -> Sequence[str]:
        """The first lines of what it printed. Secrets are replaced before it is cut: half of one looks like none."""
        text = printed.output.decode("utf-8", "surrogateescape")
        is_cut = len(printed.output) > _OUTPUT_MOST
        lines = [line.rstrip() for line in self._redactor.redact(text).split("\n")]
        if is_cut and len(lines) > 1:
            lines.pop()
        lines = [line for line in lines if line]
        shown = [line[:_LINE_MOST] + ("..." if len(line) > _LINE_MOST else "") for line in lines[:_LINES_SHOWN]]
        if is_cut or len(lines) > _LINES_SHOWN:
            shown.append("... and more, which is not shown")
        return shown


def variables(told: Told) -> dict[str, str]:
    """What a hook's environment says of an event; nothing that is not made of plain letters and digits."""
    event = told.event
    found = {"SGLTRIAGE_EVENT": event.kind.value, "SGLTRIAGE_ID": event.id, "SGLTRIAGE_SEVERITY": event.severity}
    if event.confidence is not None:
        found["SGLTRIAGE_CONFIDENCE"] = str(whole_percent(event.confidence))
    return {name: value for name, value in found.items() if _IDENTIFIER.fullmatch(value)}


def _how(status: int) -> str:
    return f"ended with exit status {status}" if status > 0 else f"ended by signal {-status}"
