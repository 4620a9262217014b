"""One run of a server: started, lent the terminal, given the signals that come to us, and waited for."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence
from types import TracebackType

from triage.running.death import Death, death_of
from triage.running.output import ServerOutput
from triage.running.reaping import reap_as_init
from triage.running.server import LogPlan, start_server
from triage.running.signals import SignalRelay
from triage.running.survivors import Survivor, is_stopped, survivors
from triage.running.terminal import LentTerminal

_DEADLY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class RunningServer:
    """A started server, as a context: on leaving it the terminal is ours again, and whatever still runs is let go, not ended.

    To be made on the main thread, which has to ask ``output`` for what comes.

    Raises:
        CannotRun: there is no such program, or the kernel refuses it. OSError: the keeper cannot be started.
    """

    def __init__(self, argv: Sequence[str], *, log: LogPlan | None = None, use_terminal: bool = False) -> None:
        self._signals = SignalRelay()
        self._terminal: LentTerminal | None = None
        try:
            if use_terminal:
                # Where no terminal can be had, a server without colours is better than none.
                with contextlib.suppress(OSError):
                    self._terminal = LentTerminal(self._signals.typed)
            if self._terminal is not None:
                # Before the server can print: its terminal ends lines as ours did until now.
                self._terminal.lend()
            self._server = start_server(argv, log=log, terminal=self._terminal, on_stop=self._stopped)
        except BaseException:
            self._give_back()
            self._signals.end()
            raise
        self._signals.begin(self._act)
        reap_as_init(self._server.keeper)

    def __enter__(self) -> RunningServer:  # noqa: PYI034  (Self is not in Python 3.10)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._give_back()
        self._server.release()

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._server.pid

    @property
    def output(self) -> ServerOutput:
        """What it prints, as a live source."""
        return self._server.output

    @property
    def is_on_our_terminal(self) -> bool:
        """Whether our terminal passes single keys on now: lines that are written to it do not return to its left edge."""
        return self._terminal is not None and self._terminal.is_lent

    def wait(self) -> Death | None:
        """Wait for the end of the server and its output, unwatched; how it ended, None if its keeper was killed before."""
        while not self.output.ended:
            self.output.wait()
            self.output.poll()
        status = self.output.wait_status
        return None if status is None else death_of(status, self._signals.sent)

    def survivors(self) -> list[Survivor]:
        """Processes that still hold the output of the dead server open, or are left in its session."""
        return survivors(self._server.keeper, self._server.outputs) if self.output.is_held_open else []

    def _act(self, number: int) -> None:
        """What a signal that came to us means; on a thread of its own."""
        if number == signal.SIGWINCH:
            if self._terminal is not None:
                self._terminal.resize()
            return
        if self.output.wait_status is not None and number in _DEADLY:
            # The server has gone: whoever wants us to end now does not want to read on.
            self._give_back()
            os._exit(death_of(self.output.wait_status, self._signals.sent).shell_status)
        self._server.send(number)
        if number == signal.SIGCONT and self._terminal is not None:
            self._terminal.lend()

    def _stopped(self, number: int) -> None:
        """The server was stopped, by Ctrl-Z most likely: so are we, and the terminal is the shell's. A SIGSTOP of somebody who
        froze the server alone is none of the shell's business, where there is no terminal to be given back."""
        if number == signal.SIGSTOP and not self.is_on_our_terminal:
            return
        if not is_stopped(self._server.pid):
            # Whoever let it go on meanwhile would not do it once more for us.
            return
        if self._terminal is not None:
            self._terminal.give_back()
        self._signals.stop_ourselves()
        if self._terminal is not None:
            self._terminal.lend()

    def _give_back(self) -> None:
        if self._terminal is not None:
            self._terminal.close()
