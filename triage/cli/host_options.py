"""Arguments of the verbs that look at a host, or at a recorded one."""

from __future__ import annotations

from triage.cli.argument_types import AtLeast, existing_file, existing_path
from triage.cli.errors import CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from triage.cli.arguments import ArgumentParser
    from triage.probing.snapshot import Snapshot


def add_host(parser: ArgumentParser, text: str) -> None:
    """``--host SNAPSHOT``: ``host``, a path or None."""
    parser.add_argument("--host", type=existing_file, metavar="SNAPSHOT", help=text)


def add_python(parser: ArgumentParser) -> None:
    """``--python PATH``: ``python``, a path or None."""
    parser.add_argument(
        "--python",
        type=existing_path,
        metavar="PATH",
        help="The interpreter or environment that runs the server. Default: the active one.",
    )


def add_pid(parser: ArgumentParser) -> None:
    """``--pid PID``: ``pid``, a number or None."""
    parser.add_argument("--pid", type=AtLeast(1), metavar="PID", help="A running server to look at.")


def load_snapshot(path: Path) -> Snapshot:
    """The snapshot in a file.

    Raises:
        CommandError: it cannot be read or is none.
    """
    from triage.probing.snapshot import from_json

    try:
        return from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise CommandError(f"{path}: {reason}") from error
