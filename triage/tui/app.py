"""The application: screens over one desk, keys that work everywhere, and an end that leaves the terminal as it was."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import signal
from collections.abc import Iterable
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.events import Event, Key
from textual.filter import Monochrome, NoColor
from textual.screen import Screen
from textual.widgets import Input

from triage.model import Place
from triage.reporting.words import count
from triage.tui.desk import Desk
from triage.tui.screens.base import DeskScreen
from triage.tui.widgets.approval import ApprovalRow

_LOOK_S = 0.1
_COLLECT = (2000, 20, 100)
"""Often and little: looking through 50,000 new objects at once, as short runs do, holds up a key for a tenth of a second."""
_FEW_COLOURS = 16
_SCREENS = {
    "triage": ("TriageScreen", "The ranked causes"),
    "log": ("LogScreen", "The whole log"),
    "timeline": ("TimeLineScreen", "What happened when, and how the server worked"),
    "host": ("HostScreen", "Probes and facts"),
    "playbook": ("PlaybookScreen", "How it is put right, step by step"),
    "questions": ("QuestionsScreen", "What only you can know"),
    "summary": ("SummaryScreen", "What was found and done; write it to a file"),
}
"""Module below `triage.tui.screens` -> (class, what it shows): imported when it is first asked for, the first paint waits for none."""
_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class TriageApp(App[int]):
    """The session on a screen. Its result is the number of the signal that ended it, or 0; ``crash`` is the error that did."""

    TITLE = "sgltriage"
    ENABLE_COMMAND_PALETTE = True
    CSS = """
    Screen { layout: vertical; }
    OptionList { background: $background; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "back", "Back"),
        Binding("escape", "back", "Back", show=False),
        Binding("l", "go('log')", "Log"),
        Binding("t", "go('timeline')", "Time"),
        Binding("h", "go('host')", "Host", show=False),
        Binding("a", "go('questions')", "Questions", show=False),
        Binding("p", "go('playbook')", "Playbook", show=False),
        Binding("s", "go('summary')", "Summary", show=False),
        Binding("colon,ctrl+p", "command_palette", "Commands", show=False),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False),
        Binding("ctrl+l", "repaint", "Draw anew", show=False),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.crash: Exception | None = None
        self._desk_screens: dict[str, DeskScreen] = {}
        self._shown_troubles = 0
        self._is_settled = False
        self.animation_level = "none"
        if self.no_color or _few_colours():
            # The terminal's own sixteen colours: whoever chose them can read them.
            self.theme = "ansi-dark"
        if self.no_color:
            # Textual chose its filter before the theme was: that one draws black on black.
            self._filters = [item for item in self._filters if not isinstance(item, Monochrome)] + [NoColor()]

    def on_load(self) -> None:
        """Open the first file: its lines are there for the first paint."""
        if not self.is_headless:
            # What was imported stays, and need not be looked through for garbage.
            gc.freeze()
            gc.set_threshold(*_COLLECT)
            gc.enable()
        self.desk.loading.start()

    def on_mount(self) -> None:
        """Show the first screen, and begin to read then."""
        self.desk.take_news()
        self.push_screen(self._desk_screen("triage"))
        loop = asyncio.get_running_loop()
        if not self.is_headless:
            for number in _ENDING_SIGNALS:
                loop.add_signal_handler(number, self.exit, int(number))
        self.call_after_refresh(self.desk.loading.go_on)
        self.set_interval(_LOOK_S, self.look)

    def on_unmount(self) -> None:
        """Threads end with the application."""
        self.desk.close()

    def look(self) -> None:
        """Take what the reading tells, and let the screen in front draw it."""
        self.desk.take_news()
        if self.desk.error is not None:
            self.crash = self.desk.error
            self.exit(0)
            return
        for text in self.desk.troubles[self._shown_troubles :][:3]:
            self.notify(self.desk.outlet.show(text), severity="warning", timeout=6, markup=False)
        self._shown_troubles = len(self.desk.troubles)
        if self.desk.is_final and not self._is_settled:
            self._is_settled = True
            if not self.is_headless:
                # What was learned stays: it need not be looked through for garbage again.
                gc.freeze()
        # The timer goes on for a moment after the screens were taken apart.
        if self.screen_stack and isinstance(self.screen, DeskScreen):
            self.screen.look()

    async def on_event(self, event: Event) -> None:
        """A key that is bound does its work before the next one is looked at, so that what is typed in one go meets the screen
        and the box that its first keys opened. Widgets that read keys by themselves get theirs first."""
        if isinstance(event, Key) and not event.is_forwarded and self._only_binds:
            bound = self.screen.active_bindings.get(event.key)
            if bound is not None and await self.run_action(bound.binding.action, bound.node):
                return
        await super().on_event(event)

    @property
    def _only_binds(self) -> bool:
        """One of our screens is in front, and whoever has the focus there does not look at keys but by its bindings."""
        if not (self.screen_stack and isinstance(self.screen, DeskScreen)):
            return False
        return not isinstance(self.focused, (Input, ApprovalRow))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where one is already, no key leads."""
        if action == "go" and self.screen_stack:
            return self.screen is not self._desk_screens.get(str(parameters[0]))
        return super().check_action(action, parameters)

    async def action_go(self, name: str) -> None:
        """Another screen; the one that is left stays as it is."""
        wanted = self._desk_screen(name)
        if wanted is self.screen or not isinstance(self.screen, DeskScreen):
            return
        if wanted in self.screen_stack:
            while self.screen is not wanted:
                await self.pop_screen()
        elif self.screen is self._desk_screen("triage"):
            await self.push_screen(wanted)
        else:
            await self.switch_screen(wanted)

    async def action_back(self) -> None:
        """To the first screen; from there, out."""
        if self.screen is self._desk_screen("triage"):
            await self.action_quit()
        else:
            await self.pop_screen()

    async def action_quit(self) -> None:
        """End the program; asked about while a step is carried out, for it ends with us."""
        if not (self.desk.is_fixing and self.desk.fixing.is_working):
            self.exit(0)
            return
        from triage.tui.screens.leaving import LeavingScreen

        if not isinstance(self.screen, LeavingScreen):
            self.push_screen(LeavingScreen(), lambda ends: self.exit(0) if ends else None)

    def action_help(self) -> None:
        """Every key that works here."""
        from triage.tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen([*self.screen.active_bindings.values()]))

    def action_repaint(self) -> None:
        """Draw the whole screen anew, over what other programs left on it."""
        self.refresh(repaint=True, layout=True)

    async def open_log(self, place: Place | None) -> None:
        """The log: at ``place``, or where it stood."""
        from triage.tui.screens.log import LogScreen

        screen = self._desk_screen("log")
        assert isinstance(screen, LogScreen)
        await self.action_go("log")
        if place is not None:
            screen.open_at(place)

    async def show_fix(self, diagnosis: str) -> None:
        """How a diagnosis is put right."""
        if self.desk.session is not None:
            self.desk.fixing.open(self.desk.session, diagnosis)
            await self.action_go("playbook")

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What can be done from here: the other screens, what is open, and what is always there."""
        from triage.tui.screens.log import LogScreen

        for name, (_, about) in _SCREENS.items():
            wanted = self._desk_screen(name)
            if screen is not wanted:
                yield SystemCommand(f"Go: {wanted.TITLE_WORD}", about, lambda name=name: self.action_go(name))
        session = self.desk.session
        if session is not None and session.prompts:
            number = count(len(session.prompts), "question")
            yield SystemCommand("Answer", f"{number} open", lambda: self.action_go("questions"))
        for place, label in enumerate(self.desk.files if len(self.desk.files) > 1 else (), 1):
            shown = self.desk.outlet.show(label)
            # The palette reads its titles as markup: a name that could be some is not shown there.
            title = f"Open file {place}" if "[" in shown else f"Open file {place}: {shown}"
            yield SystemCommand(title, "Its lines", lambda label=label: self._open_file(label))
        if isinstance(screen, LogScreen):
            yield SystemCommand("Wrap lines", "Long lines on several rows, or cut", screen.view.action_wrap)
            yield SystemCommand("Follow", "Stay at the end while lines come", screen.view.action_follow)
            yield SystemCommand("Show all lines", "No filter", lambda: screen.view.filter(None))
        yield SystemCommand("Keys", "Every key that works here", self.action_help)
        yield SystemCommand("Theme", "Other colours", self.action_change_theme)
        yield SystemCommand("Quit", "Leave; asks while a step is carried out", self.action_quit)

    def _desk_screen(self, name: str) -> DeskScreen:
        """The screen of that name: one object as long as the program runs."""
        if name not in self._desk_screens:
            module = importlib.import_module(f"triage.tui.screens.{name}")
            kind: type[DeskScreen] = getattr(module, _SCREENS[name][0])
            self._desk_screens[name] = kind(self.desk)
            # Else Textual takes a screen apart when it is left, and where one stood in it is lost.
            self.install_screen(self._desk_screens[name], name)
        return self._desk_screens[name]

    async def _open_file(self, label: str) -> None:
        await self.open_log(Place(label, 1, 0))

    def _handle_exception(self, error: Exception) -> None:
        """A bug ends the program like any other verb: one line and a report, told by whoever called us. Textual would print a
        traceback with the values of variables, which are secrets and hostile text."""
        if self.is_headless:
            super()._handle_exception(error)
            return
        self.crash = self.crash or error
        self._return_code = 1
        self._close_messages_no_wait()


def _few_colours() -> bool:
    """The terminal says that it has sixteen colours or less."""
    import curses

    try:
        curses.setupterm(os.environ.get("TERM", "dumb"), fd=2)
        return 0 <= curses.tigetnum("colors") <= _FEW_COLOURS
    except (curses.error, TypeError):
        return False
