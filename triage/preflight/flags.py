"""Options that a release does not take: removed ones, and misspelt ones with what was meant."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from packaging.version import InvalidVersion, Version

from triage.preflight.command import COMPILER, SERVER, Option
from triage.preflight.plan import Derived, Plan
from triage.preflight.released_flags import RELEASES, TABLE

_ALWAYS = frozenset(("--help", "--model-type"))
"""Taken by ``sglang serve`` itself, or by argparse."""
_COMPILERS_OWN = frozenset(("--timeout",))
_LEAST_LIKENESS = 78.0
_LONG, _SLIPS = 10, 2

SUCCESSORS: dict[str, tuple[str, ...]] = {
    "--enable-deepep-moe": ("--moe-a2a-backend", "deepep"),
    "--enable-flashinfer-cutlass-moe": ("--moe-runner-backend", "flashinfer_cutlass"),
    "--enable-flashinfer-cutedsl-moe": ("--moe-runner-backend", "flashinfer_cutedsl"),
    "--enable-flashinfer-trtllm-moe": ("--moe-runner-backend", "flashinfer_trtllm"),
    "--enable-flashinfer-mxfp4-moe": ("--moe-runner-backend", "flashinfer_mxfp4"),
    "--enable-triton-kernel-moe": ("--moe-runner-backend", "triton_kernel"),
    "--enable-flashmla": ("--attention-backend", "flashmla"),
    "--enable-flashinfer-mla": ("--attention-backend", "flashinfer"),
    "--impl": ("--model-impl",),
    "--max-micro-batch-size": ("--pp-max-micro-batch-size",),
    "--hybrid-kvcache-ratio": ("--swa-full-tokens-ratio",),
    "--nsa-prefill-backend": ("--dsa-prefill-backend",),
    "--nsa-decode-backend": ("--dsa-decode-backend",),
    "--cuda-graph-max-bs": ("--cuda-graph-max-bs-decode",),
    "--cuda-graph-bs": ("--cuda-graph-bs-decode",),
    "--stream-output": ("--incremental-streaming-output",),
    "--elastic-ep-rejoin": ("--elastic-ep-join-mode", "recover"),
    "--speculative-dflash-draft-window-size": ("--speculative-draft-window-size",),
    "--mamba-scheduler-strategy": ("--mamba-radix-cache-strategy",),
}
"""What sglang's own notices name in place of an option before it goes: a new name, or a flag with its value."""


def refused_flags(plan: Plan) -> Iterator[Derived]:
    """``launch.removed_flags`` and ``launch.unknown_flags``: how many options the release refuses, and which."""
    if plan.command.kind not in (SERVER, COMPILER):
        return
    refused = refused_options(plan)
    for name, chosen, what in (
        ("launch.removed_flags", [item for item in refused if is_released(item.name)], "this release does not take it"),
        ("launch.unknown_flags", [item for item in refused if not is_released(item.name)], "no release takes it"),
    ):
        said = ", ".join(f"{item.name}{_hint(plan, item.name)}" for item in chosen)
        words = tuple(item.words[0] for item in chosen)
        yield Derived(name, len(chosen), words, said, what)


def refused_options(plan: Plan) -> list[Option]:
    """The options that argparse would refuse in the release that is to run, in order."""
    own = _ALWAYS | (_COMPILERS_OWN if plan.command.kind == COMPILER else frozenset())
    candidates = [item for item in plan.command.options if item.name and item.name not in own and item.name != "-h"]
    tables = [table | own for table in _tables(plan)]
    refused = [item for item in candidates if all(not accepts(item.name, table) for table in tables)]
    if plan.flags or len(tables) < len(RELEASES):
        return refused
    # A release that is not known may be newer than the table: then only a slip of the pen is sure.
    return [item for item in refused if is_released(item.name) or _is_slip(item.name, tables)]


def accepts(name: str, flags: frozenset[str]) -> bool:
    """argparse takes an option, or the beginning of exactly one."""
    return name in flags or (name.startswith("--") and sum(flag.startswith(name) for flag in flags) == 1)


def meant(plan: Plan, name: str) -> tuple[str, ...]:
    """The words to write in place of an option that is refused; empty where nothing comes close enough."""
    # Where the release is not known the newest is the best guess: its names are those to get used to.
    flags = _tables(plan)[-1]
    known = SUCCESSORS.get(name, ())
    if name == "--enable-ep-moe":
        known = ("--ep-size", str(plan.whole("server.tp_size", 1)))
    if known:
        return known if known[0] in flags else ()
    dashed = "--" + name.lstrip("-").replace("_", "-")
    if accepts(dashed, flags):
        return (dashed,)
    return (nearest,) if (nearest := _nearest(dashed, flags)) else ()


def is_released(name: str) -> bool:
    """Is it an option of any release that was looked at?"""
    return any(accepts(name, table) for table in released().values())


@cache
def released() -> dict[str, frozenset[str]]:
    """Release to options, oldest first."""
    found: dict[str, set[str]] = {release: set() for release in RELEASES}
    for taken, flags in TABLE.items():
        for release, mark in zip(RELEASES, taken, strict=True):
            if mark == "x":
                found[release].update(flags.split())
    return {release: frozenset(flags) for release, flags in found.items()}


def _tables(plan: Plan) -> list[frozenset[str]]:
    """What the release that is to run may take: its own sources, else the tables on both sides of its number, else all."""
    if plan.flags:
        return [plan.flags]
    tables = released()
    try:
        version = Version(plan.text("sglang.version"))
    except InvalidVersion:
        return list(tables.values())
    if not any(version.release):
        return list(tables.values())  # built from a checkout
    before = [release for release in tables if Version(release) <= version][-1:]
    after = [release for release in tables if Version(release) >= version][:1]
    # Beyond the last release that was looked at nothing new is known, so only what no release ever took is refused.
    return [tables[release] for release in dict.fromkeys((*before, *after))] if after else list(tables.values())


def _is_slip(name: str, tables: list[frozenset[str]]) -> bool:
    """Wrong dashes, or one or two letters beside an option that exists."""
    from rapidfuzz.distance import DamerauLevenshtein

    dashed = "--" + name.lstrip("-").replace("_", "-")
    if dashed != name and any(accepts(dashed, table) for table in tables):
        return True
    return any(
        len(flag) > _LONG and DamerauLevenshtein.distance(name, flag, score_cutoff=_SLIPS) <= _SLIPS
        for flag in tables[-1]
    )


def _nearest(name: str, flags: frozenset[str]) -> str:
    from rapidfuzz import fuzz, process

    found = process.extractOne(name, sorted(flags), scorer=fuzz.ratio, score_cutoff=_LEAST_LIKENESS)
    return found[0] if found else ""


def _hint(plan: Plan, name: str) -> str:
    words = meant(plan, name)
    return f" (did you mean {' '.join(words)}?)" if words else ""
