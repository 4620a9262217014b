"""What a run of a playbook ended with, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from triage.fixing.verdict import FixResult, FixVerdict
from triage.reporting.page import Page

_COLOURS = {FixVerdict.FIXED: "green", FixVerdict.NOT_FIXED: "red", FixVerdict.CANNOT_TELL: "yellow"}


def verdict_lines(found: FixResult, left: Sequence[str], page: Page) -> Iterator[str]:
    """The verdict, the checks that decided it, and the steps that somebody still has to look at."""
    yield page.paint("bold", page.paint(_COLOURS[found.verdict], found.verdict.value))
    for name, answer in found.seen:
        mark = {True: "yes", False: "no", None: "not known"}[answer.holds]
        yield f"  {mark:<9} {page.show(name)}   {page.show(answer.proof)}"
    if left:
        yield f"  left      {page.show(', '.join(left))}"
    if found.verdict is not FixVerdict.FIXED and found.watch_for:
        yield f"  watch for {page.show(found.watch_for)}"
