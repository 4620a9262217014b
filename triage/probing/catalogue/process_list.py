"""What runs on a host, as far as /proc shows it: the driver's services, and the processes below a server."""

from __future__ import annotations

from pathlib import Path

from triage.probing.probe import Look

# The kernel cuts a name to 15 characters.
_SERVICES = frozenset({"nv-fabricmanage", "nvidia-imex", "nvidia-persiste", "nv-hostengine", "kthreadd"})


def _comm(folder: Path) -> str:
    try:
        return (folder / "comm").read_text(errors="replace").strip()
    except OSError:
        return ""


def _services(proc: Path = Path("/proc")) -> str:
    names = (_comm(folder) for folder in proc.iterdir() if folder.name.isdigit())
    return "\n".join(sorted(name for name in names if name in _SERVICES))


SERVICES = Look("NVIDIA services", _services)
"""The names of the driver's services that run, one a line, and ``kthreadd`` where the processes of the whole host are seen."""


def sees_whole_host(services: str) -> bool:
    """Whether a service that is missing in the text of ``SERVICES`` does not run: a container sees its own processes only."""
    return "kthreadd" in services.split()


def below(pid: int) -> Look:
    """A look that lists ``pid`` and all its descendants, one number a line."""
    return Look(f"processes below {pid}", lambda: "\n".join(map(str, descendants(pid))))


def descendants(pid: int, proc: Path = Path("/proc")) -> tuple[int, ...]:
    """``pid`` and every process that descends from it, ascending."""
    parents: dict[int, int] = {}
    for folder in proc.iterdir():
        if folder.name.isdigit():
            parent = _parent(folder)
            if parent is not None:
                parents[int(folder.name)] = parent
    found = {pid}
    while True:
        more = {child for child, parent in parents.items() if parent in found} - found
        if not more:
            return tuple(sorted(found))
        found |= more


def _parent(folder: Path) -> int | None:
    try:
        stat = (folder / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name stands in brackets and may hold anything, brackets included.
    words = stat.rpartition(")")[2].split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None
