"""A plan as a bash script for people who run things themselves: every command a line with its values quoted, all else a comment."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triage.playbook import PlanPreview, StepPreview
    from triage.reporting.outlet import Outlet


def script_lines(plan: PlanPreview, outlet: Outlet) -> Iterator[str]:
    """The script. It stops at the first command that fails, and asks nothing; secrets are placeholders in it."""
    yield "#!/usr/bin/env bash"
    yield f"# {outlet.show(plan.id)}: {outlet.show(plan.title)}"
    yield "# Written by sgltriage fix --script. Read it before you run it."
    for value in plan.values:
        text = value.problem or f"{outlet.value(value.text, value.name)}  ({value.origin})"
        yield f"#   {outlet.show(value.name)}: {outlet.show(text)}"
        yield from (f"#     {outlet.show(line)}" for line in value.sum)
    yield "set -euo pipefail"
    for number, step in enumerate(plan.steps, start=1):
        yield ""
        yield from _step(step, number, outlet)
    if plan.after or plan.watch_for:
        yield ""
        yield from (f"# afterwards: {outlet.show(check)}" for check in plan.after)
        if plan.watch_for:
            yield f"# look for: {outlet.show(plan.watch_for)}"


def _step(step: StepPreview, number: int, outlet: Outlet) -> Iterator[str]:
    yield f"# {number}. {outlet.show(step.title)} ({step.kind.value}, {step.risk.value})"
    if step.state in ("left-out", "unavailable"):
        yield f"#    left out: {outlet.show(step.reason)}"
        return
    if step.reason:
        yield f"#    {outlet.show(step.reason)}"
    yield f"#    {outlet.show(step.why)}"
    if step.already_done:
        yield f"#    done already if: {outlet.show(step.already_done)}"
    yield from (f"#    {outlet.show(line)}" for line in (*step.notes, *step.text.splitlines()))
    yield from (f"#    $ {_quoted(words, outlet)}" for words in step.commands)
    yield from (f"#    {outlet.show(line)}" for line in step.diff)
    if step.command:
        yield _command(step, outlet)
    if step.undo:
        yield f"#    undo: {outlet.show(step.undo)}"


def _command(step: StepPreview, outlet: Outlet) -> str:
    added = [f"{outlet.show(name)}={shlex.quote(str(outlet.value(value, name)))}" for name, value in step.env]
    line = " ".join((*added, _quoted(step.command, outlet)))
    return f"(cd {shlex.quote(outlet.show(step.cwd))} && {line})" if step.cwd else line


def _quoted(words: tuple[str, ...], outlet: Outlet) -> str:
    return " ".join(shlex.quote(word) for word in outlet.arguments(words))
