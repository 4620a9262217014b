"""Packages of an environment: found without an interpreter, told apart by copies, builds and what is missing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model import Value
from triage.probing.catalogue import python_packages, requirement_conflicts
from triage.probing.host import answers, look_at
from triage.probing.probe import NotApplicable, Target, Transcript
from triage.probing.snapshot import from_json, to_json
from triage.safety.redact import Redactor

OUTCOMES = {"ok", "not-applicable", "unavailable", "timed-out", "unparsable"}
SITE = "/opt/venv/lib/python3.12/site-packages"
USER = "/home/user/.local/lib/python3.12/site-packages"
HEADER = "python 3.12.3 x86_64 prefix=/opt/venv\nchosen python\nvirtual /usr\nuv 0.9.2"
LISTING = f"""{HEADER}
folder {SITE}
package sglang 0.5.9 {SITE} RECORD=yes INSTALLER=uv
package sgl_kernel 0.3.21 {SITE} RECORD=yes INSTALLER=uv
package torch 2.9.1 {SITE} RECORD=yes INSTALLER=uv
package nvidia_cudnn_cu12 9.10.2.21 {SITE} RECORD=yes INSTALLER=uv
package nvidia_nccl_cu12 2.27.5 {SITE} RECORD=yes INSTALLER=uv
package nvidia_cuda_runtime 13.0.96 {SITE} RECORD=yes INSTALLER=uv
package mooncake_transfer_engine_cuda13 0.3.9 {SITE} RECORD=yes INSTALLER=uv
package nixl_cu12 0.8.0 {SITE} RECORD=yes INSTALLER=uv
package PyYAML 5.4.1 {SITE} RECORD=no INSTALLER=none
module torch {SITE}
module deep_gemm {SITE}
leftover ~ransformers {SITE}
torch-version-file version=2.9.1+cu128 cuda=12.8 hip=none {SITE}"""


def facts_of(text: str) -> dict[str, Value]:
    """What the parser makes of one transcript."""
    return dict(python_packages.parse([Transcript(python_packages.LABEL, "ok", text)]))


def install(folder: Path, name: str, version: str, *lines: str, record: bool = True) -> None:
    """Put the metadata of a distribution into a folder."""
    place = folder / f"{name}-{version}.dist-info"
    place.mkdir(parents=True)
    stated = "".join(f"{line}\n" for line in lines)
    (place / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{stated}\nRequires-Dist: no\n"
    )
    (place / "INSTALLER").write_text("pip\n")
    if record:
        (place / "RECORD").write_text("")


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment of Python 3.12 with SGLang, torch and few more."""
    prefix = tmp_path / "venv"
    site = prefix / "lib" / "python3.12" / "site-packages"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "pyvenv.cfg").write_text(f"home = {tmp_path}/usr/bin\nversion_info = 3.12.3\nuv = 0.9.2\n")
    install(site, "sglang", "0.5.9", "Requires-Dist: torch==2.9.1", "Requires-Dist: timm==1.0.16")
    install(site, "torch", "2.10.0", 'Requires-Dist: triton==3.6.0; platform_system == "Linux"')
    install(site, "triton", "3.6.0", record=False)
    (site / "torch").mkdir()
    (site / "torch" / "version.py").write_text(
        "from typing import Optional\n__version__ = '2.10.0+cu130'\ncuda: Optional[str] = '13.0'\nhip: Optional[str] = None\n"
    )
    (site / "~riton-3.5.0.dist-info").mkdir()
    return prefix


def asked(target: Target) -> dict[str, tuple[str, dict[str, Value]]]:
    """Outcome and facts of both probes, by way of a snapshot's text."""
    probes = (*python_packages.PROBES, *requirement_conflicts.PROBES)
    snapshot = from_json(to_json(look_at(probes, target, Redactor())))
    return {
        item.name: (item.outcome, {fact.name: fact.value for fact in item.facts}) for item in answers(probes, snapshot)
    }


def test_listing_tells_versions_and_builds() -> None:
    """Names are normalised; torch's own file tells the build that its metadata leaves out."""
    facts = facts_of(LISTING)
    assert facts["python.version"] == "3.12.3"
    assert facts["python.machine"] == "x86_64"
    assert facts["sgl-kernel.version"] == "0.3.21"
    assert facts["torch.version"] == "2.9.1"
    assert facts["torch.build"] == "cu128"
    assert facts["torch.cuda"] == "12.8"
    assert facts["uv.version"] == "0.9.2"
    assert facts["python.externally_managed"] is False
    assert "torch.rocm" not in facts


def test_missing_packages_are_told_as_missing() -> None:
    """Nothing found, neither metadata nor a module: not installed."""
    facts = facts_of(LISTING)
    assert facts["vllm.installed"] is False
    assert facts["nixl-cu12.installed"] is True
    assert facts["nixl-cu13.installed"] is False
    assert facts["nvidia-cusparselt.installed"] is False


