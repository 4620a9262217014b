"""Markdown that can be pasted into an issue whatever the log holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from triage.reporting.markdown import block, code

if TYPE_CHECKING:
    from collections.abc import Callable

    from triage.model import Report

LIVE = ["@octocat", "<img src=x onerror=alert(1)>", "<!-- x", "![x](http://10.0.0.1/x.png)", "[x](http://10.0.0.1)", "fixes #12",
        "https://10.0.0.1/", "www.example.org", "**bold**", "| a | b |", "```", "````text", "`", "a`b``c", "~~~", "# head", "--- x _y_"]  # fmt: skip


def outside_code(output: str) -> str:
    """What a Markdown renderer would interpret: the text without fenced blocks and code spans."""
    prose: list[str] = []
    fence = ""
    for line in output.splitlines():
        if fence:
            fence = "" if re.fullmatch(f"{fence}`*", line) else fence
        elif opened := re.match(r"(`{3,})\w*$", line):
            fence = opened[1]
        else:
            prose.append(re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", line))
    assert not fence, "a fenced block is not closed"
    return "\n".join(prose)


@pytest.mark.parametrize("text", LIVE)
def test_data_is_inert(text: str, about: Callable[[str], Report], printed: Callable[..., str]) -> None:
    """Mentions, HTML, images, links, references and backticks stand in code, in every field."""
    output = printed(about(text), "markdown", unexplained=5)
    assert text in output
    assert text not in outside_code(output)
    assert "`" not in outside_code(output)


def test_our_own_structure_is_live(crash: Report, printed: Callable[..., str]) -> None:
    """Headings and labels are Markdown, plain titles are prose."""
    prose = outside_code(printed(crash, "markdown"))
    assert prose.startswith("### sgltriage: confirmed: 1 error, 1 warning\n")
    assert "The request went straight to a prefill server" in prose
    assert "- **Fix:** Send requests to the router" in prose


def test_the_launch_command_is_in_it(crash: Report, printed: Callable[..., str]) -> None:
    """Whoever reads the issue sees how the server was started, without its key."""
    assert re.search(r"python -m sglang\.launch_server --api-key ‹api_key:\w{4}› --tp 8", printed(crash, "markdown"))


@pytest.mark.parametrize(("text", "span"), [("a", "`a`"), ("`a", "`` `a ``"), ("a``b", "```a``b```"), (" ", "`   `")])
def test_code_span(text: str, span: str) -> None:
    """The span's marks are longer than any run of backticks in it."""
    assert code(text) == span


def test_fence() -> None:
    """A fence is longer than any run of backticks in its rows."""
    assert list(block(["a", "````"])) == ["`````text", "a", "````", "`````"]
