"""A session as Markdown, to be pasted where others read it: what was found, done, proven, and what stays open."""

from __future__ import annotations

from collections.abc import Iterator

from triage.reporting.markdown import block, code
from triage.reporting.outlet import Outlet
from triage.reporting.render import render
from triage.reporting.words import percent
from triage.session.session import Session
from triage.session.state import Action, Move, RunNote

_KINDS = {
    "answer": "answered",
    "skip": "skipped the question",
    "host": "weighed",
    "probe": "asked this host",
    "fix": "ran",
    "note": "noted",
}
_HOLDS = {True: "yes", False: "no", None: "not known"}
_MOVES = 3


def summary_lines(session: Session, outlet: Outlet) -> Iterator[str]:
    """Lines of Markdown; whatever came from outside stands in code, redacted and visible."""
    yield "## Triage"
    yield ""
    begun = session.state.begun
    yield f"Begun {code(outlet.show(begun))}." if begun else "Begun at a time that is not known."
    if session.is_frozen:
        yield "Recorded on another machine, and shown as it was there."
    yield ""
    # The report says what was found, what no signature explains and what nobody looked at.
    yield from (line.rstrip("\n") for line in render(session.report, "markdown", outlet))
    yield ""
    yield "### Done"
    yield ""
    yield from _done(session, outlet)
    yield ""
    yield "### Proven"
    yield ""
    yield from _proven(session, outlet)
    yield ""
    yield "### Still open"
    yield ""
    yield from _open(session, outlet)


def moved_in_words(move: Move) -> str:
    """``65% to 20%``, ``new, 71%`` or ``gone, was 12%``."""
    if move.before is None:
        return f"new, {percent(move.after or 0.0)}"
    return (
        f"gone, was {percent(move.before)}"
        if move.after is None
        else f"{percent(move.before)} to {percent(move.after)}"
    )


def _done(session: Session, outlet: Outlet) -> Iterator[str]:
    for action in session.state.actions:
        yield f"- {code(outlet.show(action.time))} {_KINDS.get(action.kind, 'did')} {code(outlet.show(action.text))}{_moved(action, outlet)}"
    if not session.state.actions:
        yield "Nothing but reading the logs."


def _moved(action: Action, outlet: Outlet) -> str:
    told = [f"{code(outlet.show(item.id))} {moved_in_words(item)}" for item in action.moves[:_MOVES]]
    return f": {', '.join(told)}" if told else ""


def _proven(session: Session, outlet: Outlet) -> Iterator[str]:
    for run in session.state.runs:
        yield from _run(run, outlet)
    if not session.state.runs:
        yield "Nothing: no playbook was carried out."


def _run(run: RunNote, outlet: Outlet) -> Iterator[str]:
    yield (
        f"- {code(outlet.show(run.playbook))} for {code(outlet.show(run.diagnosis))}: **{_verdict(run, outlet)}** "
        f"({code(outlet.show(run.time))}, run {code(outlet.show(run.run))})"
    )
    rows = [f"{outlet.show(outcome):<12} {outlet.show(step)}" for step, outcome in run.outcomes]
    rows += [f"{_HOLDS[item.holds]:<12} {outlet.show(item.check)}   {outlet.show(item.proof)}" for item in run.checks]
    rows += [f"{'diagnosis':<12} {outlet.show(run.again)}"] if run.again else []
    yield ""
    yield from block(rows)
    yield ""


def _verdict(run: RunNote, outlet: Outlet) -> str:
    # A session file may say anything here.
    text = outlet.show(run.verdict)
    return text if text.replace(" ", "").isalpha() and text.isascii() else code(text)


def _open(session: Session, outlet: Outlet) -> Iterator[str]:
    if session.is_frozen:
        yield "What was not checked stands in the report above."
        return
    for prompt in session.prompts:
        yield f"- question {code(outlet.show(prompt.name))}: {code(outlet.show(prompt.question.ask))}"
    for name in session.state.skipped:
        yield f"- question {code(outlet.show(name))} was skipped"
    step = session.next_step()
    if step is not None and step.kind == "probe":
        yield f"- probe {code(outlet.show(step.name))} would tell the most"
    if step is None and not session.prompts and not session.state.skipped:
        yield "No check is left that would tell more."
