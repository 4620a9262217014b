"""Where router, prefill and decode servers listen is read from the lines that tell it, and only what is certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hyperscan
import pytest

from triage.matching.fact_patterns import FACT_PATTERNS
from triage.matching.facts import read_facts
from triage.matching.prefix import parse_prefix

if TYPE_CHECKING:
    from triage.model import Value

_PAIRS = (
    "{ prefill_urls: [(\"http://10.0.0.11:30000\", Some(8998))], decode_urls: [\"http://10.0.0.12:30001\"], prefill_policy: None, "
    "decode_policy: None } | policy: Random | max_payload: 512MB"
)  # fmt: skip
_ONE_PAIR: dict[str, Value] = {
    "router.pd_mode": True, "router.bootstrap_port": 8998, "pd.prefill_host": "10.0.0.11", "pd.prefill_port": 30000,
    "pd.decode_host": "10.0.0.12", "pd.decode_port": 30001,
}  # fmt: skip
_ROUTER = "python3 -m sglang_router.launch_router"

_CASES: list[tuple[str, str, dict[str, Value]]] = [
    ("every address", f"Starting router on 0.0.0.0:8000 | mode: PrefillDecode {_PAIRS}", {"router.port": 8000, **_ONE_PAIR}),
    ("one address", f"Starting router on 10.0.0.5:8000 | mode: PrefillDecode {_PAIRS}",
     {"router.host": "10.0.0.5", "router.port": 8000, **_ONE_PAIR}),
    ("IPv6, every address", "Starting router on [::]:8000 | mode: Regular { worker_urls: [] } | policy: Random", {"router.port": 8000}),
    ("first releases", 'Router mode: PrefillDecode { prefill_urls: [("http://10.0.0.11:30000", Some(8998))], decode_urls: ["http://10.0.0.12:30001"] }',
     _ONE_PAIR),
    ("service discovery", "Starting router on 0.0.0.0:30000 | mode: PrefillDecode { prefill_urls: [], decode_urls: [], prefill_policy: None } | policy: Random",
     {"router.port": 30000, "router.pd_mode": True}),
    ("servers that differ in their hosts",
     ('Router mode: PrefillDecode { prefill_urls: [("http://10.0.0.11:30000", Some(8998)), ("http://10.0.0.13:30000", Some(8998))], '
      'decode_urls: ["http://10.0.0.12:30000", "http://10.0.0.14:30009"] }'),
     {"router.pd_mode": True, "router.bootstrap_port": 8998, "pd.prefill_port": 30000}),
    ("no bootstrap port", 'Router mode: PrefillDecode { prefill_urls: [("http://prefill-0:30000", None)], decode_urls: ["http://decode-0:30000/"] }',
     {"router.pd_mode": True, "pd.prefill_host": "prefill-0", "pd.prefill_port": 30000, "pd.decode_host": "decode-0", "pd.decode_port": 30000}),
    ("a name and a password are no host", 'Router mode: PrefillDecode { prefill_urls: [("http://me:secret@10.0.0.11:30000", Some(8998))], decode_urls: [] }',
     {"router.pd_mode": True, "router.bootstrap_port": 8998}),
    ("no such port", "Starting router on 10.0.0.5:80000 | mode: Regular { worker_urls: [] }", {"router.host": "10.0.0.5"}),
    ("an option where the host should be", "Starting router on --config=/x:8000 | mode: Regular { worker_urls: [] }", {}),
    ("command", f"+ {_ROUTER} --pd-disaggregation --host 10.0.0.5 --prefill http://10.0.0.11:30000 8998 --decode http://10.0.0.12:30001 --port 8000",
     {"router.host": "10.0.0.5", "router.port": 8000, **_ONE_PAIR}),
    ("command with several servers",
     f"+ {_ROUTER} --pd-disaggregation --prefill http://10.0.0.11:30000 8998 --prefill http://10.0.0.11:30100 9998 --decode http://10.0.0.12:30001",
     {"router.port": 30000, "router.pd_mode": True, "pd.prefill_host": "10.0.0.11", "pd.decode_host": "10.0.0.12", "pd.decode_port": 30001}),
    ("command that goes on", f"+ {_ROUTER} --pd-disaggregation --port 8000 \\", {}),
    ("prefill server", "server_args=ServerArgs(host='10.0.0.11', port=30000, disaggregation_mode='prefill', disaggregation_bootstrap_port=9000)",
     {"pd.prefill_host": "10.0.0.11", "pd.prefill_port": 30000, "pd.bootstrap_port": 9000}),
    ("decode server, whose bootstrap port means nothing",
     "server_args=ServerArgs(host='0.0.0.0', port=30001, disaggregation_mode='decode', disaggregation_bootstrap_port=8998)", {"pd.decode_port": 30001}),
    ("any other server", "server_args=ServerArgs(host='10.0.0.11', port=30000, disaggregation_mode='null', disaggregation_bootstrap_port=8998)", {}),
    ("command of a decode server", "+ python3 -m sglang.launch_server --model-path /models/m --disaggregation-mode decode --port 30001",
     {"pd.decode_port": 30001}),
]  # fmt: skip


@pytest.mark.parametrize(("message", "expected"), [case[1:] for case in _CASES], ids=[case[0] for case in _CASES])
def test_places_are_read(message: str, expected: dict[str, Value]) -> None:
    """Each line yields exactly these facts about router, prefill and decode."""
    facts = {fact.name: fact.value for fact in read_facts(message, "log:7")}
    found = {name: value for name, value in facts.items() if name.startswith(("router.", "pd."))}
    found.pop("router.command", None)
    assert found == expected


@pytest.mark.parametrize("message", [case[1] for case in _CASES], ids=[case[0] for case in _CASES])
def test_scan_finds_every_line_that_is_read(message: str) -> None:
    """What tells a fact is found by the patterns of the scan, with the literal of each in the line."""
    database = hyperscan.Database()
    database.compile(
        expressions=[regex.encode() for _, regex, _ in FACT_PATTERNS],
        ids=list(range(len(FACT_PATTERNS))),
        elements=len(FACT_PATTERNS),
        flags=[0] * len(FACT_PATTERNS),
    )
    fired: set[int] = set()
    database.scan(message.encode(), match_event_handler=lambda number, *_: fired.add(number))
    assert fired
    assert all(FACT_PATTERNS[number][2] in message for number in fired)


def test_prefix_of_the_router_is_taken_off() -> None:
    """A line as the router writes it, with time, level, module and place, is read like the bare message."""
    line = f"2026-03-20 07:00:58  INFO smg::server: src/server.rs:794: Starting router on 0.0.0.0:8000 | mode: PrefillDecode {_PAIRS}"
    message = line[parse_prefix(line).end :]
    assert {fact.name: fact.value for fact in read_facts(message, "log:1")} == {"router.port": 8000, **_ONE_PAIR}


def test_quoted_line_tells_nothing() -> None:
    """A prompt that quotes the router's line is no router."""
    message = f"Receive: obj=GenerateReqInput(text='Starting router on 10.0.0.5:8000 | mode: PrefillDecode {_PAIRS}')"
    assert not read_facts(message, "log:1")
