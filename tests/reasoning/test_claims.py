"""Which roots claim which lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.reasoning.claims import Claim, claims

if TYPE_CHECKING:
    from tests.reasoning.conftest import Bench


def test_only_roots_with_deciding_evidence_claim(bench: Bench) -> None:
    """Strong evidence claims; hints and cascades do not."""
    bench.simple("a", "strong").simple("b", "hints").simple("c", role="cascade")
    for name in "abc":
        bench.sees(f"{name}/line", 4)
    assert list(claims(bench.observation(), bench.base())) == [Claim("a", "line", 4, "line 4 of server.log")]


def test_an_item_that_does_not_apply_claims_nothing(bench: Bench) -> None:
    """One pattern of an item that needs two is no claim."""
    bench.cause("a", "- {id: both, log: {all: ['the first line of it', 'the second line of it']}, strength: decisive}")
    bench.sees("a/both/0", 4)
    assert list(claims(bench.observation(), bench.base())) == []
    bench.sees("a/both/1", 7)
    assert [claim.evidence for claim in claims(bench.observation(), bench.base())] == ["both"]
