"""Writes ``released_flags.py`` from unpacked releases: ``python -m triage.preflight.flag_table_writer VERSION=FOLDER...``

``FOLDER`` holds the package ``sglang`` of that release; the oldest release comes first. The module goes to standard output.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from triage.preflight.flag_sources import installed_flags


def table(releases: Sequence[tuple[str, frozenset[str]]]) -> dict[str, list[str]]:
    """Flags by the releases that take them: one character a release, ``x`` where it does."""
    found: dict[str, list[str]] = {}
    for flag in sorted({flag for _, flags in releases for flag in flags}):
        found.setdefault("".join("x" if flag in flags else "." for _, flags in releases), []).append(flag)
    return found


def module(releases: Sequence[tuple[str, frozenset[str]]]) -> str:
    """The source text of the table's module."""
    lines = [
        '"""The options of the server in each release that was looked at. Written by flag_table_writer.py: do not edit."""',
        "", "from __future__ import annotations", "",
        f"RELEASES = {tuple(version for version, _ in releases)!r}", '"""Oldest first."""', "",
        "TABLE = {",
    ]  # fmt: skip
    for taken, flags in sorted(table(releases).items(), reverse=True):
        lines.append(f'    "{taken}": """')
        lines += _filled(flags)
        lines.append('    """,')
    lines += ["}", '"""Options by the releases that take them: one character a release, ``x`` where it does."""', ""]
    return "\n".join(lines)


def _filled(flags: Sequence[str]) -> list[str]:
    lines = ["       "]
    for flag in flags:
        if len(lines[-1]) + len(flag) > 110:
            lines.append("       ")
        lines[-1] += f" {flag}"
    return lines


if __name__ == "__main__":
    pairs = [argument.partition("=") for argument in sys.argv[1:]]
    sys.stdout.write(module([(version, installed_flags(Path(folder, "sglang"))) for version, _, folder in pairs]))
