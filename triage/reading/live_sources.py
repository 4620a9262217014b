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
_JOURNAL_ADVICE = (
    ("not seeing messages from other users", "join the group systemd-journal, or watch as root"),
    ("No journal files", "no journal is kept here, or root alone may read it"),
    ("Failed to connect to bus", "no systemd answers here: watch the server's log file with --follow instead"),
)
_DOCKER_ADVICE = (
    ("No such container", "docker ps -a lists the names"),
    ("Is the docker daemon running", "start it, or name another one in DOCKER_HOST"),
    ("permission denied", "join the group docker, or watch as root"),
    ("does not support reading", "its logging driver keeps nothing to read: watch where it sends the log"),
)
_KUBECTL_ADVICE = (
    ("(NotFound)", "kubectl get pods -A lists pods and namespaces; -n NAMESPACE names another one"),
    ("(Forbidden)", "kubectl auth can-i get pods/log tells what you may read"),
    ("waiting to start", "kubectl describe pod tells what it waits for"),
    ("a container name must be specified", "add -c CONTAINER"),
    ("was refused", "KUBECONFIG or --context names the cluster"),
    ("Unable to connect", "KUBECONFIG or --context names the cluster"),
)


@dataclass(frozen=True, slots=True)
class ClientCommand:
    """A client that prints a log and goes on, each line with its time in front. ``argv(since)`` is what is run, from ``since`` (seconds since 1970) or, for
    None, with some history; ``errors_apart``: what it prints to stderr is its own words and not the log; ``advice``: what to do
    about words of its own, by a part of them; ``ends_with_server``: it ends well when the server does."""

    label: str
    argv: Callable[[float | None], list[str]]
    errors_apart: bool
    advice: tuple[tuple[str, str], ...] = ()
    ends_with_server: bool = False


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

    return ClientCommand(label, argv, errors_apart=True, advice=_JOURNAL_ADVICE)


def _docker(label: str, name: str, lines: int) -> ClientCommand:
    def argv(since: float | None) -> list[str]:
        start = [f"--tail={lines}"] if since is None else [f"--since={since:.6f}"]
        return ["docker", "logs", "--follow", "--timestamps", *start, "--", name]

    # The stderr of the container comes as that of the client: it is the log.
    return ClientCommand(label, argv, errors_apart=False, advice=_DOCKER_ADVICE, ends_with_server=True)


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

    return ClientCommand(label, argv, errors_apart=True, advice=_KUBECTL_ADVICE, ends_with_server=True)


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