def test_another_build_of_a_package_leaves_open_whether_it_is_missed() -> None:
    """mooncake for CUDA 13 brings the same module, so the plain wheel is neither there nor missed; a module alone is enough."""
    facts = facts_of(LISTING)
    assert facts["mooncake-transfer-engine-cuda13.installed"] is True
    assert "mooncake-transfer-engine.installed" not in facts
    assert facts["deep-gemm.installed"] is True
    assert "deep-gemm.version" not in facts


def test_nvidia_wheels_are_told_by_family_and_major() -> None:
    """The suffix of a name, and where there is none the version, tell which CUDA they are for."""
    facts = facts_of(LISTING)
    assert facts["nvidia-cudnn.installed"] is True
    assert facts["nvidia-cudnn.version"] == "9.10.2.21"
    assert facts["nvidia-nccl-cu12.version"] == "2.27.5"
    assert facts["packages.cuda_majors"] == ("12", "13")
    assert facts["nvidia-nvshmem-cu12.installed"] is False


def test_copies_count_metadata_in_several_folders() -> None:
    """Two of torch are two; one that only repeats a package installed for editing is not counted."""
    facts = facts_of(
        f"{LISTING}\npackage torch 2.8.0 {USER} RECORD=yes INSTALLER=pip\npackage sglang 0.5.9 /src/sglang/python RECORD=no INSTALLER=none linked"
    )
    assert facts["torch.copies"] == 2
    assert facts["torch.places"] == f"2.9.1 in {SITE}, 2.8.0 in {USER}"
    assert "sglang.copies" not in facts
    assert facts_of(LISTING)["torch.copies"] == 1


def test_rests_and_files_without_a_list_are_told() -> None:
    """What pip cannot uninstall, and what it left half removed."""
    facts = facts_of(LISTING)
    assert facts["packages.without_record"] == ("pyyaml",)
    assert facts["packages.leftovers"] == ("~ransformers",)


@pytest.mark.parametrize(
    ("version", "cuda", "hip", "expected"),
    [
        ("2.9.1+rocm6.4", "none", "6.4.43484-123eb5128", {"torch.build": "rocm6.4", "torch.rocm": "6.4"}),
        ("2.9.0a0+git1234567", "none", "7.0.51831", {"torch.rocm": "7.0", "torch.version": "2.9.0a0"}),
        ("2.9.1+cpu", "none", "none", {"torch.build": "cpu"}),
        ("2.5.1", "12.4", "none", {"torch.cuda": "12.4", "torch.version": "2.5.1"}),
        ("2.9.0a0+145a3a7bda.nv25.10", "13.0", "none", {"torch.cuda": "13.0"}),
    ],
)
def test_builds_of_torch(version: str, cuda: str, hip: str, expected: dict[str, Value]) -> None:
    """Wheels for ROCm and CPU, conda's and NVIDIA's own builds."""
    text = LISTING.replace("version=2.9.1+cu128 cuda=12.8 hip=none", f"version={version} cuda={cuda} hip={hip}")
    facts = facts_of(text)
    assert expected.items() <= facts.items()
    assert ("torch.cuda" in facts) == (cuda != "none")


def test_a_guess_without_a_server_tells_nothing_about_packages() -> None:
    """Where nobody named the environment and SGLang is not in it, an absent package means nothing."""
    text = "python 3.11.2 x86_64 prefix=/usr\nchosen PATH\nno-server neither\nexternally-managed yes\npackage pip 23.0 /usr/lib/python3/dist-packages RECORD=no INSTALLER=debian"
    facts = facts_of(text)
    assert facts["python.externally_managed"] is True
    assert not any(name.endswith(".installed") for name in facts)


def test_environment_is_read_from_its_folders(environment: Path) -> None:
    """An environment named by its folder: versions, uv's mark, torch's build; no interpreter needs to be there."""
    outcome, facts = asked(Target(python=environment))["python-packages"]
    assert outcome == "ok"
    assert facts["python.version"] == "3.12.3"
    assert facts["torch.cuda"] == "13.0"
    assert facts["torch.copies"] == 1
    assert facts["sglang.version"] == "0.5.9"
    assert facts["packages.without_record"] == ("triton",)
    assert facts["packages.leftovers"] == ("~riton-3.5.0.dist-info",)
    assert facts["python.virtual_environment"] is True


def test_pythonpath_shows_a_second_torch(environment: Path, tmp_path: Path) -> None:
    """What the server's variables put on the path counts as a copy; the same folder by another name does not."""
    install(tmp_path / "extra", "torch", "2.8.0")
    (tmp_path / "link").symlink_to(tmp_path / "extra")
    variables = {"PYTHONPATH": f"{tmp_path}/extra:{tmp_path}/link"}
    _, facts = asked(Target(python=environment, environment=variables))["python-packages"]
    assert facts["torch.copies"] == 2


