"""The arguments of a verb: what is declared, what a call gives, our words for what is wrong, and no guessing at options.

Not argparse: with what it brings along it loads for as long as a short log takes to be read, and releases of Python differ in
what they make of options and positionals in a mixed order.
"""

from __future__ import annotations

from types import SimpleNamespace

from triage.cli.argument_types import AtLeast, Choice, WrongValue
from triage.cli.errors import UsageError
from triage.cli.help_page import HELP_OPTIONS, HELP_ROW, page
from triage.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

_LEAST = {"": 1, "+": 1, "?": 0, "*": 0}
"""How many words a positional needs, by its ``nargs``."""


class Namespace(SimpleNamespace):
    """The values of a call, each under the name that it was declared with."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One option, or one positional where ``names`` is empty; ``add_argument`` says what the fields mean."""

    names: tuple[str, ...]
    dest: str
    metavar: str
    convert: Callable[[str], object]
    default: Any
    action: str
    nargs: str
    help: str

    @property
    def is_flag(self) -> bool:
        """An option without a value."""
        return self.action.startswith("store_")

    @property
    def several(self) -> bool:
        """Are its values a list?"""
        return self.action == "append" or self.nargs in ("*", "+")

    def value(self, word: str) -> object:
        """What ``word`` stands for.

        Raises:
            UsageError: nothing, with the name of the argument.
        """
        try:
            return self.convert(word)
        except WrongValue as wrong:
            raise UsageError(f"{'/'.join(self.names) or self.metavar}: {wrong}") from wrong


class ArgumentParser:
    """Options and positionals in any order; the last of an option that is given twice holds, unless it collects.

    ``options_first`` is for a verb whose positionals are a command line of their own: the first word that is no option of
    ours ends the options, and all that follows is taken as it stands. ``description`` and ``usage`` are for the help page.
    """

    def __init__(self, command: str) -> None:
        self.prog = command
        self.description = ""
        self.usage = ""
        self.options_first = False
        self._declared: list[Argument] = []
        self._options: dict[str, Argument] = {}

    def add_argument(
        self,
        *names: str,
        dest: str = "",
        action: str = "store",
        nargs: str = "",
        default: object = None,
        type: Callable[[str], object] = str,  # noqa: A002  (as argparse calls it)
        metavar: str = "",
        help: str = "",  # noqa: A002
    ) -> None:
        """Declare options (``--name``) or a positional (``name``), in the words of argparse.

        ``action``: store, append, store_true or store_false. ``nargs`` of a positional: one word, or ``?``, ``*``, ``+``.
        ``type`` makes the value of a word, or raises `WrongValue`; the default is a value.
        """
        dest = dest or names[0].lstrip("-").replace("-", "_")
        if action.startswith("store_") and default is None:
            default = action == "store_false"
        options = names if names[0].startswith("-") else ()
        argument = Argument(options, dest, metavar or dest, type, default, action, nargs, help)
        self._declared.append(argument)
        self._options.update(dict.fromkeys(options, argument))

    def parse(self, words: Sequence[str]) -> Namespace | None:
        """The values, or None where help is asked for.

        Raises:
            UsageError: an option, a value or a positional is wrong, missing or one too many.
        """
        split = self._split(words)
        if split is None:
            return None
        options, positionals = split
        # A list of its own for each call: what collects must not fill the default.
        found = {item.dest: [*(item.default or ())] if item.several else item.default for item in self._declared}
        for item, word in options:
            if item.is_flag:
                found[item.dest] = item.action == "store_true"
            elif item.several:
                found[item.dest].append(item.value(word))
            else:
                found[item.dest] = item.value(word)
        self._place(positionals, found)
        return Namespace(**found)

    def page(self, columns: int) -> str:
        """The verb's help for a terminal of that width."""
        paragraphs = [" ".join(text.split()) for text in self.description.split("\n\n")]
        usage = self.usage or " ".join([self.prog, "[OPTIONS]", *map(_positional, self._positionals())])
        rows = [_row(item) for item in self._declared if item.names]
        return page(usage, paragraphs, [("Options", [*rows, HELP_ROW])], columns)

    def _split(self, words: Sequence[str]) -> tuple[list[tuple[Argument, str]], list[str]] | None:
        """The options, each with the word of its value, and the positionals; None where help is asked for."""
        options: list[tuple[Argument, str]] = []
        positionals: list[str] = []
        rest = iter(words)
        for word in rest:
            if word in HELP_OPTIONS:
                return None
            if word == "--":
                break
            if word.startswith("-") and word != "-":
                options.append(self._option(word, rest))
                continue
            positionals.append(word)
            if self.options_first:
                break
        return options, [*positionals, *rest]

    def _option(self, word: str, rest: Iterator[str]) -> tuple[Argument, str]:
        """The option of ``word`` and its value, which is taken from ``rest`` where the word holds none; empty for a flag."""
        name, equals, value = word.partition("=")
        argument = self._options.get(name)
        if argument is None:
            raise UsageError(no_option(name, [*self._options, *HELP_OPTIONS]))
        if argument.is_flag:
            if equals:
                raise UsageError(f"{name} takes no value")
            return argument, ""
        if not equals:
            value = next(rest, "--")
        if value == "--":  # a slip far more often than a value
            raise UsageError(f"{name} needs a value: {_metavar(argument)}")
        return argument, value

    def _positionals(self) -> list[Argument]:
        return [item for item in self._declared if not item.names]

    def _place(self, words: Sequence[str], found: dict[str, Any]) -> None:
        """Give each positional as many words as it takes, and leave those behind it what they need."""
        positionals = self._positionals()
        needs = [_LEAST[item.nargs] for item in positionals]
        at = 0
        for number, item in enumerate(positionals):
            left = max(0, len(words) - at - sum(needs[number + 1 :]))
            taken = words[at : at + (left if item.several else min(left, 1))]
            at += len(taken)
            if item.several and taken:
                found[item.dest] = [item.value(word) for word in taken]
            elif taken:
                found[item.dest] = item.value(taken[0])
        missing = [_metavar(item) for item, need in zip(positionals, needs, strict=True) if need][len(words) :]
        if missing:
            raise UsageError(f"the following arguments are required: {', '.join(missing)}")
        if at < len(words):
            raise UsageError(f"unexpected argument '{words[-1]}'")


def no_option(name: str, known: list[str]) -> str:
    """That there is no such option, and the nearest one."""
    from triage.knowledge.errors import did_you_mean

    return f"no option '{name}'{did_you_mean(name, known)}"


def _positional(argument: Argument) -> str:
    name = _metavar(argument)
    return {"*": f"[{name}]...", "+": f"{name}...", "?": f"[{name}]"}.get(argument.nargs, name)


def _row(argument: Argument) -> tuple[str, str]:
    names = ", ".join(argument.names)
    notes = []
    if isinstance(argument.default, str | int) and not isinstance(argument.default, bool):
        notes.append(f"default: {argument.default}")
    if isinstance(argument.convert, AtLeast):
        notes.append(f"x>={argument.convert.minimum}")
    note = f" [{'; '.join(notes)}]" if notes else ""
    return (names if argument.is_flag else f"{names} {_metavar(argument)}"), f"{argument.help}{note}"


def _metavar(argument: Argument) -> str:
    return f"[{'|'.join(argument.convert.words)}]" if isinstance(argument.convert, Choice) else argument.metavar
