"""The Markdown summary: what it says, and that nothing in it can break out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from tests.session.conftest import Begin
from triage.probing.snapshot import Snapshot
from triage.reporting.outlet import Outlet
from triage.safety.redact import Redactor
from triage.session.session import Session
from triage.session.state import Action, CheckNote, Move, RunNote
from triage.session.summary import moved_in_words, summary_lines

HOSTILE = "`` ``` </code> <img src=x> [a](http://evil.example) \x1b]52;c;aGk=\x07 \u202e @everyone api_key='sk-abcdefghijklmnopqrstuvwx'"
SYMBOL = b"ImportError: /usr/local/lib/python3.12/dist-packages/sgl_kernel/sm100/common_ops.abi3.so: undefined symbol: _ZN3c104cuda29c10_cuda_check_implementationEiPKcS2_ib\n"


def summary(session: Session) -> list[str]:
    """The lines."""
    return list(summary_lines(session, Outlet(Redactor(b"salt"))))


def test_found_done_proven_open(begin: Begin, host: Callable[[str], Snapshot]) -> None:
    """Every part is there, in order, with what belongs to it."""
    session = begin(text=SYMBOL).with_host(host("torch-twice"), "host.json").session
    run = RunNote(
        "2026-03-01T12:05:00+00:00", "r1", "torch-duplicate-install", "remove-duplicate-torch", "fixed",
        (("remove-user-torch", "done"),), (CheckNote("one torch is there", True, "2.9.1"),), "99% by the log alone, 3% now",
    )  # fmt: skip
    text = "\n".join(summary(session.record_run(run)))
    heads = (
        "## Triage",
        "#### 1. ",
        "#### Unexplained",
        "- **Not checked:**",
        "### Done",
        "### Proven",
        "### Still open",
    )
    places = [text.index(head) for head in heads]
    assert places == sorted(places)
    assert (
        "- `2026-03-01T12:00:00+00:00` weighed `recorded host host.json`: `torch-duplicate-install` 13% to 99%" in text
    )
    assert "**fixed**" in text
    assert "yes          one torch is there   2.9.1" in text
    assert "diagnosis    99% by the log alone, 3% now" in text


def test_questions_stay_open(begin: Begin) -> None:
    """One that was not answered, and one that was skipped."""
    log = b"[rank8]: RuntimeError: Gloo connectFullMesh failed with [../third_party/gloo/gloo/transport/tcp/pair.cc:144] no error (timed out after 30000ms)\n"
    session = begin(text=log)
    assert any(line.startswith("- question `network.firewall_between_nodes`: `Is there") for line in summary(session))
    skipped = session.skip("network.firewall_between_nodes").session
    assert "- question `network.firewall_between_nodes` was skipped" in summary(skipped)


def test_hostile_text_stays_in_code(begin: Begin) -> None:
    """Backticks, tags, links, escapes and secrets in everything that a session file can hold."""
    session = begin(text=SYMBOL)
    run = RunNote(
        HOSTILE,
        HOSTILE,
        HOSTILE,
        HOSTILE,
        HOSTILE,
        ((HOSTILE, HOSTILE),),
        (CheckNote(HOSTILE, None, HOSTILE),),
        HOSTILE,
    )
    move = Move(HOSTILE, HOSTILE, 0.1, None)
    state = replace(
        session.state,
        begun=HOSTILE,
        actions=(Action(HOSTILE, HOSTILE, HOSTILE, (move,)),),
        runs=(run,),
        skipped=(HOSTILE,),
    )
    lines = summary(Session(state, session.knowledge))
    text = "\n".join(lines)
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert "sk-abcdefgh" not in text
    assert "<img" not in _outside_of_code(lines)
    assert "evil" not in _outside_of_code(lines)


def _outside_of_code(lines: list[str]) -> str:
    """What a renderer takes for mark-up: the text less fenced blocks and code spans."""
    kept: list[str] = []
    fence = ""
    for line in lines:
        if fence:
            fence = "" if line == fence else fence
        elif found := re.fullmatch(r"(`{3,})text", line):
            fence = found[1]
        else:
            kept.append(re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", line))
    assert fence == ""
    return "\n".join(kept)


def test_moves_in_words() -> None:
    """Risen, new and gone."""
    found = [moved_in_words(Move("a", "A", *pair)) for pair in ((0.65, 0.2), (None, 0.71), (0.12, None))]
    assert found == ["65% to 20%", "new, 71%", "gone, was 12%"]
