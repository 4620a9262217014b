"""Lines of a result on stdout."""

from __future__ import annotations

import sys

from triage.safety.visible import visible


def say(line: str) -> None:
    """One line, made visible: packs are other people's text."""
    sys.stdout.write(f"{visible(line)}\n")
