"""A plan as a bash script for people who run things themselves: commands with their values quoted, files written from literal
texts, and all that the script cannot do as comments."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from triage.reporting.file_script import undo_line, why_not_written, write_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triage.playbook import FileContent, PlanPreview, StepPreview
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
    written: set[str] = set()
    for number, step in enumerate(plan.steps, start=1):
        yield ""
        yield from _step(step, number, outlet, written)
    if plan.after or plan.watch_for:
        yield ""
        yield from (f"# afterwards: {outlet.show(check)}" for check in plan.after)
        if plan.watch_for:
            yield f"# look for: {outlet.show(plan.watch_for)}"


def _step(step: StepPreview, number: int, outlet: Outlet, written: set[str]) -> Iterator[str]:
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
    if step.ends is not None:
        # Only the program itself can tell that the number still belongs to that process, so the script ends none.
        yield f"if kill -0 {step.ends} 2>/dev/null; then echo 'end process {step.ends} first' >&2; exit 1; fi"
    if step.command and step.log:
        yield from _server(step, outlet)
    elif step.command:
        yield _command(step, outlet)
    if step.file is not None:
        yield from _file(step.file, number, outlet, written)
    elif step.undo:
        yield f"#    undo: {outlet.show(step.undo)}"


def _file(file: FileContent, number: int, outlet: Outlet, written: set[str]) -> Iterator[str]:
    """The file of a step. What a second step makes of it was worked out from the file as it is now, so it cannot follow the first."""
    again = "an earlier step writes it" if file.path in written else ""
    reason = again or why_not_written(file, outlet)
    if reason:
        yield f"#    {outlet.show(file.path)} is not written by this script ({reason}): use sgltriage fix for this step"
        return
    written.add(file.path)
    backup = f"{file.path}.before-step-{number}"
    yield from write_lines(file, backup)
    yield f"#    undo: {undo_line(file, backup)}"


def _server(step: StepPreview, outlet: Outlet) -> Iterator[str]:
    """A server goes on when the script has ended."""
    log, folder = shlex.quote(outlet.show(step.log)), shlex.quote(outlet.show(str(Path(step.log).parent)))
    yield "#    it gets the variables of the shell that runs this script, and these"
    yield f"mkdir -p {folder}"
    line = " ".join((*_assignments(step, outlet), "nohup", _quoted(step.command, outlet)))
    yield f"(cd {shlex.quote(outlet.show(step.cwd or '/'))}; {line} >>{log} 2>&1 </dev/null &)"


def _assignments(step: StepPreview, outlet: Outlet) -> list[str]:
    return [f"{outlet.show(name)}={shlex.quote(str(outlet.value(value, name)))}" for name, value in step.env]


def _command(step: StepPreview, outlet: Outlet) -> str:
    line = " ".join((*_assignments(step, outlet), _quoted(step.command, outlet)))
    return f"(cd {shlex.quote(outlet.show(step.cwd))} && {line})" if step.cwd else line


def _quoted(words: tuple[str, ...], outlet: Outlet) -> str:
    return " ".join(shlex.quote(word) for word in outlet.arguments(words))
