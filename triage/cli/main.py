"""``sgltriage``: the verbs, each imported only when it is called.

A verb is a line in the table of a group, name -> (module, one-line help), and a module with two functions.
``add_arguments(parser)`` gives our ``ArgumentParser`` the description, options and positionals, and does nothing else, for
``--help`` calls it too. ``run(arguments)`` turns the namespace into typed values at once, does the work and returns an
``ExitCode``. A wrong call is a ``UsageError``, to which the way to the verb's help is added here, and anything else that is
wrong outside a ``CommandError``: both are one line on stderr and status 2. What only some calls need is imported inside
``run``. A group of verbs (``kb``) is a module with a ``GROUP``, listed like a verb.
"""

from __future__ import annotations

import errno
import gc
import importlib
import io
import os
import sys

from triage import __version__
from triage.cli.errors import CommandError, UsageError
from triage.cli.exit_codes import ExitCode
from triage.cli.help_page import HELP_OPTIONS, VERSION_OPTIONS, Group
from triage.cli.terminal import columns

VERBS = Group(
    "sgltriage",
    "Reads what a dead SGLang server printed and names the root cause, with its evidence.",
    {
        "scan": ("triage.cli.scan", "Read logs and name the root cause, with its evidence."),
        "watch": ("triage.cli.watch", "Watch a server while it runs, and tell what goes wrong when it does."),
        "run": ("triage.cli.run", "Start a server, watch it, keep its exit status, and name the cause when it dies."),
        "tui": ("triage.cli.tui", "Look at a failure on the screen: causes, log, time line, questions, summary."),
        "walk": ("triage.cli.walk", "Walk through a triage by numbered prompts: causes, checks, fix, summary."),
        "fix": ("triage.cli.fix", "Show how a cause is put right here, and do it step by step."),
        "explain": ("triage.cli.explain", "What a cause is, how it shows, and how it is mended."),
        "why": ("triage.cli.why", "Why a log gives this diagnosis: its whole ledger."),
        "why-not": ("triage.cli.why_not", "Why a log does not give this diagnosis."),
        "probe": ("triage.cli.probe", "Ask this host what logs cannot tell, and record it."),
        "preflight": ("triage.cli.preflight", "Check a launch command and the host before the server is started."),
        "kb": (
            "triage.cli.kb",
            "The knowledge base: list, show, lint, test, provenance, new, export-patterns, schema.",
        ),
    },
    examples=(
        "sgltriage scan server.log                 one log",
        "kubectl logs sglang-0 | sgltriage scan    a pipe",
        "sgltriage explain gpu-oom-runtime         what a cause is and how to mend it",
    ),
    epilogue="Exit status: 0 nothing at or above --fail-on; 1 findings; 2 usage, unreadable input or bad rule pack; "
    "3 internal error; 4 partial input with --strict; 130 interrupted; 141 broken pipe.",
    has_version=True,
)


def run() -> None:
    """The process: runs a verb and ends with its exit status; never with a traceback."""
    code = _run()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # closed, or None: there is nobody to tell
            continue
    # Nothing is left to be put in order, and freeing all that was read object by object takes a tenth of a short run.
    os._exit(code)


def _run() -> int:
    # Thousands of small immutable objects are made at start and none of them is garbage: collecting often only costs time.
    gc.set_threshold(50_000, 20, 50)
    try:
        if sys.argv[1:2] == ["run"]:
            from triage.cli.run_streams import fill_closed_streams

            fill_closed_streams()
        if sys.stdout is None:
            raise OSError(errno.EBADF, "standard output is closed")
        _never_fail_on_a_character()
        code = _call(VERBS, sys.argv[1:])
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except OSError as error:
        return _stream_failed(error)
    except Exception as error:  # noqa: BLE001  (a bug must end in one line and a report, never in a traceback)
        return _crashed(error)


def _call(group: Group, words: list[str]) -> int:
    """Run the verb of ``group`` that ``words`` begin with; its exit status."""
    command, first = group.command, words[0] if words else ""
    try:
        if first in HELP_OPTIONS:
            return _shown(group.page(columns()))
        if group.has_version and first in VERSION_OPTIONS:
            return _shown(f"sgltriage {__version__}, Python {sys.version.split()[0]}\n")
        if first not in group.verbs:
            raise UsageError(_no_verb(group, first))
        module = importlib.import_module(group.verbs[first][0])
        inner: Group | None = getattr(module, "GROUP", None)
        if inner is not None:
            return _call(inner, words[1:])
        from triage.cli.arguments import ArgumentParser

        command = f"{command} {first}"
        parser = ArgumentParser(command)
        module.add_arguments(parser)
        arguments = parser.parse(words[1:])
        return _shown(parser.page(columns())) if arguments is None else int(module.run(arguments))
    except CommandError as wrong:
        from triage.cli.diagnostics import tell

        hint = f" ({command} --help)" if isinstance(wrong, UsageError) else ""
        tell(str(wrong).replace("\n", " ") + hint)
        return ExitCode.USAGE


def _no_verb(group: Group, word: str) -> str:
    if not word:
        return f"name a verb: {', '.join(group.verbs)}"
    if word.startswith("-"):
        from triage.cli.arguments import no_option

        return no_option(word, [*HELP_OPTIONS, *(VERSION_OPTIONS if group.has_version else ())])
    if group is VERBS and os.path.exists(word):  # noqa: PTH110
        return f"no verb '{word}'; to read it: sgltriage scan {word}"
    from triage.knowledge.errors import did_you_mean

    return f"no verb '{word}'{did_you_mean(word, list(group.verbs))}"


def _shown(text: str) -> int:
    sys.stdout.write(text)
    return ExitCode.CLEAN


def _never_fail_on_a_character() -> None:
    """A report must come out under LANG=C too: what the encoding lacks is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _stream_failed(error: OSError) -> int:
    """Writing to stdout failed: a closed pipe is silent, a full disk is told; both must not be told again at exit."""
    import contextlib

    if not isinstance(error, BrokenPipeError) and error.errno not in (errno.ENOSPC, errno.EBADF, errno.EIO):
        return _crashed(error)
    # Python flushes stdout once more at exit; /dev/null takes what cannot be delivered.
    if sys.stdout is not None:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return ExitCode.BROKEN_PIPE
    from triage.cli.diagnostics import tell

    tell(f"the report could not be written: {error.strerror}")
    return ExitCode.USAGE


def _crashed(error: Exception) -> int:
    from triage.cli.crash import crash_report
    from triage.cli.diagnostics import tell

    path = crash_report(error)
    tell(f"internal error: {type(error).__name__}: {error}" + (f" (details in {path})" if path else ""))
    return ExitCode.INTERNAL
