"""Six failures from the first look to the summary, each in one sitting."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.tui.conftest import Walk
from tests.tui.sitting import ROOT, notices, sit
from triage.knowledge.compiled import Knowledge

SYMBOL = "ImportError: /usr/local/lib/python3.12/dist-packages/sgl_kernel/sm100/common_ops.abi3.so: undefined symbol: _ZN3c104cuda29c10_cuda_check_implementationEiPKcS2_ib\n"


pytestmark = pytest.mark.usefixtures("drawn_alike")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Journals lie in the folder of the test."""
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def put(folder: Path, name: str) -> list[str]:
    """Copies of logs of the checkout; their names."""
    source = ROOT / name
    logs = [source] if source.is_file() else sorted(source.glob("*.log"))
    return [Path(shutil.copy(path, folder / path.name)).name for path in logs]


async def summary_of(walk: Walk, file: Path) -> str:
    """Write the summary, and read it."""
    await walk.press("s", "w", "ctrl+u")
    await walk.type(file.name)
    await walk.until(lambda _: file.exists())
    await walk.press("q")
    return file.read_text(encoding="utf-8")


def test_direct_request(knowledge: Knowledge, drawn_alike: Path, environment: dict[str, str]) -> None:
    """A request that went straight to the prefill server: cause, evidence, time line over three files, the playbook's words."""

    async def story(walk: Walk) -> None:
        text = await walk.until(lambda text: "pd-direct-request-prefill" in text)
        assert "E " in text
        assert "For" in text
        text = await walk.press("enter")
        assert text.startswith(" Log")
        await walk.until(lambda text: "bootstrap_room" in text and "pd-direct-request-prefill: " in text)
        await walk.press("q", "t", "end")
        await walk.until(lambda text: "FIRST" in text)
        await walk.press("q", "f")
        text = await walk.until(lambda text: "send-requests-to-router" in text)
        assert text.startswith(" Playbook")
        text = await walk.until(lambda text: "for     pd-direct-request-prefill" in text)
        assert "nothing is run: this session is read-only" in text
        assert "r Run" not in text
        await walk.press("q")
        summary = await summary_of(walk, drawn_alike / "s.md")
        assert summary.startswith("## Triage\n")
        assert "pd-direct-request-prefill" in summary

    paths = put(drawn_alike, "examples/pd-direct-to-prefill")
    sit(knowledge, paths, story, environment=environment, read_only=True)


def test_undefined_symbol(knowledge: Knowledge, drawn_alike: Path, environment: dict[str, str]) -> None:
    """The log alone leaves it open; the recorded host decides, names its facts, and is not mixed with this one."""
    (drawn_alike / "server.log").write_text(SYMBOL)
    open_ended: list[float] = []

    async def alone(walk: Walk) -> None:
        text = await walk.until(lambda text: "probe " in text)
        assert walk.desk.report is not None
        open_ended.append(walk.desk.report.diagnoses[0].confidence)
        assert "Next" in text

    async def decided(walk: Walk) -> None:
        report = walk.desk.report
        assert report is not None
        assert report.diagnoses[0].id == "torch-duplicate-install"
        assert report.diagnoses[0].confidence > max(0.6, open_ended[0])
        await walk.until(lambda text: "torch-duplicate-install" in text)
        text = await walk.press("h")
        assert re.search(r"\* ok +python-packages", text), text
        for _ in range(60):
            if "python-packages  ok" in text:
                break
            text = await walk.press("j")
        assert re.search(r"^ +\S*torch\S* = ", text[text.index("python-packages  ok") :], re.MULTILINE), text
        await walk.press("enter")
        assert "this one is not mixed in" in notices(walk)
        await walk.press("q", "f")
        await walk.until(lambda text: "need not be this one" in text)
        await walk.press("q")
        summary = await summary_of(walk, drawn_alike / "s.md")
        assert "weighed `recorded host torch-twice.json`" in summary

    sit(knowledge, ["server.log"], alone, environment=environment, read_only=True)
    sit(knowledge, ["server.log"], decided, environment=environment, host="torch-twice")


def test_out_of_memory(knowledge: Knowledge, drawn_alike: Path, environment: dict[str, str]) -> None:
    """The plan computes the new fraction and shows its sum; a value that the operator gives takes its place."""

    async def story(walk: Walk) -> None:
        await walk.until(lambda text: "gpu-oom-kv-pool" in text)
        await walk.press("f")
        text = await walk.until(lambda text: "value   fraction = 0.92" in text)
        assert re.search(r"\d\.\d+ (?:GB|GiB)|= 0\.92", text), text
        await walk.press("v")
        await walk.type("fraction=0.91")
        await walk.until(lambda text: "value   fraction = 0.91" in text)
        await walk.press("v")
        await walk.type("fraction=much")
        await walk.until(lambda text: "much" in text)
        await walk.press("q")
        assert "gpu-oom-kv-pool" in await summary_of(walk, drawn_alike / "s.md")

    sit(
        knowledge,
        put(drawn_alike, "examples/gpu-oom-kv-pool"),
        story,
        environment=environment,
        read_only=True,
        size=(110, 50),
    )


def test_waiters(knowledge: Knowledge, drawn_alike: Path, environment: dict[str, str]) -> None:
    """Seven ranks wait for one: the first failure stands on its rank, and the waiters are its consequence."""

    async def story(walk: Walk) -> None:
        text = await walk.until(lambda text: "gpu-oom-runtime" in text)
        assert "└ so: " in text
        await walk.press("t")
        text = await walk.until(lambda text: "FIRST" in text)
        line = next(line for line in text.split("\n") if " FIRST " in line)
        assert "gpu-oom-runtime" in line
        await walk.press("q", "e")
        assert "gpu-oom-runtime" in await summary_of(walk, drawn_alike / "s.md")

    paths = put(drawn_alike, "fixtures/logs/eight-ranks-nccl-waiters")
    sit(knowledge, paths, story, environment=environment, read_only=True)


