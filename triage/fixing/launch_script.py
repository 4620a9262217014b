"""The launch command changed inside a shell script or a unit file of systemd: its words change, every other byte stays."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from triage.fixing.launch_change import listed, planned_edits, targets
from triage.fixing.launch_text import Span, shell_quoted
from triage.playbook import LaunchChange
from triage.preflight.command import PlannedCommand, parse_command
from triage.preflight.shell_words import OPERATORS, Word, shell_words
from triage.records import dataclass, replace

_UNIT = re.compile(r"^\[Service\][ \t]*\r?$", re.MULTILINE)
_EXEC_START = re.compile(r"^ExecStart[ \t]*=[ \t]*[@:+!|-]*(?P<value>(?:\\\r?\n|[^\n])*)", re.MULTILINE)
_ENVIRONMENT = re.compile(r"^Environment[ \t]*=[ \t]*(?P<value>(?:\\\r?\n|[^\n])*)\n?", re.MULTILINE)
_COMMENT_WITHIN = re.compile(r"\\\r?\n[ \t]*[#;]")
_DOUBLE_QUOTED = re.compile(r'"((?:[^"\\]|\\\n)*)"')
_SAFE_IN_UNIT = re.compile(r"[\w@+=:,./-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class ChangedText:
    """A changed script, and what people should know of it. ``is_refused``: nothing in it is what the change is about, or it
    cannot be changed with certainty."""

    text: str
    notes: tuple[str, ...] = ()
    is_refused: bool = False


def change_script(text: str, change: LaunchChange) -> ChangedText:
    """``text``, a shell script or a unit file, with ``change`` made in the launch commands in it.

    Where the command cannot be changed with certainty (it stands in quotes within quotes) the text is returned as it is,
    and a note says why.
    """
    try:
        return _unit(text, change) if _UNIT.search(text) else _script(text, change)
    except ValueError as error:
        return ChangedText(text, (str(error),), is_refused=True)


def _script(text: str, change: LaunchChange) -> ChangedText:
    words, places = _words(text)
    commands = parse_command(words)
    edits, notes = planned_edits(words, commands, change)
    changed = edits.applied_to_text(text, words, places, shell_quoted)
    return ChangedText(changed, notes, is_refused=not targets(commands, change))


def _words(text: str) -> tuple[list[str], list[Span]]:
    """The words of a script with their places, redirections left out, as they are no arguments."""
    tokens = [word for word in shell_words(text, 0) if word.span is not None]
    kept: list[Word] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.bare and token.text in (">", ">>", "<", "<<"):
            # ``2>``, ``&>``: what touches the sign belongs to it.
            if kept and (kept[-1].text.isdecimal() or kept[-1].text == "&") and _touch(kept[-1], token):
                kept.pop()
            at = _redirected(tokens, at)
        else:
            kept.append(token)
            at += 1
    places = [word.span or (0, 0) for word in kept]
    return [_as_typed(word, text[slice(*place)]) for word, place in zip(kept, places, strict=True)], places


def _as_typed(word: Word, raw: str) -> str:
    if not word.bare and word.text in OPERATORS:
        return "_"  # in quotes it is an argument and ends nothing
    inner = _DOUBLE_QUOTED.fullmatch(raw)
    # A script in double quotes keeps its line breaks behind backslashes: they mean the same to the shell that will run it.
    return inner[1] if inner else word.text


def _redirected(tokens: Sequence[Word], at: int) -> int:
    """The place behind a redirection: ``> log``, ``>&1``, ``>| log``, ``<<< text``."""
    at += 1
    while at < len(tokens) and tokens[at].text in ("&", "|", "<", ">") and _touch(tokens[at - 1], tokens[at]):
        at += 1
    return at if at < len(tokens) and tokens[at].text == "\n" else at + 1


def _touch(first: Word, second: Word) -> bool:
    return first.span is not None and second.span is not None and first.span[1] == second.span[0]


def _unit(text: str, change: LaunchChange) -> ChangedText:
    notes: list[str] = []
    pieces: list[tuple[int, int, str]] = []
    found = False
    for line in _EXEC_START.finditer(text):
        value = line["value"]
        words, places = _words(value)
        commands = parse_command(words)
        chosen = targets(commands, change)
        if not chosen:
            continue
        if _COMMENT_WITHIN.search(value):
            raise ValueError("a comment stands within the command, which is taken for its end; change it by hand")
        if any(command.start.span for command in chosen) and re.search(
            r"[%$\\]", repr([change.set, change.env, change.container])
        ):
            raise ValueError("the change needs escapes within the quotes that the command stands in; make it by hand")
        found = True
        whole, said = listed(change, _present(text, chosen))
        notes += said
        inner, outer = _shared_out(whole, chosen)
        edits, said = planned_edits(words, commands, inner)
        notes += said
        start, end = line.span("value")
        pieces.append((start, end, edits.applied_to_text(value, words, places, unit_quoted)))
        pieces += _environment(text, line.start(), outer)
    if not found:
        return ChangedText(
            text, (f"no {change.target} is started by this unit, so it stays as it is",), is_refused=True
        )
    changed = text
    for start, end, new in sorted(dict.fromkeys(pieces), reverse=True):
        changed = changed[:start] + new + changed[end:]
    if changed != text:
        notes.append("systemctl daemon-reload makes systemd read it")
    return ChangedText(changed, tuple(dict.fromkeys(notes)))


def _present(text: str, commands: Sequence[PlannedCommand]) -> dict[str, str]:
    """The variables that the unit sets, and over them those of its command."""
    words = (word.text for line in _ENVIRONMENT.finditer(text) for word in shell_words(line["value"], 0))
    stated = {name: value for name, _, value in (word.partition("=") for word in words)}
    return stated | {item.name: item.value for command in commands for item in command.variables}


def _shared_out(change: LaunchChange, commands: Sequence[PlannedCommand]) -> tuple[LaunchChange, LaunchChange]:
    """What to change in the command, and what in the unit's own ``Environment=``: a command without a shell and without a
    container has no other place for variables."""
    plain = all(command.container is None and command.start.span is None for command in commands)
    own = {variable.name for command in commands for variable in command.variables}
    env = tuple(item for item in change.env if not plain or item[0] in own)
    unset = tuple(name for name in change.unset if not plain or name in own)
    rename = tuple(item for item in change.rename if not plain or item[0] in own or item[0].startswith("--"))
    outer = LaunchChange(
        env=tuple(item for item in change.env if item not in env),
        unset=tuple(name for name in change.unset if name not in unset),
        rename=tuple(item for item in change.rename if item not in rename),
    )
    return replace(change, env=env, unset=unset, rename=rename), outer


def _environment(text: str, exec_start: int, change: LaunchChange) -> Iterator[tuple[int, int, str]]:
    """The pieces of ``Environment=`` lines that change."""
    lines = list(_ENVIRONMENT.finditer(text))
    stated = {word.text.partition("=")[0] for line in lines for word in shell_words(line["value"], 0)}
    renamed = {old: new for old, new in change.rename if new not in stated}
    gone = {*change.unset, *(old for old, new in change.rename if new in stated)}
    values = dict(change.env)
    for line in lines:
        words = list(shell_words(line["value"], 0))
        names = [word.text.partition("=")[0] for word in words]
        if words and all(name in gone for name in names):
            yield line.start(), line.end(), ""
            continue
        for name, word in zip(names, words, strict=True):
            start, end = word.span or (0, 0)
            at = line.start("value")
            if name in gone:
                # With it goes the blank before it, or behind it for the first.
                blanks = len(line["value"][:start]) - len(line["value"][:start].rstrip(" \t"))
                behind = len(line["value"][end:]) - len(line["value"][end:].lstrip(" \t")) if not start else 0
                yield at + start - blanks, at + end + behind, ""
            elif name in renamed:
                yield at + start, at + end, line["value"][start:end].replace(name, renamed[name], 1)
            elif name in values and word.text != f"{name}={values[name]}":
                yield at + start, at + end, _assigned(name, values[name])
    new = [f"Environment={_assigned(name, value)}\n" for name, value in change.env if name not in stated]
    if new:
        at = max((line.end() for line in lines if line.end() <= exec_start), default=exec_start)
        yield at, at, "".join(new)


def _assigned(name: str, value: str) -> str:
    return unit_quoted(f"{name}={value}", of_environment=True)


def unit_quoted(text: str, *, of_environment: bool = False) -> str:
    """A word for a unit of systemd: ``%`` begins a specifier, a backslash an escape whatever the quotes, and a dollar a variable
    in a command line, though not in ``Environment=``."""
    if _SAFE_IN_UNIT.fullmatch(text):
        return text
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'
    return quoted if of_environment else quoted.replace("$", "$$")
