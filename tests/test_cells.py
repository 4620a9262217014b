"""Widths on a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.cells import cells, cut


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("日志", 4), ("e\u0301", 1), ("🚧", 2), ("", 0)])
def test_cells(text: str, width: int) -> None:
    """Wide characters take two cells, combining marks none."""
    assert cells(text) == width


@pytest.mark.parametrize(("width", "shown"), [(6, "日志日"), (5, "日志…"), (4, "日…"), (1, "…")])
def test_cut_by_cells(width: int, shown: str) -> None:
    """A wide character that does not fit is left out whole."""
    assert cut("日志日", width) == shown


@given(st.text(), st.integers(1, 40))
def test_cut_fits(text: str, width: int) -> None:
    """Whatever is cut fits."""
    assert cells(cut(text, width)) <= width
