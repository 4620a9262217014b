"""The layout of the text report."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from triage.cells import cells
from triage.model import Fact, Input, Report, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = "CUDA error: " + "很长的日志 " * 60


def blocks(output: str) -> list[list[str]]:
    """The stretches between empty lines."""
    return [block.splitlines() for block in output.strip().split("\n\n")]


def test_at_most_seven_lines_a_diagnosis(
    crash: Report, about: Callable[[str], Report], printed: Callable[..., str]
) -> None:
    """Even a diagnosis with everything in it fits seven lines."""
    for report in (crash, about("word")):
        for block in blocks(printed(report, "text"))[1:-1]:
            assert len(block) <= 7


def test_summary_is_last_and_names_the_exit_status(crash: Report, printed: Callable[..., str]) -> None:
    """The eye is at the end of the output."""
    assert (
        printed(crash, "text").splitlines()[-1]
        == "confirmed: 1 error, 1 warning   exit 1 (a finding at or above error)"
    )
    assert printed(crash, "text", fail_on="fatal").endswith("exit 0 (nothing at or above fatal)\n")
    assert printed(crash, "text", fail_on="never").endswith("exit 0 (--fail-on never)\n")


def test_healthy_is_one_line(healthy: Report, printed: Callable[..., str]) -> None:
    """A log without trouble costs one line."""
    assert printed(healthy, "text") == "no known problem in 41,208 lines; 0 unexplained errors; 2 probes not run\n"


def test_healthy_with_something_to_say(healthy: Report, crash: Report, printed: Callable[..., str]) -> None:
    """A warning or a limit is not swallowed by the one line."""
    warned = replace(healthy, diagnoses=crash.diagnoses[1:])
    assert "pd-router-missing-or-misconfigured" in printed(warned, "text")
    limited = replace(healthy, limits_hit=("stopped at 8 GiB",))
    assert "stopped at 8 GiB" in printed(limited, "text")


def test_unknown_says_so(unknown: Report, printed: Callable[..., str]) -> None:
    """The errors are shown with the frame that raised them and the nearest signatures."""
    output = printed(unknown, "text")
    assert "unknown  no signature explains this" in output
    assert "RuntimeError: the flux capacitor is not charged" in output
    assert "printed in model_runner.py:812 in forward; nearest: gpu-oom-runtime 62%, nccl-timeout 50%" in output


def test_number_of_unexplained_lines(unknown: Report, printed: Callable[..., str]) -> None:
    """As many as wanted are listed; the number of all of them is always told."""
    assert "ValueError" not in printed(unknown, "text", unexplained=1)
    assert "5 error lines" in printed(unknown, "text", unexplained=0)


def test_top(crash: Report, printed: Callable[..., str]) -> None:
    """Diagnoses beyond the cap are announced, not dropped."""
    output = printed(crash, "text", top=1)
    assert "pd-router-missing-or-misconfigured  No router" not in output
    assert "and 1 more diagnosis (--top)" in output


def test_rivals_in_one_phrase(crash: Report, printed: Callable[..., str]) -> None:
    """The competitor, its confidence and what tells the two apart."""
    assert "or: pd-router-missing-or-misconfigured 2% - probe router-endpoint tells them apart" in printed(
        crash, "text"
    )


def test_nothing_is_cut_in_a_pipe(about: Callable[[str], Report], printed: Callable[..., str]) -> None:
    """Without a width the whole log line is there."""
    assert LONG.strip() in printed(about(LONG), "text")


@pytest.mark.parametrize("width", [80, 90, 120])
def test_log_text_is_cut_by_cells(width: int, crash: Report, printed: Callable[..., str]) -> None:
    """On a terminal a wide line of log ends in an ellipsis at the edge, and what follows it is kept."""
    root = crash.diagnoses[0]
    wide = tuple(replace(entry, text=LONG) for entry in root.ledger)
    output = printed(replace(crash, diagnoses=(replace(root, ledger=wide),)), "text", width=width)
    first, also = (line for line in output.splitlines() if line.startswith(("  first", "  also")))
    assert first.endswith("…")
    assert also.endswith("…  (+at least 8 more)")
    assert cells(first) in (width - 1, width)
    if width > 80:
        assert cells(also) in (width - 1, width)


def test_narrow_terminals_still_show_some_of_the_line(
    about: Callable[[str], Report], printed: Callable[..., str]
) -> None:
    """Where the place alone fills the terminal, the beginning of the log line follows it all the same."""
    assert "CUDA error: " in next(
        line for line in printed(about(LONG), "text", width=20).splitlines() if "first" in line
    )


def test_title_reaches_the_edge(crash: Report, printed: Callable[..., str]) -> None:
    """The confidence stands at the right edge of the terminal."""
    title = next(line for line in printed(crash, "text", width=120).splitlines() if line.startswith("error"))
    assert title.endswith("confidence 97%")
    assert cells(title) == 120


def test_colour_adds_codes_only(crash: Report, printed: Callable[..., str]) -> None:
    """Without its colour codes the coloured text is the plain one, on any width."""
    for width in (None, 80):
        coloured = printed(crash, "text", color=True, width=width)
        assert coloured != printed(crash, "text", width=width)
        assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == printed(crash, "text", width=width)


def test_header(crash: Report, printed: Callable[..., str]) -> None:
    """One input has everything on its line; several inputs have one line each and one for what they share."""
    assert printed(crash, "text", elapsed=0.314).splitlines()[0] == (
        "logs/prefill.log  1,500 lines  123.5 kB  2 undecodable bytes  read in part"
        "  2026-03-01 10:00:00–10:04:31  sglang 0.5.6  3 ranks (TP0–TP7)  0.31 s"
    )
    seen = replace(crash.observation, inputs=(Input("a", 1, 1), Input("b", 2_000, 2)), ranks=("TP0",))
    lines = printed(replace(crash, observation=seen), "text").splitlines()
    assert lines[:3] == [
        "a  1 line  1 bytes",
        "b  2 lines  2.0 kB",
        "2026-03-01 10:00:00–10:04:31  sglang 0.5.6  rank TP0",
    ]


def test_certainty_is_never_claimed(crash: Report, printed: Callable[..., str]) -> None:
    """A confidence that rounds to one is shown as 99%."""
    sure = replace(crash.diagnoses[0], confidence=0.9999)
    assert "confidence 99%" in printed(replace(crash, diagnoses=(sure,)), "text")


def test_severity_words(crash: Report, printed: Callable[..., str]) -> None:
    """The summary counts severities, the worst first."""
    fatal = replace(crash.diagnoses[0], severity=Severity.FATAL)
    report = replace(crash, verdict=Verdict.LIKELY, diagnoses=(crash.diagnoses[1], crash.diagnoses[1], fatal))
    assert "likely: 1 fatal, 2 warnings" in printed(report, "text")


def test_version_that_is_not_text(healthy: Report, crash: Report, printed: Callable[..., str]) -> None:
    """A fact of any type can be shown in the header."""
    seen = replace(healthy.observation, facts=(Fact("sglang.version", 1.5, "x"),))
    assert "sglang 1.5" in printed(replace(crash, observation=seen), "text")


def test_what_was_piped_in_is_not_named_as_a_file(crash: Report, printed: Callable[..., str]) -> None:
    """The command that mends names logs that can be read again; whatever a pipe is called, it is no such log."""
    assert "sgltriage fix pd-direct-request-prefill --log logs/prefill.log" in printed(crash, "text")
    piped = printed(crash, "text", gone=frozenset({"logs/prefill.log"}))
    assert "sgltriage fix pd-direct-request-prefill --report REPORT.json" in piped


def test_on_a_terminal_rows_break_between_words(crash: Report, printed: Callable[..., str]) -> None:
    """No row but one of a single long word or a command is wider than the terminal, and nothing of the text is lost."""
    wide, narrow = printed(crash, "text"), printed(crash, "text", width=60)
    row = next(line for line in wide.splitlines() if line.startswith("  why"))
    at = next(number for number, line in enumerate(narrow.splitlines()) if line.startswith("  why"))
    parts = [
        narrow.splitlines()[at],
        *[line for line in narrow.splitlines()[at + 1 : at + 4] if line.startswith(" " * 10)],
    ]
    assert all(cells(line) <= 60 for line in parts)
    assert " ".join(part.strip() for part in parts).split() == row.split()
