"""Runs of playbooks that there were: their plans made again from the journal, their undos, and outcomes in words."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from triage.fixing.opening import OpenFix, case_of_record, open_fix, server_of_record
from triage.fixing.plan import StepState
from triage.fixing.undoing import UndoStep
from triage.knowledge.playbooks import load_playbook, playbook_roots
from triage.playbook import Playbook
from triage.session.fix_run import NoPlaybookError

OUTCOMES = {
    "done": "done", "noted": "looked", "already": "already done", "skipped": "left out", "failed": "FAILED", "stopped": "stopped",
    "broken-off": "broken off",
    "undone": "taken back", "kept": "kept", StepState.SHOWN.value: "for you to do", StepState.LEFT_OUT.value: "left out",
    StepState.UNAVAILABLE.value: "not possible",
}  # fmt: skip
"""What became of a step, in words."""


def open_again(
    record: Mapping[str, object],
    given: Mapping[str, str],
    environment: Mapping[str, str],
    *,
    python: Path | None = None,
    pid: int | None = None,
) -> OpenFix:
    """The plan of a run as its journal's first record keeps it; values that were converted then are given, not looked for.

    Raises:
        NoPlaybookError: the playbook is not there any more. Others: as ``open_fix``.
    """
    packs = [Path(str(path)) for path in _texts(record, "packs")]
    playbook = load_playbook(str(record.get("playbook")), playbook_roots(packs))
    if playbook is None:
        raise NoPlaybookError(f"the playbook '{record.get('playbook')}' of that run is not there any more")
    return open_fix(
        playbook,
        case_of_record(record),
        {**_kept(record, playbook), **given},
        dict(environment),
        python=python,
        pid=pid if pid is not None else server_of_record(record),
    )


def undo_in_words(item: UndoStep) -> str:
    """What takes a step back: a command, a file that is put back, or what people have to do."""
    undo = item.undo or {}
    edit, argv = undo.get("edit"), undo.get("argv")
    if isinstance(edit, dict):
        return f"{edit.get('path')} back to what it was"
    if isinstance(argv, list):
        return shlex.join(map(str, argv))
    return str(undo.get("text", "there is nothing to take back"))


def _kept(record: Mapping[str, object], playbook: Playbook) -> dict[str, str]:
    values, given = record.get("values"), record.get("given")
    found = {str(name): str(text) for name, text in given.items()} if isinstance(given, dict) else {}
    if isinstance(values, dict):
        known = {item.name for item in playbook.parameters}
        found |= {str(name): str(text) for name, text in values.items() if name in known}
    if record.get("python"):
        found["python"] = str(record["python"])
    return found


def _texts(record: Mapping[str, object], key: str) -> list[str]:
    found = record.get(key)
    return [str(item) for item in found] if isinstance(found, list) else []
