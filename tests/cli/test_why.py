"""``why`` and ``why-not``: the account of one cause on one log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

ROOT = Path(__file__).parents[2]
LOGS = ROOT / "fixtures" / "logs"


def test_why(sgltriage: Command) -> None:
    """The place among the answers, every point with its weight, strength and line, and what was not checked."""
    done = sgltriage("why", "libcudnn-missing", LOGS / "libcudnn-import/server.log")
    lines = done.stdout.decode().splitlines()
    assert (done.returncode, done.stderr) == (0, b"")
    assert lines[0].startswith("libcudnn-missing: place 1 of ")
    assert " dB  decisive " in lines[1]
    assert (
        lines[2]
        .strip()
        .endswith("server.log:8: ImportError: libcudnn.so.9: cannot open shared object file: No such file or directory")
    )
    assert any("not checked" in line and "python-packages" in line for line in lines)


@pytest.mark.parametrize("verb", ["why", "why-not"])
def test_explained_by(sgltriage: Command, verb: str) -> None:
    """A consequence names the cause that accounts for it."""
    done = sgltriage(verb, "scheduler-crash-generic", LOGS / "watchdog-hung-forward/server.log")
    assert done.returncode == 0
    assert b"was seen, and watchdog-timeout" in done.stdout
    assert b"accounts for it" in done.stdout


def test_never_seen(sgltriage: Command) -> None:
    """A cause of which nothing was seen says how many patterns were looked for in how many lines, and what came first."""
    done = sgltriage("why-not", "gpu-oom-runtime", LOGS / "libcudnn-import/server.log")
    first, second = done.stdout.decode().splitlines()
    assert first.startswith("gpu-oom-runtime: none of its ")
    assert first.endswith(") occurs in 8 lines")
    assert "libcudnn-missing" in second


def test_what_was_considered_and_left(sgltriage: Command) -> None:
    """A cause that was weighed and rejected gives its reason and its ledger, or shows the parts that occur."""
    done = sgltriage("why-not", "gpu-oom-weights", LOGS / "crash-then-restart-serves/server.log")
    assert done.returncode == 0
    assert done.stdout.startswith(b"gpu-oom-weights: ")
    assert b"none of its" not in done.stdout


def test_standard_input(sgltriage: Command) -> None:
    """A pipe is read as scan reads it."""
    done = sgltriage("why", "libcudnn-missing", stdin=(LOGS / "libcudnn-import/server.log").read_bytes())
    assert b"-:8: ImportError" in done.stdout


@pytest.mark.parametrize("verb", ["why", "why-not"])
def test_an_unknown_cause(sgltriage: Command, verb: str) -> None:
    """A misspelt id is a usage error that names the nearest one, and nothing is read."""
    done = sgltriage(verb, "libcudnn-mising", "missing.log")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"did you mean" in done.stderr
    assert b"libcudnn-missing" in done.stderr


def test_unreadable(sgltriage: Command) -> None:
    """Without an input there is no account."""
    done = sgltriage("why", "libcudnn-missing", "missing.log")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"missing.log" in done.stderr


def test_hostile_lines(sgltriage: Command) -> None:
    """The account shows what is invisible and hides what is secret."""
    line = b"\x1b]0;x\x07 api_key='SENTINELsecret9' \xe2\x80\xae ImportError: libcudnn.so.9: cannot open shared object file\n"
    done = sgltriage("why", "libcudnn-missing", stdin=line)
    assert b"decisive" in done.stdout
    assert not any(bad in done.stdout for bad in (b"\x1b", b"SENTINEL", b"\xe2\x80\xae"))


@pytest.mark.parametrize("verb", ["why", "why-not"])
def test_an_account_needs_no_unicode(sgltriage: Command, verb: str) -> None:
    """On an ASCII terminal the account is written in ASCII and does not fail."""
    done = sgltriage(
        verb, "libcudnn-missing", stdin="日本 ImportError: libcudnn.so.9: cannot open shared object file\n".encode(),
        env={"PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()
