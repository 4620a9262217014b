"""The dialect of signatures' regexes: what the `regex` module, the standard parser and Hyperscan all read alike.

Three programs read every pattern. What only one of them knows, or what each takes for something else, is refused here
or written in the form that all share; so nothing is looked for that confirmation would not find, or the other way round.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_GROUPS = 50
_TOKEN = re.compile(
    r"""(?P<escape>\\.)
      | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
      | (?P<comment>\(\?\#[^)]*\))
      | (?P<name>\(\?<(?![=!]))
      | (?P<atomic>\(\?>)
      | (?P<open>\(\??)
      | (?P<close>\))
      | (?P<repeat>(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\}|\{,[0-9]+\})[+?]?)
      | (?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)
_ESCAPED = re.compile(r"\\.", re.DOTALL)


# Asked once for what is wrong with a source, and once more when it is parsed.
@lru_cache(maxsize=8)
def standard_form(source: str) -> str:
    """``source`` in the syntax of the standard parser of any Python; it matches all that ``source`` matches.

    Atomic groups and possessive repeats, which Python 3.10 does not know, become ordinary ones: that only adds matches.

    Raises:
        ValueError: the programs would read ``source`` differently; the message says what to write instead.
    """
    form, last, depth = "", "", 0
    for token in _TOKEN.finditer(source):
        kind, text = str(token.lastgroup), token.group()
        depth += (kind in ("name", "atomic", "open")) - (kind == "close")
        if depth > MAX_GROUPS:
            raise ValueError(f"groups are nested deeper than {MAX_GROUPS} levels")
        wrong = _misread(kind, text, last)
        if wrong:
            raise ValueError(wrong)
        form += _standard(kind, text)
        # A comment between a character and its repeat does not part them.
        last = last if kind == "comment" else text
    return form


def _misread(kind: str, text: str, last: str) -> str | None:
    if kind == "set":
        if not text.isascii():
            return "only ASCII may stand inside [...]: patterns work on bytes"
        if "[:" in _ESCAPED.sub("", text[1:]):
            return r"POSIX classes such as [:digit:] are not known everywhere: write \d, or escape the '[' inside [...]"
    if kind == "repeat" and not last.isascii():
        return f"a repeat of '{last}' would repeat its last byte only: write (?:{last})"
    if kind == "other" and text == "{":
        return r"a '{' that begins no repeat must be escaped: \{"
    return None


def _standard(kind: str, text: str) -> str:
    if kind == "name":
        return "(?P<"
    if kind == "atomic":
        return "(?:"
    if kind == "repeat" and len(text) > 1 and text.endswith("+"):
        return text[:-1]
    return text
