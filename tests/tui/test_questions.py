"""Questions on the screen: what each answer would move, what it moved, and what is skipped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.tui.conftest import Walk
from tests.tui.sitting import sit
from triage.knowledge.compiled import Knowledge

GLOO = (
    "[2026-03-01 10:00:00 TP8] Init torch distributed begin.\n"
    "[rank8]: RuntimeError: Gloo connectFullMesh failed with [../third_party/gloo/gloo/transport/tcp/pair.cc:144] "
    "no error (timed out after 30000ms)\n"
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the log."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    (tmp_path / "server.log").write_text(GLOO)
    return tmp_path


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
def test_answers_move_what_they_promised(
    knowledge: Knowledge, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    """The preview of an answer is what the answer does; then no question is open."""

    async def story(walk: Walk) -> None:
        text = await walk.press("a")
        assert re.sub(r"as of \d\d:\d\d:\d\d", "as of hh:mm:ss", text) == snapshot
        session = walk.desk.session
        assert session is not None
        promised = session.previews(session.prompts[0])[0].moves
        await walk.press("enter")
        text = await walk.until(lambda text: "That moved" in text)
        assert walk.desk.session is not None
        assert walk.desk.session.state.actions[-1].moves == promised
        assert promised

    sit(knowledge, ["server.log"], story, environment={}, size=size)


def test_a_question_is_skipped(knowledge: Knowledge) -> None:
    """It is not asked again, nothing moves, and the session says so."""

    async def story(walk: Walk) -> None:
        before = walk.desk.report
        text = await walk.press("a")
        assert "Question 1 of" in text
        assert walk.desk.session is not None
        open_before = len(walk.desk.session.prompts)
        await walk.press("x")
        assert len(walk.desk.session.prompts) == open_before - 1
        assert walk.desk.report == before
        assert walk.desk.session.state.actions[-1].kind == "skip"

    sit(knowledge, ["server.log"], story, environment={})
