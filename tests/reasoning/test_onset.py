"""Who failed first, and who only waited."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.reasoning.conftest import Bench


def notes(bench: Bench) -> tuple[str, ...]:
    """What is said of the leading diagnosis."""
    return bench.report().diagnoses[0].notes


def _root_and_waiters(bench: Bench) -> Bench:
    return bench.simple("root", explains="[waiter]").simple("waiter", role="cascade")


def test_the_first_rank_and_its_followers_are_named(bench: Bench) -> None:
    """The rank of the cause, then those that only show what followed; torch's names count where there is no other."""
    _root_and_waiters(bench).sees("root/line", 9, rank="TP3")
    bench.sees("waiter/line", 20, rank="TP1").sees("waiter/line", 21, rank="rank0").sees("waiter/line", 22, rank="TP3")
    assert notes(bench) == ("began on TP3; TP1 followed",)


def test_many_followers_are_counted(bench: Bench) -> None:
    """More than a handful are not listed."""
    _root_and_waiters(bench).sees("root/line", 9, rank="TP7")
    for number in range(7):
        bench.sees("waiter/line", 20 + number, rank=f"TP{number}")
    assert notes(bench) == ("began on TP7; TP0, TP1, TP2, TP3 and 3 more followed",)


def test_a_rank_alone_is_not_talked_about(bench: Bench) -> None:
    """Where nobody else shows anything, there is no order to tell."""
    _root_and_waiters(bench).sees("root/line", 9, rank="TP3")
    assert notes(bench) == ()


def test_the_odd_node_is_named(bench: Bench) -> None:
    """Of the nodes of one job, the only one that shows the cause; other files do not count."""
    _root_and_waiters(bench).sees("root/line", 9, source="n2").sees("waiter/line", 9, source="n1")
    assert notes(bench) == ()
    for source in ("n0", "n1", "n2"):
        bench.knows("server.dist_init_addr", "10.0.0.1:5000", source).knows("server.nnodes", 3, source)
    assert notes(bench) == ("only in n2 of 3 nodes; the others show no such line",)


def test_a_cause_on_every_node_is_nobodys(bench: Bench) -> None:
    """What several nodes show is not put on one of them."""
    _root_and_waiters(bench)
    for source in ("n0", "n1"):
        bench.sees("root/line", 9, source=source)
        bench.knows("server.dist_init_addr", "10.0.0.1:5000", source).knows("server.nnodes", 2, source)
    assert notes(bench) == ()
