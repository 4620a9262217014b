"""What ends a command in one line on stderr and exit status 2."""

from __future__ import annotations


class CommandError(Exception):
    """Something outside is wrong, such as a file that cannot be read or a rule pack; the message says what and where."""


class UsageError(CommandError):
    """The command was called wrongly; whoever tells it adds where the help of the verb is."""
