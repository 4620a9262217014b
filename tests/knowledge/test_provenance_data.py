"""The stored survey of SGLang's releases fits the signatures that are shipped: no pattern looks for what nobody prints."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from triage.knowledge.compiled import Knowledge
from triage.knowledge.provenance import Claim, Release, claim_of, pattern_literals, survey
from triage.knowledge.provenance_record import survey_record
from triage.model import Pattern, Signature
from triage.sources.package_files import PackageFiles

STORED = Path(__file__).resolve().parents[1] / "data" / "provenance.json"
RELEASES = ("0.4.3", "0.4.6", "0.4.9", "0.5.3", "0.5.6", "0.5.8", "0.5.10", "0.5.14", "0.5.18", "0.5.23")
REFRESH = (
    "the stored survey is out of date; refresh it with\n"
    f"    sgltriage kb provenance DIR --releases {','.join(RELEASES)} --json tests/data/provenance.json\n"
    "where DIR holds the unpacked releases (CONTRIBUTING.md, 'Provenance')"
)

_PYTHON = "Python says it of SGLang's objects"
_VLLM = "the wording of vLLM, for logs of servers that run both"
_ELSEWHERE = "other software prints it while the named file of SGLang runs"
EXCEPTIONS = {
    "context-length-exceeded/input-and-completion-too-long": "the wording of OpenAI and vLLM, for logs of clients and gateways",
    "context-length-exceeded/worded-otherwise": _VLLM,
    "ephemeral-ports-exhausted": _ELSEWHERE,
    "deepgemm-cache-cold/session-without-timeout": "DeepEP prints it",
    "health-check-starved/collective-hung": "the watchdog of torch prints it",
    "hicache-host-memory/kernel-killed-while-allocating": "the kernel prints it",
    "hicache-host-memory/killed-while-allocating": "the shell prints it",
    "hicache-host-memory/oom-killed-while-allocating": "Kubernetes and docker print it",
    "hicache-host-memory/unit-ended-while-allocating": "systemd prints it",
    "http-proxy-intercepts-localhost": "clients and proxies print it; the repr of a response fills a hole of SGLang's",
    "known-bug-fixed-in-newer-version": _PYTHON,
    "kv-accounting-leak/leak-detected": "one wording is known from reports alone",
    "kv-pool-smaller-than-context/vllm-refuses-to-start": _VLLM,
    "libnuma-missing": _ELSEWHERE,
    "lora-pool-incompatible/modules-not-told": "one wording is that of 0.5.9 alone",
    "lora-pool-incompatible/rank-or-modules": _VLLM,
    "mooncake-cuda-major-mismatch": "the dynamic loader prints it",
    "multimodal-token-mismatch/not-enough-embeddings": "transformers prints one wording",
    "os-unsupported-windows": "Python, pip, uv and compilers print it on Windows",
    "pd-bootstrap-register-race/server-had-no-sizes": _PYTHON,
    "pd-bootstrap-register-race/sizes-are-none": _PYTHON,
    "pd-kv-dtype-mismatch/nixl-not-found": "NIXL prints it",
    "pd-page-size-mismatch/mismatch-other-wording": "the decode server's wording is in none of these releases",
    "pd-transfer-failed/transfer-failed": "one wording is that of vLLM's connector",
    "pd-transfer-failed/transfer-timed-out": "one wording is Mooncake's own",
    "request-invalid/bad-request-error": "the client of OpenAI prints it",
    "request-invalid/media": "Pillow and binascii print it",
    "request-invalid/named-by-the-server": "the JSON around SGLang's text is made when it is sent",
    "request-invalid/schema-of-the-request": "pydantic prints it",
    "rocm-aiter-unusable": "Python and aiter print it",
    "tmp-mounted-noexec": _ELSEWHERE,
    "tool-call-parser-error/parser-raised": _VLLM,
    "vllm-missing-for-quantization": "Python prints it when vLLM is missing; check_env's own lines are made of holes",
}
"""Why a pattern may occur in no release though SGLang alone is its source, or why a named source of SGLang prints nothing:
by pattern, item of evidence or signature."""


@pytest.fixture(name="stored", scope="module")
def stored_fixture() -> dict[str, Any]:
    """The stored survey."""
    data: dict[str, Any] = json.loads(STORED.read_text(encoding="utf-8"))
    return data


def excuses(key: str) -> set[str]:
    """The exceptions that name the pattern, its item or its signature."""
    signature, item, _ = key.split("/")
    return {key, f"{signature}/{item}", signature} & EXCEPTIONS.keys()


def dead(bundled: Knowledge, stored: dict[str, Any]) -> list[str]:
    """What SGLang alone is said to print and no release does, and all of a signature that names SGLang and prints nothing."""
    held = {key for key, entry in stored["patterns"].items() if entry["releases"] != "none"}
    alive = {key.partition("/")[0] for key in held}
    shared = [key for key in patterns(bundled, Claim.SHARED) if key.partition("/")[0] not in alive]
    return [*(key for key in patterns(bundled, Claim.SOURCE) if key not in held), *shared]


def patterns(bundled: Knowledge, *claims: Claim) -> dict[str, tuple[Signature, Pattern]]:
    """The patterns by key of the shipped signatures that claim so."""
    return {
        pattern.key: (signature, pattern)
        for signature in bundled.base
        if claim_of(signature) in claims
        for pattern in signature.patterns()
    }


def test_the_releases(stored: dict[str, Any]) -> None:
    """The survey is over the ten releases that are supported, oldest first."""
    assert [Version(name).base_version for name in stored["releases"]] == list(RELEASES)


def test_it_is_of_these_signatures(bundled: Knowledge, stored: dict[str, Any]) -> None:
    """Each pattern that is said to be SGLang's has its entry with just the texts it asks for, and there are no others."""
    expected = {
        key: sorted(pattern_literals(pattern))
        for key, (_, pattern) in patterns(bundled, Claim.SOURCE, Claim.SHARED, Claim.COMPONENT).items()
    }
    found = {key: sorted(entry["literals"]) for key, entry in stored["patterns"].items()}
    stale = [key for key in {**expected, **found} if expected.get(key) != found.get(key)]
    assert stale == [], REFRESH


