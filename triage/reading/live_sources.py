"""``--source journal:UNIT``, ``docker:NAME``, ``kubectl:ARGS``: which client is run for it, with which arguments."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING

from triage.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

HISTORY_LINES = 10_000
"""How many lines of the past are asked for at first: a launch and what it led to."""
_STARTS = ("--tail", "--since", "--since-time")


@dataclass(frozen=True, slots=True)
class ClientCommand:
    """A client that prints a log and goes on, each line with its time in front. ``argv(since)`` is what is run, from ``since`` (seconds since 1970) or, for
    None, with some history; ``errors_apart``: what it prints to stderr is its own words and not the log."""

    label: str
    argv: Callable[[float | None], list[str]]
    errors_apart: bool


def client_command(source: str, *, history_lines: int = HISTORY_LINES) -> ClientCommand:
    """The client for ``KIND:WHAT``.

    Raises:
        ValueError: no such kind, or nothing that its client takes for a name; the message is one plain line.
    """
    kind, colon, what = source.partition(":")
    if not colon or kind not in ("journal", "docker", "kubectl"):
        raise ValueError(f"{source!r} is no source: journal:UNIT, docker:NAME or kubectl:ARGS is")
    if "\0" in what or not what.strip():
        raise ValueError(f"{source!r} names nothing")
    if kind == "kubectl":
        return _kubectl(source, what, history_lines)
    if what.startswith("-"):
        raise ValueError(f"{what!r} would be an option of the client, not a name")
    return _journal(source, what, history_lines) if kind == "journal" else _docker(source, what, history_lines)


def _journal(label: str, unit: str, lines: int) -> ClientCommand:
    def argv(since: float | None) -> list[str]:
        start = [f"--lines={lines}"] if since is None else [f"--since=@{int(since)}", "--lines=all"]
        return ["journalctl", "--follow", f"--unit={unit}", "--output=short-iso", "--no-pager", *start]

    return ClientCommand(label, argv, errors_apart=True)


def _docker(label: str, name: str, lines: int) -> ClientCommand:
    def argv(since: float | None) -> list[str]:
        start = [f"--tail={lines}"] if since is None else [f"--since={since:.6f}"]
        return ["docker", "logs", "--follow", "--timestamps", *start, "--", name]

    # The stderr of the container comes as that of the client: it is the log.
    return ClientCommand(label, argv, errors_apart=False)


def _kubectl(label: str, words: str, lines: int) -> ClientCommand:
    try:
        arguments = shlex.split(words)
    except ValueError as error:
        raise ValueError(f"{label!r} cannot be split into words: {error}") from None
    names = {word.split("=")[0] for word in arguments}
    chosen = not names.isdisjoint(_STARTS)
    stamps = [] if "--timestamps" in names else ["--timestamps"]

    def argv(since: float | None) -> list[str]:
        if since is None:
            start = [] if chosen else [f"--tail={lines}"]
            return ["kubectl", "logs", "--follow", *stamps, *start, *arguments]
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))
        return ["kubectl", "logs", "--follow", *stamps, *_without_start(arguments), f"--since-time={moment}"]

    return ClientCommand(label, argv, errors_apart=True)


def _without_start(arguments: list[str]) -> list[str]:
    """The arguments less those that say where to begin."""
    kept: list[str] = []
    skip = False
    for word in arguments:
        name, equals, _ = word.partition("=")
        if skip:
            skip = False
        elif name in _STARTS:
            skip = not equals
        else:
            kept.append(word)
    return kept
