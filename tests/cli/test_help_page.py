"""Help: its bytes are kept, it fits its terminal, and the first page of it comes at once."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension

from triage.cli import kb, main
from triage.cli.help_page import page

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.cli.conftest import Command

PAGES = [
    (),
    *((name,) for name in main.VERBS.verbs),
    *(("kb", name) for name in kb.GROUP.verbs),
]


class Golden(SingleFileSnapshotExtension):
    """Bytes in a text file."""

    file_extension = "txt"


def help_of(words: tuple[str, ...], capsys: pytest.CaptureFixture[str], option: str = "--help") -> str:
    """What the command prints."""
    assert main._call(main.VERBS, [*words, option]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


@pytest.mark.parametrize("words", PAGES, ids=lambda words: " ".join(words) or "top")
def test_pages(
    words: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    snapshot: SnapshotAssertion,
) -> None:
    """Each page as it stands in 80 columns, by either name of the option."""
    monkeypatch.setenv("COLUMNS", "80")
    text = help_of(words, capsys)
    assert text.encode() == snapshot.use_extension(Golden)
    assert help_of(words, capsys, "-h") == text


@pytest.mark.parametrize(("columns", "widest"), [("80", 80), ("100", 100), ("250", 100), ("60", 60)])
def test_pages_fit(
    columns: str, widest: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line of any page is wider than the terminal, or than 100 columns; the room that there is is used."""
    monkeypatch.setenv("COLUMNS", columns)
    lines = [line for words in PAGES for line in help_of(words, capsys).splitlines()]
    # Lists of choices stand on lines of their own and are not broken.
    wrapped = [line for line in lines if "|" not in line and not line.startswith(("Usage", "  sgltriage "))]
    assert widest - 12 < max(map(len, wrapped)) <= widest


def test_the_first_page_fits_80_columns(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of it, examples and all."""
    monkeypatch.setenv("COLUMNS", "80")
    assert all(len(line) <= 80 for line in help_of((), capsys).splitlines())


def test_help_before_anything_else(capsys: pytest.CaptureFixture[str]) -> None:
    """Help comes wherever it is asked for, though a positional is missing or a file is not there."""
    assert help_of(("explain",), capsys) == help_of(("explain", "a", "b"), capsys)
    assert "Usage" in help_of(("kb", "provenance", "nowhere"), capsys)


def test_a_long_name_stands_alone() -> None:
    """A left column that is too wide for its text pushes the text to the next line and aligns with the others."""
    text = page("x", ["Does it."], [("Options", [("-a", "One."), ("--" + "b" * 40, "Two.")])], 80)
    assert text.splitlines()[-3:] == [f"  {'-a':<30}  One.", f"  --{'b' * 40}", f"{'':34}Two."]


def modules(sgltriage: Command, *words: str) -> set[str]:
    """What is loaded at the end of the command and was not before it."""
    code = (
        "import sys; before = set(sys.modules); sys.argv[0] = 'sgltriage'\n"
        "from triage.cli.main import _run; _run()\n"
        "print(*(set(sys.modules) - before), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], input=b"a\n", capture_output=True, cwd=sgltriage.folder,
        env=sgltriage.environment, timeout=60, check=False,
    )  # fmt: skip
    return set(done.stderr.decode().split("\n")[-2].split())


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("kb", "--help")])
def test_the_first_page_imports_nothing(sgltriage: Command, words: tuple[str, ...]) -> None:
    """It loads a few small modules of the command, and of Python's none that takes time."""
    found = modules(sgltriage, *words)
    assert "triage.cli.main" in found
    assert not found & {
        "argparse", "click", "collections", "dataclasses", "enum", "hyperscan", "json", "locale", "pathlib", "re", "regex",
        "shutil", "typing",
    }  # fmt: skip
    assert {name for name in found if name.startswith("triage.")} <= {
        f"triage.cli{name}" for name in ("", ".main", ".errors", ".exit_codes", ".help_page", ".terminal", ".kb")
    }


@pytest.mark.parametrize("verb", ["scan", "why", "explain", "probe", "preflight"])
def test_help_of_a_verb_does_not_load_the_engine(sgltriage: Command, verb: str) -> None:
    """A page of help needs no pattern."""
    found = modules(sgltriage, verb, "--help")
    assert "triage.cli.arguments" in found
    assert not {"argparse", "hyperscan", "regex", "triage.engine", "shutil", "json", "click"} & found


def test_scan_parses_lightly(sgltriage: Command) -> None:
    """A scan loads none of what only a wrong call, a crash or another verb needs."""
    modules(sgltriage, "scan")  # the first may have to compile the knowledge
    found = modules(sgltriage, "scan")
    assert {"triage.cli.arguments", "triage.engine"} <= found
    assert (
        not {"argparse", "click", "rapidfuzz", "platform", "traceback", "uuid", "triage.cli.crash", "triage.cli.probe"}
        & found
    )
