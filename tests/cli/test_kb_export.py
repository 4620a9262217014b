"""``sgltriage kb export-patterns``: patterns that other tools can take as they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import regex

from triage.knowledge.base import KnowledgeBase
from triage.knowledge.compiled import Knowledge

ROOT = Path(__file__).resolve().parents[2]
RIPGREP = shutil.which("rg")


@pytest.fixture(scope="module")
def base(knowledge: Knowledge) -> KnowledgeBase:
    """The bundled signatures."""
    return knowledge.base


def _export(flavour: str, folder: Path, cache: Path) -> list[str]:
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(cache),
    }
    command = [sys.executable, "-m", "triage", "kb", "export-patterns", "--flavour", flavour]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=folder, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def _lines(base: KnowledgeBase) -> list[str]:
    return sorted(
        {line for item in base for text in (*item.examples, *item.near_misses) for line in text.splitlines() if line}
    )


def test_python_flavour_is_the_patterns_themselves(base: KnowledgeBase, tmp_path: Path, cache: Path) -> None:
    """The Python flavour is every pattern as it was written, and each compiles."""
    found = _export("python", tmp_path, cache)
    assert sorted(set(found)) == sorted({pattern.regex for signature in base for pattern in signature.patterns()})
    for line in found:
        regex.compile(line.encode(), regex.ASCII)


def test_one_pattern_a_line(base: KnowledgeBase, tmp_path: Path, cache: Path) -> None:
    """Both flavours hold no empty line, since `rg -f` takes an empty line for a pattern that matches everything."""
    for flavour in ("rust", "python"):
        found = _export(flavour, tmp_path, cache)
        assert found
        assert all(line.strip() for line in found)


@pytest.mark.skipif(RIPGREP is None, reason="ripgrep (rg) is not installed")
def test_rust_flavour_finds_all_that_the_patterns_match(base: KnowledgeBase, tmp_path: Path, cache: Path) -> None:
    """ripgrep takes the list, and finds every line of the samples that a pattern matches."""
    lines = _lines(base)
    (tmp_path / "log").write_text("\n".join(lines) + "\n", encoding="utf-8")
    patterns, found = _export("rust", tmp_path, cache), set[int]()
    # In parts: the time that ripgrep takes for one line grows faster than the list.
    for at in range(0, len(patterns), 300):
        found |= _found_by_ripgrep(patterns[at : at + 300], tmp_path)
    missing, checked = [], 0
    for item in base:
        own = [regex.compile(pattern.regex.removeprefix("^").encode(), regex.ASCII) for pattern in item.patterns()]
        for line in {line for text in (*item.examples, *item.near_misses) for line in text.splitlines() if line}:
            if any(pattern.search(line.encode()) for pattern in own):
                checked += 1
                missing += [line] if lines.index(line) + 1 not in found else []
    assert checked > 1000
    assert missing == []


def _found_by_ripgrep(patterns: Sequence[str], folder: Path) -> set[int]:
    """The numbers of the lines of ``log`` that one of the patterns matches."""
    assert RIPGREP is not None
    (folder / "patterns").write_text("\n".join(patterns) + "\n", encoding="utf-8")
    done = subprocess.run(
        [RIPGREP, "--no-config", "--line-number", "--only-matching", "--replace", "", "-f", "patterns", "log"],
        capture_output=True, text=True, timeout=120, check=False, cwd=folder,
    )  # fmt: skip
    assert (done.returncode in (0, 1), done.stderr) == (True, "")
    return {int(line.partition(":")[0]) for line in done.stdout.splitlines()}


@pytest.mark.skipif(RIPGREP is None, reason="ripgrep (rg) is not installed")
def test_rust_flavour_matches_no_ordinary_line(tmp_path: Path, cache: Path) -> None:
    """None of the exported patterns matches an ordinary line of a healthy server."""
    (tmp_path / "log").write_text(
        "[2026-03-01 10:00:00 TP0] Decode batch. #running-req: 1, #token: 10, token usage: 0.00\n", encoding="utf-8"
    )
    patterns = _export("rust", tmp_path, cache)
    for at in range(0, len(patterns), 300):
        assert _found_by_ripgrep(patterns[at : at + 300], tmp_path) == set()


@pytest.mark.skipif(RIPGREP is None, reason="ripgrep (rg) is not installed")
def test_rust_flavour_of_text_beyond_ascii(tmp_path: Path, cache: Path) -> None:
    """A pattern with characters beyond ASCII finds them in ripgrep too, where a byte escape would else be a character."""
    assert RIPGREP is not None
    shutil.copytree(ROOT / "tests" / "knowledge" / "packs" / "valid", tmp_path / "pack")
    path = tmp_path / "pack" / "memory" / "frobnicator-exploded.yaml"
    text = path.read_text(encoding="utf-8").replace("'frobnicator exploded'", "'frobnicator (?:…|é|è) exploded'")
    path.write_text(text, encoding="utf-8")
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(cache),
    }
    command = [sys.executable, "-m", "triage", "kb", "export-patterns", "--kb", "pack"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=True, cwd=tmp_path, env=environment
    )
    (found,) = [line for line in done.stdout.splitlines() if line.startswith("(?-u)") and "frobnicator" in line]
    (tmp_path / "log").write_text(
        "frobnicator … exploded\nfrobnicator è exploded\nfrobnicator ê exploded\n", encoding="utf-8"
    )
    again = subprocess.run(
        [RIPGREP, "--no-config", "-n", "-e", found, "log"], capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path
    )  # fmt: skip
    assert [line.partition(":")[0] for line in again.stdout.splitlines()] == ["1", "2"]
