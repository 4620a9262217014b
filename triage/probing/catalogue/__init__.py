"""Every probe there is: one module an area, each with its ``PROBES``."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from triage.probing.probe import Probe


@cache
def all_probes() -> tuple[Probe, ...]:
    """The probes of all modules of this package, by name."""
    found: list[Probe] = []
    for module in pkgutil.iter_modules(__path__):
        found.extend(getattr(importlib.import_module(f"{__name__}.{module.name}"), "PROBES", ()))
    return tuple(sorted(found, key=lambda probe: probe.name))
