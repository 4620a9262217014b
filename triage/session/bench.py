"""Where probes look and plans are carried out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from triage.records import dataclass


@dataclass(frozen=True, slots=True)
class Bench:
    """The operator's variables, the server's interpreter and process, if they are known; ``read_only``: nothing is asked of
    this host, and nothing is carried out; ``trusted``: digests of playbooks from elsewhere that may run, as ``why_untrusted`` takes
    them."""

    environment: Mapping[str, str]
    python: Path | None = None
    pid: int | None = None
    read_only: bool = False
    trusted: tuple[str, ...] = ()
