"""How wide a page may be."""

from __future__ import annotations

import os

import pytest

from triage.cli.terminal import columns


@pytest.mark.parametrize(("told", "size", "expected"), [
    ("60", 120, 60), ("x", 120, 120), ("0", 120, 120), ("-5", 120, 120), (None, 120, 120), (None, 0, 80), (None, None, 80),
    ("", None, 80), ("90", None, 90),
])  # fmt: skip
def test_columns(monkeypatch: pytest.MonkeyPatch, told: str | None, size: int | None, expected: int) -> None:
    """$COLUMNS where it is a number above 0, else the terminal's width, else 80."""

    def asked() -> os.terminal_size:
        if size is None:
            raise OSError("no terminal")
        return os.terminal_size((size, 24))

    monkeypatch.delenv("COLUMNS", raising=False)
    if told is not None:
        monkeypatch.setenv("COLUMNS", told)
    monkeypatch.setattr(os, "get_terminal_size", asked)
    assert columns() == expected
