"""``sgltriage kb`` as a user runs it: a fresh process in a fresh directory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import regex
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
PACKS = ROOT / "tests" / "knowledge" / "packs"
SIGNATURES = sorted((ROOT / "signatures").rglob("*.yaml"))
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path, cache: Path) -> Run:
    """The command with its arguments, in an empty directory with an empty home."""

    def call(*arguments: object, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        base = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            "HOME": str(tmp_path / "home"),
            "XDG_CACHE_HOME": str(cache),
        }
        command = [sys.executable, "-m", "triage", *map(str, arguments)]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=tmp_path,
            env=base if environment is None else environment,
        )

    return call


def test_list_names_every_signature(run: Run) -> None:
    """Each file of the bundled folder is one line: id, severity, role and title, in order of id."""
    done = run("kb", "list")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == sorted(path.stem for path in SIGNATURES)
    assert all(
        regex.fullmatch(r"\S+ +(?:fatal|error|warning|info) +(?:root|cascade|advice) +\S.*", line) for line in lines
    )


def test_list_of_one_area(run: Run) -> None:
    """--area narrows the list to the signatures of that folder."""
    done = run("kb", "list", "--area", "memory")
    assert [line.split()[0] for line in done.stdout.splitlines()] == sorted(
        path.stem for path in SIGNATURES if path.parent.name == "memory"
    )


def test_list_with_a_further_pack(run: Run) -> None:
    """--kb adds a pack's signatures to the bundled ones."""
    done = run("kb", "list", "--kb", PACKS / "valid")
    assert done.returncode == 0
    names = {line.split()[0] for line in done.stdout.splitlines()}
    assert names == {path.stem for path in SIGNATURES} | {"frobnicator-exploded", "frobnicator-failed", "plug-pulled"}


def test_show_prints_the_file(run: Run) -> None:
    """show gives the lines of the signature's file as they stand."""
    path = next(path for path in SIGNATURES if path.stem == "port-in-use")
    done = run("kb", "show", "port-in-use")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == path.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("verb", ["show", "test"])
def test_unknown_id(run: Run, verb: str) -> None:
    """An id that does not exist is a usage error that names the nearest one and the help of the very verb."""
    done = run("kb", verb, "port-in-us")
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == f"sgltriage: no cause 'port-in-us'; did you mean 'port-in-use'? (sgltriage kb {verb} --help)\n"
    )


def test_lint_of_the_bundled_signatures(run: Run) -> None:
    """Without arguments lint checks what is shipped, finds nothing, and says how much it looked at."""
    done = run("kb", "lint")
    assert (done.returncode, done.stderr) == (0, "")
    assert regex.fullmatch(rf"{len(SIGNATURES)} signatures, [\d,]+ patterns, \d+ playbooks, 0 problems\n", done.stdout)


def test_lint_of_a_clean_pack(run: Run) -> None:
    """A clean pack named by its folder passes."""
    done = run("kb", "lint", PACKS / "valid")
    assert (done.returncode, done.stdout, done.stderr) == (0, "3 signatures, 4 patterns, 0 playbooks, 0 problems\n", "")


@pytest.mark.parametrize(
    "kind", ["several_errors", "yaml_tricks", "wrong_file_name", "hyperscan_refuses", "incomplete_forms"]
)
def test_lint_of_a_broken_pack(run: Run, kind: str) -> None:
    """Every problem is a line of stdout with path, line and column, in order; the exit status is 2."""
    done = run("kb", "lint", PACKS / kind)
    expected = [
        f"{PACKS / kind}/{line}" for line in (PACKS / kind / "expected.txt").read_text(encoding="utf-8").splitlines()
    ]
    assert (done.returncode, done.stderr) == (2, "")
    *lines, summary = done.stdout.splitlines()
    assert lines == expected
    assert summary.endswith(f" {len(expected)} problem{'' if len(expected) == 1 else 's'}")


