"""Where unexplained lines are printed: asked of the installed software when the report has no answer, or when told to."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from triage.engine import with_origins
from triage.model import Diagnosis, Nearest, Observation, Phase, Place, Report, Role, Severity, Unexplained, Verdict

POOL = """\
def take(count):
    if count > 9:
        raise PoolError(f"the quokka pool holds 9 pages and not {count}")
    if count == 8:
        raise PoolError("quokkas: eight is unlucky")
    logger.error(f"no quokka gets {count} pages before the others had theirs")
"""
RAISED = "PoolError: the quokka pool holds 9 pages and not 12"
LOGGED = "no quokka gets 3 pages before the others had theirs"
OTHERS = "OSError: the wombat socket was closed by a passing kangaroo"
UNKNOWN = "OSError: nobody prints this line about a platypus"


def package(environment: Path, name: str, text: str, version: str = "") -> None:
    """A package of one file in the environment."""
    folder = environment / "lib" / "python3.11" / "site-packages" / name
    folder.mkdir(parents=True)
    (folder / "pool.py").write_text(text, encoding="utf-8")
    if version:
        (folder / "version.py").write_text(f"__version__ = {version!r}\n", encoding="utf-8")


@pytest.fixture(name="server")
def server_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of a server, and none around the tests."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "ours"))
    package(tmp_path / "server", "sglang", POOL, "0.5.1")
    package(tmp_path / "server", "mooncake", f"raise OSError({OTHERS.partition(': ')[2]!r})\n{POOL}")
    return tmp_path / "server"


def report(*texts: str, verdict: Verdict = Verdict.UNKNOWN) -> Report:
    """A report whose unexplained lines are the texts."""
    lines = [Unexplained(text, Place("server.log", number, 0)) for number, text in enumerate(texts, start=1)]
    return Report(verdict, Observation(), unexplained=tuple(lines), unexplained_count=len(lines))


def origins(found: Report) -> list[str]:
    return [item.origin for item in found.unexplained]


def test_each_line_gets_the_place_that_prints_it(server: Path) -> None:
    """Of several packages the one that prints the line, with its version where it states one."""
    found = with_origins(report(RAISED, OTHERS, UNKNOWN), server, {})
    assert origins(found) == ["sglang/pool.py:3 in take (sglang 0.5.1)", "mooncake/pool.py:1 (mooncake)", ""]


def test_nothing_else_changes(server: Path) -> None:
    """The rest of the report is as it was, other keys of the lines included, and so is the report that was given."""
    near = (Nearest("kv-pool-exhausted", 0.6),)
    before = report(RAISED, UNKNOWN)
    before = replace(before, unexplained=tuple(replace(item, nearest=near) for item in before.unexplained), probes=())
    after = with_origins(before, server, {})
    assert origins(before) == ["", ""]
    assert after != before
    assert replace(after, unexplained=tuple(replace(item, origin="") for item in after.unexplained)) == before


def test_a_frame_of_the_log_is_kept(server: Path) -> None:
    """What a traceback says of a line is not looked up, and not replaced."""
    told = report(RAISED, LOGGED)
    told = replace(told, unexplained=(replace(told.unexplained[0], origin="pool.py:99 in lend"), told.unexplained[1]))
    assert origins(with_origins(told, server, {})) == ["pool.py:99 in lend", "sglang/pool.py:6 in take (sglang 0.5.1)"]


def test_only_the_first_lines_are_looked_up(server: Path) -> None:
    """The fourth is not: the time that this takes is bounded."""
    found = origins(with_origins(report(RAISED, UNKNOWN, LOGGED, RAISED), server, {}))
    assert [bool(origin) for origin in found] == [True, False, True, False]


def test_equal_lines_get_equal_places(server: Path) -> None:
    """The same text twice is looked up for both."""
    assert len(set(origins(with_origins(report(RAISED, RAISED), server, {})))) == 1


@pytest.mark.parametrize(
    "prefix",
    [
        "[2026-03-01 10:00:00 DP0 TP3] ",
        "prefill-decode-worker-with-a-long-name-0  | [2026-03-01 10:00:00 DP0 TP3 EP11] ",
        "2026-03-01T10:00:00.123456789Z stderr F [2026-03-01 10:00:00] ",
    ],
)
def test_the_prefix_is_no_part_of_the_message(server: Path, prefix: str) -> None:
    """However long the front of a line is, the message is what is compared."""
    found = with_origins(report(f"{prefix}quokkas: eight is unlucky"), server, {})
    assert origins(found) == ["sglang/pool.py:5 in take (sglang 0.5.1)"]


@pytest.mark.parametrize("verdict", Verdict)
def test_who_is_looked_up_without_being_asked(server: Path, verdict: Verdict) -> None:
    """A report with a likely cause needs none of it; where an interpreter is named, every report is looked up."""
    known = verdict in (Verdict.CONFIRMED, Verdict.LIKELY)
    before = report(RAISED, verdict=verdict)
    active = {"VIRTUAL_ENV": str(server)}
    assert bool(origins(with_origins(before, None, active))[0]) is not known
    assert (with_origins(before, None, active) is before) is known
    assert origins(with_origins(before, server, {})) == ["sglang/pool.py:3 in take (sglang 0.5.1)"]


def test_what_is_looked_up_does_not_touch_the_diagnoses(server: Path) -> None:
    """Confidence and order stay those of the evidence."""
    cause = Diagnosis("x", "X", Severity.ERROR, Role.ROOT, 0.5, 0.0, Phase.SERVING, None, ())
    before = replace(report(RAISED, verdict=Verdict.POSSIBLE), diagnoses=(cause,))
    after = with_origins(before, server, {})
    assert (after.verdict, after.diagnoses) == (Verdict.POSSIBLE, (cause,))
    assert origins(after)[0]


def test_without_unexplained_lines_nobody_looks(server: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is searched where there is nothing to search for."""
    monkeypatch.setattr("triage.sources.environments.library_folders", None)
    before = report()
    assert with_origins(before, server, {}) is before


def test_an_environment_without_the_server(tmp_path: Path, server: Path) -> None:
    """Nothing installed, nothing found: the report is the same."""
    (tmp_path / "empty").mkdir()
    before = report(RAISED)
    assert with_origins(before, tmp_path / "empty", {"VIRTUAL_ENV": str(server)}) == before
    assert with_origins(before, None, {}) == before


def test_of_two_environments_the_first(tmp_path: Path, server: Path) -> None:
    """The active environment comes before the PATH."""
    package(tmp_path / "active", "sglang", POOL, "0.9")
    python = server / "bin" / "python3"
    python.parent.mkdir()
    python.touch(0o755)
    variables = {"VIRTUAL_ENV": str(tmp_path / "active"), "PATH": str(python.parent)}
    assert origins(with_origins(report(RAISED, OTHERS), None, variables)) == [
        "sglang/pool.py:3 in take (sglang 0.9)",
        "mooncake/pool.py:1 (mooncake)",
    ]
