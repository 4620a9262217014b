"""Exit statuses: part of the command's contract, in one place."""

from __future__ import annotations


class ExitCode:
    """0 nothing at or above --fail-on; 1 findings; 2 usage, unreadable input or bad rule pack; 3 a bug of ours; 4 partial
    input under --strict; 130 and 141 as a shell shows SIGINT and SIGPIPE."""

    # Plain numbers and no enumeration: `--help` would import the module `enum` for these alone.
    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    INTERNAL = 3
    PARTIAL = 4
    INTERRUPTED = 130
    BROKEN_PIPE = 141
