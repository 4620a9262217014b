"""Options of the verbs that watch a server, and who is told by them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from typing import TYPE_CHECKING, TextIO

from triage.cli.argument_types import AtLeast, Choice, WrongValue
from triage.cli.errors import CommandError, UsageError
from triage.cli.options import add_kb, add_several, add_without

if TYPE_CHECKING:
    from collections.abc import Callable

    from triage.cli.arguments import ArgumentParser, Namespace
    from triage.watching.alert_gate import AlertGate
    from triage.watching.background import Delivery
    from triage.watching.fan_out import Notes
    from triage.watching.hook import Command
    from triage.watching.listener import Listener, Told
    from triage.watching.session import Ended

_LABEL = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]{0,62})=(.{0,200})", re.DOTALL)
_PORT_MOST = 65535


def add_live_options(parser: ArgumentParser) -> None:
    """What `listeners` reads, ``--kb`` and ``--without``."""
    add_kb(parser)
    add_without(parser)
    add_several(
        parser, "--on-diagnosis", "hooks", "COMMAND",
        "Run this when a diagnosis appears, becomes likely or is over; words are split as a shell does and nothing is expanded; "
        "the event is its standard input, as JSON",
    )  # fmt: skip
    add = parser.add_argument
    add("--hook-timeout", type=AtLeast(1), default=10, metavar="SECONDS", help="How long such a command may take.")
    add_several(
        parser, "--webhook", "webhooks", "URL",
        "Post the same events to this URL, which may be written env:NAME or file:PATH",
    )  # fmt: skip
    add_several(
        parser, "--webhook-header", "webhook_headers", "'NAME: VALUE'",
        "Send this header along; a secret VALUE is written env:NAME or file:PATH",
    )  # fmt: skip
    add(
        "--hook-cooldown", type=AtLeast(0), default=60, metavar="SECONDS",
        help="How long hooks and webhooks hear nothing new of a diagnosis that they just heard of.",
    )  # fmt: skip
    add(
        "--alert-level", type=Choice("info", "warning", "error", "fatal"), default="error",
        help="Least severity that hooks and webhooks hear of.",
    )  # fmt: skip
    add_several(parser, "--label", "labels", "NAME=VALUE", "Put this into every JSON event, such as host=node7", label)
    add(
        "--metrics", type=address, metavar="[HOST:]PORT",
        help="Serve metrics for Prometheus at /metrics, on 127.0.0.1 unless another address is written out.",
    )  # fmt: skip


def listeners(
    arguments: Namespace,
    out: TextIO,
    notes: Notes,
    *,
    fmt: str = "text",
    status: TextIO | None = None,
    at_end: Callable[[Ended], None] | None = None,
    late: TextIO | None = None,
) -> list[Listener]:
    """Everybody whom the options name, in the order in which `FanOut` is to call them: a status line on ``status``, lines in
    ``fmt`` (``text`` or ``jsonl``) on ``out``, metrics, hooks, webhooks. ``notes``: what `FanOut` was given. ``at_end`` and
    ``late`` are those of `LineTeller`.

    Raises:
        UsageError: an option does not hold what it should. CommandError: a port or file that cannot be had.
    """
    from triage.watching.tellers import LineTeller

    found: list[Listener] = []
    if status is not None:
        found.append(_status_line(status))
    found.append(LineTeller(out, _rendering(fmt, arguments), at_end=at_end, late=late))
    deliveries: list[Delivery] = []
    alerting = [*_hooks(arguments, notes, deliveries), *_webhooks(arguments, notes, deliveries)]
    if arguments.metrics is not None:
        found.append(_metrics(arguments.metrics, deliveries, notes))
    return [*found, *alerting]


def label(word: str) -> tuple[str, str]:
    """``NAME=VALUE``."""
    found = _LABEL.fullmatch(word)
    if found is None:
        raise WrongValue(f"'{word}' is no NAME=VALUE")
    return found[1], found[2]


def address(word: str) -> tuple[str, int]:
    """``9200``, ``0.0.0.0:9200`` or ``[::1]:9200``."""
    host, _, port = word.rpartition(":")
    if not port.isdecimal() or not port.isascii() or int(port) > _PORT_MOST:
        raise WrongValue(f"'{word}' is no port, and no HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


def hook_argv(text: str) -> tuple[str, ...]:
    """The words of ``--on-diagnosis``, the program's absolute path first.

    Raises:
        UsageError: it is no command, its program is not there, or it holds what only a shell would understand.
    """
    from triage.preflight.shell_words import shell_words

    try:
        argv = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"--on-diagnosis: {error}") from error
    if not argv or not argv[0]:
        raise UsageError("--on-diagnosis: a command is wanted")
    for word in shell_words(text, 0):
        # It would be handed on as it stands, which nobody means who writes it.
        if word.bare and re.search(r"^[;&|<>\n]|[$`]", word.text):
            shown = word.text.replace("\n", "a line end")
            raise UsageError(f"--on-diagnosis runs no shell, and {shown} needs one: quote it, or write sh -c '...'")
    program = shutil.which(argv[0])
    if program is None:
        raise UsageError(f"--on-diagnosis: {argv[0]}: there is no such program, or it may not be run")
    return (os.path.abspath(program), *argv[1:])  # noqa: PTH100  (links stay: some programs look at their own name)


def _rendering(fmt: str, arguments: Namespace) -> Callable[[Told], str]:
    """What makes a line of an event. Each has an outlet of its own, for each is used by one thread."""
    from triage.reporting.event_text import event_json, event_line
    from triage.reporting.outlet import Outlet
    from triage.safety.redact import Redactor

    outlet = Outlet(Redactor())
    if fmt == "text":
        return lambda told: event_line(told, outlet)
    return lambda told: event_json(told, outlet, arguments.labels)


def _hooks(arguments: Namespace, notes: Notes, deliveries: list[Delivery]) -> list[Listener]:
    if not arguments.hooks:
        return []
    from triage.watching.background import Delivery
    from triage.watching.hook import Command, Hook

    counts = Delivery("hook")
    deliveries.append(counts)
    environment = tuple(os.environ.items())
    commands: list[Command] = [
        Command(hook_argv(text), os.getcwd(), environment, float(arguments.hook_timeout))  # noqa: PTH109
        for text in arguments.hooks
    ]
    return [Hook(command, _gate(arguments), _rendering("jsonl", arguments), counts, notes) for command in commands]


def _webhooks(arguments: Namespace, notes: Notes, deliveries: list[Delivery]) -> list[Listener]:
    if not arguments.webhooks:
        if arguments.webhook_headers:
            raise UsageError("--webhook-header needs --webhook")
        return []
    from triage import __version__
    from triage.watching.background import Delivery
    from triage.watching.webhook import Webhook
    from triage.watching.webhook_post import Post
    from triage.watching.webhook_target import target

    counts = Delivery("webhook")
    deliveries.append(counts)
    found: list[Listener] = []
    for url in arguments.webhooks:
        try:
            to = target(url, arguments.webhook_headers, os.environ)
        except ValueError as error:
            raise UsageError(f"--webhook: {error}") from error
        if to.is_open:
            notes.add("webhook", f"{to.origin}: without TLS everybody on the way can read what is posted")
        post = Post(to, f"sgltriage/{__version__}")
        found.append(Webhook(post, _gate(arguments), _rendering("jsonl", arguments), counts, notes))
    return found


def _gate(arguments: Namespace) -> AlertGate:
    import time

    from triage.model import Severity
    from triage.watching.alert_gate import AlertGate

    return AlertGate(Severity(arguments.alert_level), float(arguments.hook_cooldown), time.monotonic)


def _metrics(where: tuple[str, int], deliveries: list[Delivery], notes: Notes) -> Listener:
    from triage.watching.metrics import Metrics
    from triage.watching.metrics_server import MetricsServer

    host, port = where
    try:
        server = MetricsServer(Metrics(deliveries), host, port)
    except OSError as error:
        raise CommandError(f"--metrics: {host}:{port}: {error.strerror or error}") from error
    notes.add("metrics", f"served at {server.url}")
    return server


def _status_line(out: TextIO) -> Listener:
    from triage.cli.terminal import columns, speaks_unicode
    from triage.watching.status_line import StatusLine

    return StatusLine(out, columns(), speaks_unicode())
