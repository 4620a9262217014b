"""Where in the serving software installed on this machine a log line comes from.

Parsing all of SGLang takes half a minute; reading it takes a third of a second. So the files are first searched as bytes for
pairs of words of the line, and only those that hold most of them are parsed.
"""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from triage.records import dataclass
from triage.sources.message import MessageTemplate
from triage.sources.message_index import MessageIndex, Origin
from triage.sources.package_files import PackageFiles
from triage.sources.templates import message_templates

PACKAGES = (
    "sglang", "sglang_router", "sgl_kernel", "flashinfer", "mooncake", "nixl", "deep_ep", "deep_gemm", "xgrammar", "vllm",
)  # fmt: skip
"""What runs in an SGLang server and prints messages of its own."""
_PAIR = re.compile(r"(?=(?<![A-Za-z_])([A-Za-z_]{2,}[ .,:'-]{1,2}[A-Za-z_]{2,}))")
_MOST_PAIRS = 24
_FILES_PARSED = 6
_LEAST_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Found:
    """The package in whose installed sources a line's message was found, its version, and the place."""

    package: str
    version: str
    origin: Origin

    def __str__(self) -> str:
        return f"{self.origin} ({' '.join(filter(None, (self.package, self.version)))})"


def find_packages(folders: Iterable[Path]) -> list[Path]:
    """The packages of PACKAGES below ``folders``; of several copies the first."""
    found: dict[str, Path] = {}
    for folder in folders:
        for name in PACKAGES:
            # os.path.isdir, since Path.is_dir raises where the folder may not be entered.
            if name not in found and os.path.isdir(folder / name):  # noqa: PTH112
                found[name] = folder / name
    return list(found.values())


def find_messages(lines: Sequence[str], package: Path) -> list[Origin | None]:
    """For each line the place in ``package`` that prints it, or None. Files that do not parse are passed over."""
    pairs = [list(dict.fromkeys(_PAIR.findall(line)))[:_MOST_PAIRS] for line in lines]
    ranked: list[list[tuple[int, int, str, str]]] = [[] for _ in lines]
    for file in PackageFiles(package):
        for best, wanted in zip(ranked, pairs, strict=True):
            hits = sum(pair in file.text for pair in wanted)
            if hits and hits >= _LEAST_SHARE * len(wanted):
                # Of files that hold as much, the shorter path: a server's own before what it carries along.
                heapq.heappush(best, (hits, -len(file.path), file.path, file.text))
                if len(best) > _FILES_PARSED:
                    heapq.heappop(best)
    return [
        _index({path: text for _, _, path, text in sorted(best, reverse=True)}).find(line)
        for line, best in zip(lines, ranked, strict=True)
    ]


def _index(texts: dict[str, str]) -> MessageIndex:
    templates: list[MessageTemplate] = []
    for path, text in texts.items():
        try:
            templates.extend(message_templates(text, path))
        except ValueError:
            continue  # of another Python
    return MessageIndex.of(templates)
