"""Session files: the same session again, the same diagnoses elsewhere, no secret in them, and damage told in one line."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.session.conftest import NOW, Begin, clock
from triage.knowledge.compiled import Knowledge
from triage.probing.snapshot import Snapshot
from triage.reporting.outlet import Outlet
from triage.reporting.render import render
from triage.safety.redact import Redactor
from triage.session import session_file
from triage.session.schema import session_schema
from triage.session.session import Session
from triage.session.session_file import SessionFileError, load_session, save_session, session_of_record, session_record
from triage.session.state import CheckNote, RunNote

SCHEMA = Path(session_file.__file__).with_name("session.schema.json")
SECRET = (
    b"$ python3 -m sglang.launch_server --model-path /models/m --api-key sk-very-secret-0123456789 --port 30000\n"
    b"[2026-03-01 10:00:00] server_args=ServerArgs(model_path='/models/m', port=30000, api_key='sk-very-secret-0123456789', tp_size=2)\n"
    b"ValueError: nobody knows a call with api_key='sk-very-secret-0123456789'\n"
)
SYMBOL = (
    b"[2026-03-01 10:00:00] server_args=ServerArgs(model_path='/models/m', port=30000, tp_size=2)\n"
    b"ImportError: /usr/local/lib/python3.12/dist-packages/sgl_kernel/sm100/common_ops.abi3.so: undefined symbol: _ZN3c104cuda29c10_cuda_check_implementationEiPKcS2_ib\n"
)
FIXTURES = (
    "examples/pd-direct-to-prefill", "examples/gpu-oom-kv-pool", "fixtures/logs/eight-ranks-nccl-waiters",
    "fixtures/logs/two-nodes-late-clock", "fixtures/logs/unknown-plugin-failure", "fixtures/logs/crash-then-restart-serves",
    "fixtures/logs/healthy-torn-lines-progress-bars",
)  # fmt: skip


def as_json(session: Session) -> str:
    """The report as ``scan --format json`` prints it."""
    return "".join(render(session.report, "json", Outlet(Redactor(b"salt"))))


def elsewhere(path: Path, knowledge: Knowledge) -> Session:
    """The file's session as another machine opens it."""
    record = json.loads(path.read_text())
    record["machine"]["mark"] = "0" * 32
    return session_of_record(record, knowledge)


@pytest.fixture
def saved(begin: Begin, host: Callable[[str], Snapshot], tmp_path: Path) -> Path:
    """A session with something of everything."""
    whole = host("torch-twice")
    part = replace(whole, transcripts={name: whole.transcripts[name] for name in ("os", "python-packages")})
    session = begin(text=SYMBOL).with_host(part, "host.json").session
    run = RunNote("t", "r", "d", "p", "fixed", (("a", "done"),), (CheckNote("c", None, "p"),))
    save_session(session.record_run(run), tmp_path / "s.json")
    return tmp_path / "s.json"


@pytest.mark.parametrize("log", FIXTURES)
def test_the_same_report_here_and_elsewhere(begin: Begin, knowledge: Knowledge, tmp_path: Path, log: str) -> None:
    """Byte for byte, without the log: weighed again on the machine that made it, as it was recorded on another."""
    session = begin(log)
    save_session(session, tmp_path / "s.json")
    own = load_session(tmp_path / "s.json", knowledge, now=clock)
    other = elsewhere(tmp_path / "s.json", knowledge)
    assert (own.is_frozen, other.is_frozen) == (False, True)
    assert as_json(own) == as_json(session) == as_json(other)
    assert own.time_line == other.time_line == session.time_line


def test_host_answers_and_runs_come_along(begin: Begin, saved: Path, knowledge: Knowledge) -> None:
    """What was learned and done is there again, and the diagnoses with it; a second round changes nothing."""
    own, other = load_session(saved, knowledge, now=clock), elsewhere(saved, knowledge)
    assert own.report.diagnoses[0].id == other.report.diagnoses[0].id == "torch-duplicate-install"
    assert as_json(own) == as_json(other)
    assert own.state == other.state
    assert [action.kind for action in own.state.actions] == ["host", "fix"]
    again = saved.with_name("again.json")
    save_session(own, again)
    assert load_session(again, knowledge).state == own.state


def test_an_answer_comes_along(begin: Begin, knowledge: Knowledge, tmp_path: Path) -> None:
    """And can be followed by more on the same machine."""
    log = b"[rank8]: RuntimeError: Gloo connectFullMesh failed with [../third_party/gloo/gloo/transport/tcp/pair.cc:144] no error (timed out after 30000ms)\n"
    session = begin(text=log).answer("network.firewall_between_nodes", "yes").session
    save_session(session, tmp_path / "s.json")
    for found in (load_session(tmp_path / "s.json", knowledge), elsewhere(tmp_path / "s.json", knowledge)):
        assert as_json(found) == as_json(session)
        assert found.report.diagnoses[0].id == "firewall-between-nodes"


def test_elsewhere_other_knowledge_changes_nothing(saved: Path, knowledge: Knowledge) -> None:
    """A file keeps its report: here no signature is known at all."""
    empty = Knowledge(knowledge.base.without(frozenset(knowledge.base.ids())), knowledge.database)
    assert as_json(elsewhere(saved, empty)) == as_json(elsewhere(saved, knowledge))


