"""Makes text from outside harmless to a terminal: what would act on the screen is shown instead of sent."""

from __future__ import annotations

from functools import lru_cache

from triage.lazy_regex import lazy_regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NewType

    Safe = NewType("Safe", str)
else:
    Safe = str
"""Text that holds nothing a terminal, an editor or a reader's eye could take for an instruction."""

# Letters and marks that Unicode calls printable although they draw nothing: fillers, joiners and variation selectors
# can hide text in text as well as a zero-width space can.
_DRAWS_NOTHING = lazy_regex(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0e\uffa0\U000e0100-\U000e01ef]"
)
_COLOUR = lazy_regex("(?:\x1b\\[|\x9b|\udc9b)[0-9;:]*[mK]")


def visible(text: str) -> Safe:
    """Show every control, format and undecodable character of `text` as printable text; total and idempotent.

    C0 controls become control pictures (a tab becomes one space), C1 controls and undecodable bytes ``\\x9b``, bidi,
    zero-width and other format characters ``<U+202E>``. One line stays one line.
    """
    if text.isprintable() and (text.isascii() or not _DRAWS_NOTHING.search(text)):
        return Safe(text)
    return Safe("".join(map(_shown, text)))


def strip_colour(text: str) -> str:
    """Remove SGR colours, and the erase-to-end-of-line that ``grep --color`` puts beside them; idempotent, linear."""
    if not ("\x1b" in text or "\x9b" in text or "\udc9b" in text):
        return text
    bare = _COLOUR.sub("", text)
    if _COLOUR.search(bare):
        # Nested sequences close up into new ones when the inner one goes: nobody's colours, so they are shown.
        return bare.replace("\x1b", "␛").replace("\x9b", "\\x9b").replace("\udc9b", "\\x9b")
    return bare


def decode(raw: bytes) -> str:
    """Decode UTF-8; a byte that is not UTF-8 stays in the text as a surrogate, which `visible` shows as ``\\x9b``."""
    return raw.decode("utf-8", "surrogateescape")


@lru_cache(maxsize=4096)
def _shown(char: str) -> str:
    """One character as it may be printed."""
    code = ord(char)
    if char == "\t":
        return " "
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0x80 <= code < 0xA0:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if 0xD800 <= code <= 0xDFFF:
        return f"\\u{code:04x}"
    from unicodedata import category  # here: nearly every text is shown as it stands

    if _DRAWS_NOTHING.match(char) or not (char.isprintable() or category(char) == "Zs"):
        return f"<U+{code:04X}>"
    return char
