"""How nvidia-smi prints: its failures, its tables and its long report, for the probes that read them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from triage.lazy_regex import lazy_regex
from triage.probing.catalogue.nvidia_devices import NO_NVIDIA, device_paths, first
from triage.probing.probe import Command, NotApplicable, Transcript, Unavailable

TIMEOUT_S = 8.0
"""Without the persistence daemon every call wakes every GPU, which takes seconds on a host with eight."""
BANNER = Command(("nvidia-smi",), TIMEOUT_S)
REPORT = Command(("nvidia-smi", "-q"), TIMEOUT_S)
NO_GPU = "nvidia-smi finds no GPU"

_FAILURES = (
    lazy_regex(r"Failed to initialize NVML: ([^\n]{1,100})"),
    lazy_regex(r"NVIDIA-SMI has failed because it (couldn't communicate with the NVIDIA driver)"),
    lazy_regex(r"NVIDIA-SMI (couldn't find libnvidia-ml\.so library)"),
    lazy_regex(r'(Field "[^"\n]{1,60}" is not a valid field to query)'),
)
_UNREACHABLE = lazy_regex(r"Unable to determine the device handle for ")
_NUMBER = lazy_regex(r"-?\d{1,15}(?:\.\d{1,9})?")


def failure(text: str) -> str:
    """Why nvidia-smi gave up, in its own words; empty if it did not."""
    for pattern in _FAILURES:
        found = pattern.search(text)
        if found is not None:
            return found[1].strip().rstrip(".")
    return ""


def no_devices(text: str) -> bool:
    """Whether nvidia-smi works and sees no GPU."""
    return "No devices were found" in text


def unreachable(text: str) -> int:
    """How many GPUs nvidia-smi cannot talk to (one line each)."""
    return len(_UNREACHABLE.findall(text))


def output(transcripts: Sequence[Transcript], start: str) -> str:
    """What the command whose line begins with ``start`` printed, if it is an answer.

    Raises NotApplicable where the host has nothing of NVIDIA or no GPU, ValueError where the answer is missing.
    """
    item = first(transcripts, start)
    reason = failure(item.text) if item.status == "ok" else f"nvidia-smi: {item.reason or item.status}"
    if reason:
        # nvidia-smi may be installed where no driver is.
        if device_paths(transcripts) == ():
            raise NotApplicable(NO_NVIDIA)
        raise Unavailable(reason)
    if no_devices(item.text):
        raise NotApplicable(NO_GPU)
    return item.text


def number(text: str) -> float | None:
    """The number at the beginning of ``143771 MiB``; None for ``N/A``, ``[Not Supported]`` and the like."""
    found = _NUMBER.match(text.strip())
    return float(found[0]) if found is not None else None


def rows(text: str, *needed: str) -> list[dict[str, str]]:
    """A CSV table with its header: a mapping a row, keyed by the field's name without its unit. The last field may hold
    commas. Lines that are not rows (warnings) are left out. Raises ValueError if the header lacks a field that is
    ``needed``."""
    lines = iter(text.splitlines())
    for line in lines:
        names = [re.sub(r" \[.*", "", name.strip()) for name in line.split(",")]
        if set(needed) <= set(names):
            break
    else:
        raise ValueError("not the table that nvidia-smi was asked for")
    cells = (line.split(",", len(names) - 1) for line in lines)
    return [
        {name: cell.strip() for name, cell in zip(names, row, strict=True)} for row in cells if len(row) == len(names)
    ]


def gpu_reports(text: str) -> tuple[Mapping[str, str], ...]:
    """The long report (``nvidia-smi -q``), a mapping for each GPU: ``Fabric/State`` to ``Completed``.

    A name that comes twice keeps its first value. Raises ValueError if the text is no such report.
    """
    found: list[dict[str, str]] = []
    path: list[tuple[int, str]] = []
    for line in text.splitlines():
        if re.match(r"GPU [0-9A-Fa-f]{4,8}:", line):
            found.append({})
            path = []
            continue
        words = line.strip()
        if not words or not found:
            continue
        depth = len(line) - len(line.lstrip())
        while path and path[-1][0] >= depth:
            path.pop()
        name, colon, value = f"{words} ".partition(" : ")
        path.append((depth, name.strip()))
        if colon:
            found[-1].setdefault("/".join(name for _, name in path), value.strip())
    if not found:
        raise ValueError("not a report of nvidia-smi -q")
    return tuple(found)