def test_no_secret_is_written(begin: Begin, knowledge: Knowledge, tmp_path: Path) -> None:
    """Neither in texts nor in facts nor in the launch command; how many were replaced is told; all else is as before."""
    session = begin(text=SECRET)
    counts = save_session(session, tmp_path / "s.json", Redactor(b"salt"))
    text = (tmp_path / "s.json").read_text()
    assert "very-secret" not in text
    assert sum(counts.values()) >= 1
    assert json.loads(text)["redacted"] == counts
    own, other = load_session(tmp_path / "s.json", knowledge), elsewhere(tmp_path / "s.json", knowledge)
    found, before = json.loads(as_json(other)), json.loads(as_json(session))
    assert sum(before.pop("redacted").values()) >= 1
    assert found.pop("redacted") == {}, "what is a token already is not replaced again"
    assert found == before
    assert json.loads(as_json(own))["diagnoses"] == before["diagnoses"]


def test_the_file_is_ours_alone_and_replaced_in_one_step(begin: Begin, tmp_path: Path) -> None:
    """Mode 0600 whatever stood there; nothing else is left in the folder."""
    path = tmp_path / "s.json"
    path.write_text("old")
    path.chmod(0o644)
    save_session(begin(text=b"x\n"), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert json.loads(path.read_text())["saved"] == NOW.replace(microsecond=0).isoformat()


def test_a_disk_that_refuses_is_told(begin: Begin, tmp_path: Path) -> None:
    """One line with the path; what stood there stays."""
    with pytest.raises(SessionFileError, match=r"nowhere/s\.json: cannot be written: No such file or directory"):
        save_session(begin(text=b"x\n"), tmp_path / "nowhere" / "s.json")


def test_the_schema_is_that_of_the_types_and_holds(saved: Path) -> None:
    """The published file is current, is a schema, and describes what is written."""
    schema = json.loads(SCHEMA.read_text())
    assert schema == session_schema(), (
        "python -c 'import json; from triage.session.schema import session_schema as s; print(json.dumps(s(), indent=2))' > triage/session/session.schema.json"
    )
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(saved.read_text()))
    broken = json.loads(saved.read_text())
    broken["state"]["actions"][0]["kind"] = 7
    assert not Draft202012Validator(schema).is_valid(broken)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", ":1:1: this is no JSON: Expecting value"),
        (b"{\n  oops", ":2:3: this is no JSON: "),
        (b"[]", ": this is no session: not an object"),
        (b"{}", ": kind: this is not a session"),
        (b'{"kind": "session", "schema_version": 9}', ": schema_version: 9 is not 1"),
        (b'{"kind": "session", "schema_version": 1}', ": state: an object is missing"),
        (b'{"kind": "session", "schema_version": 1, "state": {}}', ": state: 'observation' is missing"),
        (b'{"a": "\xff"}', ": byte 7 is no text"),
        (b"[" * 200_000, ": nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", ": Exceeds the limit"),
    ],
)  # fmt: skip
def test_what_is_no_session_is_told(tmp_path: Path, knowledge: Knowledge, content: bytes, said: str) -> None:
    """In one line that begins with the path and says where."""
    path = tmp_path / "s.json"
    path.write_bytes(content)
    with pytest.raises(SessionFileError) as wrong:
        load_session(path, knowledge)
    assert str(wrong.value).startswith(f"{path}{said}")
    assert "\n" not in str(wrong.value)


def test_other_things_than_files(tmp_path: Path, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, a pipe that nobody writes to, nothing, and a file that is too large."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b" " * 100)
    monkeypatch.setattr(session_file, "MAX_BYTES", 99)
    for name, said in (
        ("pipe", "not a regular file"),
        ("", "Is a directory"),
        ("none", "No such file"),
        ("large", "larger than"),
    ):
        with pytest.raises(SessionFileError, match=said):
            load_session(tmp_path / name, knowledge)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value in JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def loaded(path: Path, knowledge: Knowledge) -> Session | None:
    """The session, or None when its damage was told in one line that begins with the path."""
    said = ""
    try:
        return load_session(path, knowledge)
    except SessionFileError as error:
        said = str(error)
    assert said.startswith(str(path))
    assert "\n" not in said
    return None


JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 1e300, "", "\ud800", "x" * 100, [], {}, [[]], {"a": {}}, {"float": "inf"}, 10**30]
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_one_located_line(saved: Path, knowledge: Knowledge, data: st.DataObject) -> None:
    """Whatever is put in the place of whatever: a session that can be shown, or one line; never anything else."""
    record = json.loads(saved.read_text())
    if data.draw(st.booleans()):
        record["machine"]["mark"] = "elsewhere"
    way = data.draw(st.sampled_from(places(record)[1:]))
    holder = record
    for step in way[:-1]:
        holder = holder[step]
    if data.draw(st.booleans()):
        holder[way[-1]] = data.draw(JUNK)
    else:
        del holder[way[-1]]
    path = saved.with_name("damaged.json")
    path.write_text(json.dumps(record))
    found = loaded(path, knowledge)
    assert found is None or as_json(found)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(min_value=0), bits=st.binary(max_size=3), cut=st.booleans())
def test_broken_bytes_are_one_line(saved: Path, knowledge: Knowledge, at: int, bits: bytes, cut: bool) -> None:
    """Bytes put in, or the end missing."""
    raw = saved.read_bytes()
    at %= len(raw)
    path = saved.with_name("damaged.json")
    path.write_bytes(raw[:at] + bits + (b"" if cut else raw[at + len(bits) :]))
    loaded(path, knowledge)


def test_the_mark_tells_nothing(begin: Begin) -> None:
    """Two files of one machine do not show that they are."""
    session = begin(text=b"x\n")
    marks = {session_record(session, Redactor())["machine"]["mark"] for _ in range(2)}
    assert len(marks) == 2
