"""Questions on the screen: what each answer would move, what it moved, and what is skipped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.tui.conftest import Walk
from tests.tui.sitting import sit
from triage.knowledge.compiled import Knowledge
from triage.session.questions import Prompt

GLOO = (
    "[2026-03-01 10:00:00 TP8] Init torch distributed begin.\n"
    "[rank8]: RuntimeError: Gloo connectFullMesh failed with [../third_party/gloo/gloo/transport/tcp/pair.cc:144] "
    "no error (timed out after 30000ms)\n"
)


@pytest.fixture(autouse=True)
def here(drawn_alike: Path) -> Path:
    """A folder with the log."""
    (drawn_alike / "server.log").write_text(GLOO)
    return drawn_alike


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


def test_any_value_shows_what_it_would_move(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every value is an answer, what is typed is weighed while it is typed, and taken with Enter; letters are no keys."""
    # No bundled question takes any value: this one is put as if it did.
    monkeypatch.setattr(Prompt, "choices", ())

    async def story(walk: Walk) -> None:
        assert "enter Answer" in await walk.press("a")
        assert "neither yes nor no" in await walk.press("x")
        assert walk.desk.session is not None
        before = walk.desk.session
        promised = before.preview(before.prompts[0], "yes").moves
        text = await walk.press("backspace", "y")
        assert "That would give:" in text
        assert promised[0].id in text
        assert text.split("\n")[-1].split() == ["enter", "Answer", "^g", "Skip", "esc", "Back"]
        assert "That would give:" not in await walk.press("backspace")
        assert walk.desk.session is before
        await walk.press("y", "enter")
        assert [fact.value for fact in walk.desk.session.state.answers] == [True]
        assert walk.desk.session.state.actions[-1].moves == promised
        assert promised[0].id in await walk.until(lambda text: "That moved:" in text)

    sit(knowledge, ["server.log"], story, environment={})


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
