"""The real logs of the corpus: what the research calls a format gets one."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from triage.matching.prefix import parse_prefix, segments, strip_ansi

_ROOT = Path(__file__).resolve().parents[2]
_CORPUS = Path(os.environ.get("SGLTRIAGE_CORPUS", _ROOT / ".." / "shared" / "corpus"))
_FORMATS = _CORPUS.parent / "research" / "formats.tsv"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(
        not _FORMATS.is_file() or not _CORPUS.is_dir(), reason=f"no labelled corpus with formats.tsv at {_CORPUS}"
    ),
]


def _lines() -> list[str]:
    texts = (path.read_bytes().decode("utf-8", "surrogateescape") for path in sorted(_CORPUS.glob("*/*/log.txt")))
    return [strip_ansi(line) for text in texts for line in text.split("\n")]


def test_ninety_percent_of_known_fronts_get_a_format() -> None:
    """Of the lines that match a known format's regex, at least nine in ten get a format or a wrapper."""
    rows = [row.split("\t", 1) for row in _FORMATS.read_text("utf-8").splitlines() if "\t" in row]
    known = [re.compile(regex) for _, regex in rows]
    lines = [line for line in _lines() if any(regex.search(line) for regex in known)]
    read = [
        line for line in lines if any(found.format or found.wrappers for found in map(parse_prefix, segments(line)))
    ]
    assert len(lines) > 500
    assert len(read) >= 0.9 * len(lines)


def test_messages_carry_no_second_sglang_prefix() -> None:
    """Behind a prefix of SGLang's own there is never another one at the beginning of the message."""
    stamp = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
    for line in _lines():
        for part in segments(line):
            found = parse_prefix(part)
            assert found.format != "sglang" or not stamp.match(part, found.end), part
