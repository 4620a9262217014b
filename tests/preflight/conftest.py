"""What the tests of preflight share: the bundled signatures, and hosts as made-up facts."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping

import pytest

from triage.knowledge.base import KnowledgeBase
from triage.knowledge.errors import Problems
from triage.knowledge.loading import decode_files
from triage.knowledge.pack import bundled_directory, read_packs
from triage.model import Fact, Value
from triage.preflight.check import Checked, check

Check = Callable[..., Checked]


@pytest.fixture(scope="session")
def base() -> KnowledgeBase:
    """The bundled signatures, decoded and not compiled: preflight matches no log."""
    return decode_files(read_packs([bundled_directory("signatures")], Problems()), Problems())


@pytest.fixture
def checked(base: KnowledgeBase) -> Check:
    """A command line (as typed) and the facts of a host to what preflight says."""

    def run(command: str, host: Mapping[str, Value] | None = None, flags: frozenset[str] = frozenset()) -> Checked:
        facts = [Fact(name, value, "a test") for name, value in (host or {}).items()]
        return check(shlex.split(command), base, facts, (), flags, "0")

    return run
