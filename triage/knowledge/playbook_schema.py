"""The format of a playbook file, as kinds that decode it and describe it to editors."""

from __future__ import annotations

from typing import Any

from triage.knowledge.errors import Problems
from triage.knowledge.nodes import Node
from triage.knowledge.signature_schema import FACT_TESTS, ID_FORM, RegexText
from triage.knowledge.spec import AnyScalar, Integer, Kind, ListOf, MapOf, Record, Text
from triage.playbook import OnFailure, ParameterType, Risk, StepKind
from triage.records import dataclass

ACTIONS = ("argv", "pip", "edit", "launch", "end_process", "restart", "text")
"""What a step does: exactly one of them."""
NEEDS = ("root", "gpu-idle", "restart")
PLACES = ("server", "host", "client")
NAME = r"[a-z][a-z0-9_]*"
_VARIABLE = Text(pattern=r"[A-Za-z_][A-Za-z0-9_]*", max_length=100)
_OPTION = Text(pattern=r"[a-z][a-z0-9-]*", max_length=80, doc="An option of the server without its dashes.")
_CONTAINER_OPTION = Text(pattern=r"[a-z][a-z0-9-]*", max_length=40, doc="An option of docker run without its dashes.")
_NAMED = Text(pattern=r"--[a-z][a-z0-9-]*|[A-Za-z_][A-Za-z0-9_]*", max_length=100)
_WORD = Text(max_length=1000)
_WORDS = ListOf(_WORD, at_least=1)
_SOURCE = Text(
    pattern=rf"(?:fact [a-z0-9][a-z0-9_.-]*|capture {NAME}|compute {ID_FORM}|ask)",
    doc="fact NAME, capture NAME, compute FORMULA or ask.",
)


def _choices(enum: Any) -> tuple[str, ...]:
    return tuple(member.value for member in enum)


@dataclass(frozen=True, slots=True)
class _Number:
    """A bound: a number, written unquoted."""

    def decode(self, node: Node, problems: Problems) -> int | float | None:
        before = len(problems.found)
        found = AnyScalar().decode(node, problems)
        if isinstance(found, (int, float)) and not isinstance(found, bool):
            return found
        if len(problems.found) == before:
            problems.add(node.location, "expected a number")
        return None

    def schema(self) -> dict[str, Any]:
        return {"type": "number"}


_PARAMETER = Record(
    {
        "type": Text(choices=_choices(ParameterType)),
        "from": ListOf(_SOURCE, lone=True, at_least=1),
        "default": AnyScalar(),
        "minimum": _Number(),
        "maximum": _Number(),
        "choices": ListOf(Text(max_length=80), at_least=1),
        "help": Text(max_length=200, doc="What the operator is asked for."),
    },
    required=("type",),
    name="parameter",
)
_CHECK = Record(
    {
        "argv": _WORDS,
        "pip": _WORDS,
        "exit": Integer(),
        "has": _WORD,
        "matches": RegexText(),
        "lacks": RegexText(),
        "probe": Text(pattern=ID_FORM),
        "fact": FACT_TESTS,
        "label": Text(max_length=120),
    },
    exactly_one=(("argv", "pip", "probe"),),
    name="check",
)
# An item for the end of variables that hold a list, or to take out of them.
_LISTS = {"append": MapOf(_VARIABLE, _WORD), "take_out": MapOf(_VARIABLE, _WORD)}
_EDIT = Record(
    {
        "file": _WORD,
        "set": MapOf(_VARIABLE, _WORD),
        "unset": ListOf(_VARIABLE, at_least=1),
        "replace": MapOf(_WORD, _WORD),
        **_LISTS,
    },
    required=("file",),
    name="edit",
)
_CONTAINER = Record(
    {
        "set": MapOf(_CONTAINER_OPTION, AnyScalar()),
        "add": MapOf(_CONTAINER_OPTION, ListOf(_WORD, lone=True, at_least=1)),
        "remove": ListOf(_CONTAINER_OPTION, at_least=1),
    },
    name="container change",
)
_LAUNCH = Record(
    {
        "set": MapOf(_OPTION, AnyScalar()),
        "remove": ListOf(_OPTION, at_least=1),
        "env": MapOf(_VARIABLE, _WORD),
        "unset": ListOf(_VARIABLE, at_least=1),
        "rename": MapOf(_NAMED, _NAMED),
        "target": Text(choices=("server", "router")),
        "container": _CONTAINER,
        **_LISTS,
    },
    name="launch change",
)
_COMMANDS = ListOf(_WORDS, at_least=1)
_UNDO = Record(
    {"argv": _WORDS, "pip": _WORDS, "text": Text(max_length=600)}, exactly_one=(("argv", "pip", "text"),), name="undo"
)
_RUN = Record({"argv": _WORDS, "pip": _WORDS}, exactly_one=(("argv", "pip"),), name="preview")
_STEP = Record(
    {
        "id": Text(pattern=ID_FORM, max_length=60),
        "title": Text(max_length=120),
        "why": Text(max_length=600),
        "kind": Text(choices=_choices(StepKind)),
        "argv": _WORDS,
        "pip": _WORDS,
        "edit": _EDIT,
        "launch": _LAUNCH,
        "end_process": Text(pattern=r"\{[a-z][a-z0-9_]*\}"),
        "restart": Record({"pid": Text(pattern=r"\{[a-z][a-z0-9_]*\}")}, name="restart"),
        "text": Text(max_length=1500),
        "commands": _COMMANDS,
        "when": FACT_TESTS,
        "instead_of": Text(pattern=ID_FORM, doc="An earlier step; this one is left out where that one can be done."),
        "env": MapOf(_VARIABLE, _WORD),
        "cwd": _WORD,
        "where": Text(choices=PLACES),
        "needs": ListOf(Text(choices=NEEDS), at_least=1),
        "risk": Text(choices=_choices(Risk)),
        "already_done": _CHECK,
        "preview": _RUN,
        "verify": _CHECK,
        "undo": _UNDO,
        "timeout": Integer(1),
        "on_failure": Text(choices=_choices(OnFailure)),
    },
    required=("id", "title", "why", "kind"),
    exactly_one=(ACTIONS,),
    name="step",
)
PLAYBOOK: Kind = Record(
    {
        "id": Text(pattern=ID_FORM, max_length=80, doc="Public and stable, equal to the file's name."),
        "title": Text(max_length=120, doc="What the playbook does, in one phrase."),
        "fixes": ListOf(Text(pattern=ID_FORM), at_least=1),
        "applies": FACT_TESTS,
        "parameters": MapOf(Text(pattern=NAME), _PARAMETER),
        "steps": ListOf(_STEP, at_least=1),
        "verify": ListOf(_CHECK, at_least=1),
        "watch_for": Text(max_length=300, doc="What shows in time that it worked, where no probe can."),
        "references": ListOf(Text(pattern=r"https?://\S+", max_length=300)),
    },
    required=("id", "title", "fixes", "steps"),
    name="playbook",
)


def playbook_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of one playbook file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sgltriage playbook",
        "description": "How one cause is put right, step by step. See docs/playbooks.md.",
        **PLAYBOOK.schema(),
    }
