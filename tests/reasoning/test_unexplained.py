"""Error lines that nothing accounts for, and what they resemble."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.reasoning.conftest import Bench

HEAD = "Traceback (most recent call last):"


def lines(bench: Bench) -> list[int]:
    """The lines that are unexplained."""
    return [item.place.line for item in bench.report().unexplained]


def test_line_of_a_diagnosis_is_explained(bench: Bench) -> None:
    """Its own line, and every other of the same traceback."""
    bench.simple("x").sees("x/line", 9, block=5)
    bench.fails(HEAD, 5).fails("ValueError: something", 9, block=5).fails("KeyError: something else", 40)
    assert lines(bench) == [40]


def test_same_line_number_of_another_source_is_not_explained(bench: Bench) -> None:
    """Line 9 of one file is not line 9 of the other."""
    bench.simple("x").sees("x/line", 9).fails("ValueError: something", 9, source="other.log")
    assert lines(bench) == [9]


def test_head_of_a_traceback_is_shown_only_alone(bench: Bench) -> None:
    """Of an unexplained traceback the exception is shown; a head stands only for a traceback that was cut off."""
    bench.fails(HEAD, 5).fails("OddError: something", 9, block=5).fails(HEAD, 50)
    assert lines(bench) == [9, 50]


def test_lines_of_folded_and_rival_causes_are_explained(bench: Bench) -> None:
    """A cascade's line under its root, and the line of a rival that is shown, are accounted for."""
    bench.simple("root-cause").simple("crash", role="cascade").sees("root-cause/line", 9).sees("crash/line", 60)
    bench.fails("CrashError: it", 60)
    assert lines(bench) == []


def test_lines_of_what_is_not_shown_stay_open(bench: Bench) -> None:
    """A cause that was dismissed explains nothing."""
    bench.cause(
        "x",
        "- {id: line, log: 'the line', strength: strong}\n- {id: no, fact: {server.tp_size: 1}, strength: rules-out}",
    )
    bench.sees("x/line", 9).knows("server.tp_size", 1).fails("ValueError: something", 9)
    assert lines(bench) == [9]
    assert [item.id for item in bench.report().rejected] == ["x"]


def test_recovered_lines_are_explained(bench: Bench) -> None:
    """What the server survived is told under recovered, not again as unexplained."""
    bench.simple("x").sees("x/line", 10).starts(5, ready=20).fails("ValueError: something", 10)
    assert lines(bench) == []


def test_nearest_signature_by_its_examples(bench: Bench) -> None:
    """An error that resembles an example is shown with the signature it belongs to, and one unlike all with none."""
    bench.simple("cudnn", examples="['ImportError: libcudnn.so.9: cannot open shared object file']")
    bench.simple("heads", examples="['AssertionError: 30 is not divisible by 8']")
    bench.fails("ImportError: libcudnn_graph.so.9: cannot open shared object file: No such file or directory", 9)
    bench.fails("zzz qqq", 40)
    near, far = bench.report().unexplained
    assert [item.id for item in near.nearest] == ["cudnn"]
    assert 0.6 <= near.nearest[0].score <= 1.0
    assert far.nearest == ()


def test_count_is_of_all(bench: Bench) -> None:
    """Only the first of many are described, but all are counted."""
    for line in range(1, 121):
        bench.fails(f"OddError: number {line}", line)
    report = bench.report()
    assert (len(report.unexplained), report.unexplained_count) == (50, 120)
