"""What is done beside the screen: in turn, put off while something else is more urgent, and never silently dead."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from triage.tui.background import Background


class Slices:
    """A job of some slices; ``done`` is set behind the last one."""

    def __init__(self, number: int, log: list[str], name: str) -> None:
        self.left, self._log, self._name = number, log, name
        self.done = threading.Event()

    def advance(self) -> bool:
        """One slice."""
        self._log.append(self._name)
        self.left -= 1
        if self.left:
            return True
        self.done.set()
        return False


class Failing:
    """A job with a bug."""

    def advance(self) -> bool:
        """Never comes to anything."""
        raise ValueError("a bug")


@pytest.fixture
def background() -> Iterator[Background]:
    """Closed in the end."""
    made = Background()
    yield made
    made.close()


def test_jobs_take_turns(background: Background) -> None:
    """No job waits for the end of another, and each is done."""
    log: list[str] = []
    jobs = [Slices(50, log, name) for name in "ab"]
    for job in jobs:
        background.carry_on(job)
        background.carry_on(job)
    assert all(job.done.wait(30) for job in jobs)
    assert (log.count("a"), log.count("b")) == (50, 50)
    assert "ab" in "".join(log)


def test_quiet(background: Background) -> None:
    """While it is quiet only what somebody waits for is done; afterwards the rest."""
    log: list[str] = []
    later, now = Slices(3, log, "later"), Slices(3, log, "now")
    background.is_quiet = True
    background.carry_on(later, later=True)
    background.carry_on(now)
    assert now.done.wait(30)
    assert log == ["now"] * 3
    background.is_quiet = False
    assert later.done.wait(30)


def test_what_was_put_off_is_taken_when_it_is_wanted(background: Background) -> None:
    """A job for later that somebody waits for now is done now, and once."""
    log: list[str] = []
    job = Slices(3, log, "job")
    background.is_quiet = True
    background.carry_on(job, later=True)
    background.carry_on(job)
    assert job.done.wait(30)
    background.is_quiet = False
    assert log == ["job"] * 3


def test_a_bug_is_told(background: Background) -> None:
    """A job that fails is not gone on with; its error is kept, and other jobs are done."""
    log: list[str] = []
    job = Slices(3, log, "job")
    background.carry_on(Failing())
    background.carry_on(job)
    assert job.done.wait(30)
    assert isinstance(background.error, ValueError)
