"""What the README shows is what the program prints."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```text\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
RUNNABLE = [block for block in BLOCKS if re.match(r"\$ sgltriage \S+ .*examples/", block)]


def test_there_is_something_to_check() -> None:
    """A README without a runnable block would make the test below empty."""
    assert RUNNABLE


@pytest.mark.parametrize("block", RUNNABLE)
def test_a_block_with_its_command(block: str, sgltriage: Command) -> None:
    """Every line of the block, but for what it leaves out, is printed by the command above it."""
    first, *lines = block.splitlines()
    shutil.copytree(ROOT / "examples", sgltriage.folder / "examples")
    done = sgltriage(*shlex.split(first)[2:])
    printed = done.stdout.decode().splitlines()
    assert [line for line in lines if line != "..." and line not in printed] == []


def test_the_first_report(sgltriage: Command) -> None:
    """The report at the top is that of the first command."""
    shutil.copytree(ROOT / "examples", sgltriage.folder / "examples")
    printed = sgltriage("scan", "examples/pd-direct-to-prefill").stdout.decode().splitlines()
    assert BLOCKS[0].splitlines() == printed
