"""Rule packs with one thing wrong each, as directories: ``packs/<kind>/`` and what lint says of it in ``expected.txt``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from triage.knowledge.errors import KnowledgeError, Problems
from triage.knowledge.loading import decode_files
from triage.knowledge.pack import read_packs

PACKS = Path(__file__).resolve().parent / "packs"
KINDS = sorted(path.name for path in PACKS.iterdir())
Lint = Callable[[Path], list[str]]


@pytest.mark.parametrize("kind", KINDS)
def test_pack(kind: str, lint: Lint) -> None:
    """Lint finds exactly what is wrong in the pack, all of it, with its places, in order of file, line and column."""
    expected = (PACKS / kind / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert bool(expected) == (kind != "valid")
    assert lint(PACKS / kind) == expected


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("valid", "hyperscan_refuses")])
def test_loading_a_bad_pack_raises_one_of_its_problems(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At run time a bad pack raises KnowledgeError with one of the problems that lint lists, and nothing else."""
    monkeypatch.chdir(PACKS / kind)
    with pytest.raises(KnowledgeError) as caught:
        decode_files(read_packs([Path()], Problems()), Problems())
    assert str(caught.value) in (PACKS / kind / "expected.txt").read_text(encoding="utf-8").splitlines()


def test_problems_of_several_packs_keep_their_paths(lint: Lint, tmp_path: Path) -> None:
    """One id in two packs is a problem of the second pack that names the first, and each alone is clean."""
    text = (PACKS / "valid" / "memory" / "frobnicator-failed.yaml").read_text(encoding="utf-8")
    for name in ("first", "second"):
        (tmp_path / name / "memory").mkdir(parents=True)
        (tmp_path / name / "memory" / "frobnicator-failed.yaml").write_text(text, encoding="utf-8")
        assert lint(tmp_path / name) == []
    problems = Problems(collect=True)
    base = decode_files(read_packs([tmp_path / "first", tmp_path / "second"], problems), problems)
    file = "memory/frobnicator-failed.yaml"
    assert [str(problem) for problem in problems.found] == [
        f"{tmp_path}/second/{file}:1:1: id 'frobnicator-failed' is taken by {tmp_path}/first/{file}"
    ]
    assert base.get("frobnicator-failed").location.path == f"{tmp_path}/first/{file}"


def test_what_is_right_is_kept_beside_what_is_wrong(lint: Lint, tmp_path: Path) -> None:
    """A file that cannot be read as a signature costs only itself: the others are checked all the same."""
    (tmp_path / "memory").mkdir()
    good = (PACKS / "valid" / "memory" / "frobnicator-failed.yaml").read_text(encoding="utf-8")
    (tmp_path / "memory" / "frobnicator-failed.yaml").write_text(good, encoding="utf-8")
    (tmp_path / "memory" / "broken.yaml").write_text("{", encoding="utf-8")
    (tmp_path / "memory" / "misnamed.yaml").write_text(
        good.replace("id: frobnicator-failed", "id: another-cause"), encoding="utf-8"
    )
    assert lint(tmp_path) == [
        "memory/broken.yaml:2:1: not valid YAML: did not find expected node content",
        "memory/misnamed.yaml:1:1: the file of 'another-cause' must be named another-cause.yaml",
    ] or lint(tmp_path)[1:] == [
        "memory/misnamed.yaml:1:1: the file of 'another-cause' must be named another-cause.yaml"
    ]


def test_places_of_single_keys_and_items(lint: Lint, tmp_path: Path) -> None:
    """A problem between files stands at its key, or at the item of its list, however the file is laid out."""
    text = (PACKS / "valid" / "memory" / "frobnicator-failed.yaml").read_text(encoding="utf-8")
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "frobnicator-failed.yaml").write_text(
        "# a remark\n" + text + "explains:\n  - quite-another-pack\n  - frobnicator-failed\n", encoding="utf-8"
    )
    lines = len(text.splitlines())
    assert lint(tmp_path) == [f"memory/frobnicator-failed.yaml:{lines + 4}:5: 'explains' names the signature itself"]


def test_what_matches_an_ordinary_line_is_refused(lint: Lint, tmp_path: Path) -> None:
    """A pattern on batch or access lines would have every line of a healthy log looked at."""
    text = (PACKS / "valid" / "memory" / "frobnicator-failed.yaml").read_text(encoding="utf-8")
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "frobnicator-failed.yaml").write_text(
        text.replace("evidence:\n", "evidence:\n  - {id: busy, log: '(?:Decode|Prefill) batch', strength: hints}\n", 1),
        encoding="utf-8",
    )
    found = lint(tmp_path)
    assert any("matches a line of which healthy servers print thousands an hour" in line for line in found), found
