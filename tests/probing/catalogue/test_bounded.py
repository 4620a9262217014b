"""Calls that are bounded in time."""

from __future__ import annotations

import threading
import time

import pytest

from triage.probing.catalogue.bounded import within


def test_results_and_errors_pass() -> None:
    """What the call gives or raises is what the caller gets."""

    def refuse() -> int:
        raise PermissionError(13, "no")

    assert within(5, lambda: 42) == 42
    with pytest.raises(PermissionError):
        within(5, refuse)


def test_a_call_that_never_ends_is_left_alone() -> None:
    """The caller goes on in time, and the thread that is left cannot keep the process alive."""
    gate = threading.Event()
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        within(0.1, gate.wait)
    assert time.monotonic() - began < 5
    left = [thread for thread in threading.enumerate() if thread.name == "bounded"]
    assert all(thread.daemon for thread in left)
    gate.set()
