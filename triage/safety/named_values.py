"""Secrets that are known by the name before them: ``api_key='x'``, ``"api_key": "x"``, ``--api-key x``, ``HF_TOKEN=x``."""

from __future__ import annotations

import re

from triage.lazy_regex import lazy_regex
from triage.records import dataclass
from triage.safety.secret_names import secret_name
from triage.safety.secret_shapes import Secret
from triage.safety.values import Span, bare_span, bracket_span, quoted_span, shell_span, string_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = lazy_regex(r"‹[a-z0-9_]{1,40}:[0-9a-f]{4}›")
"""What a secret was replaced by."""

_NAME_LENGTH = 64
_NAME_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
# The last word of a name that may promise a secret, the quote that closes it, and what separates it from its value.
_NAME_END = lazy_regex(
    r"""(?i)(?P<word>api[ ]key|keys?|tokens?|secret|pass(?:word|wd|phrase)s?[a-z0-9_-]{0,64}|authorization|cookie"""
    r"""|credential|signature|sig)"""
    r"""(?:\\{0,15}(?P<quote>['"]))?"""
    r"""(?:(?P<before>[ \t]{0,8})(?P<sign>=>|:=|={1,2}|:)(?P<after>[ \t]{0,8})"""
    r"""|(?(quote)[ \t]{0,8}(?P<comma>,)[ \t]{0,8}|(?P<gap>[ \t]+)))"""
)
_URL_NAMES = frozenset({"credential", "key", "sig", "signature", "token", "x-amz-credential", "x-amz-signature"})
_SCHEME = lazy_regex(r"(?i)(?:bearer|basic|token|negotiate|apikey|bot)[ \t]{1,8}")
_PARAMETERS = lazy_regex(r"(?:[\w-]{1,64}[ \t]{1,8})?[\w-]{1,64}=")
_RANDOM = lazy_regex(r"(?=[^\d\s]{0,64}\d)(?=[^A-Za-z\s]{0,64}[A-Za-z])[\w.~+/=-]{16,}")
_NOTHING = lazy_regex(
    r"(?i)(?:none|null|nil|undefined|true|false|\*+|x{3,}|\.{2,}|…|<[a-z][a-z _-]{0,30}>|\{[\w.]{1,64}\})?"
)
_SOURCE = lazy_regex(r"(?:str|bytes|string|any|Any)(?![\w.])|(?:typing\.)?Optional\[|os\.(?:environ|getenv)\b|field\(")
# fmt: off
_PROSE = frozenset({
    "and", "argument", "expects", "flag", "for", "has", "is", "must", "not", "option", "or", "requires",
    "should", "to", "was", "with",
})
# fmt: on


def named_secrets(text: str) -> Iterator[Secret]:
    """The values of names that promise a secret, in order and apart, without empty ones and those already replaced."""
    here = done = line_end = plain_until = 0
    while (found := _NAME_END.search(text, here)) is not None:
        here = found.end()
        if here > line_end or not line_end:
            line_end = _end_of_line(text, here)
        name = _name(text, found, done)
        if name is not None and name.must_be_random and name.end < plain_until:
            continue
        span = name.value(text, line_end) if name else None
        if name is None or span is None:
            continue
        if name.must_be_random and not name.is_secret(text[span.start : span.end], span.quoted):
            # A token of language, not of access: what stands in it is looked at, but not for another such one.
            plain_until = span.end
            continue
        # Any other value that is no secret holds none either, so nothing is read twice.
        here = max(here, span.end)
        if name.is_secret(text[span.start : span.end], span.quoted):
            done = span.end
            yield Secret(span.start, span.end, name.label)


def is_nothing(value: str) -> bool:
    """True for values that hide nothing: empty, None, a placeholder, or what is left of a secret already replaced."""
    if _NOTHING.fullmatch(value.strip()):
        return True
    return "‹" in value and not any(map(str.isalnum, TOKEN.sub("", value)))


