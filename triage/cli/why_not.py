"""``sgltriage why-not ID``: why a log does not give this diagnosis."""

from __future__ import annotations

from triage.cli.account import add_account_arguments, print_account
from triage.cli.arguments import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """``ID``, inputs and ``--kb``."""
    parser.description = (
        "Why cause ID is not the answer on these logs: what was not seen, what spoke against it, what accounts for it."
    )
    add_account_arguments(parser)


def run(arguments: Namespace) -> int:
    """Print the account."""
    return print_account(arguments)
