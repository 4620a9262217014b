"""``sgltriage explain``: the page of one cause, made from its signature."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from triage.knowledge.compiled import Knowledge
from triage.reporting.signature_page import signature_page

ROOT = Path(__file__).resolve().parents[2]


def _run(cache: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(cache),
        "COLUMNS": "40",
    }
    command = [sys.executable, "-m", "triage", "explain", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=folder, env=environment
    )


def test_page(cache: Path, tmp_path: Path, knowledge: Knowledge) -> None:
    """The page tells what, why, how it is mended, how it shows and what it is not, in that order, and is not wrapped in a pipe."""
    signature = knowledge.base.get("pd-direct-request-prefill")
    done = _run(cache, tmp_path, signature.id)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == signature.title
    headings = ["Why it happens", "How to mend it", "How it shows", "What it is not", "See", "For example"]
    assert [line for line in lines if line in headings] == headings
    assert f"  {signature.fix}" in lines
    assert all(f"  {line}" in lines for line in signature.explanation.splitlines())
    for pattern in signature.patterns():
        assert pattern.regex in done.stdout


def test_every_signature_has_a_page(knowledge: Knowledge) -> None:
    """The page of any signature is lines without line feeds and names its id, its fix and every piece of evidence."""
    for signature in knowledge.base:
        lines = list(signature_page(signature))
        assert all("\n" not in line for line in lines), signature.id
        text = "\n".join(lines)
        assert signature.id in text
        assert signature.fix in text
        for item in signature.evidence:
            assert (item.label or item.id) in text


def test_nothing_acts_on_the_terminal(cache: Path, tmp_path: Path) -> None:
    """Escape sequences and direction marks in a pack's text are shown, not sent."""
    source = ROOT / "tests" / "knowledge" / "packs" / "valid" / "memory" / "frobnicator-failed.yaml"
    pack = tmp_path / "pack" / "memory"
    pack.mkdir(parents=True)
    text = source.read_text(encoding="utf-8").replace(
        "title: The frobnicator failed", 'title: "The \\e[31mfrobnicator\\u202e failed"'
    )
    (pack / "frobnicator-failed.yaml").write_text(text, encoding="utf-8")
    done = _run(cache, tmp_path, "--kb", "pack", "frobnicator-failed")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "The ␛[31mfrobnicator<U+202E> failed"


@pytest.mark.parametrize(
    ("identifier", "hint"),
    [
        ("nccl-timeot", "; did you mean 'nccl-timeout'?"),
        ("gpu_oom_runtime", "; did you mean 'gpu-oom-runtime'?"),
        ("zzzzzzzz", ""),
    ],
)
def test_unknown_id(cache: Path, tmp_path: Path, identifier: str, hint: str) -> None:
    """An unknown id is one line on stderr with the nearest known id, and exit 2."""
    done = _run(cache, tmp_path, identifier)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"sgltriage: no cause '{identifier}'{hint} (sgltriage explain --help)\n"


def test_no_id(cache: Path, tmp_path: Path) -> None:
    """Without an id it is a usage error that says what is missing."""
    done = _run(cache, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "ID" in done.stderr
    assert len(done.stderr.splitlines()) == 1
