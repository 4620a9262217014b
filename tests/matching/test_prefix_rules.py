"""What spares a rule the trial of its regex: never a line that the regex would take."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from triage.matching.prefix import parse_prefix
from triage.matching.prefix_formats import FORMATS, SGLANG
from triage.matching.prefix_rules import Rule, RuleTable, level_of
from triage.matching.wrappers import WRAPPERS

_RULES = (SGLANG, *WRAPPERS, *FORMATS)
_NAMED = [pytest.param(rule, id=f"{number}-{rule.name}") for number, rule in enumerate(_RULES)]
_TABLE = RuleTable(_RULES)
_REACH = 400
"""A needle may come that late in any rule; what comes later is not looked for."""
# The counted parts of a rule are as long here as it allows, since there its reach ends.
_LINES = (
    "[2026-03-01 22:54:06 TP3] Decode batch",
    "[2026-03-01 22:54:06] INFO:     127.0.0.1:1 - GET",
    "[2026-03-01 22:54:06 TP0][a.py:3][INFO] text",
    "[22:54:06 DP1] text",
    "[03-01 22:54:06] text",
    "[gpu=0] text",
    "[DP1 TP2] text",
    "[W1022 05:14:36.393067540 a.cpp:1] text",
    "[rank7]: text",
    "[1700000000.123456] [node:1    :0] a.c:1 UCX  ERROR text",
    "[node-1:1:0:1] Caught signal 11",
    "[   12.345678] text",
    "[Sun Mar  1 22:54:06 2026] text",
    "[2026-03-01 22:54:06,123 E 1 2] (raylet) a.cc:1: text",
    "[Gloo] Rank 0",
    "[0] MPI startup(): text",
    "2026-03-01 22:54:06 INFO span{x=1}: a::b: src/a.rs:1: text",
    "2026-03-01 22:54:06 NIXL INFO    a.py:1 text",
    "2026-03-01 22:54:06.123 | INFO     | a:b:1 - text",
    "2026-03-01 22:54:06,123\tINFO a.py:1 -- text",
    "2026-03-01 22:54:06,123 - a.b - INFO - text",
    "2026-03-01 22:54:06,123 a.b 12 INFO     text",
    "2026-03-01 22:54:06 [INFO] text",
    "2026-03-01 22:54:06: text",
    "WARNING 03-01 22:54:06 [a.py:1] text",
    "CRITICAL: text",
    "WARNING: Logging before InitGoogleLogging",
    "WARNING:root:text",
    "CRITI [a] text",
    "WARN: text",
    "I0301 22:54:06.123456 1 a.py:1] text",
    "E20260301 22:54:06.123456 1 a.cc:1] text",
    "I0000 00:00:1700000000.123456 1 a.cc:1] text",
    "libfabric:1:1700000000::core:a:b():1<warn> text",
    f'{"1" * 64} [01/Mar/2026:22:54:06 +0000] "GET',
    f"/{'a' * 200}nvshmem/b.cpp:1: text",
    "/a/b.cu:f:1 text",
    '{"timestamp": 1, "level": "info"}',
    "node:1:2 [0] a.cc:1 NCCL WARN text",
    "NCCL version 2.21.5",
    "node:1:2 [0] NVSHMEM INFO text",
    "a.c:1  UCX  ERROR text",
    "/a/b.py:1: FutureWarning: text",
    "Loading: 50% Completed | 2/4 [00:01<00:01]",
    "2026-03-01T22:54:06.123456789Z stderr F text",
    "2026-03-01T22:54:06+00:00 host kernel: [   12.345678] text",
    "Mar  1 22:54:06 host kernel: text",
    "2026-03-01T22:54:06Z host sglang[1]: text",
    "Mar 01 22:54:06.123456 host docker[1]: text",
    "2026-03-01T22:54:06Z  INFO a{b}: c::d: text",
    "123456: text",
    "#12 3.456 text",
    "12345.67 text",
    "[pod/a-0/b] text",
    "[1,12]<stderr>: text",
    "[default0]: text",
    f"[{'t' * 41}] 2026-03-01 22:54:06",
    "[111;131;140;100m text",
    "(EngineCore_DP0 pid=1) text",
    "  (host, rank=1, pid=2, ip=10.0.0.1) text",
    "  (a.b:c pid=1, ip=10.0.0.1) text",
    "(raylet, ip=10.0.0.1) text",
    "Worker_TP1 pid=1) text",
    "CRITICAL 2026-03-01T22:54:06Z text",
    "    | 2026-03-01T22:54:06Z | text",
    "sglang-7d9f8b6c5-x2k4q server [2026-03-01",
    "sglang-12|text",
    f"{'a' * 101}{' ' * 40}| text",
    f"{'n' * 80}1: [2026-03-01 22:54:06",
    "> > text",
    "<6>[   12.3",
    '{"log":"text',
)
_EDITS = ' []()|:-.,0123456789TZabcIWEF#%/<>"{}_m\t'


def _ungated(rule: Rule, text: str) -> bool:
    return re.compile(rule.pattern, re.ASCII).match(text) is not None


def _gated(rule: Rule, text: str) -> bool:
    return rule in RuleTable((rule,)).beginning(text[:2]) and rule.admits(text, 0)


@pytest.mark.parametrize("rule", _NAMED)
def test_each_rule_is_met_by_a_line(rule: Rule) -> None:
    """The lines above meet every rule, and each passes the gate of every rule that takes it."""
    taken = [line for line in _LINES if _ungated(rule, line)]
    assert taken
    assert [line for line in taken if not _gated(rule, line) and line[:1] in set(rule.first or line[:1])] == []


@pytest.mark.parametrize("rule", _NAMED)
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_gate_refuses_what_the_regex_takes(rule: Rule, data: st.DataObject) -> None:
    """Whatever a regex can match passes the rule's characters, mark and needle."""
    text = data.draw(st.from_regex(re.compile(rule.pattern, re.ASCII)))
    assume(len(text) <= _REACH and (not rule.first or text[:1] in set(rule.first)) and _ungated(rule, text))
    assert _gated(rule, text)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(_LINES), st.lists(st.tuples(st.integers(0, 60), st.sampled_from(_EDITS), st.integers(0, 2))))
def test_no_gate_refuses_a_changed_line(line: str, edits: list[tuple[int, str, int]]) -> None:
    """Lines with characters put in, replaced and left out give the same with the gates as without."""
    for at, character, dropped in edits[:4]:
        line = line[:at] + character * (dropped != 1) + line[at + dropped :]
    for rule in _RULES:
        if _ungated(rule, line) and (not rule.first or line[:1] in set(rule.first)):
            assert _gated(rule, line), rule.name


def test_the_table_keeps_the_order() -> None:
    """Of the rules that a beginning allows none is lost and none changes its place."""
    for line in _LINES:
        allowed = [rule for rule in _RULES if rule in _TABLE.beginning(line[:2])]
        assert list(_TABLE.beginning(line[:2])) == allowed
    assert _TABLE.beginning("") == _TABLE.beginning("")
    assert all(not rule.first and not rule.second for rule in _TABLE.beginning(""))


def test_a_known_line_reads_the_same_again() -> None:
    """What is remembered of a line is what was read; a long one is read each time."""
    for line in (*_LINES, "[2026-03-01 22:54:06 TP3] " + "x" * 5000):
        assert parse_prefix(line) == parse_prefix(line)


@pytest.mark.parametrize(("word", "level"), [("WARN", "warning"), (" e ", "error"), ("panic", "fatal"), ("x", None)])
def test_levels(word: str, level: str | None) -> None:
    """Levels as printed are one of five, or none."""
    assert level_of(word) == level
