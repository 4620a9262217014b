"""``sgltriage kb new``: the start of a signature."""

from __future__ import annotations

import re
from pathlib import Path

from triage.cli.argument_types import folder_to_write
from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.errors import UsageError
from triage.cli.exit_codes import ExitCode
from triage.cli.kb.say import say


def add_arguments(parser: ArgumentParser) -> None:
    """``AREA/ID DIR``"""
    parser.description = "Start a signature: writes DIR/AREA/ID.yaml with every field explained, for you to fill in."
    parser.add_argument("identifier", metavar="AREA/ID")
    parser.add_argument("directory", metavar="DIR", type=folder_to_write)


def run(arguments: Namespace) -> int:
    """Write the file and print its path."""
    from triage.knowledge.signature_schema import ID_FORM
    from triage.knowledge.template import signature_template

    identifier: str = arguments.identifier
    directory: Path = arguments.directory
    if not re.fullmatch(f"{ID_FORM}/{ID_FORM}", identifier):
        raise UsageError(
            f"'{identifier}' is not AREA/ID, each of small letters, digits and hyphens, such as memory/gpu-oom-runtime"
        )
    area, _, name = identifier.partition("/")
    path = directory / area / f"{name}.yaml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(signature_template(name))
    except OSError as error:
        # A FileExistsError of mkdir is about a file that stands where the folder should be.
        exists = isinstance(error, FileExistsError) and path.parent.is_dir()
        raise UsageError(f"{path} exists already" if exists else f"{path}: {error.strerror}") from error
    say(str(path))
    return ExitCode.CLEAN
