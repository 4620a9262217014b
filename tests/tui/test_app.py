"""The story on the screen: from the first look to the summary, at every size, with the keys that are shown."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.events import Key

from tests.tui.sitting import sit
from triage.cells import cells

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tui.conftest import Play, Walk
    from triage.knowledge.compiled import Knowledge

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "fixtures" / "logs"
WAITERS = "eight-ranks-nccl-waiters"
SIZES = [(60, 16), (80, 24), (120, 40), (200, 60)]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the logs under short names: paths must not differ from machine to machine."""
    monkeypatch.chdir(tmp_path)
    for name in (WAITERS, "libcudnn-import", "unknown-plugin-failure", "healthy-torn-lines-progress-bars"):
        shutil.copy(LOGS / name / "server.log", tmp_path / f"{name}.log")
    for name in ("prefill", "decode", "router"):
        shutil.copy(ROOT / "examples" / "pd-direct-to-prefill" / f"{name}.log", tmp_path / f"{name}.log")
    return tmp_path


def still(text: str) -> str:
    """The screen without the time of the day."""
    return re.sub(r"as of \d[\d:]*", "as of hh:mm:ss", text)


def shows(word: str) -> Callable[[str], bool]:
    """Whether a screen shows a word."""
    return lambda text: word in text


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "paths",
    [
        ["prefill.log", "decode.log", "router.log"],
        ["libcudnn-import.log"],
        ["unknown-plugin-failure.log"],
        ["healthy-torn-lines-progress-bars.log"],
    ],
    ids=["PD direct request", "library", "unknown", "healthy"],
)
def test_first_screen(play: Play, paths: list[str], snapshot: SnapshotAssertion) -> None:
    """The first screen names the cause with its evidence, or says honestly that there is none."""

    async def story(walk: Walk) -> None:
        for size in SIZES[1:3]:
            await walk.resize(size)
            assert still(await walk.press("tab", "shift+tab")) == snapshot(name=str(size))

    play(paths, story)


@pytest.mark.usefixtures("here")
def test_screens_of_one_failure(play: Play, snapshot: SnapshotAssertion) -> None:
    """Every screen shows the same failure from its side, at every size; the time line draws throughput and usage of the batches."""

    async def story(walk: Walk) -> None:
        for size in SIZES:
            assert still(await walk.resize(size)) == snapshot(name=f"first {size}")
            assert still(await walk.press("question_mark")) == snapshot(name=f"help {size}")
            assert still(await walk.press("escape", "l", "g", "e")) == snapshot(name=f"log {size}")
            assert still(await walk.press("q", "h", "g")) == snapshot(name=f"host {size}")
            await walk.press("q", "t")
            # Plots are left out where there is hardly room for the events.
            drawn = await walk.until(shows("throughput" if size[1] >= 20 else "FIRST"))
            assert still(drawn) == snapshot(name=f"time line {size}")
            await walk.press("q")

    play([f"{WAITERS}.log"], story)


def test_a_playbook_at_every_size(knowledge: Knowledge, here: Path, snapshot: SnapshotAssertion) -> None:
    """Steps, values and keys are in sight; what a step means on this machine is not compared, but it is there."""

    async def story(walk: Walk) -> None:
        await walk.press("f")
        await walk.until(lambda text: "router_port = 8000" in text)
        for size in SIZES:
            text = still(await walk.resize(size))
            shown, _, steps = text.partition("\n 1. ")
            assert shown == snapshot(name=str(size))
            assert bool(steps) == (size[1] >= 40)
            assert text.split("\n")[-1].split() == ["v", "Value", "q", "Back", "l", "Log", "t", "Time", "?", "Help"]

    logs = ["prefill.log", "decode.log", "router.log"]
    sit(knowledge, logs, story, environment={"HOME": str(here)}, read_only=True)


