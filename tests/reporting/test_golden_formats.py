"""The bytes of every format, kept: whoever changes them sees it and says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension

from triage.reporting.render import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

    from syrupy.assertion import SnapshotAssertion

    from triage.model import Report

_SUFFIXES = {
    "text": "txt",
    "concise": "txt",
    "json": "json",
    "jsonl": "jsonl",
    "markdown": "md",
    "sarif": "sarif",
}


def golden(snapshot: SnapshotAssertion, suffix: str) -> SnapshotAssertion:
    """A snapshot kept as bytes in a file with the suffix of its format."""
    extension = type("Golden", (SingleFileSnapshotExtension,), {"file_extension": suffix})
    return snapshot.use_extension(extension)


@pytest.mark.parametrize("fmt", FORMATS)
def test_crash(fmt: str, crash: Report, printed: Callable[..., str], snapshot: SnapshotAssertion) -> None:
    """A report that uses every noun."""
    assert printed(crash, fmt).encode() == golden(snapshot, _SUFFIXES[fmt])


@pytest.mark.parametrize("fmt", ["text", "concise", "markdown"])
def test_unknown(fmt: str, unknown: Report, printed: Callable[..., str], snapshot: SnapshotAssertion) -> None:
    """Nothing explains the errors, and the report says so."""
    assert printed(unknown, fmt).encode() == golden(snapshot, _SUFFIXES[fmt])


@pytest.mark.parametrize("fmt", ["text", "concise", "markdown", "sarif"])
def test_healthy(fmt: str, healthy: Report, printed: Callable[..., str], snapshot: SnapshotAssertion) -> None:
    """Nothing is wrong."""
    assert printed(healthy, fmt).encode() == golden(snapshot, _SUFFIXES[fmt])


def test_terminal(crash: Report, printed: Callable[..., str], snapshot: SnapshotAssertion) -> None:
    """The text on a colour terminal of 100 cells."""
    text = printed(crash, "text", color=True, width=100, elapsed=0.314)
    assert text.encode() == golden(snapshot, "txt")
