"""The host in a walk: what probes said, and asking them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from triage.cli.errors import CommandError
from triage.cli.fix import write
from triage.cli.host_options import load_snapshot
from triage.cli.walk_text import fact_lines, host_lines, probe_facts
from triage.host_view import ask_host, probes_that_matter
from triage.probing.catalogue import all_probes

if TYPE_CHECKING:
    from triage.cli.walk_menu import Walk
    from triage.probing.probe import Probe


def walk_through_host(walk: Walk) -> None:
    """How probes ended; then, if the operator likes, more of them, a snapshot, or single facts."""
    write(host_lines(walk.session, walk.page))
    walk.tell("  1  ask this host what the diagnoses wait for", "  2  read a snapshot of a host")
    walk.tell("  3  show the facts of a probe", "  0  back")
    answer = walk.keyboard.choose("Choose:", ("0", "1", "2", "3"))
    if answer == "3":
        _facts(walk)
    elif walk.session.is_frozen and answer != "0":
        walk.tell("This session was recorded on another machine: it can be read, not changed.")
    elif answer == "1":
        ask_probes(walk, probes_that_matter(walk.session.report, all_probes()))
    elif answer == "2":
        _read_snapshot(walk, walk.keyboard.ask("File of the snapshot:"))


def ask_probes(walk: Walk, probes: Sequence[Probe]) -> None:
    """Ask this host, if that is allowed and agreed to."""
    if walk.bench.read_only:
        walk.tell("Nothing is asked of this host: this walk is read-only.")
        return
    if walk.session.is_elsewhere:
        walk.tell("The host of this session was recorded: this one is not mixed in.")
        return
    write(f"  {walk.page.show(item.name)}: {walk.page.show(item.title)}" for item in probes)
    if not walk.keyboard.agrees("Ask this host now? It changes nothing."):
        return
    bench = walk.bench
    seen = ask_host(walk.session.report, probes, bench.environment, python=bench.python, pid=bench.pid)
    change = walk.session.with_probe(seen)
    names = {item.name for item in probes}
    for result in change.session.report.probes:
        if result.name in names:
            reason = f": {walk.page.show(result.reason)}" if result.reason else ""
            walk.tell(f"  {walk.page.show(result.name)}: {walk.page.show(result.outcome)}{reason}")
    walk.changed(change)


def _facts(walk: Walk) -> None:
    told = probe_facts(walk.session)
    found = walk.keyboard.pick("Facts of which probe?", told, lambda item: walk.page.show(item[0]))
    if found is not None:
        write(fact_lines(found[1], walk.page))
    elif not told:
        walk.tell("No probe has told a fact.")


def _read_snapshot(walk: Walk, name: str) -> None:
    if not name:
        return
    try:
        snapshot = load_snapshot(Path(name))
    except CommandError as error:
        walk.tell(walk.page.show(str(error)))
        return
    walk.changed(walk.session.with_host(snapshot, name))
