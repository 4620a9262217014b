"""The prefixes that programs of the SGLang ecosystem print themselves, in all releases. Order matters among those that
begin alike: the most frequent first, the most general last."""

from __future__ import annotations

import re

from triage.lazy_regex import lazy_regex
from triage.matching.prefix_rules import ANY_REACH, DIGITS, LOWER, UPPER, Kind, Rule, rule
from triage.matching.wrappers import LEVEL, LEVEL_FIRST

_STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:[.,]\d{3,9})?"
_ZONED = _STAMP + r"(?:Z|[+-]\d\d:?\d\d)?"
# Rank names grow from release to release, so any word is taken; words without a number are roles, not ranks.
_RANKS = r"(?P<rank>(?: [A-Za-z][\w.]*(?:\[\d+\])?){0,10})"
_KNOWN_RANK = r"(?:DP|PP|TP|EP|CP|ATTN_CP|ATTN_TP|MOE_DP|MOE_EP)\d+"
_C10_FILE = r"[\w./<>-]+:\d+"

_C, _F = Kind.CARRIER, Kind.FORMAT
# Where a date or a time has what no number has.
_STAMP_MARK, _BRACKET_MARK = (10, " "), (5, "-")

SGLANG = rule("sglang", _F, rf"\[(?P<time>{_STAMP}){_RANKS}\](?: |$)", "[", second=DIGITS, mark=_BRACKET_MARK)
SGLANG_ANYWHERE = lazy_regex(
    rf"\[(?:{_STAMP}|\d\d:\d\d:\d\d(?= [A-Z]+\d))(?: [A-Za-z][\w.]*(?:\[\d+\])?){{0,10}}\](?: |$|\[)", re.ASCII
)

_BRACKETED: tuple[Rule, ...] = (
    rule(
        "sglang-custom",
        _F,
        rf"\[(?P<time>{_STAMP}){_RANKS}\](?:\[[\w./<>-]+(?::\d+)?\]){{0,2}}\[(?P<level>{LEVEL})\]:? ",
        "[",
        "][",
        second=DIGITS,
        mark=_BRACKET_MARK,
        reach=ANY_REACH,
    ),
    rule("sglang-hms", _F, rf"\[(?P<time>\d\d:\d\d:\d\d){_RANKS}\](?: |$)", "[", second=DIGITS, mark=(3, ":")),
    rule(
        "sglang-monthday",
        _F,
        rf"\[(?P<time>\d\d-\d\d \d\d:\d\d:\d\d){_RANKS}\](?: |$)",
        "[",
        second=DIGITS,
        mark=(3, "-"),
    ),
    rule("sglang-gpuid", _F, r"\[gpu(?:_id)?=\d+\] ", "[", second="g"),
    rule("sglang-rank", _F, rf"\[(?P<rank>{_KNOWN_RANK}(?: {_KNOWN_RANK})*)\] ", "[", again=True, second="DPTECAM"),
    rule(
        "torch-cpp",
        _F,
        rf"\[(?P<level>[IWEF])(?:(?P<time>\d{{3,4}} \d\d:\d\d:\d\d\.\d{{6,9}}) | ){_C10_FILE}\] ",
        "[",
        again=True,
        second="IWEF",
    ),
    rule("torch-rank", _F, r"\[rank(?P<ranknum>\d+)\]: ?", "[", second="r"),
    rule(
        "ucx",
        _F,
        r"\[(?P<time>\d{9,10}\.\d{6})\] \[(?P<node>[^\]\s:]+):(?P<pid>\d+)\s*:\w+\]\s+\S+:\d+\s+UCX\s+(?P<level>[A-Z]+)\s+",
        "[",
        "] [",
        second=DIGITS,
        reach=21,
    ),
    rule(
        "ucx-signal",
        _F,
        r"\[(?P<node>[\w.-]+):(?P<pid>\d+):\w+:\d+\] (?=Caught signal )",
        "[",
        "] Caught signal ",
        reach=ANY_REACH,
    ),
    rule("dmesg", _F, r"\[ *\d+\.\d{6}\] ?", "[", ".", second=DIGITS + " ", reach=ANY_REACH),
    rule(
        "dmesg",
        _F,
        r"\[(?P<time>[A-Z]\w\w [A-Z]\w\w [ \d]\d \d\d:\d\d:\d\d \d{4})\] ?",
        "[",
        second=UPPER,
        mark=(4, " "),
    ),
    rule(
        "ray-core",
        _F,
        rf"\[(?P<time>{_STAMP}) (?P<level>[DIWECF]) (?P<pid>\d+) \d+\] (?:\([\w-]+\) )?(?:[\w./-]+:\d+: +)?",
        "[",
        second=DIGITS,
        mark=_BRACKET_MARK,
    ),
    rule("gloo", _F, r"\[Gloo\] (?=Rank )", "[", second="G"),
    rule("impi", _F, r"\[(?P<ranknum>\d+)\] MPI startup\(\): ", "[", "] MPI ", second=DIGITS, reach=ANY_REACH),
)

