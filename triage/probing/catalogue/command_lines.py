"""What kind of SGLang process a command line starts, and the options in it."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

_SERVER_MODULES = frozenset({"sglang.launch_server", "sglang.srt.entrypoints.http_server"})
_ROUTER_MODULES = frozenset(
    {
        "sglang_router",
        "sglang_router.launch_router",
        "sglang_router.launch_server",
        "sglang_router.mini_lb",
        "sglang.srt.disaggregation.mini_lb",
        "sglang.srt.disaggregation.launch_lb",
    }
)
_ROUTER_PROGRAMS = frozenset({"sglang-router", "smg", "amg", "sgl-model-gateway"})
_ALWAYS_PD = frozenset(
    {"sglang_router.mini_lb", "sglang.srt.disaggregation.mini_lb", "sglang.srt.disaggregation.launch_lb"}
)
"""Load balancers that were written for a prefill and a decode side and know nothing else."""
_WITH_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})
"""Options of the interpreter whose value is the next word."""


def kind_of(command: Sequence[str]) -> str:
    """``server``, ``router``, ``part`` for a child of a server that shows its title, empty for anything else.

    A shell or a tool that only carries such a command in an argument is something else.
    """
    if not command:
        return ""
    if command[0].startswith("sglang::"):
        # A title is one word, then perhaps the rest of what it was written over.
        title = command[0].split()[0].removeprefix("sglang::")
        return title if title in ("server", "router") else "part"
    program, rest = _program(command)
    name = posixpath.basename(program)
    if program in _SERVER_MODULES or (name == "sglang" and rest[:1] == ("serve",)):
        return "server"
    if program in _ROUTER_MODULES or name in _ROUTER_PROGRAMS:
        return "router"
    script = _module_of_script(program)
    return "server" if script in _SERVER_MODULES else "router" if script in _ROUTER_MODULES else ""


def option(command: Sequence[str], *names: str) -> str | None:
    """The value of an option, the last one given, as ``--port 30000`` or ``--port=30000``; ``""`` for a flag; else None."""
    found: str | None = None
    for at, word in enumerate(command):
        name, equals, value = word.partition("=")
        if name in names:
            following = command[at + 1] if at + 1 < len(command) else ""
            found = value if equals else "" if following.startswith("--") else following
    return found


def port_option(command: Sequence[str]) -> int | None:
    """The number behind ``--port``, if there is one."""
    value = option(command, "--port") or ""
    return int(value) if value.isascii() and value.isdigit() and 0 < len(value) <= 5 else None


def is_pd_router(command: Sequence[str]) -> bool:
    """Whether a router's command makes it route to a prefill and a decode side."""
    program, _ = _program(command)
    if program in _ALWAYS_PD or _module_of_script(program) in _ALWAYS_PD:
        return True
    return any(option(command, name) is not None for name in ("--pd-disaggregation", "--mini-lb"))


def _program(command: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The module or script that runs, and its arguments."""
    if not posixpath.basename(command[0]).startswith(("python", "pypy")):
        return command[0], tuple(command[1:])
    words = iter(command[1:])
    for word in words:
        if word in _WITH_VALUE:
            next(words, None)
        elif word.startswith("-m"):
            return (word[2:] or next(words, "")), tuple(words)
        elif word.startswith("-c"):
            break
        elif not word.startswith("-"):
            return word, tuple(words)
    return "", ()


def _module_of_script(path: str) -> str:
    """``sglang.launch_server`` of ``/venv/lib/site-packages/sglang/launch_server.py``."""
    if not path.endswith(".py"):
        return ""
    parts = path.removesuffix(".py").split("/")
    names = (".".join(parts[at:]) for at, part in enumerate(parts) if part in ("sglang", "sglang_router"))
    # Of a checkout called sglang too, the package is the innermost.
    return min(names, key=len, default="")
