"""Draws the picture of the screens that the README shows: ``python -m tools.make_screenshot`` writes ``docs/screenshot.svg``.

The program itself is run, without a terminal, on the logs of an example. What changes from run to run (the time of the day, names
that the drawing library numbers) is put to fixed values.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from pathlib import Path

from triage.engine import load
from triage.tui.app import TriageApp
from triage.tui.desk import Desk
from triage.tui.loading import Loading

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "screenshot.svg"
EXAMPLE = ROOT / "examples" / "gpu-oom-kv-pool"
SIZE = (120, 36)
_LIMIT_S = 120.0
_CLOCK = re.compile(r"(?<=as&#160;of&#160;)\d\d:\d\d:\d\d")
_NUMBERED = re.compile(r"terminal-\d+-")
_REMOTE_FONTS = re.compile(r"\s*@font-face \{.*?\}\n", re.DOTALL)


def draw() -> str:
    """The SVG of the first screen on the example."""
    before = Path.cwd()
    # Short names of files, wherever the checkout lies.
    os.chdir(EXAMPLE)
    try:
        picture = asyncio.run(_picture(sorted(path.name for path in EXAMPLE.glob("*.log"))))
    finally:
        os.chdir(before)
    # A picture must not make whoever looks at it ask other machines for fonts.
    picture = _REMOTE_FONTS.sub("", picture)
    return _NUMBERED.sub("terminal-", _CLOCK.sub("10:15:00", picture))


def words_of(picture: str) -> list[str]:
    """The texts of an SVG, in order: what must be current, whichever release of the library drew it."""
    return [text.replace("&#160;", " ").strip() for text in re.findall(r"<text[^>]*>(.*?)</text>", picture, re.DOTALL)]


async def _picture(paths: list[str]) -> str:
    knowledge = load()
    desk = Desk(Loading(paths, lambda: (knowledge, frozenset())))
    app = TriageApp(desk)
    async with app.run_test(size=SIZE) as pilot:
        limit = time.monotonic() + _LIMIT_S
        while not desk.is_final or desk.background.is_busy:
            if time.monotonic() > limit:
                raise TimeoutError("the example was not read in time")
            await pilot.pause(0.01)
        app.look()
        await pilot.pause()
        return app.export_screenshot(title="sgltriage tui")


if __name__ == "__main__":
    # The look of the picture must not depend on who draws it.
    os.environ.pop("NO_COLOR", None)
    os.environ["TERM"] = "xterm-256color"
    PICTURE.write_text(draw(), encoding="utf-8")
