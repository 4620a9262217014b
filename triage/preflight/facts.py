"""What a launch command states by itself: fields of the server or router, and environment variables, as typed facts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from triage.model import Value
from triage.preflight.command import ROUTER, PlannedCommand
from triage.preflight.shell_words import Word
from triage.records import dataclass
from triage.safety.secret_names import secret_name

_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_SET = "set"
"""The value of a fact about a variable whose name promises a secret."""
_NEWER_NAMES = {"PYTORCH_ALLOC_CONF": "env.pytorch_cuda_alloc_conf"}
"""Variables that are read before the one which the fact is called after, and mean the same."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact with the words of the command that say it."""

    name: str
    value: Value
    words: tuple[Word, ...] = ()


def command_facts(command: PlannedCommand) -> Iterator[Stated]:
    """``server.<field>`` or ``router.<field>`` of every option, ``env.<name>`` of every variable; later ones win."""
    area = "router" if command.kind == ROUTER else "server"
    for option in command.options:
        if option.field:
            yield Stated(f"{area}.{option.field}", option.value, option.words)
    if area == "router":
        yield Stated("router.pd_mode", command.option("pd_disaggregation") is not None, command.program)
    for variable in command.variables:
        yield Stated(f"env.{variable.name.lower()}", _typed(variable.name, variable.value), (variable.word,))
    for variable in command.variables:
        if variable.name in _NEWER_NAMES and variable.value:
            yield Stated(_NEWER_NAMES[variable.name], variable.value, (variable.word,))
    if command.container is not None and command.container.release:
        yield Stated("sglang.version", command.container.release, (command.container.image,))


def _typed(name: str, value: str) -> Value:
    if secret_name(name):
        return _SET
    return int(value) if _WHOLE.fullmatch(value) else value
