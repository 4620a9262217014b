"""Secrets that are known by their own form, whatever stands around them: vendor tokens, JWT, PEM, URL passwords."""

from __future__ import annotations

import re

from triage.lazy_regex import lazy_regex
from triage.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_EDGE = r"(?<![A-Za-z0-9])"
_REST = r"[A-Za-z0-9_-]*"
# Each form takes the whole word it begins, so that what is left behind it can never look like a new secret.
_SHAPES = lazy_regex(
    "|".join(
        (
            rf"(?P<hf_token>{_EDGE}hf_[A-Za-z0-9]{{16,}}{_REST})",
            rf"(?P<api_key>{_EDGE}sk-[A-Za-z0-9_-]{{8,}})",
            rf"(?P<nvapi_key>{_EDGE}nvapi-[A-Za-z0-9_-]{{8,}})",
            rf"(?P<github_token>{_EDGE}(?:gh[opsru]_[A-Za-z0-9]{{16,}}|github_pat_[A-Za-z0-9_]{{16,}}){_REST})",
            rf"(?P<gitlab_token>{_EDGE}glpat-[A-Za-z0-9_-]{{16,}})",
            rf"(?P<slack_token>{_EDGE}xox[abeoprs]-[A-Za-z0-9-]{{10,}}{_REST})",
            rf"(?P<google_api_key>{_EDGE}AIza[A-Za-z0-9_-]{{30,}})",
            rf"(?P<aws_access_key>{_EDGE}(?:AKIA|ASIA)[A-Z0-9]{{16}}{_REST})",
            r"(?P<jwt>(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{16,}(?:\.[A-Za-z0-9_-]*){0,4})",
            r"""(?i:\bbearer[ \t]{1,8}(?:token[ \t]{1,8})?)(?P<bearer>[^\s'",;(){}<>\[\]\\\x00-\x1f]{4,})""",
            r""":\\?/\\?/(?!‹[a-z_]+:[0-9a-f]{4}›@)(?P<url_userinfo>[^\s/?'"<>\\\x00-\x1f]+)@""",
        )
    )
)
# fmt: off
_BEARER_PROSE = frozenset({
    "auth", "authentication", "authorization", "bearer", "format", "from", "header", "must", "realm",
    "required", "scheme", "schema", "should", "token", "tokens", "token.", "tokens.", "value", "with",
})
# fmt: on
_PLAIN_USERS = frozenset({"git", "hg", "root", "svn", "ubuntu"})
_PEM_BLOCK = lazy_regex(r"-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)(?:-----END \1-----|\Z)", re.DOTALL)
_PEM_LINE = lazy_regex(
    r"^[ \t>|]{0,16}([A-Za-z0-9+/]{60,76}={0,2})[ \t\r]{0,16}$"
    r"|^[ \t>|]{0,16}([A-Za-z0-9+/]{1,76}={0,2})[ \t\r]{0,16}\n(?=[ \t>|]{0,16}-----END )",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Secret:
    """``text[start:end]`` is a secret of the kind `label`."""

    start: int
    end: int
    label: str


_SIGNS = ("hf_", "sk-", "nvapi-", "gh", "github_pat_", "glpat-", "xox", "AIza", "AKIA", "ASIA", "eyJ", "@")
"""Every shape but the bearer token holds one of these."""


def shaped_secrets(text: str) -> Iterator[Secret]:
    """Vendor tokens, JWTs, bearer tokens and the user part of URLs, in order and apart."""
    if not any(sign in text for sign in _SIGNS) and "bearer" not in text.lower():
        return  # nearly every text; the regex with all shapes is dear to compile
    for found in _SHAPES.finditer(text):
        label = found.lastgroup or ""
        value = found[label]
        if label == "bearer" and (value.lower() in _BEARER_PROSE or "‹" in value or value.startswith("realm=")):
            continue
        if label == "url_userinfo" and value in _PLAIN_USERS:
            continue
        yield Secret(*found.span(label), label)


def pem_secrets(text: str) -> Iterator[Secret]:
    """The body of each PEM block, up to the end of the text if it has no END, and lines that can only be part of one."""
    at = 0
    for block in _PEM_BLOCK.finditer(text):
        yield from _pem_lines(text, at, block.start())
        at = block.end()
        if block[2].strip() and "‹pem:" not in block[2]:
            yield Secret(*block.span(2), "pem")
    yield from _pem_lines(text, at, len(text))


def _pem_lines(text: str, start: int, end: int) -> Iterator[Secret]:
    """Body lines that came without their BEGIN, as when a log is read line by line."""
    for line in _PEM_LINE.finditer(text, start, end):
        group = 1 if line[1] else 2
        if group == 2 or _looks_encoded(line[1]):
            yield Secret(*line.span(group), "pem")


def _looks_encoded(word: str) -> bool:
    """Base64 of random bytes: mixed case with digits, not a path, not a hash in hexadecimal."""
    mixed = any(map(str.isupper, word)) and any(map(str.islower, word)) and any(map(str.isdigit, word))
    return mixed and word.count("/") < 6
