"""The host on the screen: probes asked for real, what they said, and the record of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tui.conftest import Walk
from tests.tui.sitting import notices, sit
from triage.knowledge.compiled import Knowledge
from triage.probing.snapshot import from_json

SYMBOL = "ImportError: /usr/local/lib/python3.12/dist-packages/sgl_kernel/sm100/common_ops.abi3.so: undefined symbol: _ZN3c104cuda29c10_cuda_check_implementationEiPKcS2_ib\n"


@pytest.fixture(autouse=True)
def here(drawn_alike: Path) -> Path:
    """A folder with the log."""
    (drawn_alike / "server.log").write_text(SYMBOL)
    return drawn_alike


def test_probes_are_asked_one_by_one_and_all(knowledge: Knowledge, here: Path) -> None:
    """Enter asks the probe under the cursor, r all that matter; facts and actions follow; the record is a snapshot, once."""

    async def story(walk: Walk) -> None:
        text = await walk.press("h")
        assert re.search(r"\* not-run +\S+", text), "what diagnoses wait for comes first"
        assert walk.desk.session is not None
        assert walk.desk.session.state.host is None
        await walk.press("w")
        assert "nothing to record" in notices(walk)
        await walk.press("g", "enter")
        await walk.until(lambda _: walk.desk.session is not None and walk.desk.session.state.host is not None)
        first = walk.desk.session
        assert first is not None
        assert first.state.host is not None
        assert len(first.state.host.transcripts) == 1
        await walk.press("r")
        text = await walk.until(lambda text: not walk.desk.asking.is_busy and "That moved" in text)
        session = walk.desk.session
        assert session.state.host is not None
        assert len(session.state.host.transcripts) > 3
        assert [item.kind for item in session.state.actions] == ["probe", "probe"]
        assert "python-packages" in text
        await walk.press("w", "ctrl+u")
        await walk.type("host.json")
        await walk.until(lambda _: (here / "host.json").exists())
        await walk.press("w", "ctrl+u")
        await walk.type("host.json")
        await walk.until(lambda _: "is there already" in notices(walk))
        # Again, while its answer is known already.
        await walk.press("g", "enter")
        await walk.until(lambda _: len(walk.desk.session.state.actions) == 3 if walk.desk.session else False)

    sit(knowledge, ["server.log"], story, environment={"HOME": str(here), "PATH": "/usr/bin:/bin"})
    snapshot = from_json((here / "host.json").read_text(encoding="utf-8"))
    assert "python-packages" in snapshot.transcripts
    assert snapshot.recorded
    assert (here / "host.json").stat().st_mode & 0o777 == 0o600


def test_read_only_asks_nothing(knowledge: Knowledge, here: Path) -> None:
    """The keys say why, and no probe runs."""

    async def story(walk: Walk) -> None:
        await walk.press("h", "enter", "r")
        assert "this session is read-only" in notices(walk)
        assert not walk.desk.asking.is_busy
        assert walk.desk.session is not None
        assert walk.desk.session.state.actions == ()

    sit(knowledge, ["server.log"], story, environment={}, read_only=True)


def test_a_recorded_host_at_both_sizes(knowledge: Knowledge, here: Path) -> None:
    """Every outcome is there with its reason, at the smallest size as well."""

    async def story(walk: Walk) -> None:
        text = await walk.press("h")
        assert "ok " in text
        seen = set()
        for _ in range(8):
            seen.update(re.findall(r"^[* ] (\S+) +[a-z]", await walk.press("j"), re.MULTILINE))
        assert {"ok", "not-applicable"} & seen
        for line in (await walk.press("G")).split("\n"):
            assert len(line) <= walk.app.size.width

    for size in ((60, 16), (120, 40)):
        sit(knowledge, ["server.log"], story, environment={}, host="torch-twice", size=size)
