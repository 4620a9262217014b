"""What a step may start: programs on the fixed path, trusted ones where we are root, and nothing that runs code or hides a program."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.fixing import programs
from triage.fixing.programs import places, refused_argv, resolve, resolve_argv, untrusted
from triage.playbook import Missing

ROOT = os.geteuid() == 0
NOBODY = 65534


def program(folder: Path, name: str = "tool") -> Path:
    """A program that only we may write."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/true\n", encoding="utf-8")
    path.chmod(0o755)
    folder.chmod(0o755)
    return path


def reason_of(found: Path | Missing) -> str:
    """Why there is no program."""
    assert isinstance(found, Missing)
    return found.reason


def test_a_plain_name_is_found_on_the_fixed_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever PATH says, the system's own program is taken, with its absolute path."""
    program(tmp_path, "true")
    monkeypatch.setenv("PATH", f"{tmp_path}:.")
    monkeypatch.chdir(tmp_path)
    found = resolve("true")
    assert isinstance(found, Path)
    assert found.is_absolute()
    assert tmp_path not in found.parents


@pytest.mark.parametrize("name", ["", "-x", "tr\nue", "tr\0ue", "\x1b[2J"])
def test_no_program_at_all(name: str) -> None:
    """An empty name, an option and names with control characters are nobody's."""
    assert "no program" in reason_of(resolve(name))


def test_a_program_that_is_not_there() -> None:
    """The reason names it and the path."""
    assert "no-such-tool-here in /usr/local/sbin:" in reason_of(resolve("no-such-tool-here"))


def test_absolute_names_only_where_the_caller_vouches(tmp_path: Path) -> None:
    """The server's interpreter is taken as it is, its link not followed; any other path is refused, even if it leads there."""
    link = tmp_path / "python"
    link.symlink_to(sys.executable)
    allowed = frozenset({link})
    assert resolve(str(link), allowed=allowed) == link
    assert "plain name" in reason_of(resolve(sys.executable, allowed=allowed))
    assert "plain name" in reason_of(resolve(str(link)))
    assert "plain name" in reason_of(resolve("./python", allowed=frozenset({Path("python")})))
    gone = tmp_path / "gone"
    assert "is not there" in reason_of(resolve(str(gone), allowed=frozenset({gone})))