_DATED: tuple[Rule, ...] = (
    rule(
        "router",
        _C,
        rf"(?P<time>{_STAMP})\s+(?P<level>{LEVEL}) (?:[\w.-]+\{{[^\n]{{0,800}}?\}}: ?)?(?:[A-Za-z_]\w*(?:::\w+)+: ?)"
        r"(?:[\w./-]+\.rs:\d+: ?)?",
        DIGITS,
        "::",
        mark=_STAMP_MARK,
    ),
    rule(
        "nixl-python",
        _F,
        rf"(?P<time>{_STAMP}) NIXL (?P<level>{LEVEL}) +(?:\S+:\d+ )?",
        DIGITS,
        "NIXL",
        mark=_STAMP_MARK,
    ),
    rule(
        "loguru",
        _C,
        rf"(?P<time>{_STAMP}) \| (?P<level>{LEVEL}) *\| (?P<role>[^|\n]{{1,120}}?)(?: - | \|(?: |$))",
        DIGITS,
        " | ",
        mark=_STAMP_MARK,
    ),
    rule(
        "ray-python",
        _F,
        rf"(?P<time>{_STAMP})\s+(?P<level>{LEVEL}|SUCC) [\w./-]+\.py:\d+ -- ",
        DIGITS,
        " -- ",
        mark=_STAMP_MARK,
    ),
    rule(
        "python-logging",
        _C,
        rf"(?P<time>{_ZONED}) - (?:[\w.<>-]+ - )?(?P<level>{LEVEL}) - (?:\S+\.py:\d+ - )?(?:[a-z_]\w*(?:\.\w+)+: )?",
        DIGITS,
        " - ",
        mark=_STAMP_MARK,
    ),
    rule(
        "xinference",
        _F,
        rf"(?P<time>{_STAMP}) [\w.]+ \d+ (?P<level>{LEVEL})\s+(?:\[address=[^\]\n]{{0,80}}?pid=(?P<pid>\d+)\] )?",
        DIGITS,
        mark=_STAMP_MARK,
    ),
    rule("python-logging", _C, rf"(?P<time>{_ZONED}) \[?(?P<level>{LEVEL})\b\]?:?\s*", DIGITS, mark=_STAMP_MARK),
    rule("timestamp", _C, rf"(?P<time>{_ZONED}):?\s+(?=\S)", DIGITS, mark=_STAMP_MARK),
)