@pytest.mark.usefixtures("here")
def test_every_screen_at_every_size(play: Play) -> None:
    """No screen fails or draws beyond its edges, however small or large the terminal; from 60 columns on each shows what is known,
    the way back and the way to help."""

    async def story(walk: Walk) -> None:
        for size in (SIZES[0], (20, 5), SIZES[-1]):
            await walk.resize(size)
            for key in ("l", "t", "h", "a", "s", "p"):
                text = await walk.press(key)
                rows = text.split("\n")
                assert len(rows) == size[1]
                assert all(cells(row) <= size[0] for row in rows), text
                if size[0] >= 60:
                    assert "confirmed: 99%" in rows[0], text
                    assert "q Back" in rows[-1], text
                    assert rows[-1].endswith("? Help"), text
            await walk.press("q")

    play([f"{WAITERS}.log"], story)


@pytest.mark.usefixtures("here")
def test_enter_opens_the_log_at_the_evidence(play: Play) -> None:
    """From the diagnosis Enter leads to the line on which it rests, and q back."""

    async def story(walk: Walk) -> None:
        await walk.press("enter")
        text = await walk.until(lambda text: "line 139 of 164" in text)
        assert re.search(r">F +139 +torch.OutOfMemoryError", text)
        assert "gpu-oom-runtime: the allocator failed" in text
        assert (await walk.press("q")).startswith(" Triage")

    play([f"{WAITERS}.log"], story, (120, 40))


@pytest.mark.usefixtures("here")
def test_evidence_of_several_files(play: Play) -> None:
    """e walks through the evidence of the selected cause, whichever file it stands in."""

    async def story(walk: Walk) -> None:
        text = await walk.press("e")
        assert re.search(r">\S? +\d+ ", text)
        for _ in range(5):
            await walk.press("e")

    play(["prefill.log", "decode.log", "router.log"], story)


@pytest.mark.usefixtures("here")
def test_search_and_filter(play: Play) -> None:
    """Search goes to the hit, a filter hides the rest, escape shows all again; keys typed ahead are not lost."""

    async def story(walk: Walk) -> None:
        await walk.press("l", "slash")
        await walk.type("Watchdog caught")
        await walk.until(lambda text: "line 141 of 164" in text)
        await walk.press("n")
        await walk.until(lambda text: "line 142 of 164" in text)
        await walk.press("N")
        await walk.until(lambda text: "line 141 of 164" in text)
        await walk.press("f")
        await walk.type("rank:rank6 watchdog")
        text = await walk.until(lambda text: "only rank:RANK6 watchdog: " in text)
        lines = [line for line in text.split("\n") if re.match(r"[> ]\S? +\d+ ", line)]
        assert lines
        assert all("rank6" in line for line in lines)
        text = await walk.press("escape")
        assert "[Rank 0] Watchdog" in text
        await walk.press("slash")
        await walk.type("no such text")
        await walk.until(lambda text: "not found" in text)

    play([f"{WAITERS}.log"], story, (120, 40))


@pytest.mark.usefixtures("here")
def test_typed_ahead(play: Play) -> None:
    """What is typed in one go goes where its first keys led, and a screen that was left is as it was."""

    async def story(walk: Walk) -> None:
        await walk.type("l:100")
        await walk.until(lambda text: "line 100 of 164" in text)
        await walk.type("qtqlj/Watchdog caught")
        await walk.until(lambda text: "line 141 of 164" in text)
        # Were the fix or the log only asked for, q would leave the program.
        await walk.type("qfqlqta")
        await walk.until(lambda text: text.startswith(" Questions"))
        await walk.type("h")
        await walk.until(lambda text: text.startswith(" Host"))
        await walk.press("q")
        for key in ("enter", "q", "t", "enter", "q", "s", "q"):
            walk.app.post_message(Key(key, "\r" if key == "enter" else key))
        await walk.until(lambda text: text.startswith(" Triage"))

    play([f"{WAITERS}.log"], story)


