"""One signature's items held against one source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from triage.model import Context, Phase
from triage.reasoning.evidence import Seen, Weighing, seen_by_source, weigh

if TYPE_CHECKING:
    from tests.reasoning.conftest import Bench

ONE, TWO, THREE = "c/item/0", "c/item/1", "c/item/2"
PATTERNS = "['first pattern', 'second pattern', 'third pattern']"


def weighed(bench: Bench) -> Weighing:
    """What counts of the evidence of ``c``, in the only source."""
    views = seen_by_source(bench.findings(), bench.facts)
    return weigh(bench.signature("c").evidence, views.get(("server.log", ""), Seen({}, {})))


def lines(bench: Bench) -> list[int]:
    """The lines of the item named ``item``, in the order in which the support holds them."""
    return [hit.place.line for item in weighed(bench).supports if item.evidence.id == "item" for hit in item.hits]


def log_item(bench: Bench, body: str, more: str = "") -> Bench:
    """The cause ``c`` with one item of evidence over the log."""
    return bench.cause("c", f"- {{id: item, strength: strong, log: {body}{more}}}")


def test_any(bench: Bench) -> None:
    """One of the patterns is enough; the lines of all count, in file order."""
    log_item(bench, f"{{any: {PATTERNS}}}").sees(THREE, 9).sees(ONE, 12)
    assert lines(bench) == [9, 12]
    assert weighed(bench).supports[0].count == 2


def test_all_needs_every_pattern(bench: Bench) -> None:
    """As long as one is missing nothing is shown."""
    log_item(bench, f"{{all: {PATTERNS}}}").sees(ONE, 9).sees(TWO, 3)
    assert lines(bench) == []
    bench.sees(THREE, 30)
    assert lines(bench) == [3, 9, 30]


def test_at_least_counts_different_patterns(bench: Bench) -> None:
    """The same pattern twice is still one."""
    log_item(bench, f"{{at_least: {{count: 2, of: {PATTERNS}}}}}").sees(ONE, 3).sees(ONE, 4)
    assert lines(bench) == []
    bench.sees(THREE, 1)
    assert lines(bench) == [1, 3, 4]


def test_sequence_wants_the_order(bench: Bench) -> None:
    """A chain in the wrong order is none."""
    log_item(bench, "{sequence: {of: ['first pattern', 'second pattern']}}").sees(TWO, 3).sees(ONE, 4)
    assert lines(bench) == []
    bench.sees(TWO, 9)
    assert lines(bench) == [4, 9]


def test_sequence_tries_later_beginnings(bench: Bench) -> None:
    """The first line that opens a chain need not be the one that closes it."""
    log_item(bench, "{sequence: {of: ['first pattern', 'second pattern'], within: 5 lines}}")
    bench.sees(ONE, 1).sees(ONE, 100).sees(TWO, 103)
    assert lines(bench) == [100, 103]


@pytest.mark.parametrize(("gap", "found"), [(5, True), (6, False)])
def test_sequence_within_lines(bench: Bench, gap: int, found: bool) -> None:
    """The whole chain lies within so many lines of its first."""
    log_item(bench, f"{{sequence: {{of: {PATTERNS}, within: 5 lines}}}}")
    bench.sees(ONE, 10).sees(TWO, 12).sees(THREE, 10 + gap)
    assert bool(lines(bench)) is found


@pytest.mark.parametrize(("gap", "found"), [(0.0, True), (30.0, True), (30.5, False), (-1.0, False)])
def test_sequence_within_seconds(bench: Bench, gap: float, found: bool) -> None:
    """Where lines carry times, the chain lies within so many seconds and does not run backwards."""
    log_item(bench, "{sequence: {of: ['first pattern', 'second pattern'], within: 30s}}")
    bench.sees(ONE, 1, seconds=1000.0).sees(TWO, 900, seconds=1000.0 + gap)
    assert bool(lines(bench)) is found


def test_sequence_without_times_goes_by_order(bench: Bench) -> None:
    """A line without a time cannot be shown to be late."""
    log_item(bench, "{sequence: {of: ['first pattern', 'second pattern'], within: 30s}}").sees(ONE, 1).sees(TWO, 900)
    assert lines(bench) == [1, 900]


def test_sequence_by_rank(bench: Bench) -> None:
    """What one rank began another does not end."""
    log_item(bench, "{sequence: {of: ['first pattern', 'second pattern'], by: rank}}")
    bench.sees(ONE, 1, rank="TP0").sees(TWO, 2, rank="TP1")
    assert lines(bench) == []
    bench.sees(ONE, 3, rank="TP1").sees(TWO, 9, rank="TP1")
    assert lines(bench) == [3, 9]


def test_sequence_by_source_mixes_ranks(bench: Bench) -> None:
    """Without ``by`` it is enough that both lines are in one source."""
    log_item(bench, "{sequence: {of: ['first pattern', 'second pattern']}}")
    bench.sees(ONE, 1, rank="TP0").sees(TWO, 2, rank="TP1")
    assert lines(bench) == [1, 2]


ABSENT = "{absent: {pattern: 'first pattern', observable: 'its companion'}}"


def test_absent_needs_the_observable(bench: Bench) -> None:
    """What is missing in a log in which it could not have been seen says nothing."""
    log_item(bench, ABSENT)
    assert weighed(bench).supports == ()


def test_absent_with_the_observable(bench: Bench) -> None:
    """The place shown is the line that proves that the other could have been there."""
    log_item(bench, ABSENT).sees("c/item/observable", 7)
    assert lines(bench) == [7]


def test_absent_but_present(bench: Bench) -> None:
    """The expected line is there after all."""
    log_item(bench, ABSENT).sees("c/item/observable", 7).sees(ONE, 3)
    assert weighed(bench).supports == ()


def test_phases_narrow(bench: Bench) -> None:
    """Only lines of the named phases count, and only they are claimed."""
    log_item(bench, "'first pattern'", ", phases: [weights, unknown]")
    bench.sees(ONE, 3, phase=Phase.SERVING, count=40)
    assert weighed(bench).supports == ()
    bench.sees(ONE, 5, phase=Phase.WEIGHTS, count=40)
    (found,) = weighed(bench).supports
    assert [hit.place.line for hit in found.hits] == [5]
    assert (found.count, found.count_exact) == (1, False)


def test_count_is_that_of_the_finding(bench: Bench) -> None:
    """A storm is counted though few of its lines are kept."""
    log_item(bench, "'first pattern'").sees(ONE, 3, count=1_000_000)
    assert weighed(bench).supports[0].count == 1_000_000


@pytest.mark.parametrize(("mode", "counts"), [("prefill", True), ("decode", False), (None, False)])
def test_when_needs_known_facts(bench: Bench, mode: str | None, counts: bool) -> None:
    """``when`` holds only if the facts are known and agree; an unknown one asks for no probe either."""
    log_item(bench, "'first pattern'", ", when: {server.disaggregation_mode: prefill}").sees(ONE, 3)
    if mode:
        bench.knows("server.disaggregation_mode", mode)
    assert bool(weighed(bench).supports) is counts
    assert weighed(bench).not_checked == ()


def test_facts_that_hold_that_fail_and_that_are_unknown(bench: Bench) -> None:
    """A fact speaks when it holds, is silent when it does not, and is not checked while unknown."""
    bench.cause(
        "c",
        """
