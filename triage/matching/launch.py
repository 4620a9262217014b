"""The launch command that a log tells of: the one it shows, or the one that its printed arguments amount to."""

from __future__ import annotations

from triage.matching.launch_flags import FLAGS, Flag
from triage.matching.launch_line import without_secrets
from triage.matching.server_args import hidden
from triage.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from triage.model import Value

_PROGRAM = ("python3", "-m", "sglang.launch_server")
_SAME_AS_MODEL = ("tokenizer_path", "served_model_name")


@dataclass(frozen=True, slots=True)
class LaunchArgument:
    """One flag of a reconstructed command: its words in argv, and whether the server may have chosen the value itself."""

    field: str
    words: tuple[str, ...]
    resolved: bool = False


def launch_command(facts: Mapping[str, Value]) -> tuple[str, ...]:
    """The argv that started the server, secrets as placeholders (``<api_key>``); empty when the model is not known.

    The command that the log shows wins. Otherwise it is rebuilt from ``server.*`` facts: the arguments that differ from
    the defaults, those included that the server itself filled in, so that the command starts what was seen running.
    """
    shown = facts.get("launch.command")
    if isinstance(shown, tuple) and shown:
        return without_secrets(tuple(str(word) for word in shown))
    arguments = launch_arguments(facts)
    if not arguments or arguments[0].field != "model_path":
        return ()
    return (*_PROGRAM, *(word for argument in arguments for word in argument.words))


def launch_arguments(facts: Mapping[str, Value]) -> tuple[LaunchArgument, ...]:
    """The arguments worth writing, in the order of the table: no defaults, nothing unset, no repeated model path."""
    found: list[LaunchArgument] = []
    for flag in FLAGS:
        words = _words(flag, facts.get(f"server.{flag.field}"), facts)
        if words:
            found.append(LaunchArgument(flag.field, words, flag.resolved))
    return tuple(found)


def _words(flag: Flag, value: Value, facts: Mapping[str, Value]) -> tuple[str, ...]:
    if value is None or value is False or value in ((), "") or any(_same(value, default) for default in flag.defaults):
        return ()
    if flag.field in _SAME_AS_MODEL and value == facts.get("server.model_path"):
        return ()
    if flag.field == "enable_dp_attention" and _above_one(facts.get("server.attn_dp_size")):
        return ()  # newer releases print it as a consequence of the size
    if value is True:
        return (flag.option,)
    if isinstance(value, tuple):
        return () if any(isinstance(item, tuple) for item in value) else (flag.option, *(str(item) for item in value))
    text = str(hidden(flag.field, value))
    # argparse would take a text that begins with a dash for the next option.
    return (f"{flag.option}={text}",) if isinstance(value, str) and text.startswith("-") else (flag.option, text)


def _same(value: Value, default: Value) -> bool:
    """Equal as numbers or texts; True is not 1."""
    return value == default and isinstance(value, bool) == isinstance(default, bool)


def _above_one(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 1
