"""Which names promise a secret: ``admin_api_key`` and ``HF_TOKEN`` do, ``tokenizer-path`` and ``num_tokens`` do not."""

from __future__ import annotations

from triage.lazy_regex import lazy_regex

_WORD_EDGE = lazy_regex(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LABEL_LENGTH = 40

_ALWAYS = frozenset({"password", "passwords", "passwd", "passwds", "passphrase", "passphrases"})
_AT_END = frozenset({"authorization", "cookie", "secret", "apikey", "apikeys", "accesskey", "secretkey"})
# fmt: off
_KEYS = frozenset({
    "access", "account", "admin", "api", "auth", "deploy", "encryption", "hf", "license", "master", "openai",
    "private", "secret", "service", "session", "shared", "signing", "ssh", "storage", "subscription", "wandb",
})
_TOKENS = frozenset({
    "access", "admin", "api", "auth", "bearer", "bot", "csrf", "deploy", "git", "github", "gitlab", "hf", "hub",
    "huggingface", "identity", "jwt", "login", "modelscope", "oauth", "personal", "private", "refresh",
    "registry", "sas", "secret", "security", "service", "session", "slack", "vault", "wandb", "webhook", "xsrf",
})
# Names in capitals that look like a secret's and hold a tokenizer's constant or a lookup key.
_HARMLESS = frozenset({
    "audio", "begin", "bos", "cache", "cls", "end", "eos", "first", "foreign", "hash", "image", "last",
    "lookup", "mask", "max", "min", "new", "next", "num", "pad", "partition", "per", "primary", "public", "sep",
    "sort", "special", "start", "stop", "think", "total", "unk", "video",
})
# fmt: on


def secret_name(name: str) -> str | None:
    """The label under which a value called `name` is hidden (``hf_token``), or None if the name promises no secret."""
    words = [word.lower() for word in _WORD_EDGE.split(name) if word]
    if not words:
        return None
    promising = (
        not _ALWAYS.isdisjoint(words)
        or words[-1] in _AT_END
        or _qualified(words)
        or (name.isupper() and _environment(words))
    )
    return "_".join(words)[-_LABEL_LENGTH:].lstrip("_") if promising else None


def _qualified(words: list[str]) -> bool:
    """``api_key`` and ``auth_token``, but not ``cache_key`` or ``eos_token``."""
    if len(words) < 2:
        return False
    owner, last = words[-2:]
    return (last in ("key", "keys") and owner in _KEYS) or (last == "token" and owner in _TOKENS)


def _environment(words: list[str]) -> bool:
    """``MY_TOKEN``, ``TOKEN`` and ``MY_KEY``: in capitals the last word is enough, unless the one before explains it."""
    if words[-1] == "token":
        return len(words) == 1 or words[-2] not in _HARMLESS
    return words[-1] == "key" and len(words) > 1 and words[-2] not in _HARMLESS
