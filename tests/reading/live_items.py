"""What the tests of live sources share: all items up to the end, and their bytes."""

from __future__ import annotations

import time

from triage.reading.live import Chunk, Item, LiveSource


def drained(source: LiveSource, *, within_s: float = 10.0) -> list[Item]:
    """All items up to the end."""
    items: list[Item] = []
    end = time.monotonic() + within_s
    while not source.ended:
        assert time.monotonic() < end
        items += source.poll()
        time.sleep(0.001)
    return items


def joined(items: list[Item]) -> bytes:
    """The bytes of the items."""
    return b"".join(item.data for item in items if isinstance(item, Chunk))
