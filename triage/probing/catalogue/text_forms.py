"""Small forms that the transcripts of several probes share, and the Look that carries what a launch asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from triage.model import Value
from triage.probing.probe import Look, Transcript

GIB, MIB = 1 << 30, 1 << 20
ASKED = "what the launch asks for"
"""The label of the transcript that holds the names and numbers a probe compares with."""

_SECTION = re.compile(r"^==> (.*) <==$", re.MULTILINE)
_WHOLE = re.compile(r"[0-9]{1,20}")


def whole(text: str) -> int:
    """A number of at most twenty digits; longer ones would not fit what the kernel counts with.

    Raises:
        ValueError: it is not one.
    """
    if not _WHOLE.fullmatch(text.strip()):
        raise ValueError(f"not a whole number: {text.strip()[:40]!r}")
    return int(text)


def gib(count: int) -> float:
    """Bytes as GiB with two decimals."""
    return round(count / GIB, 2)


def sections(text: str) -> Iterator[tuple[str, str]]:
    """Path and content of each file in the transcript of a File with wildcards."""
    parts = _SECTION.split(text)
    yield from zip(parts[1::2], (body.strip("\n") for body in parts[2::2]), strict=True)


def pairs(text: str) -> dict[str, str]:
    """First word and rest of every line that has both; of equal first words the first counts."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        words = line.split(maxsplit=1)
        if len(words) == 2:
            found.setdefault(words[0].rstrip(":"), words[1].strip())
    return found


def text_of(transcripts: Sequence[Transcript], ending: str) -> str | None:
    """The text of the first readable transcript whose label ends so (``/net/tcp`` serves any process), else None."""
    return next((item.text for item in transcripts if item.label.endswith(ending) and item.status == "ok"), None)


def asked(values: Mapping[str, Value]) -> tuple[Look, ...]:
    """A Look that says what is known of the launch, so that a recording can be judged elsewhere; none if nothing is known."""
    text = "".join(f"{name} {_one_line(value)}\n" for name, value in values.items() if value not in (None, ""))
    return (Look(ASKED, lambda: text),) if text else ()


def numbers(text: str) -> tuple[int, ...]:
    """``0-2,5`` as the kernel writes sets of processors and nodes: ``(0, 1, 2, 5)``.

    Raises:
        ValueError: it is not such a list, or a range of more than 4096.
    """
    found: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, dash, last = part.partition("-")
        begin, end = whole(first), whole(last if dash else first)
        if end - begin > 4096:
            raise ValueError(f"a range of {end - begin} is not believable")
        found.extend(range(begin, end + 1))
    return tuple(found)


def nccl_takes(choice: str, names: Sequence[str]) -> bool:
    """Whether a choice as NCCL reads it leaves one of ``names``: ``eth,ib`` begins so, ``=eth0`` is exactly so, ``^docker`` is not so."""
    excluded = choice.startswith("^")
    choice = choice.removeprefix("^")
    exact = choice.startswith("=")
    # A port may stand behind a device's name, as in ``=mlx5_0:1``.
    words = [word.partition(":")[0].strip() for word in choice.removeprefix("=").split(",") if word.strip()]
    hit = [any(name == word if exact else name.startswith(word) for word in words) for name in names]
    return not all(hit) if excluded else any(hit)


def _one_line(value: Value) -> str:
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return " ".join(text.split())