def test_no_pattern_is_dead(bundled: Knowledge, stored: dict[str, Any]) -> None:
    """What SGLang is said to print, some release prints; exceptions are named with their reason."""
    unexcused = [key for key in dead(bundled, stored) if not excuses(key)]
    assert unexcused == [], (
        "no release prints these: mend the pattern, or name the software that does under 'provenance:'\n" + REFRESH
    )


def test_no_exception_is_stale(bundled: Knowledge, stored: dict[str, Any]) -> None:
    """Every exception is there for a pattern that needs it."""
    used = {name for key in dead(bundled, stored) for name in excuses(key)}
    assert sorted(EXCEPTIONS.keys() - used) == []


def test_the_releases_still_say_so(bundled: Knowledge, stored: dict[str, Any]) -> None:
    """Searched again, the releases below $SGLTRIAGE_RELEASES (VERSION/sglang) give what is stored, to the byte."""
    if "SGLTRIAGE_RELEASES" not in os.environ:
        pytest.skip("set SGLTRIAGE_RELEASES to a folder of unpacked releases (VERSION/sglang)")
    root = Path(os.environ["SGLTRIAGE_RELEASES"])
    missing = [name for name in stored["releases"] if not (root / name / "sglang").is_dir()]
    assert missing == [], f"{root} lacks releases"
    releases = [Release(name, PackageFiles(root / name / "sglang")) for name in stored["releases"]]
    assert survey_record(survey(list(bundled.base), releases)) == STORED.read_text(encoding="utf-8"), REFRESH