@dataclass(frozen=True, slots=True)
class _Name:
    """A name that promises a secret, and how it is tied to its value, which begins at index `end`."""

    label: str
    start: int
    end: int
    is_header: bool
    is_shell: bool
    is_code: bool
    is_prose: bool
    must_be_random: bool
    enclosing: str

    def value(self, text: str, line_end: int) -> Span | None:
        """Where the value stands, quoted, in brackets or bare; None if there is no value."""
        limit = line_end
        if self.enclosing:
            limit = string_end(text, self.end, self.enclosing[-1], len(self.enclosing) - 1, line_end, in_word=True)
        quoted = quoted_span(text, self.end, limit)
        if self.is_header:
            return _header_value(text, self.end, limit, quoted)
        bare = shell_span if self.is_shell else bare_span
        return quoted or bracket_span(text, self.end, limit) or bare(text, self.end, limit)

    def is_secret(self, value: str, quoted: bool) -> bool:
        """False for None, placeholders, source code that passes a secret on, and sentences about an option."""
        if is_nothing(value):
            return False
        if self.must_be_random and not _RANDOM.fullmatch(value):
            return False
        if quoted:
            return True
        if self.is_prose:
            return not (value.startswith("--") or value in _PROSE or (value.isupper() and secret_name(value)))
        return not (self.is_code and (_SOURCE.match(value) or _passes_on(value)))


def _name(text: str, found: re.Match[str], done: int) -> _Name | None:
    """The whole name that ends in `found`, or None if it promises no secret or stands in a sentence."""
    start = _name_start(text, found.start(), done)
    name = text[start : found.end("word")]
    option = name.startswith("--")
    if start and text[start - 1] == "‹" and TOKEN.match(text, start - 1):
        return None
    if (found["gap"] and not option) or (option and found["sign"] == ":" and not found["quote"]):
        return None
    if text[max(0, start - 5) : start] == "/etc/":  # the file of that name, which holds no password
        return None
    capitals = name.isupper()
    if capitals and found["sign"] == "=" and found["after"] and not found["before"]:
        return None
    must_be_random = False
    label = secret_name(name)
    if label is None and name.lower() in _URL_NAMES and text[start - 1 : start] in ("?", "&", ";"):
        label = name.lower().replace("-", "_")
    if label is None and name.strip("-").lower() == "token":
        label, must_be_random = "token", not option
    if label is None:
        return None
    shell = option or capitals
    return _Name(
        label=label,
        start=start,
        end=found.end(),
        is_header=label.endswith(("authorization", "cookie")),
        is_shell=shell,
        is_code=not shell,
        is_prose=bool(found["gap"]),
        must_be_random=must_be_random,
        enclosing="" if found["quote"] else _enclosing_quote(text, start),
    )


def _name_start(text: str, word: int, done: int) -> int:
    """Where the name begins whose last word begins at `word`."""
    before = text[max(done, word - _NAME_LENGTH) : word]
    return word - (len(before) - len(before.rstrip(_NAME_CHARACTERS)))


def _enclosing_quote(text: str, start: int) -> str:
    r"""The quote directly before a name that no quote closes (``"HF_TOKEN=x"``), with its backslashes; else empty."""
    if text[start - 1 : start] not in ("'", '"') or start == 0:
        return ""
    before = text[max(0, start - 16) : start - 1]
    return before[len(before.rstrip("\\")) :] + text[start - 1]


def _header_value(text: str, at: int, limit: int, quoted: Span | None) -> Span | None:
    """The credentials of an Authorization or Cookie header; the scheme (``Bearer``) stays readable."""
    start, end = (quoted.start, quoted.end) if quoted else (at, limit)
    scheme = _SCHEME.match(text, start, end)
    if scheme:
        start = scheme.end()
    if quoted:
        return Span(start, end, quoted=True)
    if not scheme and _PARAMETERS.match(text, start, end):
        return Span(start, start + len(text[start:end].rstrip()), quoted=True)
    return bare_span(text, start, end)


def _passes_on(value: str) -> bool:
    """Source code such as ``api_key=server_args.api_key``, which names a secret and does not hold it."""
    path, _, last = value.rpartition(".")
    return (
        value.replace(".", "_").isidentifier() and secret_name(last) is not None and not last.isupper() and path != "."
    )


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end
