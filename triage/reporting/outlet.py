"""The one door through which data leaves the process: secrets replaced, control characters shown."""

from __future__ import annotations

from math import isfinite

from triage.safety.secret_names import secret_name
from triage.safety.visible import Safe, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from triage.model import Value
    from triage.safety.redact import Redactor

    Plain: TypeAlias = "str | int | float | bool | list[Plain] | None"
    """What JSON can hold of a `Value`."""

_DECIMALS = 6
_REMEMBERED = 4096


class Outlet:
    """Every piece of data in a report passes `show`, `arguments` or `value` exactly once."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._harmless: set[str] = set()

    @property
    def counts(self) -> dict[str, int]:
        """How many secrets and prompts of each kind were replaced so far, by name."""
        return dict(sorted(self._redactor.counts.items()))

    def show(self, text: str) -> Safe:
        """`text` fit to be printed: colours removed, secrets replaced, then what is invisible made visible."""
        if text in self._harmless:
            return Safe(text)
        shown = visible(self._redactor.redact(text))
        # The same paths and names come hundreds of times; what passes unchanged once needs no second look.
        if shown == text and len(self._harmless) < _REMEMBERED:
            self._harmless.add(text)
        return shown

    def arguments(self, argv: Sequence[str]) -> list[Safe]:
        """A command line, element by element: an option's name tells whether the next element is a secret."""
        return [visible(argument) for argument in self._redactor.redact_arguments(argv)]

    def value(self, value: Value, name: str = "") -> Plain:
        """`value` for JSON; a `name` that promises a secret (``server.api_key``) hides text as a whole."""
        if isinstance(value, str):
            return visible(self._redactor.redact_named(name, value))
        if isinstance(value, tuple):
            texts = [item for item in value if isinstance(item, str)]
            if len(texts) == len(value) and secret_name(name.rpartition(".")[2]) is None:
                return [*self.arguments(texts)]
            return [self.value(item, name) for item in value]
        if isinstance(value, float):
            return round(value, _DECIMALS) if isfinite(value) else str(value)
        return value
