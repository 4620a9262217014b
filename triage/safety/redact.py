"""Replaces secrets and prompts by short tokens before any text leaves the process."""

from __future__ import annotations

import os

from triage.safety.secret_names import secret_name
from triage.safety.visible import strip_colour

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from triage.safety.secret_shapes import Secret

_DIGITS = 4


class Redactor:
    """Replaces secrets by tokens such as ``‹api_key:7f3a›`` and prompts by ``‹prompt 812 chars›``.

    Equal secrets get equal digits within one redactor. The salt is random unless it is given, so that the digits tell
    nothing about the secret and cannot be compared between runs. ``counts`` says how many of each kind were replaced.
    ``hide_prompts`` is off where no text of a user's request can come from: commands of a playbook are to stay complete.
    """

    def __init__(self, salt: bytes | None = None, *, hide_prompts: bool = True) -> None:
        self._prompts = hide_prompts
        self._salt = os.urandom(32) if salt is None else salt
        self.counts: dict[str, int] = {}

    def redact(self, text: str) -> str:
        """`text` without colour codes, secrets and prompts. Idempotent, linear in the length of the text, never raises."""
        # Late, here and below: the one line of a healthy report holds no data, and these are half of what a redactor loads.
        from triage.safety.named_values import named_secrets
        from triage.safety.secret_shapes import pem_secrets, shaped_secrets

        text = strip_colour(text)
        if self._prompts:
            text = self._hide_prompts(text)
        for find in (pem_secrets, named_secrets, shaped_secrets):
            text = self._hide(text, find(text))
        return text

    def redact_named(self, name: str, text: str) -> str:
        """`text`, the value of something called `name`: hidden as a whole if the name promises a secret."""
        from triage.safety.named_values import is_nothing

        label = secret_name(name.rpartition(".")[2])
        if label is None or is_nothing(text):
            return self.redact(text)
        return self._token(label, strip_colour(text))

    def redact_arguments(self, argv: Sequence[str]) -> tuple[str, ...]:
        """A command line: the value of ``--api-key`` is hidden whether it is the next element or stands behind ``=``."""
        shown: list[str] = []
        option = ""
        for argument in argv:
            name, equals, value = argument.partition("=")
            if option and not argument.startswith("--"):
                shown.append(self.redact_named(option, argument))
                option = ""
            elif equals and secret_name(name):
                shown.append(f"{name}={self.redact_named(name, value)}")
                option = ""
            else:
                shown.append(self.redact(argument))
                option = argument if argument.startswith("-") else ""
        return tuple(shown)

    def _hide_prompts(self, text: str) -> str:
        from triage.safety.prompts import hidden_prompt, prompt_spans

        parts: list[str] = []
        at = 0
        for span in prompt_spans(text):
            parts += (text[at : span.start], hidden_prompt(span.end - span.start))
            at = span.end
            self._count("prompt")
        return "".join((*parts, text[at:])) if parts else text

    def _hide(self, text: str, secrets: Iterable[Secret]) -> str:
        """Put tokens where the secrets stand."""
        parts: list[str] = []
        at = 0
        for secret in secrets:
            parts += (text[at : secret.start], self._token(secret.label, text[secret.start : secret.end]))
            at = secret.end
        return "".join((*parts, text[at:])) if parts else text

    def _token(self, label: str, secret: str) -> str:
        # hmac loads OpenSSL, and most logs hold no secret.
        import hmac

        self._count(label)
        digest = hmac.new(self._salt, secret.encode("utf-8", "surrogatepass"), "sha256").hexdigest()
        return f"‹{label}:{digest[:_DIGITS]}›"

    def _count(self, label: str) -> None:
        self.counts[label] = self.counts.get(label, 0) + 1
