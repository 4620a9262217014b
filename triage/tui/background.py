"""One thread that carries on with what is too long for a key to wait for: counting lines, searching."""

from __future__ import annotations

import threading
from typing import Protocol


class Job(Protocol):
    """Work in slices of some milliseconds."""

    def advance(self) -> bool:
        """Do a slice; True while there is more."""


class Background:
    """Does a slice of each job in turn. Nobody is called back: whoever draws looks at the jobs now and then, and at ``error``,
    the first exception that a job raised; such a job is not gone on with."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._jobs: list[Job] = []
        self._later: list[Job] = []
        self._quiet = self._closed = False
        self._wake = threading.Condition()
        # A daemon: a disk that hangs must not keep us from ending.
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)
        self._thread.start()

    @property
    def is_quiet(self) -> bool:
        """Another thread needs the processor: jobs that were given for later wait."""
        return self._quiet

    @is_quiet.setter
    def is_quiet(self, quiet: bool) -> None:
        with self._wake:
            self._quiet = quiet
            if not quiet:
                self._jobs += self._later
                self._later.clear()
                self._wake.notify()

    def carry_on(self, job: Job, *, later: bool = False) -> None:
        """Go on with ``job`` until it is done; a job that is at work is not taken twice. ``later``: nobody waits for it."""
        with self._wake:
            if job in self._jobs:
                return
            if later and self._quiet:
                self._later += [] if job in self._later else [job]
                return
            if job in self._later:
                self._later.remove(job)
            self._jobs.append(job)
            self._wake.notify()

    def drop(self, job: Job) -> None:
        """Do no further slice of ``job``."""
        with self._wake:
            for jobs in (self._jobs, self._later):
                if job in jobs:
                    jobs.remove(job)

    @property
    def is_busy(self) -> bool:
        """Something is being done."""
        return bool(self._jobs)

    def close(self) -> None:
        """End after the slice that is being done."""
        with self._wake:
            self._closed = True
            self._jobs.clear()
            self._wake.notify()
        self._thread.join(1.0)

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                goes_on = job.advance()
            except Exception as error:  # noqa: BLE001  (told to the screen, which ends with it)
                self.error = self.error or error
                goes_on = False
            if not goes_on:
                self.drop(job)

    def _next(self) -> Job | None:
        """Wait for a job, and put it behind the others; None at the end."""
        with self._wake:
            while not self._jobs and not self._closed:
                self._wake.wait()
            if self._closed:
                return None
            self._jobs.append(self._jobs.pop(0))
            return self._jobs[-1]
