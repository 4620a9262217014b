"""One piece of work beside whoever waits for it: a thread that ends with an answer or an error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class Errand(Generic[T]):
    """Does ``work`` in a daemon thread: what hangs in the kernel must not keep the program from ending."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._answer: T | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="errand", daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """There is an answer, or an error."""
        return not self._thread.is_alive()

    def wait(self, timeout_s: float) -> bool:
        """Wait at most so long; whether it is over."""
        self._thread.join(timeout_s)
        return self.is_over

    def answer(self) -> T:
        """What the work gave, waited for.

        Raises: what the work raised.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        return cast("T", self._answer)

    def _run(self) -> None:
        try:
            self._answer = self._work()
        except BaseException as error:  # noqa: BLE001  (raised again by who asks for the answer)
            self._error = error