def test_unknown(knowledge: Knowledge, drawn_alike: Path, environment: dict[str, str]) -> None:
    """Nothing explains it: the lines are shown, no fix is offered, and the summary says so."""

    async def story(walk: Walk) -> None:
        text = await walk.until(lambda text: "unexplained" in text)
        assert "unknown" in text.split("\n", maxsplit=1)[0]
        assert "no signature accounts for" in text
        text = await walk.press("f")
        assert text.startswith(" Triage")
        text = await walk.press("p")
        assert "no diagnosis was chosen" in text
        await walk.press("q", "enter")
        await walk.until(lambda text: text.startswith(" Log") and "unexplained" in text)
        await walk.press("q")
        assert "Unexplained" in await summary_of(walk, drawn_alike / "s.md")

    paths = put(drawn_alike, "fixtures/logs/unknown-plugin-failure")
    sit(knowledge, paths, story, environment=environment, read_only=True)


def test_healthy(knowledge: Knowledge, drawn_alike: Path, environment: dict[str, str]) -> None:
    """A healthy log is called so on every screen, and nothing is offered."""

    async def story(walk: Walk) -> None:
        assert walk.desk.report is not None
        assert not walk.desk.report.diagnoses
        text = await walk.press("e")
        assert "no known problem" in text
        assert "no question is open" in await walk.press("a")
        await walk.press("q", "t")
        await walk.until(lambda text: "server is ready" in text)
        await walk.press("q")
        assert "no known problem" in (await summary_of(walk, drawn_alike / "s.md")).lower()

    paths = put(drawn_alike, "fixtures/logs/healthy-torn-lines-progress-bars")
    sit(knowledge, paths, story, environment=environment, read_only=True)


def test_session_is_kept_and_gone_on_with(knowledge: Knowledge, drawn_alike: Path, environment: dict[str, str]) -> None:
    """What was answered is in the file at once; without the log the same diagnoses come back; elsewhere it is only read."""
    gloo = "[rank8]: RuntimeError: Gloo connectFullMesh failed with [../third_party/gloo/gloo/transport/tcp/pair.cc:144] no error (timed out after 30000ms)\n"
    (drawn_alike / "server.log").write_text(f"[2026-03-01 10:00:00 TP8] Init torch distributed begin.\n{gloo}")
    file = drawn_alike / "kept.json"
    ranks: list[tuple[str, float]] = []

    def ranking(walk: Walk) -> list[tuple[str, float]]:
        assert walk.desk.report is not None
        return [(item.id, round(item.confidence, 6)) for item in walk.desk.report.diagnoses]

    async def first(walk: Walk) -> None:
        await walk.until(lambda _: file.exists())
        text = await walk.press("a")
        assert "Question 1 of" in text
        await walk.press("enter")
        await walk.until(lambda _: walk.desk.session is not None and len(walk.desk.session.state.answers) == 1)
        ranks.extend(ranking(walk))

    async def again(walk: Walk) -> None:
        assert walk.desk.session is not None
        assert ranking(walk) == ranks
        assert len(walk.desk.session.state.answers) == 1
        assert "is not there as it was read" in "\n".join(walk.desk.troubles)
        await walk.press("l", "q")

    async def elsewhere(walk: Walk) -> None:
        assert ranking(walk) == ranks
        text = await walk.until(lambda text: "recorded elsewhere" in text)
        assert text.startswith(" Triage")
        await walk.press("h", "enter")
        assert "not mixed in" in notices(walk)
        await walk.press("q", "a")
        await walk.press("q", "s")

    sit(knowledge, ["server.log"], first, environment=environment, session=file)
    assert file.stat().st_mode & 0o777 == 0o600
    (drawn_alike / "server.log").unlink()
    desk = sit(knowledge, [], again, environment=environment, session=file)
    assert desk.last_words == ""
    record = json.loads(file.read_text())
    record["machine"]["mark"] = "elsewhere"
    file.write_text(json.dumps(record))
    before = file.read_bytes()
    sit(knowledge, [], elsewhere, environment=environment, session=file)
    assert file.read_bytes() == before


def test_what_would_be_lost_is_said(knowledge: Knowledge, drawn_alike: Path, environment: dict[str, str]) -> None:
    """Without a file, a session in which something was done says so at its end; one that was only read does not."""
    (drawn_alike / "server.log").write_text(SYMBOL)

    async def nothing(walk: Walk) -> None:
        await walk.press("l", "q")

    async def skipped(walk: Walk) -> None:
        session = walk.desk.session
        assert session is not None
        walk.desk.change(session.note("something"))

    assert sit(knowledge, ["server.log"], nothing, environment=environment).last_words == ""
    assert "--session FILE" in sit(knowledge, ["server.log"], skipped, environment=environment).last_words


def test_names_are_no_markup(knowledge: Knowledge, drawn_alike: Path, environment: dict[str, str]) -> None:
    """Not even in the palette, which reads its titles as markup."""
    names = ["[@click=app.exit]a[/].log", "[bold red]b.log"]
    for name in names:
        (drawn_alike / name.replace("/", "_")).write_text(SYMBOL)

    async def story(walk: Walk) -> None:
        await walk.press("ctrl+p")
        text = await walk.until(lambda text: "Open file 2" in text)
        assert "b.log" not in text.partition("Open file 1")[2]
        await walk.press("escape", "l")
        await walk.until(lambda text: "[@click=app.exit]a[_].log" in text)

    paths = [name.replace("/", "_") for name in names]
    sit(knowledge, paths, story, environment=environment, read_only=True, size=(110, 50))
