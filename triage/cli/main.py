"""``sgltriage``: the verbs, each imported only when it is called."""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import io
import os
import sys

import click

from triage import __version__
from triage.cli.exit_codes import ExitCode

_VERBS = {
    "scan": ("triage.cli.scan", "Read logs and name the root cause, with its evidence."),
    "explain": ("triage.cli.explain", "What a cause is, how it shows, and how it is mended."),
    "why": ("triage.cli.why", "Why a log gives this diagnosis: its whole ledger."),
    "why-not": ("triage.cli.why", "Why a log does not give this diagnosis."),
    "probe": ("triage.cli.probe", "Ask this host what logs cannot tell, and record it."),
    "preflight": ("triage.cli.preflight", "Check a launch command and the host before the server is started."),
    "kb": ("triage.cli.kb", "The knowledge base: list, show, lint, test, provenance, new, export-patterns, schema."),
}


class LazyGroup(click.Group):
    """A group that knows its verbs' names and one-line helps, and imports a verb when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        module = importlib.import_module(_VERBS[cmd_name][0])
        command = getattr(module, cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, text) for name, (_, text) in _VERBS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in _VERBS:
            from triage.knowledge.errors import did_you_mean

            hint = did_you_mean(name, list(_VERBS))
            if os.path.exists(name):  # noqa: PTH110
                hint = f"; to read it: sgltriage scan {name}"
            raise click.UsageError(f"no verb '{name}'{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 nothing at or above --fail-on; 1 findings; 2 usage, unreadable input or bad rule pack; "
    "3 internal error; 4 partial input with --strict; 130 interrupted; 141 broken pipe.",
)
@click.version_option(__version__, "-V", "--version", message="sgltriage %(version)s, Python " + sys.version.split()[0])
def main() -> None:
    """Reads what a dead SGLang server printed and names the root cause, with its evidence.

    \b
    sgltriage scan server.log                 one log
    kubectl logs sglang-0 | sgltriage scan    a pipe
    sgltriage explain gpu-oom-runtime         what a cause means and how to mend it
    """


def run() -> None:
    """The process: runs a verb and ends with its exit status; never with a traceback."""
    sys.exit(_run())


def _run() -> int:
    # Thousands of small immutable objects are made at start and none of them is garbage: collecting often only costs time.
    gc.set_threshold(50_000, 20, 50)
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, "standard output is closed")
        _never_fail_on_a_character()
        # Not main.main(): it takes a broken pipe for itself and ends with status 1.
        with main.make_context("sgltriage", sys.argv[1:]) as context:
            code = main.invoke(context)
        sys.stdout.flush()
        return int(code or 0)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as wrong:
        from triage.cli.diagnostics import tell

        hint = f" ({_command(wrong)} --help)" if isinstance(wrong, click.UsageError) else ""
        tell(wrong.format_message().replace("\n", " ") + hint)
        return int(ExitCode.USAGE)
    except (KeyboardInterrupt, click.Abort):
        return int(ExitCode.INTERRUPTED)
    except OSError as error:
        return _stream_failed(error)
    except Exception as error:  # noqa: BLE001  (a bug must end in one line and a report, never in a traceback)
        return _crashed(error)


def _never_fail_on_a_character() -> None:
    """A report must come out under LANG=C too: what the encoding lacks is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _command(wrong: click.UsageError) -> str:
    return "sgltriage" if wrong.ctx is None else wrong.ctx.command_path


def _stream_failed(error: OSError) -> int:
    """Writing to stdout failed: a closed pipe is silent, a full disk is told; both must not be told again at exit."""
    if not isinstance(error, BrokenPipeError) and error.errno not in (errno.ENOSPC, errno.EBADF, errno.EIO):
        return _crashed(error)
    # Python flushes stdout once more at exit; /dev/null takes what cannot be delivered.
    if sys.stdout is not None:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return int(ExitCode.BROKEN_PIPE)
    from triage.cli.diagnostics import tell

    tell(f"the report could not be written: {error.strerror}")
    return int(ExitCode.USAGE)


def _crashed(error: Exception) -> int:
    from triage.cli.diagnostics import crash_report, tell

    path = crash_report(error)
    tell(f"internal error: {type(error).__name__}: {error}" + (f" (details in {path})" if path else ""))
    return int(ExitCode.INTERNAL)