- {id: item, strength: strong, log: 'first pattern'}
- {id: holds, strength: supports, fact: {server.tp_size: 8}}
- {id: fails, strength: supports, fact: {server.tp_size: 4}}
- {id: asks-a-probe, strength: supports, probe: nvidia-smi, fact: {gpu.count: 8}}
- {id: asks-again, strength: supports, probe: nvidia-smi, fact: {gpu.name: H100}}
- {id: asks-nobody, strength: supports, fact: {torch.cuda: '12.8'}}
""",
    )
    bench.sees(ONE, 1).knows("server.tp_size", 8)
    found = weighed(bench)
    assert [item.evidence.id for item in found.supports] == ["item", "holds"]
    assert found.not_checked == ("nvidia-smi", "torch.cuda")


def test_suspect_only_if_all_lines_are(bench: Bench) -> None:
    """One line that the server surely wrote itself is enough."""
    log_item(bench, "'first pattern'").sees(ONE, 3, context=Context.SUSPECT)
    assert weighed(bench).supports[0].suspect is True
    bench.sees(ONE, 8)
    assert weighed(bench).supports[0].suspect is False


def test_views_keep_what_sources_say_of_themselves(bench: Bench) -> None:
    """A source's own setting wins; what only others say holds when they agree, and nothing holds when they do not."""
    log_item(bench, "'first pattern'")
    for source in ("prefill.log", "decode.log", "rank3.log"):
        bench.sees(ONE, 1, source=source)
    bench.knows("server.disaggregation_mode", "prefill", "prefill.log")
    bench.knows("server.disaggregation_mode", "decode", "decode.log")
    bench.knows("torch.version", "2.9.1", "decode.log")
    views = seen_by_source(bench.findings(), bench.facts)
    assert views["prefill.log", ""].facts == {"server.disaggregation_mode": "prefill", "torch.version": "2.9.1"}
    assert views["decode.log", ""].facts == {"server.disaggregation_mode": "decode", "torch.version": "2.9.1"}
    assert views["rank3.log", ""].facts == {"torch.version": "2.9.1"}
