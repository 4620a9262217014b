"""Values of variables as the readers of environment files want them: a shell, systemd, ``docker --env-file``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from enum import Enum

from triage.preflight.shell_words import shell_words

_SAFE = re.compile(r"[\w@%+=:,./-]*", re.ASCII)
"""A value that every reader takes for what it says, without quotes."""
_LITERAL = re.compile(r"""(?:'[^']*'|"(?:[^"\\$`]|\\.)*"|\\.|[^\s'"\\$`~*?\[{])*""", re.DOTALL)
"""A word in which a shell expands nothing."""
_QUOTED = re.compile(
    r"""'(?P<single>[^'\\]*)'|"(?P<double>(?:[^"\\$`]|\\["\\$`])*)"|(?P<bare>[^\s'"\\](?:[^\n\\]*[^\s\\])?|)"""
)


class EnvForm(str, Enum):
    """Who reads the file. ``unknown``: nothing tells, so a value that they read differently is refused."""

    SHELL = "shell"
    SYSTEMD = "systemd"
    DOCKER = "docker"
    UNKNOWN = "unknown"


def is_literal(written: str) -> bool:
    """True if a shell would expand nothing in it."""
    return _LITERAL.fullmatch(written) is not None


def written_value(value: str, form: EnvForm, quote: str = "") -> str:
    """The value as the file's reader needs it, in the quotes that stood there (``quote`` is the first character) if it can.

    Raises:
        ValueError: who reads the file is not known, and the value would have to be written in different ways.
    """
    if quote == '"' and form is not EnvForm.DOCKER:
        return _in_double_quotes(value)
    if quote == "'" and form is not EnvForm.DOCKER and "'" not in value and "\\" not in value:
        return f"'{value}'"
    return _WRITERS[form](value)


def _for_systemd(value: str) -> str:
    # It would take blanks without quotes, but such files are often read by a shell too.
    return value if _SAFE.fullmatch(value) else _in_double_quotes(value)


def _in_double_quotes(value: str) -> str:
    return '"' + re.sub(r'(["\\$`])', r"\\\1", value) + '"'


def _for_anybody(value: str) -> str:
    if not _SAFE.fullmatch(value):
        raise ValueError(
            f"the value {value!r} needs quotes for some readers of such files, and for others must not have them"
        )
    return value


_WRITERS: dict[EnvForm, Callable[[str], str]] = {
    EnvForm.SHELL: lambda value: shlex.quote(value) if value else "",
    EnvForm.SYSTEMD: _for_systemd,
    EnvForm.DOCKER: lambda value: value,
    EnvForm.UNKNOWN: _for_anybody,
}


def read_value(written: str, form: EnvForm) -> str | None:
    """What the reader makes of a value; None where that needs more than quotes."""
    if form is EnvForm.DOCKER:
        return written
    if form is EnvForm.SHELL:
        return "".join(word.text for word in shell_words(f"_{written}", 0))[1:] if is_literal(written) else None
    found = _QUOTED.fullmatch(written.strip())
    if found is None:
        return None
    double = found["double"]
    return re.sub(r"\\(.)", r"\1", double) if double is not None else found["single"] or found["bare"] or ""
