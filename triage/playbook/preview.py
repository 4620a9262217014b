"""A plan as people see it before they approve it. Frozen values only."""

from __future__ import annotations

from triage.playbook.file import Risk, StepKind
from triage.records import dataclass


@dataclass(frozen=True, slots=True)
class ShownValue:
    """A parameter as people see it: its text (empty: not known, then ``problem`` says why), where it comes from, its sum."""

    name: str
    text: str
    origin: str = ""
    sum: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FileContent:
    """What a file is to hold, for whoever writes it himself. ``before``: the SHA-256 of what it holds now, empty where there is no
    such file; ``text``: decoded with surrogateescape; ``mode`` is that of a new file."""

    path: str
    text: str
    before: str
    mode: int


@dataclass(frozen=True, slots=True)
class StepPreview:
    """One step as it is shown before it is approved. ``command`` is the exact argv; ``diff`` a change of a file or of the launch
    command, and ``file`` the whole of what that file becomes, where it can be written from here; ``commands`` are for people to type; ``log``: the command is a server that goes on in the background and writes there; ``ends``: the
    process that is ended first; ``state`` is ready, shown, left-out or unavailable, with its ``reason``;
    ``digest`` is what an approval is bound to."""

    id: str
    title: str
    why: str
    kind: StepKind
    risk: Risk
    state: str
    reason: str = ""
    command: tuple[str, ...] = ()
    diff: tuple[str, ...] = ()
    text: str = ""
    commands: tuple[tuple[str, ...], ...] = ()
    cwd: str = ""
    env: tuple[tuple[str, str], ...] = ()
    user: str = ""
    needs: tuple[str, ...] = ()
    already_done: str = ""
    preview: tuple[str, ...] = ()
    verify: str = ""
    undo: str = ""
    timeout_s: float = 0.0
    notes: tuple[str, ...] = ()
    digest: str = ""
    file: FileContent | None = None
    log: str = ""
    ends: int | None = None


@dataclass(frozen=True, slots=True)
class PlanPreview:
    """A whole plan as it is shown. ``after``: the checks that decide at the end, in words."""

    id: str
    title: str
    diagnosis: str
    values: tuple[ShownValue, ...]
    steps: tuple[StepPreview, ...]
    after: tuple[str, ...] = ()
    watch_for: str = ""
    notes: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
