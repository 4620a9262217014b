"""Whether a host has anything of NVIDIA at all: the look that tells "not applicable" from "not available"."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence

from triage.lazy_regex import lazy_regex
from triage.probing.probe import Look, NotApplicable, Transcript

# The whole of /dev is left alone: only names that the driver makes.
_PATTERNS = (
    "/dev/nvidia*",
    "/dev/nvidia-caps-imex-channels/*",
    "/proc/driver/nvidia",
    "/proc/driver/nvidia-nvswitch/devices/*",
)
NO_NVIDIA = "no NVIDIA device: neither /dev/nvidia* nor /proc/driver/nvidia"
_NUMBERED = lazy_regex(r"/dev/nvidia(\d{1,4})")


def _list_devices() -> str:
    # Path.glob wants a folder to start from; the patterns are whole paths.
    return "\n".join(sorted(path for pattern in _PATTERNS for path in glob.glob(pattern)))  # noqa: PTH207


DEVICES = Look("NVIDIA devices", _list_devices)
"""One path a line: device nodes, and the driver's folders in /proc. Empty on a host without any."""


def first(transcripts: Sequence[Transcript], start: str) -> Transcript:
    """The transcript whose label begins with ``start``, whatever its status. Raises ValueError if a recording lacks it."""
    for item in transcripts:
        if item.label.startswith(start):
            return item
    raise ValueError(f"there is no transcript of {start}")


def device_paths(transcripts: Sequence[Transcript]) -> tuple[str, ...] | None:
    """The lines of ``DEVICES``; None if that look failed."""
    item = first(transcripts, DEVICES.label)
    return tuple(item.text.split()) if item.status == "ok" else None


def gpu_nodes(transcripts: Sequence[Transcript]) -> frozenset[int] | None:
    """The minor numbers of the device nodes ``/dev/nvidia<N>``; None if that look failed."""
    paths = device_paths(transcripts)
    if paths is None:
        return None
    return frozenset(int(found[1]) for found in map(_NUMBERED.fullmatch, paths) if found is not None)


def require_nvidia(transcripts: Sequence[Transcript]) -> None:
    """Raise NotApplicable where ``DEVICES`` saw nothing of NVIDIA."""
    if device_paths(transcripts) == ():
        raise NotApplicable(NO_NVIDIA)


def require_text(item: Transcript) -> str:
    """The text of a read that nothing else can stand in for. Raises ValueError with the reason if it gave none."""
    if item.status != "ok":
        raise ValueError(f"{item.label}: {item.reason or item.status}")
    return item.text


def files(text: str) -> dict[str, str]:
    """A transcript of several files, each under ``==> path <==``: path to text."""
    parts = re.split(r"^==> (.+) <==$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
