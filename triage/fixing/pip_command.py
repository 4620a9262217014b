"""The command that installs or removes packages for the interpreter that runs the server, whatever installs packages there."""

from __future__ import annotations

from collections.abc import Sequence

from triage.fixing.surroundings import Surroundings
from triage.playbook import Missing

COMMANDS = frozenset(("install", "uninstall", "show", "list", "freeze", "check", "download"))
_CHANGING = ("install", "uninstall")
_OF_UV = frozenset(("install", "uninstall", "show", "list", "freeze", "check"))
_QUIET = ("--no-input", "--disable-pip-version-check")
_SAME_IN_UV = frozenset(
    (
        "--no-deps", "--upgrade", "-U", "--no-build-isolation", "--index-url", "-i", "--extra-index-url", "--find-links", "-f",
        "--requirement", "-r", "--constraint", "-c", "--editable", "-e", "--no-index", "--only-binary", "--no-binary", "--format",
        "--files", "-q", "--quiet", "-v", "--verbose", "--target", "-t", "--prefix", "--dry-run", "--reinstall",
    )
)  # fmt: skip
_IN_UV: dict[str, tuple[str, ...]] = {
    "--force-reinstall": ("--reinstall",),
    "--ignore-installed": ("--reinstall",),
    "-I": ("--reinstall",),
    "--no-cache-dir": ("--no-cache",),
    "--pre": ("--prerelease=allow",),
    # uv asks nothing.
    "-y": (),
    "--yes": (),
    "--no-input": (),
    "--disable-pip-version-check": (),
}


def pip_argv(
    arguments: Sequence[str], surroundings: Surroundings, *, dry_run: bool = False
) -> tuple[str, ...] | Missing:
    """The argv for pip's ``arguments`` (``install --no-deps x==1``); ``dry_run``: the form that says what would be installed.

    Missing, with the reason, where that cannot be done from here.
    """
    reason = _hindrance(arguments, surroundings, dry_run=dry_run)
    if reason:
        return Missing(reason)
    command, rest = arguments[0], tuple(arguments[1:])
    extra = ("--dry-run",) if dry_run else ()
    if surroundings.externally_managed and not surroundings.is_venv and command in _CHANGING:
        # The distribution forbids it for all its Python; nothing else runs the server, so nothing else can be changed.
        extra = (*extra, *(() if "--break-system-packages" in rest else ("--break-system-packages",)))
    if not surroundings.has_pip:
        return _uv_argv(command, (*extra, *rest), surroundings)
    if command == "uninstall" and not {"-y", "--yes"} & set(rest):
        extra = (*extra, "--yes")
    return (str(surroundings.python), "-m", "pip", *_QUIET, command, *extra, *rest)


def pip_notes(surroundings: Surroundings) -> tuple[str, ...]:
    """What the operator should know before packages change there."""
    notes: list[str] = []
    if surroundings.is_conda:
        notes.append("a conda environment: conda does not notice what pip changes, and may change it back")
    if surroundings.externally_managed and not surroundings.is_venv:
        notes.append("this Python is the distribution's own: what is changed, other programs of the system get as well")
    if surroundings.in_container:
        notes.append("in a container: what is changed is gone with it, so put it into the image too")
    return tuple(notes)


def _hindrance(arguments: Sequence[str], surroundings: Surroundings, *, dry_run: bool) -> str:
    command = arguments[0] if arguments else ""
    typed = " ".join(arguments)
    if command not in COMMANDS:
        return f"pip {command or 'without a command'} is none that a playbook may use"
    if surroundings.is_elsewhere:
        engine = surroundings.container_runtime
        tool = (
            f"{engine} exec {surroundings.container_name}" if engine in ("docker", "podman") else "kubectl exec POD --"
        )
        return (
            f"the server runs in a container: run it there ({tool} {surroundings.python or 'python3'} -m pip {typed})"
        )
    if surroundings.python is None:
        return "which interpreter runs the server is not known: name it with --python"
    if "--user" in arguments and surroundings.is_venv:
        return "a virtual environment has no packages of the user"
    if dry_run and command != "install":
        return f"pip {command} has no preview"
    return ""


def _uv_argv(command: str, arguments: Sequence[str], surroundings: Surroundings) -> tuple[str, ...] | Missing:
    python = surroundings.python
    if surroundings.uv is None:
        tool = "uv, which made this environment, is not found" if surroundings.made_by_uv else "uv is not found either"
        return Missing(f"{python} has no pip, and {tool}: '{python} -m ensurepip --upgrade' gives it pip")
    if command not in _OF_UV:
        return Missing(f"{python} has no pip, and uv pip has no {command}")
    found: list[str] = []
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not argument.startswith("-") or name in _SAME_IN_UV or argument == "--break-system-packages":
            found.append(argument)
        elif name in _IN_UV and not equals:
            found += _IN_UV[name]
        else:
            return Missing(f"{python} has no pip, and uv pip {command} has no {name}{equals and f' {value}'}")
    return (str(surroundings.uv), "pip", command, "--python", str(python), *found)
