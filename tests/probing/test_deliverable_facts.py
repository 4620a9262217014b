"""Every fact that a signature asks a probe for is one that this probe can tell; the documentation names them all."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from triage.engine import load
from triage.model import Value
from triage.probing.catalogue import all_probes
from triage.probing.host import answers
from triage.probing.interpret import interpret
from triage.probing.probe import Transcript
from triage.probing.snapshot import from_json

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "fixtures" / "hosts"
DOCUMENT = ROOT / "docs" / "signatures.md"
_PROBES = {probe.name: probe for probe in all_probes()}
_LAUNCH = "what the launch asks for"

EXCEPTIONS: dict[str, tuple[str, tuple[Transcript, ...]]] = {
    "listening-ports": (
        "a recording is made without a log or a launch, so it does not know which ports are asked about",
        (
            Transcript("listening sockets of /proc/self/net/tcp", "ok", ""),
            Transcript(_LAUNCH, "ok", "port 30000\ndist_init 10.0.0.11 5000\n"),
        ),
    ),
    "network-interfaces": (
        "nor which address",
        (
            Transcript("ip -o addr", "ok", "2: eth0    inet 10.0.0.11/24 scope global eth0\n"),
            Transcript(_LAUNCH, "ok", "dist_init_addr 10.0.0.99:5000\n"),
        ),
    ),
    "model-directory": (
        "nor where the model lies",
        (
            Transcript(
                "model folder",
                "ok",
                "model folder\nconfig "
                + json.dumps({"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}})
                + "\nweights files=3 bytes=30 missing=1 pointers=0 truncated=0 unchecked=0",
            ),
        ),
    ),
    "python-packages": (
        "all example hosts have GPUs of NVIDIA and wheels for CUDA 12 and 13",
        (
            Transcript(
                "installed packages",
                "ok",
                "python 3.10.14 x86_64 prefix=/usr\npackage torch 2.8.0+rocm6.4 /p RECORD=yes INSTALLER=pip\n"
                "package nvidia-nccl-cu11 2.21.5 /p RECORD=yes INSTALLER=pip\npackage nixl-cu13 0.8.0 /p RECORD=yes INSTALLER=pip",
            ),
        ),
    ),
}
"""Facts that no example host shows: why, and transcripts of the probe that make it tell them."""


@cache
def shown() -> dict[str, frozenset[str]]:
    """Names of the facts that each probe tells on any of the example hosts."""
    found: dict[str, set[str]] = {name: set() for name in _PROBES}
    for path in sorted(FOLDER.glob("*.json")):
        for answer in answers(all_probes(), from_json(path.read_text(encoding="utf-8"))):
            found[answer.name] |= {fact.name for fact in answer.facts}
    return {name: frozenset(facts) for name, facts in found.items()}


@cache
def excepted(probe: str) -> frozenset[str]:
    """Names that the probe tells of the transcripts under ``EXCEPTIONS``."""
    answer = interpret(_PROBES[probe], EXCEPTIONS[probe][1])
    assert answer.outcome == "ok", answer.reason
    return frozenset(fact.name for fact in answer.facts)


def asked() -> Iterator[tuple[str, str, str]]:
    """(signature, probe, fact) of every item of evidence that names a probe."""
    for signature in load(environment=dict(os.environ)).base:
        for item in signature.evidence:
            for test in item.facts if item.probe else ():
                assert item.probe is not None
                yield f"{signature.id}/{item.id}", item.probe, test.name


def test_every_fact_that_is_asked_for_can_be_told() -> None:
    """By the very probe that the signature names: another name would wait for ever."""
    unknown = [
        f"{where}: {probe} {fact}"
        for where, probe, fact in asked()
        if probe not in _PROBES
        or (fact not in shown()[probe] and fact not in (excepted(probe) if probe in EXCEPTIONS else ()))
    ]
    assert unknown == []
    assert len({(probe, fact) for _, probe, fact in asked()}) > 50


@pytest.mark.parametrize("probe", sorted(EXCEPTIONS))
def test_exceptions_are_still_needed(probe: str) -> None:
    """What a host shows by now needs none."""
    wanted = {fact for _, name, fact in asked() if name == probe}
    assert (wanted - shown()[probe]) & excepted(probe)


@cache
def documented() -> dict[str, tuple[str, ...]]:
    """Probe to names in the table of the documentation, ``<package>.version`` and the like as they stand there."""
    rows = re.findall(r"^\| `([\w-]+)` \| (.*`.*) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: tuple(re.findall(r"`([^`]+)`", facts)) for name, facts in rows if name in _PROBES}


def is_documented(probe: str, fact: str) -> bool:
    """Whether one of the names in the probe's row, with anything in place of its holes, is this one."""
    parts = (re.sub(r"<\w+>", r"[a-z0-9_-]+", re.escape(name)) for name in documented()[probe])
    return any(re.fullmatch(part, fact) for part in parts)


def test_every_probe_has_a_row() -> None:
    """In the table, and no row is of a probe that is gone."""
    assert sorted(documented()) == sorted(_PROBES)


def test_every_fact_is_in_the_table() -> None:
    """What a probe tells on any host stands in its row."""
    told = {name: shown()[name] | (excepted(name) if name in EXCEPTIONS else frozenset()) for name in _PROBES}
    missing = [
        f"{name} {fact}" for name, facts in told.items() for fact in sorted(facts) if not is_documented(name, fact)
    ]
    assert missing == []


def test_values_are_plain() -> None:
    """Numbers, words, truth values and tuples of them: what conditions can compare and JSON can carry."""

    def is_plain(value: Value) -> bool:
        return all(
            isinstance(item, (bool, int, float, str)) for item in (value if isinstance(value, tuple) else (value,))
        )

    for path in sorted(FOLDER.glob("*.json")):
        for answer in answers(all_probes(), from_json(path.read_text(encoding="utf-8"))):
            assert all(is_plain(fact.value) for fact in answer.facts), answer.name
            assert all(re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_]+)+", fact.name) for fact in answer.facts), answer.name
