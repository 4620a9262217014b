"""Whose record a line belongs to: read through the scanner, since a line's context is nothing without its file."""

from __future__ import annotations

import pytest

from triage.knowledge.database import Expression, PatternDatabase
from triage.matching.confirm import CompiledPatterns, Confirmer
from triage.matching.context import LOOKBACK
from triage.matching.markers import all_markers, marker_pattern
from triage.matching.observe import observe
from triage.matching.scanner import Scanner
from triage.model import Context, Finding, Hit, Observation, Pattern

_PATTERN = Pattern("needle/line/0", r"needle in the hay", "needle in the hay")
T0, T1, T2 = ("[2026-03-01 10:00:00] ", "[2026-03-01 10:00:01] ", "[2026-03-01 09:00:00] ")
DUMP = "Receive: obj=GenerateReqInput(rid='1', text='"


@pytest.fixture(scope="module")
def database() -> PatternDatabase:
    """One pattern beside the markers."""
    return PatternDatabase.compile([Expression(_PATTERN.key, _PATTERN.regex, _PATTERN.literal), *all_markers()])


def _seen(database: PatternDatabase, text: str) -> Observation:
    lookup = Confirmer(CompiledPatterns(lambda key: marker_pattern(key) if key.startswith("@") else _PATTERN))
    scanner = Scanner("log", database, lookup)
    scanner.feed(text.encode())
    return observe([scanner.finish()], [((), False)])


def _needle(database: PatternDatabase, text: str) -> Finding | None:
    return next((item for item in _seen(database, text).findings if item.key == _PATTERN.key), None)


def _hit(database: PatternDatabase, text: str) -> Hit:
    found = _needle(database, text)
    assert found is not None
    return found.first


@pytest.mark.parametrize(
    "line",
    [
        T0 + DUMP + "needle in the hay')",
        T0 + "Finish: obj=GenerateReqInput(text='needle in the hay'), out={'text': 'x'}",
        T0 + "Received request: obj=EmbeddingReqInput(text='needle in the hay')",
        '{"timestamp": "2026-03-01", "event": "request.received", "text": "needle in the hay"}',
        '{"event":"request.finished","out":"needle in the hay"}',
        T0 + "server_args=ServerArgs(served_model_name='needle in the hay')",
        T0 + "server_args={'served_model_name': 'needle in the hay'}",
        "Namespace(model='needle in the hay')",
        T0 + "Ignore import error when loading sglang.srt.models.x: needle in the hay",
    ],
)
def test_dumps_on_one_line(database: PatternDatabase, line: str) -> None:
    """What clients and settings say, printed on one line, is no finding."""
    assert _needle(database, f"before\n{line}\nafter\n") is None


def test_a_raw_line_of_a_request_is_a_dump(database: PatternDatabase) -> None:
    """A prompt printed with raw line feeds (between double quotes, as the server does) keeps its lines inside the request."""
    text = f'{T0}Receive: obj=GenerateReqInput(text="first\nneedle in the hay\nlast")\n{T1}goes on\n'
    assert _needle(database, text) is None


def test_a_forged_record_inside_a_request(database: PatternDatabase) -> None:
    """A line of the client's that looks like the server's own is taken, and marked as doubtful."""
    hit = _hit(database, f'{T0}Receive: obj=GenerateReqInput(text="first\n{T1}needle in the hay\nlast")\n')
    assert hit.context is Context.SUSPECT


@pytest.mark.parametrize("prompt", ['"', 'say "hi', '", sampling_params={"a": 1'])
def test_quotes_in_a_prompt_do_not_close_the_request(database: PatternDatabase, prompt: str) -> None:
    """A prompt is printed as it is, quotes included: one that closes the string itself gains no trust by it."""
    hit = _hit(database, f'{T0}Receive: obj=GenerateReqInput(text="{prompt}\n{T1}needle in the hay\nlast", rid="2")\n')
    assert hit.context is Context.SUSPECT


def test_a_forged_record_that_is_older_than_its_request(database: PatternDatabase) -> None:
    """Time does not run backwards: a line dated before the request around it is the client's."""
    assert _needle(database, f'{T0}Receive: obj=GenerateReqInput(text="first\n{T2}needle in the hay\nlast")\n') is None


