"""``sgltriage kb export-patterns``: the log patterns for other tools."""

from __future__ import annotations

import re
from pathlib import Path

from triage.cli.argument_types import Choice
from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.exit_codes import ExitCode
from triage.cli.kb.say import say
from triage.cli.options import add_kb, load_or_fail


def add_arguments(parser: ArgumentParser) -> None:
    """``--kb`` and ``--flavour``."""
    parser.description = """
        Every log pattern, one a line, for `rg -f` (rust: without look-around, which it does not know) or a Python program.
    """
    add_kb(parser)
    parser.add_argument("--flavour", type=Choice("rust", "python"), default="rust", help="Dialect of the regexes.")


def run(arguments: Namespace) -> int:
    """Print the patterns."""
    from triage.knowledge.hyperscan_form import hyperscan_form

    packs: list[Path] = arguments.packs
    flavour: str = arguments.flavour
    for signature in load_or_fail(packs).base:
        for pattern in signature.patterns():
            say(pattern.regex if flavour == "python" else _rust_form(hyperscan_form(pattern.regex).decode()))
    return ExitCode.CLEAN


def _rust_form(form: str) -> str:
    r"""For a Rust regex ``\xc3`` is a character and not a byte, unless Unicode is switched off."""
    return f"(?-u){form}" if re.search(r"\\x[89a-f]", form) else form
