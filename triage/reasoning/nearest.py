"""The signatures whose examples look most like a line that none of them explains."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from triage.knowledge.base import KnowledgeBase
from triage.lazy_regex import lazy_regex
from triage.model import Nearest

_MOST = 3
_LEAST_SCORE = 50.0
_LEAST_LENGTH = 12
_LONGEST = 300
_COMMON = 3
"""A sample line that so many signatures have is everybody's, and tells nothing."""
_FRONT = lazy_regex(
    r"(?:\s*(?:\[[^\]]{0,100}\]:?|\([^)]{0,60}\)|\S{1,60}\s+\||\d{4}-\d\d-\d\d[T ][\d:.,Z+]{1,30}"
    r"|[EWIF]\d{3,8} [\d:.]{1,20}\s+\d+ \S{1,80}\]|(?:ERROR|WARNING|INFO|CRITICAL)\b:?))*\s*"
)
_FOLDER = lazy_regex(r"[^\s/]*/(?=\S)")
_NUMBER = lazy_regex(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\d+")


def nearest(texts: Sequence[str], base: KnowledgeBase) -> list[tuple[Nearest, ...]]:
    """For each text up to three signatures, the most alike first.

    Compared without prefixes, folders and numbers, by edit distance (on the labelled corpus, with the cause's signature
    switched off, its name is among the three in four cases of five).
    """
    # Only reports with something unexplained pay for this import.
    from rapidfuzz import fuzz, process

    owners = _samples(base)
    samples = list(owners)
    found: list[tuple[Nearest, ...]] = []
    for text in texts:
        best: dict[str, float] = {}
        # Without a limit, since many of the best may be of one signature.
        for sample, score, _ in process.extract(
            normalised(text), samples, scorer=fuzz.ratio, score_cutoff=_LEAST_SCORE, limit=None
        ):
            for identifier in owners[sample]:
                best.setdefault(identifier, score)
        ranked = sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST]
        found.append(tuple(Nearest(identifier, round(score / 100.0, 3)) for identifier, score in ranked))
    return found


def normalised(text: str) -> str:
    """The message in lower case, its prefix, folders and numbers taken away."""
    front = _FRONT.match(text)
    message = text[front.end() if front else 0 :][: 2 * _LONGEST].lower()
    return _NUMBER.sub("#", _FOLDER.sub("", message))[:_LONGEST]


# A live report is made many times over the same base.
@lru_cache(maxsize=1)
def _samples(base: KnowledgeBase) -> dict[str, list[str]]:
    """Each line of an example, normalised, with the signatures that have it."""
    owners: dict[str, list[str]] = {}
    for identifier, record in base.records.items():
        for line in dict.fromkeys(line for example in record.data["examples"] for line in str(example).splitlines()):
            message = normalised(line)
            if len(message) >= _LEAST_LENGTH:
                names = owners.setdefault(message, [])
                if identifier not in names:
                    names.append(identifier)
    return {sample: names for sample, names in owners.items() if len(names) <= _COMMON}
