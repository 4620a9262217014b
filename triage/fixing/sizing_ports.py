"""Which port a server could take instead of one that is taken."""

from __future__ import annotations

from collections.abc import Iterator

from triage.fixing.sizing_numbers import LackingError, Sized, captured_whole, formula, need_whole, whole
from triage.playbook import Case

_DISTANCE = 1000
"""Between two servers of a host: each also uses numbers above its own."""
_SPAN = 300
"""How many of those it may use: with attention DP they begin 233 above ``--port``, and count up by ranks."""
_FIRST, _LAST = 1024, 32767
"""Without root's rights, and below the ports that the kernel gives to clients (``ip_local_port_range`` begins at 32768)."""


@formula
def free_port(case: Case) -> Sized:
    """``--port``: the next one in steps of 1000 above which nothing listens, else the next one below. Needs the port (capture
    ``port``, or ``server.port``) and what listens on this host (``network.listening_ports``)."""
    taken = need_whole(captured_whole(case, "port") or whole(case, "server.port"), "which port is taken")
    told = case.facts.get("network.listening_ports")
    if not isinstance(told, tuple):
        raise LackingError("cannot be computed: what listens on this host is not known (probe listening-ports)")
    busy = sorted(port for port in told if isinstance(port, int))
    lines = [f"{taken} is taken; {len(busy)} ports of this host are listened on"]
    for port in _candidates(taken):
        within = [other for other in busy if port <= other < port + _SPAN]
        if not within:
            lines.append(f"nothing listens from {port} to {port + _SPAN - 1}, which the server may use")
            return Sized(port, tuple(lines))
        lines.append(f"not {port}: {', '.join(map(str, within[:3]))} would be in its way")
    raise LackingError("; ".join([lines[0], "no port in steps of 1000 is free"]))


def _candidates(taken: int) -> Iterator[int]:
    yield from range(taken + _DISTANCE, _LAST - _SPAN + 2, _DISTANCE)
    yield from (port for port in range(taken - _DISTANCE, _FIRST - 1, -_DISTANCE) if port + _SPAN - 1 <= _LAST)
