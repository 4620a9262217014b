"""The picture in the documentation shows the program as it is."""

from __future__ import annotations

import pytest

from tools.make_screenshot import PICTURE, draw, words_of


def test_picture_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was drawn by this program: if not, ``python -m tools.make_screenshot`` draws it again."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    picture = PICTURE.read_text(encoding="utf-8")
    assert words_of(draw()) == words_of(picture)
    assert any("gpu-oom" in text for text in words_of(picture))


def test_picture_asks_nobody() -> None:
    """Looking at it loads nothing from elsewhere."""
    picture = PICTURE.read_text(encoding="utf-8")
    assert "url(" not in picture.replace("url(#", "")
    assert "<image" not in picture
