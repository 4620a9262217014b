"""What the tests of the screens share: the application without a terminal, and the text that it draws."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.events import Key
from textual.pilot import Pilot

from tests.cli.test_fix_packages import environment, template, wheels
from triage.knowledge.compiled import Knowledge
from triage.tui.app import TriageApp
from triage.tui.desk import Desk
from triage.tui.loading import Loading

__all__ = ["environment", "template", "wheels"]  # one environment for all tests of this folder: making it takes seconds

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "fixtures" / "logs"
_NAMES = {":": "colon", "/": "slash", " ": "space", ".": "full_stop", "_": "underscore", "-": "minus"}


def screen_text(app: TriageApp) -> str:
    """The screen as a grid of characters."""
    strips = app.screen._compositor.render_strips(app.size)
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


class Walk:
    """Somebody at the keys."""

    def __init__(self, app: TriageApp, pilot: Pilot[int]) -> None:
        self.app, self.desk, self._pilot = app, app.desk, pilot

    async def press(self, *keys: str) -> str:
        """Press keys one after the other; what is on the screen then."""
        await self._pilot.press(*keys)
        await self._pilot.pause()
        return screen_text(self.app)

    async def type(self, text: str) -> str:
        """Type a text and Enter, in one go, as terminals send what was typed ahead."""
        for letter in text:
            self.app.post_message(Key(_NAMES.get(letter, letter), letter))
        self.app.post_message(Key("enter", "\r"))
        await self._pilot.pause()
        return screen_text(self.app)

    async def resize(self, size: tuple[int, int]) -> str:
        """Another size of the terminal; what is on the screen then."""
        await self._pilot.resize_terminal(*size)
        await self._pilot.pause()
        self.app.look()
        await self._pilot.pause()
        return screen_text(self.app)

    async def until(self, holds: Callable[[str], object]) -> str:
        """Wait until the screen shows what is wanted."""
        limit = time.monotonic() + 60
        while True:
            self.app.look()
            await self._pilot.pause()
            text = screen_text(self.app)
            if holds(text):
                return text
            assert self.desk.error is None, self.desk.error
            assert time.monotonic() < limit, text
            await asyncio.sleep(0.01)


Story = Callable[[Walk], Awaitable[None]]
Play = Callable[..., None]


@pytest.fixture
def play(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> Play:
    """``play(paths, story, size=(80, 24))``: the story, from the first report on."""
    # Textual looks at them when an application is made: tests draw alike wherever they run.
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")

    def run(paths: list[str], story: Story, size: tuple[int, int] = (80, 24)) -> None:
        async def main() -> None:
            desk = Desk(Loading(paths, lambda: (knowledge, frozenset())))
            app = TriageApp(desk)
            async with app.run_test(size=size) as pilot:
                walk = Walk(app, pilot)
                await walk.until(lambda _: desk.is_final and not desk.background.is_busy)
                await story(walk)

        asyncio.run(main())

    return run


@pytest.fixture
def drawn_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, one of the test's own; screens draw alike wherever tests run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    return tmp_path
