"""Lines of a log in the packages of an environment: the place that prints them, whatever else lies in the folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triage.sources import installed
from triage.sources.installed import PACKAGES, Found, find_messages, find_packages
from triage.sources.message import MessageKind, MessageTemplate
from triage.sources.message_index import Origin
from triage.sources.templates import message_templates

FIND = """
import json, sys
from pathlib import Path
from triage.sources.installed import find_messages
print(json.dumps([found and str(found) for found in find_messages(sys.argv[2:], Path(sys.argv[1]))]))
"""
POOL = '''\
"""The quokka pool is a docstring and was never printed at all."""
import logging
logger = logging.getLogger(__name__)

class Pool:
    def take(self, count):
        # the quokka pool is a comment and was never printed
        if count > self.free:
            raise PoolError(
                f"The quokka pool of rank {self.rank} holds {self.free} pages, "
                f"but the longest request asks for {count}; "
                "lower --quokka-share"
            )
        logger.warning("Quokka pages are lent twice to request %s after %d ms", self.rid, self.ms)
        assert count, "a quokka request without any page: {}".format(self.rid)
        print("quokka pool closed", "for good and all")

HINT = "Quokka pages can be lent by setting QUOKKA_LEND=1"
logger.info("Quokka pages can be lent once the night has come")
'''
LINES = {
    "PoolError: The quokka pool of rank 3 holds 64 pages, but the longest request asks for 128; lower --quokka-share": "10 in take",
    "Quokka pages are lent twice to request 0af3-11 after 250 ms": "14 in take",
    "AssertionError: a quokka request without any page: 0af3-11": "15 in take",
    "quokka pool closed for good and all": "16 in take",
    "Quokka pages can be lent by setting QUOKKA_LEND=1": "18",
    "Quokka pages can be lent once the night has come": "19",
}  # fmt: skip
SECRET = "the secret wombat sleeps outside of the package"
ODD = "an odd wombat sleeps in an odd file"


@pytest.fixture(name="library")
def library_fixture(tmp_path: Path) -> Path:
    """A folder of packages with an sglang in it, which cannot be imported and would tell if it was."""
    touch = f"open({str(tmp_path / 'was-run')!r}, 'w')\nraise SystemExit('sglang was imported')\n"
    write(tmp_path / "library", {"sglang/__init__.py": touch, "sglang/srt/mem/pool.py": POOL})
    return tmp_path / "library"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")


def place(line: str, package: Path) -> str | None:
    """Where the line is printed, as a report shows it."""
    (found,) = find_messages([line], package)
    return None if found is None else str(found)


@pytest.mark.parametrize("line", LINES)
def test_lines_are_found(library: Path, line: str) -> None:
    """Messages with values in them, and split over several lines of source: each leads to where its text begins."""
    assert place(line, library / "sglang") == f"sglang/srt/mem/pool.py:{LINES[line]}"


def test_many_lines_at_once(library: Path) -> None:
    """The answers come in the order of the lines, with None for what the package does not print."""
    lines = [*LINES, "OSError: no wombat is printed anywhere in this package", *LINES]
    places = [f"sglang/srt/mem/pool.py:{place}" for place in LINES.values()]
    found = [None if item is None else str(item) for item in find_messages(lines, library / "sglang")]
    assert found == [*places, None, *places]
    assert find_messages([], library / "sglang") == []


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   ",
        "OutOfQuokkasError",
        "PoolError: 12 / 7",
        "The quokka pool is a docstring and was never printed at all.",
        "the quokka pool is a comment and was never printed",
        "The quokka pool of rank",
        "import logging logger = logging.getLogger(__name__)",
        "quokka " * 2000,
        "The quokka " * 2000,
        "x" * 200_000,
        "\0\udcff\x1b[2J \u2028",
    ],
)
def test_other_lines_are_not(library: Path, line: str) -> None:
    """What is no message, or only has its words in common with one, has no place; and no line is too odd or too long."""
    assert place(line, library / "sglang") is None


def test_nothing_is_imported_or_run(library: Path) -> None:
    """The package is read as text."""
    assert place(next(iter(LINES)), library / "sglang") is not None
    assert not (library.parent / "was-run").exists()
    assert "sglang" not in sys.modules


@pytest.mark.parametrize(
    "broken", ["print 'quokka'\n", "def (:\n", "x = '\0'\n", "x = " + "(" * 500 + "\n", "x = " + "-" * 50_000 + "1\n"]
)
def test_a_file_that_does_not_parse_is_passed_over(library: Path, broken: str) -> None:
    """Of another Python, or broken: it says nothing, and the others are still searched."""
    write(library, {"sglang/a.py": POOL + broken, "sglang/srt/mem/old_pool.py": POOL + broken})
    for line, where in LINES.items():
        assert place(line, library / "sglang") == f"sglang/srt/mem/pool.py:{where}"


def test_files_that_share_its_words_do_not_hide_it(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many files hold some words of the line, the one that holds most of them is read, and few others are."""
    parsed: list[str] = []

    def counting(text: str, path: str) -> tuple[MessageTemplate, ...]:
        parsed.append(path)
        return message_templates(text, path)

    monkeypatch.setattr(installed, "message_templates", counting)
    common = "logger.info('the longest request holds pages, but the pool of rank asks')\n"
    write(library, {f"sglang/{number:03}.py": common for number in range(50)})
    line, where = next(iter(LINES.items()))
    assert place(line, library / "sglang") == f"sglang/srt/mem/pool.py:{where}"
    assert parsed[0] == "sglang/srt/mem/pool.py"
    assert len(parsed) <= 10