def test_lint_of_a_folder_that_is_no_pack(run: Run, tmp_path: Path) -> None:
    """A folder without any signature is a problem and not a clean pack: most often it is the wrong folder."""
    (tmp_path / "wrong").mkdir()
    done = run("kb", "lint", "wrong")
    assert (done.returncode, done.stderr) == (2, "")
    assert (
        done.stdout
        == "wrong:1:1: holds no signature: no file ends in .yaml\n0 signatures, 0 patterns, 0 playbooks, 1 problem\n"
    )


def test_a_broken_pack_stops_every_verb(run: Run) -> None:
    """A pack that lint refuses is one located line on stderr and exit 2 wherever it is used."""
    for arguments in (["kb", "list"], ["kb", "test", "port-in-use"], ["explain", "port-in-use"], ["scan", "-"]):
        done = run(*arguments, "--kb", PACKS / "bad_regex")
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert regex.fullmatch(
            rf"sgltriage: {regex.escape(str(PACKS))}/bad_regex/memory/\S+\.yaml:11:\d+: .+\n", done.stderr
        )


def test_an_id_of_the_bundled_ones_is_taken(run: Run, tmp_path: Path) -> None:
    """A further pack cannot quietly replace a bundled signature: the collision is told with both files."""
    path = next(path for path in SIGNATURES if path.stem == "port-in-use")
    copy = tmp_path / "pack" / "network" / path.name
    copy.parent.mkdir(parents=True)
    shutil.copy(path, copy)
    done = run("kb", "list", "--kb", tmp_path / "pack")
    assert done.returncode == 2
    assert done.stderr == f"sgltriage: {copy}:1:1: id 'port-in-use' is taken by {path}\n"


