"""Which port a server could take instead of one that is taken."""

from __future__ import annotations

import pytest

from tests.fixing.formula_answers import reason, run, value
from triage.fixing.sizing_numbers import Sized
from triage.model import Value

NAME = "free-port"


def facts(*busy: int, **more: Value) -> dict[str, Value]:
    """A host on which these ports are listened on."""
    return {"network.listening_ports": busy, **more}


@pytest.mark.parametrize(
    ("taken", "busy", "free"),
    [
        (30000, (22, 30000), 31000),
        (30000, (30000, 31000), 32000),
        (30000, (30000, 31233), 32000),
        (30000, (30000, 31300), 31000),
        (30000, (30000, 31000, 32299), 29000),
        (8000, (8000,), 9000),
        (32000, (32000,), 31000),
        (60000, (60000,), 32000),
    ],
)
def test_the_next_free_one(taken: int, busy: tuple[int, ...], free: int) -> None:
    """Steps of 1000, upwards as long as the numbers above it stay below those of clients, then downwards; all of the 300
    numbers that a server may use are free."""
    assert value(NAME, facts(*busy), {"port": taken}) == free


def test_with_its_reasons() -> None:
    """Who reads it sees which ports were in the way."""
    assert run(NAME, facts(22, 30000, 31005, **{"server.port": 30000})) == Sized(
        32000,
        (
            "30000 is taken; 3 ports of this host are listened on",
            "not 31000: 31005 would be in its way",
            "nothing listens from 32000 to 32299, which the server may use",
        ),
    )


def test_what_it_lacks() -> None:
    """Without the port, without what listens, or with every port taken nothing is proposed."""
    assert "which port is taken" in reason(NAME, facts(1))
    assert "probe listening-ports" in reason(NAME, {"server.port": 30000})
    assert "no port in steps of 1000 is free" in reason(NAME, facts(*range(1024, 33000)), {"port": 30000})
