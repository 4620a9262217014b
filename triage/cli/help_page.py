"""Pages of help, and the groups of verbs that have one. Imports nothing: ``sgltriage --help`` is to come at once."""

from __future__ import annotations

HELP_OPTIONS = ("-h", "--help")
VERSION_OPTIONS = ("-V", "--version")
HELP_ROW = (", ".join(HELP_OPTIONS), "Show this message and exit.")

_WIDEST = 100
_NARROWEST = 50
# A left column wider than this stands on a line of its own.
_LEFT = 30

Rows = list[tuple[str, str]]


class Group:
    """Verbs under one name: ``verbs`` maps a name to its module and its one-line help."""

    def __init__(
        self,
        command: str,
        description: str,
        verbs: dict[str, tuple[str, str]],
        *,
        examples: tuple[str, ...] = (),
        epilogue: str = "",
        has_version: bool = False,
    ) -> None:
        self.command = command
        self.description = description
        self.verbs = verbs
        self.examples = examples
        self.epilogue = epilogue
        self.has_version = has_version

    def options(self) -> Rows:
        """The options that stand before a verb."""
        version = [(", ".join(VERSION_OPTIONS), "Show the version and exit.")] if self.has_version else []
        return [*version, HELP_ROW]

    def page(self, columns: int) -> str:
        """The group's help for a terminal of that width."""
        verbs = [(name, text) for name, (_, text) in self.verbs.items()]
        return page(
            f"{self.command} [OPTIONS] VERB [ARGS]...",
            [self.description],
            [("Options", self.options()), ("Verbs", verbs)],
            columns,
            examples=self.examples,
            epilogue=self.epilogue,
        )


def page(
    usage: str,
    paragraphs: list[str],
    sections: list[tuple[str, Rows]],
    columns: int,
    *,
    examples: tuple[str, ...] = (),
    epilogue: str = "",
) -> str:
    """Usage, what it does, examples as they stand, and tables of two columns, at most 100 characters wide."""
    width = max(min(columns, _WIDEST) - 2, _NARROWEST)
    lines = [f"Usage: {usage}"]
    for paragraph in paragraphs:
        lines += ["", *_indented(paragraph, width)]
    if examples:
        lines += ["", *(f"  {example}" for example in examples)]
    for title, rows in sections:
        lines += ["", f"{title}:", *_table(rows, width)]
    if epilogue:
        lines += ["", *_indented(epilogue, width)]
    return "\n".join(lines) + "\n"


def _indented(text: str, width: int) -> list[str]:
    return [f"  {line}" for line in _wrapped(text, width - 2)]


def _table(rows: Rows, width: int) -> list[str]:
    left = min(max(len(name) for name, _ in rows), _LEFT)
    lines = []
    for name, text in rows:
        first, *others = _wrapped(text, width - left - 4)
        if len(name) > left:
            lines.append(f"  {name}")
            name = ""
        lines += [f"  {name:<{left}}  {first}".rstrip(), *(f"{'':{left + 4}}{line}" for line in others)]
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    """The words in lines of at most ``width`` characters, a longer word alone on its line; at least one line."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and len(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
