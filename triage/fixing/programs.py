"""Which program a step may start: found on a fixed path, trusted where we are root, never a shell nor anything that hides one."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from triage.playbook import Missing

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/cuda/bin:/usr/local/nvidia/bin:/opt/rocm/bin"
"""Where programs are looked for, whatever PATH says: the same set in which probes look."""

# fmt: off
_SHELLS = frozenset({
    "ash", "bash", "busybox", "csh", "dash", "elvish", "fish", "ksh", "mksh", "nu", "posh", "pwsh", "rbash", "rc", "sh",
    "tcsh", "toybox", "xonsh", "yash", "zsh",
})
_BUILT_IN = frozenset({".", "builtin", "command", "eval", "exec", "source"})
# What these start is found by themselves, on their own path, and is not the program that was shown and trusted.
_LAUNCHERS = frozenset({
    "at", "batch", "capsh", "chpst", "chroot", "chrt", "crontab", "dbus-run-session", "doas", "env", "expect", "fakeroot",
    "firejail", "flock", "gdb", "ionice", "ltrace", "make", "nice", "nohup", "nsenter", "numactl", "parallel", "pkexec",
    "prlimit", "proot", "rlwrap", "rsh", "run-parts", "runcon", "runuser", "screen", "script", "setarch", "setpriv", "setsid",
    "sg", "ssh", "start-stop-daemon", "stdbuf", "strace", "su", "sudo", "systemd-run", "taskset", "time", "timeout", "tini",
    "tmux", "unbuffer", "unshare", "watch", "xargs",
})
# Unless this comes first: then they only show or change what runs already.
_STARTS_NOTHING: Mapping[str, tuple[str, ...]] = {
    "chrt": ("-p", "--pid"), "crontab": ("-l",), "ionice": ("-p", "--pid"), "numactl": ("-H", "--hardware", "-s", "--show"),
    "prlimit": ("-p", "--pid"), "taskset": ("-p", "--pid"),
}
_LANGUAGES = frozenset({
    "awk", "ed", "emacs", "ex", "gawk", "groovy", "guile", "irb", "jshell", "julia", "lua", "luajit", "mawk", "nawk", "node",
    "nodejs", "ocaml", "perl", "php", "r", "rscript", "ruby", "sed", "sqlite", "tclsh", "vi", "view", "vim", "wish",
})
_PYTHONS = frozenset({"ipython", "pypy", "python"})
_BY_NAME = frozenset({"kill", "killall", "pkill", "skill", "slay", "snice", "xkill"})
_RUNS_MORE: Mapping[str, tuple[str, ...]] = {
    "find": ("-exec", "-execdir", "-ok", "-okdir"),
    "git": ("-c", "--config-env", "--exec-path", "--upload-pack", "--receive-pack"),
    "ip": ("exec",),
    "rsync": ("-e", "--rsh"),
    "tar": ("-F", "-I", "--checkpoint-action", "--info-script", "--new-volume-script", "--rsh-command", "--to-command",
            "--use-compress-program"),
    "tcpdump": ("-z",),
}
# fmt: on
_LOADER = re.compile(r"ld(-linux|-musl|64)?[\w.-]*\.so[\d.]*")
_RELEASE = re.compile(r"-?\d[\d.]*[dtw]?$")
_PLACEHOLDER = re.compile(r"\{[a-z_][a-z0-9_.]*\}")
_KILL_FLAG = re.compile(r"-[A-Za-z]*k|--kill")
_CODE_FLAG = re.compile(r"-[A-Za-z]*c")
_MAX_LINKS = 40


def resolve(name: str, *, allowed: frozenset[Path] = frozenset(), search_path: str = SEARCH_PATH) -> Path | Missing:
    """The absolute path of a program: a plain name on ``search_path``, or one of the absolute paths in ``allowed``.

    Links are not followed, since what a program does may depend on the name that it is called by. As root the program that
    is found first must be one that only root can change (those of ``allowed`` are the caller's word); if it is not, no other
    is taken in its stead: who put it there meant it to be found.
    """
    if not name or not name.isprintable() or name.startswith("-"):
        return Missing("the command has no program")
    if "/" in name:
        return _allowed(Path(name), allowed)
    for folder in search_path.split(":"):
        path = Path(folder, name)
        if os.path.isabs(folder) and _can_run(path):  # noqa: PTH117  (an empty entry would be the current folder)
            reason = untrusted(path) if os.geteuid() == 0 else None
            return Missing(reason) if reason else path
    return Missing(f"no program {name} in {search_path}")


def resolve_argv(argv: Sequence[str], *, allowed: frozenset[Path] = frozenset()) -> tuple[str, ...] | Missing:
    """The command with its program as an absolute path, once it is neither refused nor missing."""
    refused = refused_argv(argv, allowed=allowed)
    if refused is not None:
        return Missing(refused)
    program = resolve(argv[0], allowed=allowed)
    return program if isinstance(program, Missing) else (str(program), *argv[1:])


def _allowed(path: Path, allowed: frozenset[Path]) -> Path | Missing:
    if path not in allowed or not path.is_absolute():
        return Missing(f"{path} is not called by its plain name, and is no program of the server's environment")
    return path if _can_run(path) else Missing(f"{path} is not there, or may not be run")


def _can_run(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def untrusted(path: Path, owners: frozenset[int] = frozenset({0})) -> str | None:
    """Why somebody besides ``owners`` (user ids) could change what ``path`` is, by any file, folder or link on the way to it;
    None if nobody could. Writing is left to the group of root alone."""
    try:
        for place, info in places(path):
            if info.st_uid not in owners:
                return f"{path} is not trusted: {place} belongs to user {info.st_uid}"
            by_group = info.st_mode & 0o020 and info.st_gid != 0
            if not stat.S_ISLNK(info.st_mode) and (by_group or info.st_mode & 0o002):
                return f"{path} is not trusted: others may write to {place}"
    except OSError as error:
        return f"{path} cannot be looked at: {error.strerror}"
    return None


def places(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything that the kernel passes on its way to an absolute path, links themselves and what they lead to.

    Raises:
        OSError: something on the way is missing or may not be looked at.
    """
    here, left, links = Path("/"), list(path.parts[1:]), 0
    yield here, here.lstat()
    while left:
        part = left.pop(0)
        if part == "..":
            here = here.parent
            continue
        place = here / part
        info = place.lstat()
        yield place, info
        if not stat.S_ISLNK(info.st_mode):
            here = place
            continue
        links += 1
        if links > _MAX_LINKS:
            raise OSError(errno.ELOOP, f"too many links at {place}")
        target = Path(os.readlink(place))  # noqa: PTH115  (Path.readlink is the same, one allocation more)
        here = Path("/") if target.is_absolute() else here
        left = [*target.parts[1 if target.is_absolute() else 0 :], *left]


def refused_argv(argv: Sequence[str], *, allowed: frozenset[Path] = frozenset()) -> str | None:
    """Why a command is never run, whatever its program is found to be; None if nothing speaks against it.

    ``argv`` is the command as its playbook says it, with or without values in place of ``{parameter}``. A placeholder as
    program, and the paths in ``allowed``, stand for an interpreter that the caller vouches for: it may be given code with
    ``-c``, but none into which a value was put.
    """
    if not argv or not argv[0]:
        return "the command is empty"
    if any("\0" in element for element in argv):
        return "the command holds a NUL byte"
    program = argv[0]
    vouched = _PLACEHOLDER.fullmatch(program) is not None or Path(program) in allowed
    if "/" in program and not vouched:
        return f"{program}: programs are called by their plain names"
    return _refused_program(_plain(program), argv[1:], vouched=vouched) or _refused_later(argv)


def _refused_program(name: str, arguments: Sequence[str], *, vouched: bool) -> str | None:
    if name in _SHELLS or name in _BUILT_IN:
        return f"{name}: no step runs a shell"
    launches = name in _LAUNCHERS and not (
        arguments and arguments[0].partition("=")[0] in _STARTS_NOTHING.get(name, ())
    )
    if launches or _LOADER.fullmatch(name):
        return f"{name} starts another program in its own way: name that program itself"
    if name in _LANGUAGES:
        return f"{name} runs code that is given to it"
    if name in _BY_NAME or (name == "fuser" and any(_KILL_FLAG.match(item) for item in arguments)):
        return f"{name}: processes are ended by a step of that kind, which makes sure that it is still the same process"
    if name in _PYTHONS or vouched:
        return _refused_code(name, arguments, vouched=vouched)
    for option in _RUNS_MORE.get(name, ()):
        if any(item == option or item.startswith(f"{option}=") for item in arguments):
            return f"{name} {option} starts another program"
    return None


def _refused_code(name: str, arguments: Sequence[str], *, vouched: bool) -> str | None:
    """Python's options end at the first argument that is none; behind ``-m`` and a script all belongs to those."""
    if not arguments and not vouched:
        return f"{name} without a script reads code from its input"
    for at, argument in enumerate(arguments):
        if argument == "-" and not vouched:
            return f"{name} - reads code from its input"
        if not argument.startswith("-") or argument.startswith("-m"):
            return None
        if _CODE_FLAG.match(argument):
            code = "".join(arguments[at : at + 2])
            if not vouched:
                return f"{name} -c runs code that is given to it"
            return "a value stands in code: hand it over as an argument" if _PLACEHOLDER.search(code) else None
    return None


def _refused_later(argv: Sequence[str]) -> str | None:
    """A shell that another program is to start: ``docker exec NAME sh -c ...``, ``docker run --entrypoint=sh IMAGE -c ...``."""
    for at, element in enumerate(argv[1:], 2):
        name = _plain(element.rpartition("=")[2])
        # Python's own -c would have to follow at once; that of a shell may stand behind the name of an image.
        following = argv[at:] if name in _SHELLS else argv[at : at + 1] if name in _PYTHONS else ()
        if any(_CODE_FLAG.match(item) for item in following):
            return f"{name} -c: no step hands code to a shell or an interpreter"
    return None


def _plain(element: str) -> str:
    """``/usr/bin/Python3.11`` as ``python``."""
    name = element.rpartition("/")[2].lower()
    return _RELEASE.sub("", name) or name
