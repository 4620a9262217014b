"""What the stories share: a desk with everything that the command gives it, and somebody at the keys."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from tests.tui.conftest import Walk
from triage.knowledge.compiled import Knowledge
from triage.probing.snapshot import from_json
from triage.session.bench import Bench
from triage.session.keeper import Keeper
from triage.session.session_file import load_session
from triage.tui.app import TriageApp
from triage.tui.desk import Desk
from triage.tui.loading import Loading
from triage.tui.saved import SavedLoading
from triage.tui.terms import Terms

ROOT = Path(__file__).resolve().parents[2]
Story = Callable[[Walk], Awaitable[None]]


def sit(
    knowledge: Knowledge,
    paths: Sequence[str],
    story: Story,
    *,
    environment: Mapping[str, str],
    size: tuple[int, int] = (110, 36),
    host: str = "",
    session: Path | None = None,
    python: Path | None = None,
    read_only: bool = False,
) -> Desk:
    """Play the story on ``paths`` (or on the session of a file, if it is there), from the first report to its end; the desk as
    it was left. ``host``: the name of a recorded one."""
    snapshot = ROOT / "fixtures" / "hosts" / f"{host}.json"
    recorded = from_json(snapshot.read_text(encoding="utf-8")) if host else None
    bench = Bench(environment, python, read_only=read_only)
    terms = Terms(bench, Keeper(session), recorded, snapshot.name if host else "")
    is_saved = session is not None and session.exists()

    async def main() -> Desk:
        loading: Loading | SavedLoading = Loading([*paths], lambda: (knowledge, frozenset()))
        if is_saved:
            assert session is not None
            loading = SavedLoading(lambda: load_session(session, knowledge))
        desk = Desk(loading, terms)
        app = TriageApp(desk)
        async with app.run_test(size=size) as pilot:
            walk = Walk(app, pilot)
            await walk.until(lambda _: desk.is_final and desk.session is not None and not desk.background.is_busy)
            await story(walk)
        return desk

    return asyncio.run(main())


def notices(walk: Walk) -> str:
    """What was said in passing."""
    return "\n".join(note.message for note in walk.app._notifications)
