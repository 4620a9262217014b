"""The packages of the server's Python, read from their metadata: versions, copies, and what torch was built for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from triage.matching.fact_packages import normalised
from triage.model import Value
from triage.probing.catalogue.distributions import distributions, leftovers, module_place
from triage.probing.catalogue.looks import look
from triage.probing.catalogue.package_facts import MODULES, Installed, package_facts
from triage.probing.catalogue.python_environment import PythonEnvironment, find_environment
from triage.probing.catalogue.target_process import outside
from triage.probing.probe import Probe, Read, Target, Transcript, by_label
from triage.records import dataclass

LABEL = "installed packages"
_MAX_PACKAGES = 5000
_DISTRIBUTION = re.compile(r"package (\S+) (\S+) (/.*) RECORD=(yes|no) INSTALLER=(\S+)( linked)?")
_PYTHON = re.compile(r"python (3\.[\d.]{1,12}) (\S+) prefix=(/.*)")
_TORCH = re.compile(r"torch-version-file version=(\S+) cuda=(\S+) hip=(\S+) (/.*)")
_VARIABLE = re.compile(r"^(__version__|cuda|hip)(?:\s*:[^=\n]{0,60})?\s*=\s*['\"]([^'\"\n]{1,80})['\"]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Header:
    """What the transcript says about the interpreter."""

    version: str
    machine: str
    prefix: str
    marks: Mapping[str, str]


def header_lines(environment: PythonEnvironment) -> Iterator[str]:
    """The interpreter, how it was found, and its marks; the first lines of every transcript about an environment."""
    yield f"python {environment.version} {environment.machine} prefix={environment.prefix}"
    yield f"chosen {environment.chosen}"
    if environment.is_guess and not environment.holds_server():
        yield "no-server neither sglang nor torch is here"
    if environment.is_virtual:
        yield f"virtual {environment.base}"
    if environment.is_conda:
        yield "conda yes"
    if environment.uv:
        yield f"uv {environment.uv}"
    if environment.is_managed:
        yield "externally-managed yes"


def read_header(text: str) -> Header:
    """What ``header_lines`` wrote.

    Raises:
        ValueError: the text does not begin with an interpreter.
    """
    first, *rest = text.split("\n")[:8] or [""]
    found = _PYTHON.fullmatch(first)
    if found is None:
        raise ValueError("the transcript names no interpreter")
    marks = dict(line.partition(" ")[::2] for line in rest if line.partition(" ")[2])
    return Header(found[1].strip("."), found[2], found[3], marks)


def describe(target: Target) -> str:
    """The text of the transcript."""
    environment = find_environment(target)
    lines = [*header_lines(environment)]
    for folder in environment.folders:
        shown = outside(environment.root, folder.path)
        mark = " linked" if folder.is_linked else ""
        lines.append(f"folder {shown}{mark}")
        for item in distributions(folder.path):
            record = "yes" if item.has_record else "no"
            lines.append(f"package {item.name} {item.version} {shown} RECORD={record} INSTALLER={item.installer}{mark}")
        lines += [f"leftover {name} {shown}" for name in leftovers(folder.path)]
        lines += [f"module {name} {shown}" for name in MODULES.values() if module_place(folder.path, name)]
        lines += _torch_version(folder.path, shown)
    return "\n".join(lines)


def _torch_version(folder: Path, shown: Path) -> Iterator[str]:
    # The metadata of torch's own wheels leaves out what they were built for; this file says it.
    try:
        with open(folder / "torch" / "version.py", encoding="utf-8", errors="replace") as stream:
            stated = dict(_VARIABLE.findall(stream.read(20_000)))
    except OSError:
        return
    words = (stated.get(name, "none").replace(" ", "_") for name in ("__version__", "cuda", "hip"))
    yield "torch-version-file version={} cuda={} hip={} {}".format(*words, shown)


def parse(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    """Facts about the interpreter; about packages only where somebody named the environment or the server lies in it."""
    transcript = by_label(transcripts, LABEL)
    if transcript is None:
        raise ValueError("no listing of packages")
    header = read_header(transcript.text)
    yield "python.version", header.version
    yield "python.machine", header.machine
    yield "python.prefix", header.prefix
    yield "python.externally_managed", "externally-managed" in header.marks
    yield "python.virtual_environment", "virtual" in header.marks
    yield "python.conda", "conda" in header.marks
    yield "python.uv_made", "uv" in header.marks
    if "no-server" not in header.marks:
        yield from package_facts(*_listing(transcript.text))
    if "uv" in header.marks:
        yield "uv.version", header.marks["uv"]


def _listing(text: str) -> tuple[Mapping[str, Sequence[Installed]], frozenset[str], Sequence[str], Sequence[str]]:
    """Packages by normalised name, modules, leftovers, and (version, cuda, hip) of the first torch on the path."""
    packages: dict[str, list[Installed]] = defaultdict(list)
    modules: set[str] = set()
    rests: list[str] = []
    torch: Sequence[str] = ()
    for line in text.split("\n")[:_MAX_PACKAGES]:
        if found := _DISTRIBUTION.fullmatch(line):
            here = packages[normalised(found[1])]
            # The sources of a package that is installed for editing carry its metadata a second time.
            if not (found[6] and here):
                here.append(Installed(found[2], found[3], found[4] == "yes", found[5]))
        elif line.startswith("module "):
            modules.add(line.split(" ")[1])
        elif line.startswith("leftover "):
            rests.append(line.split(" ")[1])
        elif not torch and (stated := _TORCH.fullmatch(line)):
            torch = stated.groups()[:3]
    return packages, frozenset(modules), rests, torch


def _reads(target: Target) -> Sequence[Read]:
    return (look(LABEL, lambda: describe(target)),)


PROBES = (
    Probe("python-packages", "Packages of the server's Python, and the build of torch", _reads, parse, cost_s=0.4),
)