def test_empty_and_relative_entries_of_a_path_are_not_the_current_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A search path with holes finds nothing there."""
    program(tmp_path / "bin")
    monkeypatch.chdir(tmp_path / "bin")
    assert isinstance(resolve("tool", search_path=":.::"), Missing)


def test_files_that_cannot_be_run_are_passed_over(tmp_path: Path) -> None:
    """A folder or a text of that name is no program; the next folder is asked."""
    (tmp_path / "a" / "true").mkdir(parents=True)
    program(tmp_path / "b", "true").chmod(0o644)
    assert resolve("true", search_path=f"{tmp_path}/a:{tmp_path}/b:/usr/bin") == Path("/usr/bin/true")


@pytest.mark.skipif(not ROOT, reason="files of other users are made by root alone")
class TestAsRoot:
    """Only what root alone can change is run as root."""

    @pytest.fixture(autouse=True)
    def trusted_base(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """The folder above all tests may be written by everybody (/tmp); what is looked at begins below it."""
        real = programs.places
        monkeypatch.setattr(
            programs, "places", lambda path: ((place, info) for place, info in real(path) if tmp_path in place.parents)
        )

    def test_ours_alone_is_trusted(self, tmp_path: Path) -> None:
        """No reason against a program and a folder of root."""
        path = program(tmp_path / "bin")
        assert resolve("tool", search_path=str(path.parent)) == path

    @pytest.mark.parametrize("what", ["file", "folder"])
    @pytest.mark.parametrize("how", ["owner", "all", "group"])
    def test_what_others_can_change_is_refused(self, tmp_path: Path, what: str, how: str) -> None:
        """The program or its folder belongs to a user, or may be written by everybody or by a group: the reason names it."""
        path = program(tmp_path / "bin")
        bad = path if what == "file" else path.parent
        if how == "owner":
            os.chown(bad, NOBODY, 0)
        elif how == "group":
            os.chown(bad, 0, 100)
            bad.chmod(0o775)
        else:
            bad.chmod(0o757)
        reason = reason_of(resolve("tool", search_path=f"{path.parent}:/usr/bin"))
        assert f"{bad} belongs to user {NOBODY}" in reason if how == "owner" else f"write to {bad}" in reason

    def test_no_other_is_taken_in_its_stead(self, tmp_path: Path) -> None:
        """A planted nvidia-smi before the real one is told, not passed over."""
        fake = program(tmp_path / "bin", "true")
        fake.chmod(0o777)
        assert "not trusted" in reason_of(resolve("true", search_path=f"{fake.parent}:/usr/bin"))

    def test_every_link_on_the_way_counts(self, tmp_path: Path) -> None:
        """A link of root that leads through a user's folder to a program of root is not trusted."""
        real = program(tmp_path / "real")
        (tmp_path / "theirs").mkdir()
        (tmp_path / "theirs" / "step").symlink_to(real)
        os.chown(tmp_path / "theirs", NOBODY, 0)
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "tool").symlink_to("../theirs/step")
        assert f"{tmp_path}/theirs belongs" in reason_of(resolve("tool", search_path=f"{tmp_path}/bin"))

    def test_the_vouched_interpreter_may_belong_to_a_user(self, tmp_path: Path) -> None:
        """The server's environment is where it is; the operator was shown it."""
        path = program(tmp_path / "venv", "python")
        os.chown(path, NOBODY, 0)
        assert resolve(str(path), allowed=frozenset({path})) == path


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    """A loop is a reason, not a hang."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="too many links"):
        list(places(tmp_path / "a"))


def test_what_is_missing_is_not_trusted() -> None:
    """What cannot be looked at is no program of ours."""
    assert (
        untrusted(Path("/no-such-folder/tool")) == "/no-such-folder/tool cannot be looked at: No such file or directory"
    )


def test_the_way_to_a_file_ends_where_the_kernel_ends(tmp_path: Path) -> None:
    """Through links, relative and absolute, with dots in them, the last place is the real path."""
    real = program(tmp_path / "real")
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "up").symlink_to("../two")
    (tmp_path / "two").symlink_to(tmp_path / "one" / ".." / "three")
    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "tool").symlink_to(real)
    passed = [place for place, _ in places(tmp_path / "one" / "up" / "tool")]
    assert passed[-1] == real
    assert {tmp_path / "one" / "up", tmp_path / "two", tmp_path / "three" / "tool"} <= set(passed)


REFUSED = [
    ("sh", "-c", "id"),
    ("bash", "-lc", "id"),
    ("bash", "script.sh"),
    ("BASH5.2", "x"),
    ("busybox", "sh"),
    ("eval", "id"),
    (".", "file"),
    ("env", "A=b", "id"),
    ("xargs", "rm"),
    ("sudo", "true"),
    ("nohup", "true"),
    ("timeout", "3", "true"),
    ("ld-linux-x86-64.so.2", "/bin/sh"),
    ("perl", "-e", "1"),
    ("perl5.36", "x.pl"),
    ("awk", "BEGIN{system(1)}"),
    ("sed", "s/a/id/e"),
    ("python3", "-c", "import os"),
    ("python3.11", "-Ic", "import os"),
    ("python", "-"),
    ("python3",),
    ("python3", "-I", "-cimport os"),
    ("find", "/", "-exec", "rm", "{}", ";"),
    ("find", "/", "-execdir", "rm"),
    ("tar", "xf", "a", "--to-command=id"),
    ("rsync", "-e", "ssh", "a", "b"),
    ("git", "-c", "core.pager=id", "log"),
    ("ip", "netns", "exec", "a", "id"),
    ("prlimit", "--nofile=10", "id"),
    ("numactl", "--cpunodebind=0", "id"),
    ("kill", "-9", "17"),
    ("pkill", "sglang"),
    ("killall", "python"),
    ("fuser", "-vk", "30000/tcp"),
    ("docker", "exec", "name", "sh", "-c", "id"),
    ("docker", "run", "--entrypoint=/bin/bash", "image", "-c", "id"),
    ("docker", "run", "--entrypoint", "sh", "image", "-c", "id"),
    ("docker", "exec", "name", "python3", "-c", "import os"),
    ("/usr/bin/true",),
    ("./true",),
    ("../true",),
    ("",),
    (),
    ("true", "a\0b"),
]
RUNNABLE = [
    ("true",),
    ("nvidia-smi", "-q", "-d", "ECC"),
    ("docker", "restart", "name"),
    ("docker", "exec", "name", "cat", "/etc/os-release"),
    ("systemctl", "restart", "sglang.service"),
    ("python3", "-m", "venv", "/tmp/x"),
    ("python3", "-I", "tool.py", "-c", "x"),
    ("{python}", "-m", "pip", "install", "x"),
    ("{python}", "-c", "import torch; print(torch.__version__)"),
    ("{python}", "-c", "import sys; print(sys.argv[1])", "{version}"),
    ("find", "/dev/shm", "-name", "nccl-*"),
    ("prlimit", "--pid", "{pid}", "--memlock=unlimited"),
    ("prlimit", "--pid={pid}", "--memlock=unlimited"),
    ("numactl", "--hardware"),
    ("fuser", "-v", "30000/tcp"),
    ("tar", "xf", "a"),
    ("git", "log"),
    ("ls", "-c", "bash"),
    ("which", "sh"),
]


@pytest.mark.parametrize("argv", REFUSED, ids=" ".join)
def test_what_is_never_run(argv: tuple[str, ...]) -> None:
    """Shells, programs that start others, code on the command line, ending by name, paths: each with a reason."""
    assert refused_argv(argv)
    assert isinstance(resolve_argv(argv), Missing)


@pytest.mark.parametrize("argv", RUNNABLE, ids=" ".join)
def test_what_may_be_run(argv: tuple[str, ...]) -> None:
    """Ordinary commands, and the server's own interpreter even with code."""
    assert refused_argv(argv) is None