def test_a_closed_request_leaves_no_doubt(database: PatternDatabase) -> None:
    """After a request whose text is closed the server speaks for itself again."""
    assert _hit(database, f"{T0}{DUMP}it's fine')\n{T1}needle in the hay\n").context is Context.NORMAL


def test_an_apostrophe_in_a_prompt(database: PatternDatabase) -> None:
    """repr() quotes a text with an apostrophe by double quotes: the request is closed all the same."""
    text = f"{T0}Receive: obj=GenerateReqInput(text=\"don't\", rid='2')\n{T1}needle in the hay\n"
    assert _hit(database, text).context is Context.NORMAL


@pytest.mark.parametrize("rank", ["TP3", "DP1 TP0"])
def test_bare_lines_inherit(database: PatternDatabase, rank: str) -> None:
    """The bare lines of a traceback have the rank and the time of the line that printed it, and its block."""
    text = (
        f"start\n[2026-03-01 10:00:00 {rank}] Scheduler hit an exception: Traceback (most recent call last):\n"
        '  File "/a.py", line 1, in f\n    g()\nneedle in the hay\n'
    )
    hit = _hit(database, text)
    assert (hit.place.rank, hit.place.time) == (rank, "2026-03-01 10:00:00")
    assert (hit.place.line, hit.block) == (5, 2)


def test_chained_tracebacks_share_a_block(database: PatternDatabase) -> None:
    """The first exception and what it led to are one record."""
    text = (
        f"{T0}ready\nTraceback (most recent call last):\n"
        '  File "/a.py", line 1, in f\n    g()\nValueError: needle in the hay\n\n'
        "During handling of the above exception, another exception occurred:\n\n"
        'Traceback (most recent call last):\n  File "/b.py", line 2, in h\nRuntimeError: needle in the hay\n'
    )
    found = _needle(database, text)
    assert found is not None
    assert [(hit.place.line, hit.block) for hit in found.hits] == [(5, 2), (11, 2)]


def test_a_second_traceback_is_another_block(database: PatternDatabase) -> None:
    """A new record of the server's ends the block of the one before."""
    one = 'Scheduler hit an exception: Traceback (most recent call last):\n  File "/a.py", line 1, in f\nneedle in the hay\n'
    found = _needle(database, f"{T0}{one}{T1}healthy\n{T1}{one}")
    assert found is not None
    assert [hit.block for hit in found.hits] == [1, 5]


def test_a_format_that_repeats_its_prefix(database: PatternDatabase) -> None:
    """Where every line of a traceback has the prefix again, they are one block all the same."""
    pre = "[2026-03-01 10:00:00 TP1] "
    text = f'{pre}ready\n{pre}Traceback (most recent call last):\n{pre}  File "/a.py", line 1, in f\n{pre}ValueError: needle in the hay\n'
    hit = _hit(database, text)
    assert (hit.place.rank, hit.place.line, hit.block) == ("TP1", 4, 2)


def test_interleaved_ranks(database: PatternDatabase) -> None:
    """With every line prefixed, the lines of two ranks that alternate stay with their own rank and traceback."""
    rows = []
    for part in ("Traceback (most recent call last):", '  File "/a.py", line 1, in f', "ValueError: needle in the hay"):
        rows += [f"[2026-03-01 10:00:00 TP{rank}] {part}" for rank in (0, 1)]
    found = _needle(database, "\n".join(rows) + "\n")
    assert found is not None
    assert [(hit.place.line, hit.place.rank, hit.block) for hit in found.hits] == [(5, "TP0", 1), (6, "TP1", 2)]


def test_a_prefixed_error_alone(database: PatternDatabase) -> None:
    """A prefixed line without a traceback above is its own block, whatever stands before it."""
    hit = _hit(database, f"{T0}one\n{T0}two\n{T1}needle in the hay\n")
    assert (hit.block, hit.context) == (3, Context.NORMAL)


def test_context_reaches_only_so_far(database: PatternDatabase) -> None:
    """A line farther from any record than is looked back has no borrowed rank."""
    text = (
        "[2026-03-01 10:00:00 TP3] Traceback (most recent call last):\n"
        + "  x\n" * (LOOKBACK // 2)
        + "needle in the hay\n"
    )
    assert _hit(database, text).place.rank is None