def test_of_copies_the_shorter_path(library: Path) -> None:
    """The same message in several files is the server's own before what it carries along."""
    copies = {f"sglang/{name}.py": POOL for name in ("srt/third_party/mem/pool", "pool", "srt/models/deep/pool")}
    write(library, copies)
    line, where = next(iter(LINES.items()))
    assert place(line, library / "sglang") == f"sglang/pool.py:{where}"


def test_what_is_raised_comes_before_what_is_only_kept(library: Path) -> None:
    """A text that is a string in one file and raised in another was raised."""
    text = "'the wombat is asleep until the next release'"
    write(library, {"sglang/a.py": f"TEXT = {text}\n", "sglang/srt/longer/b.py": f"raise ValueError({text})\n"})
    line = "ValueError: the wombat is asleep until the next release"
    assert place(line, library / "sglang") == "sglang/srt/longer/b.py:1"


def test_the_package_s_own_tests_print_nothing(tmp_path: Path) -> None:
    """A message that only a test states is no message of the server's."""
    write(tmp_path, {"sglang/test/pool.py": POOL, "sglang/srt/tests/pool.py": POOL, "sglang/__init__.py": ""})
    assert place(next(iter(LINES)), tmp_path / "sglang") is None


def test_packages_are_found_in_the_order_of_the_folders(tmp_path: Path) -> None:
    """Those that run in a server and no others; of several copies the first; a file or a broken link is no package."""
    write(tmp_path, {"a/vllm/x.py": "", "a/torch/x.py": "", "a/sglang": "", "b/sglang/x.py": "", "b/vllm/x.py": ""})
    (tmp_path / "a" / "nixl").symlink_to("nowhere")
    (tmp_path / "b" / "nixl").symlink_to("sglang")
    folders = [tmp_path / name for name in ("gone", "a", "b")]
    assert find_packages(folders) == [tmp_path / "a" / "vllm", tmp_path / "b" / "sglang", tmp_path / "b" / "nixl"]
    assert find_packages([]) == []


def test_of_one_folder_the_server_comes_first(tmp_path: Path) -> None:
    """Packages of the same folder come in the order of PACKAGES, the server before its libraries."""
    write(tmp_path, {f"{name}/__init__.py": "" for name in reversed(PACKAGES)})
    assert [package.name for package in find_packages([tmp_path])] == list(PACKAGES)
    assert PACKAGES[0] == "sglang"


def test_folders_that_cannot_be_looked_at(tmp_path: Path) -> None:
    """A name that no file can have, and a link to itself: no packages, no error."""
    (tmp_path / "loop").symlink_to("loop")
    write(tmp_path, {"good/sglang/x.py": ""})
    folders = [tmp_path / ("x" * 300), tmp_path / "loop", tmp_path / "good"]
    assert find_packages(folders) == [tmp_path / "good" / "sglang"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root enters where it may not")
def test_folders_that_may_not_be_entered(library: Path) -> None:
    """A locked folder of packages, and a locked folder inside of one, are passed over."""
    locked, inner = library.parent / "locked", library / "sglang" / "inner"
    write(locked, {"vllm/x.py": ""})
    write(inner, {"pool.py": POOL})
    inner.chmod(0)
    for mode in (0, 0o400):
        locked.chmod(mode)
        assert find_packages([locked, library]) == [library / "sglang"]
    assert place(next(iter(LINES)), library / "sglang") is not None
    locked.chmod(0o700)
    inner.chmod(0o700)


def test_a_hostile_tree(library: Path) -> None:
    """Pipes, loops, links out of the package, odd names and odd bytes neither stop the search nor lead it astray."""
    package = library / "sglang"
    write(library, {"outside.py": f"raise ValueError({SECRET!r})\n"})
    os.mkfifo(package / "pipe.py")
    (package / "folder.py").mkdir()
    (package / "loop").symlink_to(package, target_is_directory=True)
    (package / "itself.py").symlink_to("itself.py")
    (package / "link.py").symlink_to(library / "outside.py")
    (package / "device.py").symlink_to("/dev/zero")
    (package / "bytes.py").write_bytes(bytes(range(256)) * 100)
    (package / "long.py").write_text("x = '" + "the longest request " * 300_000, encoding="utf-8")
    (package / "deep.py").write_text("x = " + "[" * 100_000 + "'The quokka pool of rank'", encoding="utf-8")
    odd = os.fsdecode(b"odd \xff\x1b[2J\n.py")
    (package / odd).write_text(f"raise ValueError({ODD!r})\n", encoding="utf-8")
    deep = package.joinpath(*["d" * 100] * 30)
    deep.mkdir(parents=True)
    lines = [*LINES, f"ValueError: {SECRET}", f"ValueError: {ODD}"]
    environment = {**os.environ, "PYTHONPATH": str(Path(installed.__file__).resolve().parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", FIND, str(package), *lines], capture_output=True, check=True, timeout=60, env=environment,
        cwd=library,
    )  # fmt: skip
    *places, secret, strange = json.loads(done.stdout)
    assert places == [f"sglang/srt/mem/pool.py:{place}" for place in LINES.values()]
    assert secret is None
    assert strange == f"sglang/{odd}:1"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=300), st.lists(st.sampled_from(POOL.split()), max_size=40).map(" ".join)))
def test_any_line_is_answered(library: Path, line: str) -> None:
    """No text raises, and what is found is a place of the package."""
    found = place(line, library / "sglang")
    assert found is None or found.startswith("sglang/srt/mem/pool.py:")


def test_what_is_shown() -> None:
    """The place, and in brackets the package with its version, if that is known."""
    origin = Origin("sglang/srt/pool.py", 10, "take", MessageKind.RAISE)
    assert str(Found("sglang", "0.5.1", origin)) == "sglang/srt/pool.py:10 in take (sglang 0.5.1)"
    assert str(Found("sglang", "", origin)) == "sglang/srt/pool.py:10 in take (sglang)"
