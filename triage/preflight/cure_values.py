"""Single values that cure a fault: a free port, an address of this machine, a share of the memory."""

from __future__ import annotations

import math

from triage.model import Value
from triage.preflight.cure_sizes import fitting_sizes
from triage.preflight.network import ports_taken, ports_wanted
from triage.preflight.plan import Plan
from triage.preflight.resources import weights_share_mb
from triage.probing.catalogue.addresses import Address, address_of, host_and_port

_LAST_PORT = 65535
_ROOM_MB, _LEAST_ROOM_MB = 3072, 2048
"""Left outside the static share: as much as small graphs want; the least with which a start may succeed."""
_POOL_SHARE = 0.1
"""Of a GPU's memory, for the KV cache, when the weights alone fill the static share."""


def free_port(plan: Plan, taken: Value) -> tuple[str, int] | None:
    """(the fact that names the port, the next one that nothing listens on and the launch does not use itself)."""
    wanted = list(ports_wanted(plan))
    name = next((name for name, port in wanted if port == taken), None)
    if name is None or not isinstance(taken, int):
        return None
    busy = (ports_taken(plan) or frozenset()) | {port for _, port in wanted}
    port = next((port for port in range(taken + 1, _LAST_PORT + 1) if port not in busy), None)
    return None if port is None else (name, port)


def own_address(plan: Plan) -> str:
    """This machine's address for other nodes: the one most like what was asked for; '' if it has none."""
    asked = address_of(host_and_port(plan.text("server.dist_init_addr"))[0])
    own = [item for item in map(address_of, plan.texts("network.addresses") or ()) if item is not None]
    usable = [item for item in own if not (item.is_loopback or item.is_link_local or item.is_unspecified)]
    # A docker bridge has the first address of its network, and no other node reaches it.
    usable = [item for item in usable if not str(item).startswith("172.17.0.")] or usable
    if asked is not None:
        usable.sort(key=lambda item: -_common_bits(item, asked))
    return str(usable[0]) if usable else ""


def _common_bits(one: Address, other: Address) -> int:
    """How many leading bits two addresses share; -1 if they are of two kinds."""
    return one.max_prefixlen - (int(one) ^ int(other)).bit_length() if one.version == other.version else -1


def with_host(where: str, host: str) -> str:
    """``host:port`` with another host."""
    port = host_and_port(where)[1]
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"


def with_port(where: str, port: int) -> str:
    """``host:port`` with another port."""
    host = host_and_port(where)[0]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def fraction(plan: Plan) -> float | None:
    """A --mem-fraction-static that leaves room for the weights and a pool within, and for graphs outside; two decimals."""
    total, sizes = plan.number("gpu.memory_total_mb"), fitting_sizes(plan)
    if total is None or sizes is None or total <= _LEAST_ROOM_MB:
        return None
    most = math.floor((1 - _ROOM_MB / total) * 100) / 100
    share = weights_share_mb(plan, sizes)
    least = 0.0 if share is None else math.ceil((share / total + _POOL_SHARE) * 100) / 100
    if least > math.floor((1 - _LEAST_ROOM_MB / total) * 100) / 100:
        return None
    asked = plan.number("server.mem_fraction_static", most) or most
    # As near to what was asked for as it can be.
    return max(least, min(most, asked)) if asked > least or share is None else least
