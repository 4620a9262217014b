"""How a server ended, in words that claim no more than is known."""

from __future__ import annotations

import os
import signal

import pytest

from triage.running.death import Death, death_of, reason, shell_words


def ended(status: int = 0, number: int = 0, core: bool = False) -> int:
    """A status as waitpid gives it."""
    return number | (0x80 if core else 0) if number else status << 8


@pytest.mark.parametrize(
    ("wait_status", "shell", "words"),
    [
        (ended(0), 0, "exit status 0"),
        (ended(3), 3, "exit status 3"),
        (
            ended(137),
            137,
            "exit status 137, the status that a shell or a container gives a command which was ended by signal 9 (SIGKILL)",
        ),
        (ended(number=9), 137, "ended by signal 9 (SIGKILL); a signal does not tell who sent it"),
        (ended(number=15), 143, "ended by signal 15 (SIGTERM)"),
        (ended(number=40), 168, "ended by signal 40 (SIG40)"),
    ],
)
def test_words(wait_status: int, shell: int, words: str) -> None:
    """The status as a shell tells it, and the reason in one line."""
    death = death_of(wait_status, {})
    assert (death.shell_status, reason(death)[0]) == (shell, words)


def test_who_sent_it_is_told_when_it_came_through_us() -> None:
    """And then it is no failure; a signal of the same run that did not end the server does not count."""
    assert death_of(ended(number=15), {15: 1}).was_asked_for
    assert "passed on" in reason(death_of(ended(number=15), {15: 2}))[0]
    assert not death_of(ended(number=11), {15: 1}).was_asked_for
    assert death_of(ended(143), {15: 1}).was_asked_for
    assert not death_of(ended(1), {15: 1}).was_asked_for


def test_a_fault_is_what_a_shell_would_print() -> None:
    """SIGKILL is none: who sent it is not known."""
    assert shell_words(Death(132, signal.SIGILL, dumped_core=True)) == "Illegal instruction (core dumped)\n"
    assert shell_words(Death(139, signal.SIGSEGV)) == "Segmentation fault\n"
    assert shell_words(Death(137, signal.SIGKILL)) == shell_words(Death(1)) == ""


def test_a_status_is_read_as_the_system_reads_it() -> None:
    """Held against a real child."""
    pid = os.fork()
    if pid == 0:
        os.kill(os.getpid(), signal.SIGTERM)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert death_of(status, {}) == Death(143, signal.SIGTERM)
