"""A playbook on a real terminal: what is typed ahead, into the program or into the terminal's own queue, agrees to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_fix_packages import installed
from tests.tui.test_playbook import MISSING
from tests.tui.test_tui_terminal import Screen


def test_keys_typed_ahead_agree_to_nothing(
    environment: Path, wheels: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """All keys at once: the plan is opened and begun, and then it waits; a key for what is shown installs; q leads out."""
    (tmp_path / "server.log").write_text(MISSING)
    cache = tmp_path_factory.getbasetemp() / "knowledge"
    screen = Screen(
        tmp_path,
        cache,
        "--python",
        str(environment),
        "--session",
        "s.json",
        "server.log",
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(wheels),
    )
    try:
        screen.wait_for(b"missing-python-module")
        screen.type(b"f")
        screen.wait_for(b"goes through the steps")
        screen.type(b"r" + b"y" * 400)
        screen.wait_for(b"do this?")
        screen.type(b"y" * 50 + b"\x1b[200~yyyy\x1b[201~")
        screen.wait_for(b"leave it out")
        assert installed(environment) == ""
        assert b"Successfully installed" not in screen.seen
        screen.type(b"y")
        screen.wait_for(b"Successfully installed")
        screen.wait_for(b"u takes back")
        assert installed(environment) == "1.3.6"
        screen.type(b"qq")
        assert screen.end() == 0
        assert screen.is_as_before
        assert b"was not saved" not in screen.seen
        assert b'"verdict": "fixed"' in (tmp_path / "s.json").read_bytes()
    finally:
        screen.close()


def test_what_does_not_go_together(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A saved session has logs and a host of its own, and a damaged one is told in one line; the terminal is left as it was."""
    cache = tmp_path_factory.getbasetemp() / "knowledge"
    (tmp_path / "s.json").write_text("{")
    (tmp_path / "server.log").write_text(MISSING)
    for words, told in (
        (("--session", "s.json", "server.log"), b"holds a session with its own logs"),
        (("--session", "s.json"), b"s.json:1:2: this is no JSON"),
    ):
        screen = Screen(tmp_path, cache, *words)
        try:
            assert screen.end() == 2
            assert told in screen.seen
            assert b"Traceback" not in screen.seen
        finally:
            screen.close()
