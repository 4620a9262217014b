"""How words become values: order, spelling, values and what is said when they are wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from triage.cli import kb, main, preflight, scan
from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.errors import UsageError
from triage.cli.kb import provenance, samples


def parsed(*words: str) -> Namespace:
    """What ``scan`` makes of the words."""
    parser = ArgumentParser("sgltriage scan")
    scan.add_arguments(parser)
    found = parser.parse(words)
    assert found is not None
    return found


def complaint(*words: str) -> str:
    """What ``scan`` says of wrong words."""
    with pytest.raises(UsageError) as wrong:
        parsed(*words)
    return str(wrong.value)


def command(*words: str) -> list[str]:
    """The command that ``preflight`` is to check."""
    parser = ArgumentParser("sgltriage preflight")
    preflight.add_arguments(parser)
    found = parser.parse(words)
    assert found is not None
    return list(found.words)


@pytest.mark.parametrize(
    "words",
    [
        "--top 3 a.log --format json b.log",
        "a.log b.log --top 3 --format json",
        "a.log --top=3 b.log --format=json",
        "--format json --top 3 -- a.log b.log",
        "--format text --top 9 a.log --top 3 b.log --format json",
    ],
)
def test_any_order(words: str) -> None:
    """Options and paths may be mixed, a value may follow an equals sign, and the last of an option given twice holds."""
    found = parsed(*words.split())
    assert (found.paths, found.top, found.fmt) == (["a.log", "b.log"], 3, "json")


def test_defaults() -> None:
    """Without any word every value has its default, and what collects begins empty."""
    found = parsed()
    assert (found.paths, found.packs, found.without, found.answers) == ([], [], [], [])
    assert (found.fmt, found.fail_on, found.color, found.stdin_name) == ("text", "error", "auto", "-")
    assert (found.top, found.unexplained, found.host, found.python, found.pid) == (None, 3, None, None, None)
    assert (found.probing, found.strict, found.binary_as_text) == (False, False, False)


def test_collected() -> None:
    """An option that collects keeps what it is given, in order, and forgets it with the next parser."""
    assert parsed("--without", "a", "x.log", "--without=b").without == ["a", "b"]
    assert parsed().without == []


def test_paths_that_look_like_options() -> None:
    """A lone dash is a path; behind ``--`` every word is one."""
    assert parsed("-", "a.log").paths == ["-", "a.log"]
    assert parsed("a.log", "--", "--top", "-x", "--help").paths == ["a.log", "--top", "-x", "--help"]


@pytest.mark.parametrize("value", ["-x", "--strict", "", "a=b", "a b", "-1", "---"])
def test_values_that_look_like_options(value: str) -> None:
    """The word behind an option that takes a value is its value, whatever it looks like."""
    for words in (("--stdin-name", value), (f"--stdin-name={value}",)):
        found = parsed(*words, "a.log")
        assert (found.stdin_name, found.paths, found.strict) == (value, ["a.log"], False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--formt json", "no option '--formt'; did you mean '--format'?"),
        ("--forma=json", "no option '--forma'; did you mean '--format'?"),
        ("--hlp", "no option '--hlp'; did you mean '--help'?"),
        ("-q", "no option '-q'"),
        (
            "--format jsn",
            "--format: 'jsn' is none of text, concise, json, jsonl, markdown, sarif; did you mean 'json'?",
        ),
        ("--color=", "--color: '' is none of auto, always, never"),
        ("--top x", "--top: 'x' is no whole number"),
        ("--top 1.5", "--top: '1.5' is no whole number"),
        ("--top 0", "--top: 0 is less than 1"),
        ("--unexplained -1", "--unexplained: -1 is less than 0"),
        ("--top", "--top needs a value: N"),
        ("--top -- a.log", "--top needs a value: N"),
        ("--stdin-name=--", "--stdin-name needs a value: NAME"),
        ("--format", "--format needs a value: [text|concise|json|jsonl|markdown|sarif]"),
        ("--strict=yes", "--strict takes no value"),
        ("--kb nowhere", "--kb: folder 'nowhere' does not exist"),
        ("--host nowhere", "--host: file 'nowhere' does not exist"),
        ("--python nowhere", "--python: path 'nowhere' does not exist"),
        ("--host .", "--host: '.' is a folder and no file"),
        ("--kb /dev/null", "--kb: '/dev/null' is a file and no folder"),
    ],
)
def test_wrong_words(words: str, said: str) -> None:
    """What is said names the option and the value, and the nearest name where one is near."""
    assert complaint(*words.split()) == said


def test_a_name_that_cannot_be_looked_at() -> None:
    """A name that is too long for any file does not exist, and is no bug of ours."""
    assert complaint("--host", "x" * 5000).endswith("' does not exist")


def test_positionals() -> None:
    """One too few and one too many are told by name."""
    parser = ArgumentParser("sgltriage kb provenance")
    provenance.add_arguments(parser)
    with pytest.raises(UsageError, match=r"required: DIR$"):
        parser.parse([])
    with pytest.raises(UsageError, match=r"^DIR: folder 'nowhere' does not exist$"):
        parser.parse(["nowhere"])
    plain = ArgumentParser("sgltriage x")
    for words in (["a"], ["--", "a"]):
        with pytest.raises(UsageError, match=r"^unexpected argument 'a'$"):
            plain.parse(words)


@pytest.mark.parametrize(("words", "table"), [("", True), ("--no-table", False), ("--no-table --table", True)])
def test_a_switch_with_two_names(words: str, table: bool) -> None:
    """The last of the two holds."""
    parser = ArgumentParser("sgltriage kb test")
    samples.add_arguments(parser)
    found = parser.parse(words.split())
    assert found is not None
    assert found.table is table


@pytest.mark.parametrize(
    "words",
    [
        ["sglang", "serve", "--tp", "8", "--help"],
        ["--no-probe", "sglang", "serve", "--tp", "8", "--help"],
        ["--no-probe", "--", "sglang", "serve", "--tp", "8", "--help"],
        ["--format=json", "sglang", "serve", "--tp", "8", "--help"],
    ],
)
def test_a_command_is_taken_as_it_stands(words: list[str]) -> None:
    """Options of ``preflight`` stand before the command; no word of the command is one, with ``--`` or without."""
    assert command(*words) == ["sglang", "serve", "--tp", "8", "--help"]


def test_a_command_with_dashes_of_its_own() -> None:
    """Only the first ``--`` is ours."""
    assert command("--", "--tp", "--", "-x") == ["--tp", "--", "-x"]
    assert command("docker", "run", "--", "image") == ["docker", "run", "--", "image"]


def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """The one line on stderr of a command that is refused."""
    monkeypatch.setattr(sys, "argv", ["sgltriage", *words])
    assert main._run() == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "",
            "name a verb: scan, watch, run, tui, walk, fix, explain, why, why-not, probe, preflight, kb (sgltriage --help)",
        ),
        ("kb", "name a verb: list, show, lint, test, provenance, new, export-patterns, schema (sgltriage kb --help)"),
        ("kb lst", "no verb 'lst'; did you mean 'list'? (sgltriage kb --help)"),
        ("--versio", "no option '--versio'; did you mean '--version'? (sgltriage --help)"),
        ("kb --version", "no option '--version' (sgltriage kb --help)"),
        ("why", "the following arguments are required: ID (sgltriage why --help)"),
        ("kb list --area", "--area needs a value: AREA (sgltriage kb list --help)"),
    ],
)
def test_where_help_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: str, said: str
) -> None:
    """Each refusal ends with the help of the very verb."""
    assert told(capsys, monkeypatch, *words.split()) == f"sgltriage: {said}\n"


def test_what_is_wrong_outside_has_no_hint(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Help would not mend a snapshot that is none."""
    (tmp_path / "bad.json").write_text("[]")
    assert "--help" not in told(capsys, monkeypatch, "probe", "--host", str(tmp_path / "bad.json"))


def test_a_file_is_no_verb_of_a_group(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """``scan`` is offered for a file in place of a verb, and only there."""
    (tmp_path / "x.log").touch()
    monkeypatch.chdir(tmp_path)
    assert "to read it: sgltriage scan x.log" in told(capsys, monkeypatch, "x.log")
    assert "scan" not in told(capsys, monkeypatch, "kb", "x.log")


def test_every_verb_has_its_functions() -> None:
    """Each line of both tables leads to a module that can be called."""
    import importlib

    for group in (main.VERBS, kb.GROUP):
        for module, text in group.verbs.values():
            found = importlib.import_module(module)
            assert hasattr(found, "GROUP") or (callable(found.add_arguments) and callable(found.run))
            assert text.endswith(".")
