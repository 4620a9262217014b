"""``sgltriage kb schema``: the JSON Schema of signature or playbook files."""

from __future__ import annotations

from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.exit_codes import ExitCode
from triage.cli.kb.say import say


def add_arguments(parser: ArgumentParser) -> None:
    """Which files."""
    parser.description = "The JSON Schema of signature files (or of playbooks), for editors."
    parser.add_argument("--playbooks", action="store_true", help="The schema of playbook files.")


def run(arguments: Namespace) -> int:
    """Print the schema."""
    import json

    from triage.knowledge.json_schema import signature_schema
    from triage.knowledge.playbook_schema import playbook_schema

    schema = playbook_schema() if arguments.playbooks else signature_schema()
    for line in json.dumps(schema, indent=2).splitlines():
        say(line)
    return ExitCode.CLEAN
