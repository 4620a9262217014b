"""Arguments of the two faces of a session, ``walk`` and ``tui``, and what is said where its file is not there."""

from __future__ import annotations

from collections.abc import Sequence

from triage.cli.argument_types import file_to_write
from triage.cli.arguments import ArgumentParser
from triage.cli.errors import UsageError
from triage.cli.options import add_several

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def add_session(parser: ArgumentParser) -> None:
    """``--session FILE``: ``session``, a path or None; ``--read-only``: ``read_only``; ``--trust SHA256``: ``trusted``, words."""
    add = parser.add_argument
    add("--session", type=file_to_write, metavar="FILE", help="Keep the session in FILE, or go on with the one in it.")
    add("--read-only", action="store_true", help="Ask this host nothing, and carry out nothing.")
    text = "Let a playbook from a folder of --kb run: the first 12 or more digits of its file's SHA-256"
    add_several(parser, "--trust", "trusted", "SHA256", text)


def require_log(session: Path | None, paths: Sequence[str]) -> None:
    """Refuse a session that is not there where nothing was named to begin one on.

    Raises:
        UsageError: with the file nearby that may have been meant.
    """
    if session is None or paths or session.exists():
        return
    from triage.knowledge.errors import did_you_mean

    try:
        beside = sorted(path.name for path in session.parent.iterdir() if path.suffix == ".json")
    except OSError:
        beside = []
    hint = did_you_mean(session.name, beside) or "; to begin one, name a log too"
    raise UsageError(f"no such session file: {session}{hint}")