_WORDS: tuple[Rule, ...] = (
    rule(
        "vllm",
        _F,
        rf"(?P<level>{LEVEL}) (?P<time>\d\d-\d\d \d\d:\d\d:\d\d) \[?[^\]\s]+:\d+\] ?",
        LEVEL_FIRST,
        "-",
        second=UPPER,
        reach=12,
    ),
    rule(
        "uvicorn",
        _F,
        r"(?P<level>INFO|WARNING|ERROR|DEBUG|TRACE|CRITICAL): (?: +|(?<=CRITICAL: ))",
        "IWEDTC",
        ": ",
        again=True,
        second=UPPER,
        reach=10,
    ),
    rule("glog-early", _F, r"(?P<level>WARNING): (?=Logging before InitGoogleLogging)", "W", ": ", reach=9),
    rule("python-basic", _F, rf"(?P<level>{LEVEL}):[A-Za-z_][\w.]*:(?=\S)", LEVEL_FIRST, ":", second=UPPER, reach=9),
    rule(
        "short-level",
        _F,
        r"(?P<level>DEBUG|INFO|WARNI|WARN|ERROR|CRITI) \[[\w.]+\] ",
        "DIWEC",
        " [",
        second=UPPER,
        reach=7,
    ),
    rule("nvshmem-source", _F, r"(?P<level>WARN): (?=\S)", "W", ": ", reach=6),
    rule(
        "torch-python",
        _F,
        r"(?P<level>[IWEF])(?P<time>\d{4} \d\d:\d\d:\d\d\.\d{6})\s+(?P<pid>\d+) \S+\.py:\d+\] ",
        "IWEF",
        again=True,
        second=DIGITS,
    ),
    rule(
        "glog",
        _F,
        rf"(?P<level>[IWEF])(?P<time>(?:\d{{8}}|\d{{4}}) \d\d:\d\d:\d\d\.\d{{6}})\s+(?P<pid>\d+) {_C10_FILE}\] ?",
        "IWEF",
        again=True,
        second=DIGITS,
    ),
    # Abseil prints this one before its logging is initialised: the seconds are those since 1970.
    rule(
        "glog",
        _F,
        rf"(?P<level>[IWEF])0000 00:00:(?P<time>\d{{10}}\.\d{{6}})\s+(?P<pid>\d+) {_C10_FILE}\] ?",
        "IWEF",
        second="0",
    ),
    rule(
        "libfabric",
        _F,
        r"libfabric:(?P<pid>\d+):(?P<time>\d{9,10}):\w*:[\w-]+:[\w-]+:\w+\(\):\d+<(?P<level>\w+)> ",
        "l",
        "libfabric:",
        reach=10,
    ),
    rule(
        "aiohttp-access",
        _F,
        r"\S{1,64} \[(?P<time>\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] (?=\")",
        DIGITS + LOWER,
        " [",
        again=True,
        reach=66,
        in_word=True,
    ),
    rule(
        "nvshmem-source",
        _F,
        r"/\S{0,200}nvshmem\S{0,200}\.(?:cpp|cuh?|h)(?::\w+)?[: ]\d+[: ] ?",
        "/",
        "nvshmem",
        reach=208,
    ),
    rule("source", _F, r"/\S{1,400}\.(?:cpp|cc|cuh?|hpp|h)(?::\w+)?[: ]\d+[: ] ?", "/"),
    rule("json", _F, r'\{"(?:timestamp|asctime|ts|time|level)"\s*:', "{", second='"'),
)

_COLLECTIVE = r"(?:[`'\"]?(?P<node>[\w.-]{1,255}):(?P<pid>\d+):\d+ \[-?\d+\] (?:\S+ )?(?:\d+\.\d+ )?(?:\S+:\d+ )?|(?:\[-?\d+\] )?(?:[\w./-]+:\d+ )?)"
_ANYWHERE: tuple[Rule, ...] = (
    rule(
        "nccl",
        _F,
        _COLLECTIVE + r"(?:\(\w+\) )?NCCL (?P<level>INFO|WARN|TRACE|CALL|ABORT)(?: |$)",
        "",
        "NCCL ",
        again=True,
    ),
    rule("nccl-version", _F, r"(?=NCCL version \d)", "", "NCCL version "),
    rule("nvshmem", _F, _COLLECTIVE + r"NVSHMEM (?P<level>INFO|WARN|TRACE|ABORT)(?: |$)", "", "NVSHMEM ", again=True),
    rule("ucx", _F, r"[\w.-]+\.[ch]\w{0,2}:\d+\s+UCX\s+(?P<level>[A-Z]+)\s+", "", "UCX"),
    rule(
        "python-warning",
        _F,
        r"(?:<frozen [\w.]+>|[^\s:<]\S{0,300}\.py):\d+: (?=\w*(?P<level>Warning): )",
        "",
        "Warning: ",
    ),
    rule(
        "tqdm",
        _C,
        r"[^\r\n]{0,160}?\d{1,3}%(?:\|| Completed \|| (?=\d+/\d+ \[))"
        r"(?P<bar>[^\[\r\n]{0,200}?\d+/(?:\d+|\?)(?: \[(?!\d{4}-)[^\]\r\n]{0,120}\])?)?",
        "",
        "%",
    ),
)

FORMATS: tuple[Rule, ...] = (*_BRACKETED, *_DATED, *_WORDS, *_ANYWHERE)
