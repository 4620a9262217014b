"""What the tests of sessions share: sessions on fixtures, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from triage.engine import observe_text, scan_inputs
from triage.knowledge.compiled import Knowledge
from triage.probing.snapshot import Snapshot, from_json
from triage.reading.inputs import open_inputs
from triage.session.session import Session

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 1, 12, 0, 0, 999, timezone.utc)


def clock() -> datetime:
    """A time that stands still."""
    return NOW


Begin = Callable[..., Session]


@pytest.fixture
def begin(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """A session on files of the checkout (named as from its root), or on a text."""
    monkeypatch.chdir(ROOT)

    def start(*paths: str, text: bytes | None = None) -> Session:
        if text is not None:
            return Session.begin(observe_text(text, knowledge, "server.log"), knowledge, now=clock)
        report = scan_inputs(open_inputs(paths, stdin=None), knowledge).report
        return Session.begin(report.observation, knowledge, now=clock)

    return start


@pytest.fixture
def host() -> Callable[[str], Snapshot]:
    """A recorded host by its name in fixtures/hosts."""
    return lambda name: from_json((ROOT / "fixtures" / "hosts" / f"{name}.json").read_text(encoding="utf-8"))