def test_pack_that_does_not_exist(run: Run) -> None:
    """A folder that is not there is a usage error."""
    done = run("kb", "list", "--kb", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_test_of_one_id(run: Run) -> None:
    """test ID runs the samples of that signature against all and counts them."""
    path = next(path for path in SIGNATURES if path.stem == "port-in-use")
    record = yaml.safe_load(path.read_text(encoding="utf-8"))
    done = run("kb", "test", "port-in-use", "--no-table")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{len(record['examples'])} examples, {len(record['near_misses'])} near misses, 0 failed\n"


def test_test_of_a_failing_signature(run: Run, tmp_path: Path) -> None:
    """An example that its signature does not explain, and a near miss that it takes, fail with exit 1."""
    text = (PACKS / "valid" / "memory" / "frobnicator-failed.yaml").read_text(encoding="utf-8")
    (tmp_path / "pack" / "memory").mkdir(parents=True)
    bad = (
        text.replace("  - frobnicator failed", "  - nothing of the kind")
        .replace("  - frobnicator is fine", "  - frobnicator exploded")
        .replace("strong", "decisive")
    )
    (tmp_path / "pack" / "memory" / "frobnicator-failed.yaml").write_text(bad, encoding="utf-8")
    done = run("kb", "test", "--kb", "pack", "frobnicator-failed", "--no-table")
    assert done.returncode == 1
    first, second, summary = done.stdout.splitlines()
    assert first == "FAILED frobnicator-failed: example 1: nothing is found"
    assert second.startswith("FAILED frobnicator-failed: near miss 1: is taken for it (")
    assert summary == "1 example, 1 near miss, 2 failed"


def test_the_fifteen_minute_path(run: Run, tmp_path: Path) -> None:
    """new, fill in, lint, test, scan: a signature of one's own works from its first template on."""
    done = run("kb", "new", "memory/demo-flux-exhausted", "pack")
    assert (done.returncode, done.stdout, done.stderr) == (0, "pack/memory/demo-flux-exhausted.yaml\n", "")
    path = tmp_path / "pack" / "memory" / "demo-flux-exhausted.yaml"
    assert run("kb", "lint", "pack").returncode == 0
    text = path.read_text(encoding="utf-8")
    filled = (
        text.replace(
            "the shortest part of the message that never changes, as it is printed",
            "FluxError: flux capacitor exhausted after 12 jumps",
        )
        .replace(
            "'the shortest part of the message that never changes'",
            r"'flux capacitor exhausted after (?P<jumps>\d+) jumps'",
        )
        .replace("a line that a hasty reader would take for it", "flux capacitor charged")
        .replace("One phrase that names the cause", "The flux capacitor is empty")
    )
    assert filled.count("flux capacitor") == 4
    path.write_text(filled, encoding="utf-8")
    assert run("kb", "lint", "pack").stdout == "1 signature, 1 pattern, 0 playbooks, 0 problems\n"
    tested = run("kb", "test", "--kb", "pack", "demo-flux-exhausted", "--no-table")
    assert (tested.returncode, tested.stdout) == (0, "1 example, 1 near miss, 0 failed\n")
    (tmp_path / "server.log").write_text(
        "[2026-03-01 10:00:00 TP1] FluxError: flux capacitor exhausted after 3 jumps\n", encoding="utf-8"
    )
    scanned = run("scan", "--kb", "pack", "--format", "json", "server.log")
    assert scanned.returncode == 1
    assert json.loads(scanned.stdout)["diagnoses"][0]["id"] == "demo-flux-exhausted"
    assert "The flux capacitor is empty" in run("explain", "--kb", "pack", "demo-flux-exhausted").stdout


def test_new_does_not_overwrite(run: Run, tmp_path: Path) -> None:
    """A file that exists is left alone and said to exist."""
    run("kb", "new", "memory/demo", "pack")
    path = tmp_path / "pack" / "memory" / "demo.yaml"
    path.write_text("mine", encoding="utf-8")
    done = run("kb", "new", "memory/demo", "pack")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("sgltriage: pack/memory/demo.yaml exists already")
    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    "name",
    [
        "demo",
        "/demo",
        "memory/",
        "memory/Demo_One",
        "memory/deep/demo",
        "../demo",
        "memory/../demo",
        "memory/demo.yaml",
        "memory/de\nmo",
    ],
    ids=repr,
)
def test_new_refuses_what_lint_would_refuse(run: Run, tmp_path: Path, name: str) -> None:
    """A name that is not AREA/ID, with an id of the public form, is a usage error, and nothing is written."""
    done = run("kb", "new", name, "pack")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.rglob("*.yaml")) == []


def test_new_where_nothing_can_be_written(run: Run) -> None:
    """A folder that cannot be made is the caller's problem, told in one line with exit 2, and no crash of ours."""
    done = run("kb", "new", "memory/demo", "/proc/none")
    assert (done.returncode, done.stdout) == (2, "")
    assert "internal error" not in done.stderr


def test_schema_is_json_schema(run: Run) -> None:
    """schema prints a valid JSON Schema, as JSON."""
    done = run("kb", "schema")
    assert (done.returncode, done.stderr) == (0, "")
    Draft202012Validator.check_schema(json.loads(done.stdout))


@pytest.mark.parametrize("home", [None, "/dev/null"], ids=["no home", "home that cannot be written"])
def test_without_a_usable_home(run: Run, tmp_path: Path, home: str | None) -> None:
    """Without a home, or with one that cannot hold a cache, everything works and nothing is said about it."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(ROOT),
        **({} if home is None else {"HOME": home}),
    }
    done = run("kb", "list", environment=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == len(SIGNATURES)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_cache_costs_nothing_but_time(run: Run, tmp_path: Path) -> None:
    """A cache cut in half is passed over in silence and mended."""
    own = tmp_path / "own-cache"
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(own),
    }
    first = run("kb", "list", environment=environment)
    (file,) = (own / "sgltriage").glob("*.kb")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    second = run("kb", "list", environment=environment)
    assert (second.returncode, second.stderr, second.stdout) == (0, "", first.stdout)
    assert len(file.read_bytes()) == len(whole)
