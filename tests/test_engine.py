"""The parts joined: several inputs, what cannot be read, an operator who ends it, and what the head of a report says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from triage.engine import Gate, Interrupted, load, scan_inputs, scan_text
from triage.knowledge.compiled import Knowledge
from triage.model import Verdict
from triage.reading.inputs import open_inputs
from triage.reading.source import Source

LOGS = Path(__file__).resolve().parent.parent / "fixtures" / "logs"
CUDNN = b"ImportError: libcudnn.so.9: cannot open shared object file: No such file or directory\n"
ARGS = "[2026-03-01 10:00:0{}] server_args=ServerArgs(model_path='/models/m', tp_size=1, disaggregation_mode='{}')\n"
ROOM = "[2026-03-01 10:01:00] AssertionError: bootstrap_room should not be None\n"


@pytest.fixture(name="knowledge", scope="module")
def knowledge_fixture() -> Knowledge:
    """The bundled knowledge."""
    return load(environment=dict(os.environ))


def scan_files(folder: Path, files: dict[str, bytes], knowledge: Knowledge, order: tuple[str, ...]) -> list[str]:
    """Write the files, scan them in that order, and name the diagnoses."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    paths = [str(folder / name) for name in order]
    return [item.id for item in scan_inputs(open_inputs(paths, stdin=None), knowledge).report.diagnoses]


@pytest.mark.parametrize("order", [("prefill.log", "decode.log"), ("decode.log", "prefill.log")])
@pytest.mark.parametrize("mode", ["prefill", "decode"])
def test_prefill_and_decode_together(tmp_path: Path, knowledge: Knowledge, mode: str, order: tuple[str, str]) -> None:
    """Each line is judged by the mode of the server that printed it, whichever file is named first."""
    files = {f"{name}.log": ARGS.format(1, name).encode() for name in ("prefill", "decode")}
    files[f"{mode}.log"] += ROOM.encode()
    assert scan_files(tmp_path, files, knowledge, order) == [f"pd-direct-request-{mode}"]


@pytest.mark.parametrize("order", [("prefill", "decode"), ("decode", "prefill")])
@pytest.mark.parametrize("mode", ["prefill", "decode"])
def test_prefill_and_decode_in_one_compose_log(knowledge: Knowledge, mode: str, order: tuple[str, str]) -> None:
    """Two servers in one stream, told apart by the container's name: the mode is that of the one which printed the line."""
    text = "".join(f"{name}-1  | {ARGS.format(number, name)}" for number, name in enumerate(order))
    text += f"{mode}-1  | {ROOM}"
    found = [item.id for item in scan_text(text.encode(), knowledge).diagnoses]
    assert found[:1] == [f"pd-direct-request-{mode}"]


def test_eight_rank_files_count_once(tmp_path: Path, knowledge: Knowledge) -> None:
    """The same failure in eight files is one diagnosis, as sure as that of one file, with all lines counted."""
    (one,) = scan_text(CUDNN, knowledge).diagnoses
    paths = []
    for rank in range(8):
        path = tmp_path / f"rank{rank}.log"
        path.write_bytes(b"rank %d\n" % rank + CUDNN)
        paths.append(str(path))
    (many,) = scan_inputs(open_inputs(paths, stdin=None), knowledge).report.diagnoses
    assert (many.id, many.confidence) == (one.id, one.confidence)
    assert max(entry.count for entry in many.ledger) == 8


def test_what_cannot_be_read_is_told(tmp_path: Path, knowledge: Knowledge) -> None:
    """One missing file does not keep the others from being read."""
    (tmp_path / "server.log").write_bytes(CUDNN)
    inputs = open_inputs([str(tmp_path / "gone.log"), str(tmp_path / "server.log")], stdin=None)
    result = scan_inputs(inputs, knowledge)
    assert [error.path for error in result.unreadable] == [str(tmp_path / "gone.log")]
    assert result.report.diagnoses[0].id == "libcudnn-missing"


def test_without_leaves_out(tmp_path: Path, knowledge: Knowledge) -> None:
    """A signature that is left out explains nothing: its line stays an unexplained error."""
    path = tmp_path / "server.log"
    path.write_bytes(CUDNN)
    without = frozenset(knowledge.base.ids())
    report = scan_inputs(open_inputs([str(path)], stdin=None), knowledge, without=without).report
    assert (report.verdict, report.diagnoses, report.unexplained_count) == (Verdict.UNKNOWN, (), 1)


def test_nothing_is_unknown(knowledge: Knowledge) -> None:
    """An empty log shows no failure, and no server that is well."""
    report = scan_text(b"", knowledge)
    assert (report.verdict, report.diagnoses, report.observation.inputs[0].lines) == (Verdict.UNKNOWN, (), 0)


def test_operator_ends_the_reading(tmp_path: Path, knowledge: Knowledge) -> None:
    """What was read so far is reported, as cut short."""
    paths = [tmp_path / "one.log", tmp_path / "two.log"]
    for path in paths:
        path.write_bytes(CUDNN)
    gate = Gate()
    heard: list[tuple[str, int]] = []

    def hear(label: str, count: int) -> None:
        heard.append((label, count))
        gate.break_off()

    result = scan_inputs(open_inputs([str(path) for path in paths], stdin=None), knowledge, on_bytes=hear, gate=gate)
    assert result.interrupted
    assert heard == [(str(paths[0]), len(CUDNN))]
    assert [(item.path, item.truncated) for item in result.report.observation.inputs] == [(str(paths[0]), True)]
    assert result.report.diagnoses[0].id == "libcudnn-missing"


def test_gate_does_not_interrupt_at_rest(tmp_path: Path) -> None:
    """Between reads the operator's wish is only noted; the next read raises instead of reading."""
    (tmp_path / "server.log").write_bytes(CUDNN)
    (source,) = open_inputs([str(tmp_path / "server.log")], stdin=None)
    assert isinstance(source, Source)
    gate = Gate()
    gate.break_off()
    with source, pytest.raises(Interrupted):
        gate.read(source, memoryview(bytearray(10)))


@pytest.mark.parametrize("name", sorted(path.parent.name for path in LOGS.glob("*/server.log")))
def test_first_time_is_not_after_the_last(name: str, knowledge: Knowledge) -> None:
    """The span in the head of a report goes by the clock, not by the spelling, where lines spell time differently."""
    observation = scan_text((LOGS / name / "server.log").read_bytes(), knowledge).observation
    seen = [error.place for error in observation.errors]
    seen += [hit.place for finding in observation.findings for hit in finding.hits]
    lines: dict[str, int] = {}
    for place in seen:
        if place.time:
            lines[place.time] = min(place.line, lines.get(place.time, place.line))
    first, last = lines.get(observation.first_time or ""), lines.get(observation.last_time or "")
    if first is not None and last is not None:
        assert first <= last, (observation.first_time, observation.last_time)
