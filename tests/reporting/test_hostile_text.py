"""Hostile text in every field of a report, in every format: what comes out is inert, and says what was there."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING

import pytest

from triage.reporting.render import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

    from triage.model import Report

PEOPLE = ("text", "concise", "markdown")
SECRET = "SENTINEL9secret"

ESCAPES = [
    "\x1b]0;owned\x07 title",
    "\x1b]52;c;ZWNobyBvd25lZA==\x07",
    "\x1b]8;;http://10.0.0.1\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]4;1;?\x1b\\\x1b]50;?\x07",
    "\x1bPq\x1b\\ DCS \x1b_APC\x1b\\",
    "\x1b[2J\x1b[6n clear",
    "ends in \x1b",
    "\x9b2J \x90 \x9d0;t\x9c",
    "\udc9b2J raw byte",
    "\u202egnp.exe \u2066 \u200b \u0085 \u2028 \u2029 \ufeff \U000e0041",
    "safe\rEVIL",
    "two\nlines",
    "nul\0byte",
]
MARKUP = ["[/foo]", "[red]x[/red]", "[@click=app.quit]x[/]", "[b", "\\[", ":boom:", "[link=http://e]", "{0} {x} %s %d"]


def harmless(text: str) -> bool:
    """Nothing but printable characters and our line feeds."""
    return all(char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in text)


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("text", ESCAPES, ids=range(len(ESCAPES)))
def test_no_control_reaches_the_output(
    fmt: str, text: str, about: Callable[[str], Report], printed: Callable[..., str]
) -> None:
    """Terminal sequences, C1, bidi and line separators are shown, in every field, and the output is valid UTF-8."""
    output = printed(about(text), fmt)
    assert harmless(output)
    output.encode("utf-8")


@pytest.mark.parametrize("text", ESCAPES, ids=range(len(ESCAPES)))
def test_only_our_colours(text: str, about: Callable[[str], Report], printed: Callable[..., str]) -> None:
    """On a colour terminal every ESC begins a colour of ours, and without colours the same characters are there."""
    coloured = printed(about(text), "text", color=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert harmless(plain)
    assert plain == printed(about(text), "text")


@pytest.mark.parametrize("fmt", ["text", "concise", "jsonl"])
@pytest.mark.parametrize("text", ESCAPES, ids=range(len(ESCAPES)))
def test_no_line_is_forged(fmt: str, text: str, about: Callable[[str], Report], printed: Callable[..., str]) -> None:
    """A hostile report has as many lines as a harmless one."""
    assert len(printed(about(text), fmt).splitlines()) == len(printed(about("harmless words"), fmt).splitlines())


@pytest.mark.parametrize("fmt", PEOPLE)
@pytest.mark.parametrize("text", MARKUP)
def test_markup_is_text(fmt: str, text: str, about: Callable[[str], Report], printed: Callable[..., str]) -> None:
    """Brackets, emoji codes and format fields are printed letter by letter."""
    assert text in printed(about(text), fmt)


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("text", MARKUP)
def test_markup_keeps_json_valid(
    fmt: str, text: str, about: Callable[[str], Report], printed: Callable[..., str]
) -> None:
    """The JSON formats hold the same letters."""
    output = printed(about(text), fmt)
    if fmt in ("json", "sarif"):
        json.loads(output)
    if fmt == "json":
        assert json.loads(output)["diagnoses"][0]["evidence"][0]["text"] == text


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    "text",
    [
        f"server_args=ServerArgs(model_path='m', api_key='{SECRET}', admin_api_key=\"A'B{SECRET}\")",
        f"{{'api_key': '{SECRET}'}}",
        f'{{"api_key": "{SECRET}"}}',
        f"serve --api-key {SECRET}",
        f"HF_TOKEN=hf_{SECRET}0123456789",
        f"Authorization: Bearer {SECRET}",
        f"http://user:{SECRET}@10.0.0.1/",
        "-----BEGIN PRIVATE KEY-----\n" + f"MIIE{SECRET}\n" * 30 + "-----END PRIVATE KEY-----",
        f"api_key='\x1b[31m{SECRET[:5]}\x1b[0m{SECRET[5:]}'",
    ],
    ids=range(9),
)
def test_no_secret_leaves(fmt: str, text: str, about: Callable[[str], Report], printed: Callable[..., str]) -> None:
    """A secret in any field is replaced in every format."""
    assert "SENTINEL" not in printed(about(text), fmt)


@pytest.mark.parametrize("fmt", FORMATS)
def test_no_secret_leaves_facts_captures_and_commands(fmt: str, crash: Report, printed: Callable[..., str]) -> None:
    """Where only a name or the element before says that it is a secret, it is replaced too."""
    assert "hunter2" not in printed(crash, fmt)


@pytest.mark.parametrize("fmt", ["text", "json", "jsonl", "markdown", "sarif"])
def test_redactions_are_counted(fmt: str, crash: Report, printed: Callable[..., str]) -> None:
    """The report says that something was hidden, and what kind of thing."""
    output = printed(crash, fmt)
    assert "redacted" in output.lower()
    assert "api_key" in output.lower().partition("redacted")[2]


@pytest.mark.parametrize("fmt", FORMATS)
def test_prompts_stay_private(fmt: str, about: Callable[[str], Report], printed: Callable[..., str]) -> None:
    """A request dump shows that there was a prompt and how long it was; a line forged inside is gone with it."""
    forged = "\\n[2026-03-01 10:00:00] torch.OutOfMemoryError: CUDA out of memory"
    output = printed(about(f"Receive: obj=GenerateReqInput(text='my private diary{forged}', rid='1')"), fmt)
    assert "diary" not in output
    assert "OutOfMemoryError" not in output
    assert f"‹prompt {len('my private diary' + forged)} chars›" in output


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    "text", ["::add-mask::x", "  ::set-output name=a::b", "##[add-path]/tmp", "x ##vso[task.setvariable]y"]
)
def test_no_workflow_command_is_live(
    fmt: str, text: str, about: Callable[[str], Report], printed: Callable[..., str]
) -> None:
    """What a CI runner would obey when the output stands in a job's log is broken, and JSON keeps its value."""
    output = printed(about(text), fmt)
    assert not re.search(r"^\s*::|##\[|##vso\[", output, re.MULTILINE)
    if fmt == "json":
        assert json.loads(output)["inputs"][0]["path"] == text


@pytest.mark.parametrize("text", ["中文日志", "‹›…–", "\x1b[2J", "🚧 emoji"])
@pytest.mark.parametrize("fmt", FORMATS)
def test_ascii_only(fmt: str, text: str, about: Callable[[str], Report], printed: Callable[..., str]) -> None:
    """For an ASCII terminal every character is ASCII, data included."""
    assert printed(about(text), fmt, ascii_only=True).isascii()
