"""``sgltriage scan`` as its users run it: inputs, formats, options and exit statuses."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command
import zstandard

ROOT = Path(__file__).parents[2]
LOGS = ROOT / "fixtures" / "logs"
FORMATS = ("text", "concise", "json", "jsonl", "markdown", "sarif")
CRASH = b"[2026-03-01 10:00:00] hello\nImportError: libcudnn.so.9: cannot open shared object file: No such file or directory\n"
HEALTHY = b"[2026-03-01 10:00:00] The server is fired up and ready to roll!\n"
BAD_PACK = "id: my-cause\ntitle: Mine\nseverity: dreadful\n"


def _report(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    report = json.loads(done.stdout)
    assert isinstance(report, dict)
    return report


def _ids(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    diagnoses = _report(done)["diagnoses"]
    assert isinstance(diagnoses, list)
    return [item["id"] for item in diagnoses]


@pytest.mark.parametrize("fmt", FORMATS)
def test_formats(sgltriage: Command, fmt: str) -> None:
    """Every format names the cause and its place, and ends with exit status 1."""
    done = sgltriage("scan", "--format", fmt, stdin=CRASH)
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"libcudnn-missing" in done.stdout
    assert done.stdout.endswith(b"\n")
    if fmt in ("json", "sarif"):
        json.loads(done.stdout)
    if fmt == "jsonl":
        assert all(json.loads(line) for line in done.stdout.splitlines())


@pytest.mark.parametrize("fmt", FORMATS)
def test_healthy(sgltriage: Command, fmt: str) -> None:
    """A log without a known problem ends with 0 in every format."""
    done = sgltriage("scan", "--format", fmt, stdin=HEALTHY)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("arguments", [(), ("-",)], ids=["no path", "dash"])
def test_standard_input(sgltriage: Command, arguments: tuple[str, ...]) -> None:
    """A pipe is read without a path and by ``-``, and is called ``-`` or as the caller says."""
    done = sgltriage("scan", *arguments, "--format", "json", stdin=CRASH)
    assert _report(done)["inputs"][0]["path"] == "-"
    named = sgltriage("scan", *arguments, "--stdin-name", "pod-0", "--format", "concise", stdin=CRASH)
    assert named.stdout.startswith(b"pod-0:2:")


def test_the_name_of_a_pipe_is_no_log_to_be_read_again(sgltriage: Command) -> None:
    """What to type next names a report where the log came by a pipe, even if a file is called as the pipe is."""
    (sgltriage.folder / "server.log").write_bytes(CRASH)
    done = sgltriage("scan", "--stdin-name", "server.log", stdin=CRASH)
    assert b"sgltriage fix libcudnn-missing --report REPORT.json " in done.stdout
    assert b" --log " not in done.stdout
    assert b"sgltriage fix libcudnn-missing --log server.log " in sgltriage("scan", "server.log").stdout


def test_dash_twice(sgltriage: Command) -> None:
    """Standard input can be read once: the second ``-`` is an error, the report is given all the same."""
    done = sgltriage("scan", "-", "-", stdin=CRASH)
    assert done.returncode == 2
    assert b"only once" in done.stderr
    assert b"libcudnn-missing" in done.stdout


@pytest.mark.parametrize("name", ["missing.log", "folder", "/dev/zero", "noaccess/x"])
def test_unreadable(sgltriage: Command, name: str) -> None:
    """What cannot be read is told in one line that names it, with exit status 2 and nothing on stdout."""
    (sgltriage.folder / "folder").mkdir()
    done = sgltriage("scan", name)
    assert (done.returncode, done.stdout) == (2, b"")
    assert len(done.stderr.splitlines()) == 1
    assert name.encode() in done.stderr


def test_one_of_two_is_unreadable(sgltriage: Command) -> None:
    """The readable one is reported, and the status says that something is missing."""
    (sgltriage.folder / "good.log").write_bytes(CRASH)
    done = sgltriage("scan", "good.log", "missing.log")
    assert done.returncode == 2
    assert b"libcudnn-missing" in done.stdout
    assert b"missing.log" in done.stderr


def test_directory(sgltriage: Command) -> None:
    """A directory stands for the logs in it; a file in it that is no log is a remark and no failure."""
    logs = sgltriage.folder / "logs"
    logs.mkdir()
    (logs / "rank0.log").write_bytes(CRASH)
    (logs / "rank1.log").write_bytes(HEALTHY)
    (logs / "core.log").write_bytes(b"\x7fELF" + b"\0" * 5000)
    done = sgltriage("scan", "logs", "--format", "json")
    assert done.returncode == 1
    assert [item["path"] for item in _report(done)["inputs"]] == ["logs/rank0.log", "logs/rank1.log"]


def test_several_files_are_one_failure(sgltriage: Command) -> None:
    """The lines of two nodes are told apart by file and answered together."""
    (sgltriage.folder / "a.log").write_bytes(CRASH)
    (sgltriage.folder / "b.log").write_bytes(HEALTHY + CRASH)
    done = sgltriage("scan", "a.log", "b.log", "--format", "json")
    report = _report(done)
    assert len(report["inputs"]) == 2
    assert _ids(done).count("libcudnn-missing") == 1


def test_the_same_file_twice(sgltriage: Command) -> None:
    """A file that is named twice, also by another name, is read once and counts once."""
    (sgltriage.folder / "a.log").write_bytes(CRASH)
    (sgltriage.folder / "b.log").symlink_to("a.log")
    done = sgltriage("scan", "a.log", "a.log", "b.log", "--format", "json")
    (item,) = _report(done)["inputs"]
    assert item["lines"] == 2


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_name_that_is_not_utf8(sgltriage: Command, fmt: str) -> None:
    """A file name of any bytes is read and shown, in valid UTF-8."""
    name = os.fsencode(sgltriage.folder) + b"/\xff\x1b[2J\n.log"
    Path(os.fsdecode(name)).write_bytes(CRASH)
    done = sgltriage("scan", name, "--format", fmt)
    assert done.returncode == 1
    assert b"\x1b" not in done.stdout
    shown = done.stdout.decode("utf-8").replace("\\\\", "\\")
    assert "\\xff" in shown or "%FF" in shown


@pytest.mark.parametrize("fmt", ["text", "concise"])
def test_an_empty_file(sgltriage: Command, fmt: str) -> None:
    """It is no sign of health: the report says that it had nothing to read, and finds nothing."""
    (sgltriage.folder / "empty.log").touch()
    done = sgltriage("scan", "empty.log", "--format", fmt)
    assert (done.returncode, done.stdout.startswith(b"unknown: nothing was read")) == (0, True)


def test_a_binary_file(sgltriage: Command) -> None:
    """A named binary is refused in a line that says why; ``--binary-as-text`` reads it."""
    (sgltriage.folder / "core").write_bytes(b"\x7fELF" + b"\0" * 5000 + b"\n" + CRASH)
    done = sgltriage("scan", "core")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"looks binary" in done.stderr
    assert sgltriage("scan", "core", "--binary-as-text").returncode == 1


@pytest.mark.parametrize("suffix", ["gz", "zst", "xz", "bz2", "log"])
def test_compressed_files(sgltriage: Command, suffix: str) -> None:
    """Compressed logs are recognised by their bytes, whatever they are called."""
    packed = {"gz": gzip.compress, "zst": zstandard.ZstdCompressor().compress, "xz": lzma.compress, "bz2": bz2.compress}
    (sgltriage.folder / f"server.{suffix}").write_bytes(packed.get(suffix, gzip.compress)(CRASH))
    done = sgltriage("scan", f"server.{suffix}", "--format", "json")
    assert (done.returncode, _ids(done)) == (1, ["libcudnn-missing"])


def test_a_compressed_pipe(sgltriage: Command) -> None:
    """Standard input may be compressed too."""
    assert sgltriage("scan", stdin=gzip.compress(CRASH)).returncode == 1


def test_strict(sgltriage: Command) -> None:
    """A file that ends too early is reported as far as it goes; with --strict the status is 4."""
    whole = gzip.compress(CRASH + os.urandom(50_000))
    (sgltriage.folder / "cut.gz").write_bytes(whole[: len(whole) // 2])
    done = sgltriage("scan", "cut.gz", "--format", "json")
    assert done.returncode == 1
    (item,) = _report(done)["inputs"]
    assert item["truncated"] is True
    assert sgltriage("scan", "cut.gz", "--strict").returncode == 4
    (sgltriage.folder / "whole.log").write_bytes(CRASH)
    assert sgltriage("scan", "whole.log", "--strict").returncode == 1


@pytest.mark.parametrize(("level", "status"), [("fatal", 1), ("error", 1), ("warning", 1), ("info", 1), ("never", 0)])
def test_fail_on_with_a_fatal_cause(sgltriage: Command, level: str, status: int) -> None:
    """A fatal cause is at or above every level; ``never`` ends with 0 all the same."""
    assert sgltriage("scan", "--fail-on", level, stdin=CRASH).returncode == status


@pytest.mark.parametrize(("level", "status"), [("fatal", 0), ("error", 0), ("warning", 1)])
def test_fail_on_with_a_warning(sgltriage: Command, level: str, status: int) -> None:
    """A cause below the level is shown and does not fail."""
    pack = sgltriage.folder / "pack" / "sglang"
    pack.mkdir(parents=True)
    (pack / "only-a-warning.yaml").write_text(
        "id: only-a-warning\ntitle: A warning\ncomponent: sglang\nseverity: warning\nrole: root\nprevalence: common\n"
        "explanation: For a test.\nfix: Nothing.\nevidence:\n  - id: line\n    log: 'the purple lamp is blinking'\n    strength: decisive\n"
        "examples:\n  - |\n    the purple lamp is blinking\n"
        "near_misses:\n  - |\n    the purple lamp is off\n"
    )
    done = sgltriage("scan", "--kb", "pack", "--fail-on", level, stdin=b"the purple lamp is blinking\n")
    assert done.stderr == b""
    assert b"only-a-warning" in done.stdout
    assert done.returncode == status


def test_unknown_without(sgltriage: Command) -> None:
    """--without takes ids that exist and helps with the others."""
    assert (
        _ids(sgltriage("scan", "--without", "libcudnn-missing", "--format", "json", stdin=CRASH)).count(
            "libcudnn-missing"
        )
        == 0
    )
    done = sgltriage("scan", "--without", "libcudnn-mising", stdin=CRASH)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"did you mean" in done.stderr
    assert b"libcudnn-missing" in done.stderr


def test_a_broken_pack(sgltriage: Command) -> None:
    """A rule pack that is wrong is told with its path, line and column, and nothing is scanned."""
    pack = sgltriage.folder / "pack" / "sglang"
    pack.mkdir(parents=True)
    (pack / "my-cause.yaml").write_text(BAD_PACK)
    done = sgltriage("scan", "--kb", "pack", stdin=CRASH)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"my-cause.yaml:" in done.stderr
    place = done.stderr.partition(b"my-cause.yaml:")[2].split(b":")
    assert place[0].isdigit()
    assert place[1].isdigit()


def test_top_and_unexplained(sgltriage: Command) -> None:
    """--top cuts the list for people and says so; --unexplained tells how many error lines are shown."""
    errors = b"".join(
        b"[2026-03-01 10:00:00] ZorkError: the %s failed\n" % word
        for word in (b"lamp", b"door", b"hose", b"cart", b"rope")
    )
    log = CRASH + b"\n[2026-03-01 10:00:09] healthy\n" + errors
    assert (
        len(
            [
                line
                for line in sgltriage("scan", "--format", "concise", "--top", "1", stdin=log).stdout.splitlines()
                if b"unexplained" not in line
            ]
        )
        == 1
    )
    for number in (0, 1, 4):
        done = sgltriage("scan", "--format", "concise", "--unexplained", str(number), stdin=errors)
        assert done.stdout.count(b" unexplained ") == number


def test_piped_output_is_not_cut(sgltriage: Command) -> None:
    """A line of 2,000 characters comes whole through a pipe, whatever COLUMNS says."""
    long = CRASH.rstrip() + b" " + b"w" * 1500 + b"END\n"
    for env in ({}, {"COLUMNS": "40"}):
        assert b"wEND" in sgltriage("scan", stdin=long, env=env).stdout


@pytest.mark.parametrize(
    ("env", "option", "coloured"),
    [
        ({}, "auto", False),
        ({"FORCE_COLOR": "1"}, "auto", True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, "auto", False),
        ({"NO_COLOR": ""}, "auto", False),
        ({"NO_COLOR": "1"}, "always", True),
        ({"FORCE_COLOR": "1"}, "never", False),
    ],
)
def test_colour(sgltriage: Command, env: dict[str, str], option: str, coloured: bool) -> None:
    """The option, then NO_COLOR, then FORCE_COLOR, then the terminal decide."""
    assert (b"\x1b[" in sgltriage("scan", "--color", option, stdin=CRASH, env=env).stdout) is coloured


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    "env", [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "ascii"}]
)
def test_ascii_terminal(sgltriage: Command, fmt: str, env: dict[str, str]) -> None:
    """Where only ASCII can be written, only ASCII is written, and nothing fails."""
    log = "[2026-03-01 10:00:00] 日本 “ü” 🚧\n".encode() + CRASH.replace(b"hello", "日本".encode())
    done = sgltriage("scan", "--format", fmt, stdin=log, env=env)
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.isascii()


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONOPTIMIZE": "2"},
        {"PYTHONWARNINGS": "error"},
        {"TERM": "dumb"},
        {"TERM": ""},
        {"COLUMNS": "x"},
        {"PYTHONHASHSEED": "1"},
    ],
)
def test_odd_environments(sgltriage: Command, env: dict[str, str]) -> None:
    """Optimised, with warnings as errors, on a dumb terminal: the same report."""
    done = sgltriage("scan", stdin=CRASH, env=env)
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout == sgltriage("scan", stdin=CRASH).stdout


@pytest.mark.parametrize(
    "home",
    [
        {"HOME": "", "XDG_CACHE_HOME": ""},
        {"HOME": "/proc/nowhere", "XDG_CACHE_HOME": "/proc/nowhere"},
        {"HOME": "relative", "XDG_CACHE_HOME": "relative"},
    ],
)
def test_without_a_home(sgltriage: Command, home: dict[str, str]) -> None:
    """Without a place for the cache the report is the same, and no folder is made where one stands."""
    done = sgltriage("scan", stdin=CRASH, env=home)
    assert (done.returncode, done.stderr) == (1, b"")
    assert list(sgltriage.folder.iterdir()) == []


@pytest.mark.parametrize("log", sorted(path.parent.name for path in LOGS.glob("*/server.log"))[::6])
def test_a_second_run_is_the_same(sgltriage: Command, log: str) -> None:
    """Nothing in a report depends on chance but the digits of what was redacted."""
    runs = [sgltriage("scan", LOGS / log / "server.log", "--format", "concise").stdout for _ in range(2)]
    first, second = (re.sub(rb":[0-9a-f]{4}\xe2\x80\xba", b"", run) for run in runs)
    assert first == second