def test_an_interpreter_that_is_vouched_for() -> None:
    """By its exact path it may be given code; another interpreter may not."""
    python = Path(sys.executable)
    assert refused_argv((str(python), "-c", "print(1)"), allowed=frozenset({python})) is None
    assert refused_argv((f"{python}x", "-c", "print(1)"), allowed=frozenset({python}))
    assert resolve_argv((str(python), "-c", "1"), allowed=frozenset({python})) == (str(python), "-c", "1")


@pytest.mark.parametrize("argv", [("{python}", "-c", "print('{version}')"), ("{python}", "-Icprint({port})")])
def test_values_never_enter_code(argv: tuple[str, ...]) -> None:
    """A parameter inside of code is refused; it is to be an argument of its own."""
    assert "value stands in code" in (refused_argv(argv) or "")


@given(st.lists(st.text(max_size=20), max_size=6), st.sampled_from(["sh", "dash", "zsh", "fish", "python3"]))
def test_no_arguments_make_a_shell_acceptable(arguments: list[str], shell: str) -> None:
    """Whatever follows, a shell is refused; and code stays refused whatever follows it."""
    assert refused_argv((shell, "-c", *arguments))


@given(st.lists(st.text(max_size=12), max_size=6))
def test_refusing_is_total(argv: list[str]) -> None:
    """Any words give an answer, and what is accepted is a plain name."""
    if refused_argv(argv) is None:
        assert argv[0]
        assert "/" not in argv[0]
