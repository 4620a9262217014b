"""Rule packs on disk: the bundled one (in a checkout or in the wheel) and those named with ``--kb``."""

# Every start looks at hundreds of files, and pathlib takes milliseconds to load.
# ruff: noqa: PTH112, PTH113, PTH118, PTH120
from __future__ import annotations

import os

from triage.knowledge.errors import Problems
from triage.model import Location
from triage.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from triage.private_cache import StrPath

MAX_FILES = 20_000
MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PackFile:
    """One YAML file of a pack: ``path`` as shown to people, its area (folder below the pack's root), its bytes."""

    path: str
    area: str
    content: bytes


def bundled_directory(kind: str) -> str:
    """Where the shipped ``signatures`` or ``playbooks`` lie: inside the wheel, or at the top of a source checkout.

    Raises:
        FileNotFoundError: the installation lacks them.
    """
    package = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    for candidate in (os.path.join(package, "_data", kind), os.path.join(os.path.dirname(package), kind)):
        if os.path.isdir(candidate):
            return candidate
    raise FileNotFoundError(f"the bundled {kind} are missing from this installation ({package})")


def read_pack(root: StrPath, problems: Problems) -> list[PackFile]:
    """Every ``*.yaml`` below ``root`` (a pack's top or its ``signatures`` folder), sorted by path.

    Links that lead out of the pack and files above MAX_BYTES are refused.
    """
    top = _top(root)
    found: list[PackFile] = []
    if not _is_inside(top, root):
        problems.add(Location(top), "leads out of its pack")
        return found
    for path, area, is_link in yaml_files(root):
        if is_link and not _is_inside(path, root):
            problems.add(Location(path), "leads out of its pack")
            continue
        if not os.path.isfile(path):
            continue
        if len(found) >= MAX_FILES:
            problems.add(Location(top), f"more than {MAX_FILES} files; the rest is left out")
            break
        with open(path, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            problems.add(Location(path), f"file is larger than {MAX_BYTES} bytes")
            continue
        found.append(PackFile(path, area, content))
    return found


def yaml_files(root: StrPath) -> list[tuple[str, str, bool]]:
    """(path, area, is it a link) of every YAML file of the pack ``root``, sorted by path; linked folders are not entered.

    Raises:
        OSError: a folder cannot be read.
    """
    found: list[tuple[str, str, bool]] = []
    folders = [(_top(root), "")]
    while folders:
        folder, area = folders.pop()
        front = "" if folder == os.curdir else f"{folder.rstrip('/')}/"
        with os.scandir(folder) as entries:
            for entry in entries:
                path = front + entry.name
                if entry.is_dir(follow_symlinks=False):
                    # A pack may hold playbooks beside its signatures, which are files of another kind.
                    if area or entry.name != "playbooks":
                        folders.append((path, area or entry.name))
                elif entry.name.endswith(".yaml"):
                    found.append((path, area, entry.is_symlink()))
    return sorted(found, key=lambda item: item[0].split("/"))


def read_packs(roots: Sequence[StrPath], problems: Problems) -> list[PackFile]:
    """The files of several packs in order."""
    return [item for root in roots for item in read_pack(root, problems)]


def check_pack(root: StrPath, problems: Problems) -> None:
    """Report what an author meant to be read and is not: files of another ending, and a folder without any signature."""
    from pathlib import Path

    top = Path(_top(root))
    for path in sorted(top.rglob("*.yml")):
        problems.add(Location(str(path)), f"is not read: name it {path.stem}.yaml")
    if next(top.rglob("*.yaml"), None) is None:
        problems.add(Location(str(top)), "holds no signature: no file ends in .yaml")


def _top(root: StrPath) -> str:
    folder = os.fspath(root)
    signatures = "signatures" if folder == os.curdir else os.path.join(folder, "signatures")
    return signatures if os.path.isdir(signatures) else folder


def _is_inside(path: str, root: StrPath) -> bool:
    # Path.resolve() raises on a link in a circle, and not the same error in all versions of Python.
    inside = os.path.realpath(root)
    return os.path.commonpath([os.path.realpath(path), inside]) == inside


def content_hash(files: Sequence[PackFile], *salt: str) -> str:
    """SHA-256 over the files' areas and bytes and whatever else decides the compiled form."""
    # Late: a warm start compares sizes and times instead (stamp.py), and OpenSSL takes milliseconds to load.
    import hashlib

    digest = hashlib.sha256("\0".join(salt).encode())
    for item in files:
        digest.update(f"\0{item.path}\0{item.area}\0{len(item.content)}\0".encode("utf-8", "surrogateescape"))
        digest.update(item.content)
    return digest.hexdigest()
