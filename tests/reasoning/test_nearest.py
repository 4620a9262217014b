"""What an unexplained line resembles: compared by its message, without what differs from host to host."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.reasoning.nearest import nearest, normalised

if TYPE_CHECKING:
    from tests.reasoning.conftest import Bench

CUDNN = "ImportError: libcudnn.so.9: cannot open shared object file"
HEADS = "AssertionError: 30 heads are not divisible by 8 ranks"


def ids(bench: Bench, text: str) -> list[str]:
    """The signatures that one line resembles, the most alike first."""
    (found,) = nearest([text], bench.base())
    return [item.id for item in found]


@pytest.mark.parametrize(
    "prefix",
    [
        "[2026-03-01 10:00:00] ",
        "[2026-03-01 10:00:00 DP0 TP3] ",
        "sglang-0  | [2026-03-01 10:00:00] ",
        "2026-03-01T10:00:00.123Z ERROR: ",
        "2026-03-01 10:00:00,123 ",
        "(pid=812, ip=10.0.0.9) ",
        "[rank3]: ",
        "[rank3]:[E301 10:00:00.123456789 ProcessGroupNCCL.cpp:632] ",
        "E0301 10:00:00.123456 812 launcher.cc:12] ",
        "CRITICAL ",
        "   ",
        "",
    ],
)
def test_the_prefix_does_not_count(prefix: str) -> None:
    """Time, rank, container, process and level in front of a message are not part of it."""
    assert normalised(prefix + HEADS) == normalised(HEADS) == "assertionerror: # heads are not divisible by # ranks"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("No file /data/models/a-b/config.json", "no file config.json"),
        ("No file /opt/x.py:12 or ./x.so", "no file x.py:# or x.so"),
        ("No folder /data/models/", "no folder models/"),
        ("3 / 4 of them", "# / # of them"),
        ("at 0x7FFF1234 and 7f3a91bc2d and 12.5 GiB", "at # and # and #.# gib"),
        ("The feedbacks of a facade", "the feedbacks of a facade"),
        ("[2026-03-01 10:00:00]", ""),
        ("", ""),
    ],
)
def test_folders_numbers_and_case_do_not_count(text: str, message: str) -> None:
    """A path is its last name, a number or a long hexadecimal one is a sign, letters are small."""
    assert normalised(text) == message


@given(st.text(max_size=2000))
def test_any_text_has_a_message(text: str) -> None:
    """Nothing raises; a message is short, and holds no digit that one counts with."""
    message = normalised(text)
    assert len(message) <= 300
    assert not any(character in "0123456789" for character in message)


@pytest.mark.parametrize("part", ["[", "[x] ", "(", "x |", "a/", "/ ", "f", " ", "ERROR ", "2026-03-01 ", "0x", "1-"])
def test_a_hostile_text_costs_little(part: str) -> None:
    """What looks like the beginning of many prefixes is read in linear time."""
    began = time.process_time()
    normalised(part * 200_000)
    assert time.process_time() - began < 5


def test_the_most_alike_comes_first(bench: Bench) -> None:
    """By falling score, between 0 and 1; a line that is an example's own scores 1, whatever its numbers."""
    bench.simple("cudnn", examples=f"['{CUDNN}']").simple("heads", examples=f"['{HEADS}']")
    bench.simple("nvrtc", examples="['ImportError: libnvrtc.so.12: cannot open shared object file or folder']")
    (found,) = nearest([f"[2026-03-01 10:00:00 TP1] {CUDNN.replace('9', '8')}"], bench.base())
    assert [item.id for item in found] == ["cudnn", "nvrtc"]
    assert found[0].score == 1.0
    assert 0.5 <= found[1].score < 1.0


def test_each_text_has_its_own(bench: Bench) -> None:
    """Answers come in the order of the texts, none for a text that resembles nothing or says nothing."""
    bench.simple("cudnn", examples=f"['{CUDNN}']").simple("heads", examples=f"['{HEADS}']")
    found = nearest([HEADS, "zzz qqq", "", CUDNN, "[2026-03-01 10:00:00]"], bench.base())
    assert [[item.id for item in near] for near in found] == [["heads"], [], [], ["cudnn"], []]
    assert nearest([], bench.base()) == []


def test_three_at_most_and_equals_by_name(bench: Bench) -> None:
    """Of four that are equally alike the first three by id."""
    for name in ("d", "b", "a", "c"):
        bench.simple(f"cause-{name}", examples=f"['{CUDNN} {name}']")
    assert ids(bench, CUDNN) == ["cause-a", "cause-b", "cause-c"]


def test_every_line_of_an_example_counts_and_the_best_of_them(bench: Bench) -> None:
    """A signature is as near as the most alike line of all its examples, and is named once."""
    bench.simple("many", examples=f"['{HEADS} there', \"first\\n{CUDNN}\\n{CUDNN} here\"]")
    (found,) = nearest([CUDNN], bench.base())
    assert [(item.id, item.score) for item in found] == [("many", 1.0)]


def test_many_lines_of_one_do_not_crowd_out_the_others(bench: Bench) -> None:
    """A signature with a score of examples that are all alike leaves room for the next."""
    examples = ", ".join(f"'{CUDNN} {letter * 2}'" for letter in "abcdefghijklmnopqrst")
    bench.simple("wordy", examples=f"[{examples}]")
    bench.simple("other", examples="['ImportError: libnvrtc.so.12: cannot open shared object file or folder']")
    assert ids(bench, CUDNN) == ["wordy", "other"]


def test_what_everybody_has_tells_nothing(bench: Bench) -> None:
    """A line that four signatures have in their examples is that of none; three still share it."""
    for number in range(3):
        bench.simple(f"cause-{number}", examples=f"['{CUDNN}']")
    assert ids(bench, CUDNN) == ["cause-0", "cause-1", "cause-2"]
    bench.simple("cause-3", examples=f"['{CUDNN}', '{HEADS}']")
    assert ids(bench, CUDNN) == []
    assert ids(bench, HEADS) == ["cause-3"]


def test_short_lines_tell_nothing(bench: Bench) -> None:
    """A line of an example that is too short is not compared, even with itself."""
    bench.simple("short", examples="['Aborted now']").simple("longer", examples="['Aborted nowadays']")
    assert ids(bench, "Aborted now") == ["longer"]


def test_the_order_of_the_files_does_not_matter(new_bench: type[Bench]) -> None:
    """The same signatures, read in another order, give the same answer."""
    names = [f"cause-{letter}" for letter in "abcdef"]
    answers = []
    for order in (names, names[::-1]):
        bench = new_bench()
        for name in order:
            bench.simple(name, examples=f"['{CUDNN} {name[-1] * (1 + ord(name[-1]) % 3)}']")
        answers.append(nearest([CUDNN], bench.base()))
    assert answers[0] == answers[1]
    assert len(answers[0][0]) == 3
