"""The command that starts a server, where a log shows it: a shell prompt, ``set -x``, ``command=`` of a test harness."""

from __future__ import annotations

import re

from triage.lazy_regex import lazy_regex
from triage.matching.launch_flags import TEXT_FIELDS, field_of
from triage.matching.server_args import hidden, literal_list, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from triage.model import Value

_MAX_LENGTH = 16384
_PROGRAM = r"(?:\S{0,200}\bpython[\d.]{0,5}(?: -[A-Za-z]+)*? -m sglang(?:\.launch_server|_router\.launch_(?:router|server))|\S{0,200}\bsglang serve)"
# What may stand before the command on its line; anywhere else in a sentence it is advice, not what was run.
_LEAD = r"(?:command=|[Cc]ommand: |\+{1,4} |[^\n'\"=]{0,120}?[$#>] )?"
_BEFORE = r"(?:[A-Za-z_]\w*=\S* +|(?:nohup|exec|time|sudo|env|uv run) +)*"
_COMMAND = lazy_regex(rf"{_LEAD}(?P<command>{_BEFORE}{_PROGRAM})(?=\s|$)")
_LISTED = lazy_regex(r"(?:command=|[Cc]ommand: )(?=\[)")
_REDIRECTION = lazy_regex(r"\d?>.*|\|.*|&.*|;.*|<.*")
_NUMBER = lazy_regex(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_OPTION = lazy_regex(r"--[A-Za-z][\w-]*")


def launch_line(message: str) -> tuple[tuple[str, ...], bool]:
    """The argv of a launch command that ``message`` consists of, without its environment, and whether it is whole.

    Empty when the message is no such command; not whole when it goes on behind a backslash.
    """
    listed = _LISTED.match(message)
    if listed is not None:
        import shlex  # here and below: few lines are a command

        words = tuple(str(word) for word in literal_list(message[:_MAX_LENGTH], listed.end()))
        return (words, True) if _COMMAND.match(shlex.join(words)) else ((), False)
    found = _COMMAND.match(message)
    if found is None:
        return (), False
    import shlex

    text = message[found.start("command") :].rstrip()
    whole = not text.endswith("\\") and len(text) <= _MAX_LENGTH
    try:
        words = tuple(shlex.split(text[:_MAX_LENGTH].rstrip("\\ ")))
    except ValueError:
        return (), False  # an open quote
    return _argv(words), whole


def _argv(words: tuple[str, ...]) -> tuple[str, ...]:
    start = next((at for at, word in enumerate(words) if _is_program(word)), 0)
    end = next((at for at, word in enumerate(words) if at > start and _REDIRECTION.fullmatch(word)), len(words))
    return words[start:end]


def _is_program(word: str) -> bool:
    return re.fullmatch(r"(?:\S*/)?(?:python[\d.]*|sglang)", word) is not None


def is_router(argv: tuple[str, ...]) -> bool:
    """Does the command start the router (alone or with workers) and not a bare server?"""
    return any(word.startswith("sglang_router") for word in argv[:6])


def without_secrets(argv: tuple[str, ...]) -> tuple[str, ...]:
    """``argv`` with the values of secret options replaced by placeholders such as ``<api_key>``."""
    shown: list[str] = []
    for at, word in enumerate(argv):
        option, equals, value = word.partition("=")
        before = argv[at - 1] if at else ""
        if _OPTION.fullmatch(option) and equals:
            shown.append(f"{option}={hidden(field_of(option), value)}")
        elif _OPTION.fullmatch(before) and not word.startswith("--"):
            shown.append(str(hidden(field_of(before), word)))
        else:
            shown.append(word)
    return tuple(shown)


def option_values(argv: tuple[str, ...]) -> Iterator[tuple[str, Value]]:
    """Each option of a launch command as field and typed value: a bare flag is True, several words are a tuple."""
    at = 0
    while at < len(argv):
        option, equals, value = argv[at].partition("=")
        at += 1
        if not _OPTION.fullmatch(option):
            continue
        field, words = field_of(option), [value] if equals else []
        while not equals and at < len(argv) and not _OPTION.fullmatch(argv[at].partition("=")[0]):
            words.append(argv[at])
            at += 1
        typed = tuple(_typed(field, word) for word in words)
        yield field, True if not typed else typed[0] if len(typed) == 1 else typed


def _typed(field: str, word: str) -> Value:
    if field not in TEXT_FIELDS and _NUMBER.fullmatch(word):
        return number(word)
    return hidden(field, word)