@pytest.mark.usefixtures("here")
def test_line_by_number(play: Play) -> None:
    """A number leads to that line, one that is too large to the last, and what is no number is refused."""

    async def story(walk: Walk) -> None:
        await walk.press("l", "colon")
        await walk.type("100")
        await walk.until(lambda text: "line 100 of 164" in text)
        await walk.press("colon")
        await walk.type("99999")
        await walk.until(lambda text: "line 164 of 164" in text)
        await walk.press("colon")
        await walk.type("1x")
        await walk.until(lambda text: "not a line number" in text)
        assert "line 1 of 164" in await walk.press("g")

    play([f"{WAITERS}.log"], story)


@pytest.mark.usefixtures("here")
def test_wrap(play: Play) -> None:
    """Wrapped lines go on below, and the cursor's line stays in sight while it moves."""

    async def story(walk: Walk) -> None:
        await walk.type("lw:120")
        await walk.until(lambda text: "line 120 of 164" in text)
        for key in "jjjjkk":
            text = await walk.press(key)
            assert re.search(r"^>", text, re.MULTILINE), text
        assert "line 122 of 164" in text
        assert re.search(r"^ {10,}\S", text, re.MULTILINE), text

    play([f"{WAITERS}.log"], story)


@pytest.mark.usefixtures("here")
def test_question(play: Play) -> None:
    """An open question shows what its answers would move, and an answer moves it."""

    async def story(walk: Walk) -> None:
        session = walk.desk.session
        assert session is not None
        text = await walk.press("a")
        if not session.prompts:
            assert "no question is open" in text
            return
        assert "Question 1 of" in text
        await walk.press("enter")
        assert walk.desk.session is not None
        assert len(walk.desk.session.state.answers) == 1

    play(["libcudnn-import.log"], story)


@pytest.mark.usefixtures("here")
def test_summary_is_written_once(play: Play, here: Path) -> None:
    """The summary goes to a file that only we can read, and never over another one."""

    async def story(walk: Walk) -> None:
        assert "Triage" in await walk.press("s")
        await walk.press("w", "ctrl+u")
        await walk.type("out.md")
        await walk.until(lambda _: (here / "out.md").exists())
        first = (here / "out.md").read_text()
        assert "gpu-oom-runtime" in first
        assert (here / "out.md").stat().st_mode & 0o077 == 0
        (here / "out.md").write_text("mine")
        await walk.press("w", "ctrl+u")
        await walk.type("out.md")
        await walk.until(lambda _: any("already" in note.message for note in walk.app._notifications))
        assert (here / "out.md").read_text() == "mine"

    play([f"{WAITERS}.log"], story, (120, 40))


@pytest.mark.usefixtures("here")
def test_palette(play: Play) -> None:
    """The palette offers what can be done from here, and does it."""

    async def story(walk: Walk) -> None:
        await walk.press("ctrl+p")
        await walk.until(lambda text: "Go: Time line" in text)
        await walk.press(*"go:log".replace(":", ""))
        await walk.until(lambda text: "Go: Log" in text and "Go: Time line" not in text)
        await walk.press("enter")
        await walk.until(lambda text: text.startswith(" Log"))

    play([f"{WAITERS}.log"], story)


def test_unreadable(play: Play, here: Path) -> None:
    """A file that cannot be read is told, and the others are read."""

    async def story(walk: Walk) -> None:
        assert any("absent.log" in text for text in walk.desk.troubles)
        assert walk.desk.report is not None

    play(["absent.log", f"{WAITERS}.log"], story)


def test_packed(play: Play, here: Path) -> None:
    """The lines of a packed file can be looked at, under the numbers that the diagnosis names."""
    import gzip

    packed = here / "packed.log.gz"
    packed.write_bytes(gzip.compress((here / f"{WAITERS}.log").read_bytes()))

    async def story(walk: Walk) -> None:
        await walk.press("enter")
        text = await walk.until(lambda text: "line 139 of 164" in text)
        assert re.search(r">F +139 +torch.OutOfMemoryError", text)

    play(["packed.log.gz"], story, (120, 40))
