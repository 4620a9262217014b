"""Which sources are nodes of one job, and in what they differ."""

from __future__ import annotations

from triage.model import Difference, Fact, Observation, Value
from triage.reasoning.jobs import differences, jobs


def _seen(*stated: tuple[str, str, Value]) -> Observation:
    return Observation(facts=tuple(Fact(name, value, f"{source}:1", source) for source, name, value in stated))


def _job(address: str, *sources: str, nodes: int = 2) -> list[tuple[str, str, Value]]:
    rows: list[tuple[str, str, Value]] = []
    for source in sources:
        rows += [(source, "server.dist_init_addr", address), (source, "server.nnodes", nodes)]
    return rows


def test_sources_that_meet_at_one_address_are_a_job() -> None:
    """The address to meet at makes the job; a server alone, or on one node, is none."""
    seen = _seen(*_job("10.0.0.1:5000", "a", "b"), *_job("10.0.0.2:5000", "c"), *_job("x:1", "d", "e", nodes=1))
    assert jobs(seen) == [("a", "b")]


def test_a_prefill_and_a_decode_server_are_two_jobs() -> None:
    """Two servers of several nodes each stay apart."""
    seen = _seen(*_job("10.0.0.1:5000", "p0", "p1"), *_job("10.0.0.9:5000", "d0", "d1"))
    assert jobs(seen) == [("p0", "p1"), ("d0", "d1")]


def test_the_odd_one_out_is_named() -> None:
    """With a majority its value is the usual one; without one all are listed."""
    seen = _seen(("a", "nccl.version", "2.27.3"), ("b", "nccl.version", "2.27.3"), ("c", "nccl.version", "2.26.2"))
    assert list(differences(seen, ("a", "b", "c"))) == [Difference("nccl.version", "2.27.3", (("c", "2.26.2"),))]
    assert list(differences(seen, ("b", "c"))) == [Difference("nccl.version", None, (("b", "2.27.3"), ("c", "2.26.2")))]


def test_what_nodes_may_differ_in_is_no_difference() -> None:
    """Rank, host, paths and measured memory are each node's own."""
    seen = _seen(
        *((source, "server.node_rank", number) for number, source in enumerate("ab")),
        ("a", "server.model_path", "/models/m"),
        ("b", "server.model_path", "/data/m"),
        ("a", "memory.available_gb", 77.1),
        ("b", "memory.available_gb", 76.9),
    )
    assert list(differences(seen, ("a", "b"))) == []
