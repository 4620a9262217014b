"""``sgltriage why ID``: why a log gives this diagnosis."""

from __future__ import annotations

from triage.cli.account import add_account_arguments, print_account
from triage.cli.arguments import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """``ID``, inputs and ``--kb``."""
    parser.description = "Every point for and against cause ID on these logs, with its place and its weight."
    add_account_arguments(parser)


def run(arguments: Namespace) -> int:
    """Print the account."""
    return print_account(arguments)
