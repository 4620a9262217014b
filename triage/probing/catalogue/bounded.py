"""Calls that may never come back (a dead network file system, a process that the kernel holds), bounded in time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, function: Callable[[], T]) -> T:
    """What ``function`` gives, if it does so in time; what it raises is raised.

    It runs in a daemon thread: a call that the kernel never ends must not keep our process from ending.

    Raises:
        TimeoutError: it took longer; it is then left alone.
    """
    results: list[T] = []
    problems: list[BaseException] = []

    def call() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001  (raised again by the caller's thread)
            problems.append(error)

    thread = threading.Thread(target=call, name="bounded", daemon=True)
    thread.start()
    thread.join(seconds)
    if problems:
        raise problems[0]
    if not results:
        raise TimeoutError(f"took more than {seconds:g} s")
    return results[0]
