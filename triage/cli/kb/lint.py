"""``sgltriage kb lint``: what is wrong in packs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from triage.cli.argument_types import existing_folder
from triage.cli.arguments import ArgumentParser, Namespace
from triage.cli.exit_codes import ExitCode
from triage.cli.kb.say import say
from triage.cli.options import load_or_fail
from triage.reporting.words import count

if TYPE_CHECKING:
    from triage.knowledge.base import KnowledgeBase
    from triage.knowledge.compiled import Knowledge
    from triage.knowledge.errors import Problem


def add_arguments(parser: ArgumentParser) -> None:
    """``[DIR]...``"""
    parser.description = """
        Every problem of the bundled signatures and playbooks (or of the packs DIR), as path:line:col: message.

        Signatures that can be read are also held against each other's examples: who claims whose lines.
    """
    parser.add_argument("packs", metavar="DIR", nargs="*", default=[], type=existing_folder)


def run(arguments: Namespace) -> int:
    """Print the problems and how much was looked at."""
    from triage.knowledge.loading import lint_packs
    from triage.knowledge.pack import bundled_directory
    from triage.matching.markers import all_markers

    packs: list[Path] = arguments.packs
    base, problems = lint_packs(packs or [bundled_directory("signatures")], all_markers())
    complaints, playbooks = [str(problem) for problem in problems], 0
    if not complaints:
        # Only signatures that can be read can be held against each other.
        from triage.engine import observe_text
        from triage.knowledge.overlap import overlaps
        from triage.reasoning.claims import claims

        knowledge = load_or_fail(packs)
        found = overlaps(knowledge.base, lambda text: claims(observe_text(text, knowledge), knowledge.base))
        complaints = [str(overlap) for overlap in found]
        playbooks, wrong = _playbooks(packs, knowledge, base)
        complaints += map(str, wrong)
    for complaint in complaints:
        say(complaint)
    patterns = sum(len(signature.patterns()) for signature in base)
    read = (count(len(base), "signature"), count(patterns, "pattern"), count(playbooks, "playbook"))
    say(f"{', '.join(read)}, {count(len(complaints), 'problem')}")
    return ExitCode.USAGE if complaints else ExitCode.CLEAN


def _playbooks(packs: Sequence[Path], knowledge: Knowledge, read: KnowledgeBase) -> tuple[int, Sequence[Problem]]:
    """How many playbooks the packs hold (none named: the bundled ones), and what is wrong with them. ``read``: the
    signatures as they were read just now, since those of a cache have no places."""
    from triage.fixing.lint import check_playbooks, check_references
    from triage.knowledge.errors import Problems
    from triage.knowledge.pack import read_packs
    from triage.knowledge.playbooks import decode_playbooks, playbook_roots
    from triage.probing.catalogue import all_probes

    problems = Problems(collect=True)
    roots = playbook_roots(packs)
    own = roots[1:] if packs else roots
    files = list(decode_playbooks(read_packs(own, problems), problems))
    check_playbooks(files, knowledge.base, [probe.name for probe in all_probes()], problems)
    if not packs:
        check_references([item.playbook for item in files], read, problems)
    return len(files), sorted(problems.found, key=lambda item: (item.location.path, item.location.line))
