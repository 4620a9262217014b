"""Hides what users asked: the prompts and outputs that SGLang prints with each request when requests are logged."""

from __future__ import annotations

import re

from triage.lazy_regex import lazy_regex
from triage.safety.values import Span, bracket_span, quoted_span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Only a record that dumps a request makes a `text=` private; a few names are private in any JSON body.
_REQUEST_DUMP = lazy_regex(
    r"""ReqInput\(|\bReq\(rid|\b(?:Receive|Received|Finish): ?obj|CompletionRequest\(|['"]event\\{0,15}['"]: ?\\{0,15}['"]request\."""
)
_FIELDS = (
    "text|prompts?|input_ids|output_ids|origin_input_ids|origin_input_text|input_text|output_text|output_str|fill_ids|"
    "token_ids|input_embeds|messages|content|image_data|video_data|audio_data"
)
_IN_DUMP = lazy_regex(rf"""\b(?:{_FIELDS})(?:\\{{0,15}}['"])?[ ]?[=:][ ]?""")
_IN_BODY = lazy_regex(r"""\\{0,15}['"](?:prompts?|messages|input_ids|output_ids)\\{0,15}['"][ ]?:[ ]?""")
_HIDDEN = lazy_regex(r"‹prompt \d+ chars›")


def prompt_spans(text: str) -> Iterator[Span]:
    """The stretches of `text` that hold a prompt or an output, in order and apart; those already hidden are left out."""
    dump = _REQUEST_DUMP.search(text)
    at = 0
    while (name := _next_name(text, at, dump.end() if dump else len(text))) is not None:
        at = name.end()
        span = quoted_span(text, at, len(text)) or bracket_span(text, at, len(text))
        if span is not None:
            at = max(at, span.end)
            if span.end > span.start and not _HIDDEN.fullmatch(text, span.start, span.end):
                yield span


def hidden_prompt(length: int) -> str:
    """What stands for a prompt of `length` characters."""
    return f"‹prompt {length} chars›"


def _next_name(text: str, at: int, dump: int) -> re.Match[str] | None:
    """The next field name at or behind `at` whose value is private; from index `dump` on a request is being dumped."""
    if at < dump:
        found = _IN_BODY.search(text, at, dump)
        if found is not None:
            return found
    return _IN_DUMP.search(text, max(at, dump)) if dump < len(text) else None
