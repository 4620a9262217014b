"""What a traceback can show: a frame for each function, and lines of code but not of comments or texts."""

from __future__ import annotations

import pytest

from triage.sources.traceback_lines import code_line_numbers, frame_lines

SOURCE = '''\
"""A docstring
of two lines.
"""
# a comment
x = compute(
    first,
    # within
    "a text",
)

class Pool:
    async def take(self):
        """What it does."""
        assert self.free % 2 == 0
    def give(self): return 1
'''


def test_frames() -> None:
    """One line for each function by its bare name and one for the top level, in the form of Python's tracebacks."""
    lines = list(frame_lines(SOURCE, "sglang/srt/pool.py"))
    assert [line.rpartition(" in ")[2] for line in lines] == ["<module>", "take", "give"]
    assert all(line.startswith('  File "/') and '/sglang/srt/pool.py", line 1, in ' in line for line in lines)


def test_code_lines() -> None:
    """Statements and expressions count; docstrings, comments and lines that hold a text alone do not."""
    assert code_line_numbers(SOURCE) == {5, 6, 11, 12, 14, 15}


def test_code_that_does_not_parse() -> None:
    """It is a ValueError, as with templates."""
    with pytest.raises(ValueError, match="not parsed"):
        code_line_numbers("print 'old'")
