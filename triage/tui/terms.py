"""What the operator asked for when the program was started."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from triage.records import dataclass
from triage.session.bench import Bench
from triage.session.keeper import Keeper

if TYPE_CHECKING:
    from triage.probing.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Terms:
    """``bench``: where plans are carried out and probes look; ``keeper``: where the session is saved; ``host``: a recorded host,
    with the name of its file; ``packs``: folders of further knowledge, absolute."""

    bench: Bench
    keeper: Keeper
    host: Snapshot | None = None
    host_label: str = ""
    packs: tuple[Path, ...] = ()