def test_user_site_counts_only_outside_virtual_environments(environment: Path, tmp_path: Path) -> None:
    """~/.local is on the path of a system's Python, unless PYTHONNOUSERSITE is set, and not on that of an environment."""
    install(tmp_path / "home" / ".local" / "lib" / "python3.12" / "site-packages", "torch", "2.8.0")
    variables = {"HOME": str(tmp_path / "home")}
    assert asked(Target(python=environment, environment=variables))["python-packages"][1]["torch.copies"] == 1
    (environment / "pyvenv.cfg").unlink()
    assert asked(Target(python=environment, environment=variables))["python-packages"][1]["torch.copies"] == 2
    variables["PYTHONNOUSERSITE"] = "1"
    assert asked(Target(python=environment, environment=variables))["python-packages"][1]["torch.copies"] == 1


def test_requirements_are_held_against_what_is_installed(environment: Path) -> None:
    """Conflicts and missing packages as pip check words them; a local part of a version does not matter."""
    outcome, facts = asked(Target(python=environment))["requirement-conflicts"]
    assert outcome == "ok"
    assert facts["requirements.conflicts"] == ("sglang 0.5.9 requires torch==2.9.1, torch 2.10.0 is installed",)
    assert facts["requirements.missing"] == ("sglang 0.5.9 requires timm==1.0.16, which is not installed",)


def test_requirements_of_old_installations(environment: Path) -> None:
    """An egg states them in a file of its own; those of its extras do not count."""
    egg = environment / "lib" / "python3.12" / "site-packages" / "deep_ep-1.2.1-py3.12-linux-x86_64.egg" / "EGG-INFO"
    egg.mkdir(parents=True)
    (egg / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: deep_ep\nVersion: 1.2.1\n")
    (egg / "requires.txt").write_text("torch>=2.11\n\n[test]\nnothing\n")
    found = asked(Target(python=environment))
    assert found["python-packages"][1]["deep-ep.version"] == "1.2.1"
    conflicts = found["requirement-conflicts"][1]["requirements.conflicts"]
    assert isinstance(conflicts, tuple)
    assert "deep_ep 1.2.1 requires torch>=2.11, torch 2.10.0 is installed" in conflicts
    assert found["requirement-conflicts"][1]["requirements.missing_count"] == 1


def test_requirements_are_those_of_the_interpreter_that_was_looked_at() -> None:
    """Markers see its version and machine; extras that nobody asked for do not count; the server's packages come first."""
    text = f"""{HEADER}
package aaa 1.0
requires bbb<2
requires ccc; python_version < '3.12'
requires ddd; platform_machine == "aarch64"
requires eee; extra == "test"
requires ((((bad
package bbb 3.0
package sglang 0.5.9
requires torch==2.9.1
package torch 2.9.1+cu128
requires transformers (>=4,<5)
package transformers 5.3.0
package odd not.a-version
requires odd==1"""
    facts = dict(requirement_conflicts.parse([Transcript(requirement_conflicts.LABEL, "ok", text)]))
    assert facts["requirements.conflicts"] == (
        "torch 2.9.1+cu128 requires transformers<5,>=4, transformers 5.3.0 is installed",
        "aaa 1.0 requires bbb<2, bbb 3.0 is installed",
    )
    assert facts["requirements.missing_count"] == 0


def test_requirements_of_a_guess_are_not_applicable() -> None:
    """The conflicts of some other Python are nobody's question."""
    text = "python 3.11.2 x86_64 prefix=/usr\nchosen PATH\nno-server neither"
    with pytest.raises(NotApplicable, match="/usr"):
        dict(requirement_conflicts.parse([Transcript(requirement_conflicts.LABEL, "ok", text)]))


def test_probes_run_here(tmp_path: Path) -> None:
    """Whatever this machine has, a probe ends in one of the five ways; a Python that is not there is unavailable."""
    import os

    for target in (Target(environment=dict(os.environ)), Target(), Target(pid=os.getpid()), Target(pid=2**22 + 1)):
        assert {outcome for outcome, _ in asked(target).values()} <= OUTCOMES
    assert {outcome for outcome, _ in asked(Target(python=tmp_path / "none")).values()} == {"unavailable"}


LINES = st.sampled_from(
    [
        *LISTING.split("\n"),
        "requires torch (",
        "package a 1",
        "requires a; python_version in 3",
        "folder",
        "module ",
        "leftover ",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(LINES | st.text(max_size=40), max_size=30).map("\n".join),
    st.lists(LINES, max_size=30).map(lambda lines: HEADER + "\n" + "\n".join(lines)),
)


@given(text=TEXTS)
def test_no_text_breaks_a_parser(text: str) -> None:
    """Anything but a listing is a ValueError or not applicable, never another error."""
    for module in (python_packages, requirement_conflicts):
        for transcripts in ([Transcript(module.LABEL, "ok", text)], [Transcript(module.LABEL, "denied", text)], []):
            with suppress(ValueError, NotApplicable):
                list(module.parse(transcripts))
