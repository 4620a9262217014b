"""What the options of live verbs may say."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from triage.cli.argument_types import WrongValue
from triage.cli.errors import UsageError
from triage.cli.live_options import address, hook_argv, label


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("cat", ()),
        ("cat  -n 'a b' \"c\"", ("-n", "a b", "c")),
        ("cat '$HOME' '{}' '|' ';'", ("$HOME", "{}", "|", ";")),
        ("sh -c 'logger \"$SGLTRIAGE_ID\" | cat'", ("-c", 'logger "$SGLTRIAGE_ID" | cat')),
    ],
)
def test_a_command_is_split_and_not_expanded(text: str, rest: tuple[str, ...]) -> None:
    """Words as in a shell, the program as it was found, everything quoted as it stands."""
    program, *found = hook_argv(text)
    assert program == shutil.which(text.split()[0])
    assert tuple(found) == rest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cat | tee log", "runs no shell, and | needs one"),
        ("cat > log", "runs no shell, and > needs one"),
        ("cat; cat", "runs no shell, and ; needs one"),
        ("cat && cat", "runs no shell, and && needs one"),
        ("cat &", "runs no shell, and & needs one"),
        ("cat $SGLTRIAGE_ID", "runs no shell, and \\$SGLTRIAGE_ID needs one"),
        ("cat `id`", "runs no shell, and `id` needs one"),
        ("cat 'open", "No closing quotation"),
        ("", "a command is wanted"),
        ("'' x", "a command is wanted"),
        ("no-such-program-here x", "no-such-program-here: there is no such program"),
        ("/etc/passwd", "/etc/passwd: there is no such program, or it may not be run"),
    ],
)
def test_what_is_no_command(text: str, said: str) -> None:
    """Is refused at start, with what a shell would have made of it named."""
    with pytest.raises(UsageError, match=said):
        hook_argv(text)


def test_a_program_beside_us_stays_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found once, at start: by an absolute path from then on, whatever becomes of the folder or the PATH."""
    program = tmp_path / "page.sh"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert hook_argv("./page.sh x") == (str(program), "x")
    monkeypatch.setenv("PATH", f".{os.pathsep}{os.environ['PATH']}")
    assert hook_argv("page.sh") == (str(program),)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("9200", ("127.0.0.1", 9200)),
        (":9200", ("127.0.0.1", 9200)),
        ("0", ("127.0.0.1", 0)),
        ("0.0.0.0:9200", ("0.0.0.0", 9200)),
        ("[::1]:9200", ("::1", 9200)),
        ("localhost:1", ("localhost", 1)),
    ],
)
def test_addresses(word: str, expected: tuple[str, int]) -> None:
    """On loopback unless another one is written out."""
    assert address(word) == expected


@pytest.mark.parametrize("word", ["", "x", "65536", "-1", "1.5", "host:", "\u0661"])
def test_what_is_no_address(word: str) -> None:
    """Is told."""
    with pytest.raises(WrongValue, match="no port"):
        address(word)


def test_labels() -> None:
    """A name and any value."""
    assert label("host=node=7 x") == ("host", "node=7 x")
    for word in ("host", "=x", "a b=x", "1=x"):
        with pytest.raises(WrongValue, match="no NAME=VALUE"):
            label(word)
