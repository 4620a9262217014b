"""The arguments of a verb: argparse with our words for what is wrong, our page of help, and no guessing at options."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import NoReturn

from triage.cli.argument_types import AtLeast, Choice
from triage.cli.errors import UsageError
from triage.cli.help_page import HELP_OPTIONS, HELP_ROW, page


class ArgumentParser(argparse.ArgumentParser):
    """Options and positionals in any order; the last of an option that is given twice holds, unless it collects.

    ``options_first`` is for a verb whose positionals are a command line of their own: the first word that is no option of
    ours ends the options, and all that follows is taken as it stands.
    """

    def __init__(self, command: str) -> None:
        super().__init__(
            prog=command, add_help=False, allow_abbrev=False, exit_on_error=False, formatter_class=_formatter
        )
        self.options_first = False

    def parse(self, words: Sequence[str]) -> argparse.Namespace | None:
        """The values, or None where help is asked for.

        Raises:
            UsageError: an option, a value or a positional is wrong, missing or one too many.
        """
        split = self._split(words)
        if split is None:
            return None
        options, positionals = split
        try:
            # Behind "--" every word is a positional, whatever it looks like.
            found, surplus = self.parse_known_args([*options, "--", *positionals] if positionals else options)
        except argparse.ArgumentError as wrong:
            name = f"{wrong.argument_name}: " if wrong.argument_name else ""
            raise UsageError(f"{name}{wrong.message}") from wrong
        if surplus:
            raise UsageError(f"unexpected argument '{surplus[-1]}'")
        return found

    def error(self, message: str) -> NoReturn:
        """What argparse finds by itself, such as a positional that is missing, as one line of ours."""
        raise UsageError(message)

    def page(self, columns: int) -> str:
        """The verb's help for a terminal of that width."""
        positionals = [_positional(action) for action in self._actions if not action.option_strings]
        options = [_row(action) for action in self._actions if action.option_strings]
        paragraphs = [" ".join(text.split()) for text in (self.description or "").split("\n\n")]
        usage = self.usage or " ".join([self.prog, "[OPTIONS]", *positionals])
        return page(usage, paragraphs, [("Options", [*options, HELP_ROW])], columns)

    def _split(self, words: Sequence[str]) -> tuple[list[str], list[str]] | None:
        """The options, each as one word with its value, and the positionals; None where help is asked for.

        argparse is asked nothing about their order: releases of Python differ in what they make of a mixed one.
        """
        options: list[str] = []
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

    def _option(self, word: str, rest: Iterator[str]) -> str:
        """``--name=value``, or ``--name`` of a flag; the value is taken from ``rest`` where the word holds none."""
        name, equals, value = word.partition("=")
        action = self._option_string_actions.get(name)
        if action is None:
            raise UsageError(no_option(name, [*self._option_string_actions, *HELP_OPTIONS]))
        if action.nargs == 0:
            if equals:
                raise UsageError(f"{name} takes no value")
            return word
        if not equals:
            value = next(rest, "--")
        if value == "--":  # a slip far more often than a value, and releases of argparse differ in what they make of it
            raise UsageError(f"{name} needs a value: {_metavar(action)}")
        return f"{name}={value}"


def no_option(name: str, known: list[str]) -> str:
    """That there is no such option, and the nearest one."""
    from triage.knowledge.errors import did_you_mean

    return f"no option '{name}'{did_you_mean(name, known)}"


def _formatter(prog: str) -> argparse.HelpFormatter:
    """What argparse checks declarations with; told its width, it does not import shutil to ask the terminal."""
    return argparse.HelpFormatter(prog, width=80)


def _positional(action: argparse.Action) -> str:
    name = _metavar(action)
    return {"*": f"[{name}]...", "+": f"{name}...", "?": f"[{name}]"}.get(str(action.nargs), name)


def _row(action: argparse.Action) -> tuple[str, str]:
    names = ", ".join(action.option_strings)
    notes = []
    if isinstance(action.default, str | int) and not isinstance(action.default, bool):
        notes.append(f"default: {action.default}")
    if isinstance(action.type, AtLeast):
        notes.append(f"x>={action.type.minimum}")
    note = f" [{'; '.join(notes)}]" if notes else ""
    return (names if action.nargs == 0 else f"{names} {_metavar(action)}"), f"{action.help or ''}{note}"


def _metavar(action: argparse.Action) -> str:
    if isinstance(action.type, Choice):
        return f"[{'|'.join(action.type.words)}]"
    return str(action.metavar or action.dest)
