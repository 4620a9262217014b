"""A launch command in, a report and a corrected command out: the whole of preflight but for looking at the host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from triage.knowledge.base import KnowledgeBase
from triage.model import Fact, Hit, Input, Observation, Phase, Place, ProbeResult, Report, Value
from triage.preflight.command import PlannedCommand, parse_command
from triage.preflight.corrections import Correction, correct
from triage.preflight.derived import derive, plans
from triage.preflight.plan import Derived, Plan
from triage.preflight.shell_words import Word, shell_words
from triage.reasoning.diagnose import diagnose
from triage.records import dataclass

SOURCE = "command"
"""What the command is called where a log would have its path."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with a command, and how it should read."""

    report: Report
    correction: Correction


def check(
    words: Sequence[str],
    base: KnowledgeBase,
    host: Sequence[Fact] = (),
    probes: Sequence[ProbeResult] = (),
    flags: frozenset[str] = frozenset(),
    version: str = "",
) -> Checked:
    """Check the command ``words`` against the facts of ``host`` (and of the model). ``flags``: the options that the
    installed release takes, if its sources were read; ``version``: that of this tool."""
    known: dict[str, Value] = {fact.name: fact.value for fact in host}
    planned = plans(parse_command(words), known, flags)
    found = [(plan, item) for plan in planned for item in derive(plan)]
    faults = [(plan, item) for plan, item in found if item.is_fault]
    positions = _positions(words, [plan.command for plan in planned])
    facts = [*_stated(planned, positions), *_derived([item for _, item in found], positions), *host]
    observation = Observation(
        inputs=(
            Input(SOURCE, sum(len(word.encode()) + 1 for word in words), max(positions.values(), default=len(words))),
        ),
        facts=tuple(facts),
        planned=tuple(_planned([item for _, item in faults], positions)),
    )
    report = diagnose(observation, base, [*_not_checked([item for _, item in found]), *probes], version=version)
    return Checked(report, correct(words, faults))


def _positions(words: Sequence[str], commands: Sequence[PlannedCommand]) -> dict[Word, int]:
    """The 1-based position of every word; the words of a script count one by one."""
    scripts = {word.index for command in commands for word in command.program if word.span is not None}
    found: dict[Word, int] = {}
    for index, text in enumerate(words):
        inner = list(shell_words(text, index)) if index in scripts else []
        for word in (*inner, *(() if inner else (Word(text, index),))):
            found[word] = len(found) + 1
    return found


def _stated(planned: Sequence[Plan], positions: dict[Word, int]) -> Iterator[Fact]:
    """What the commands say themselves; of several the first that says it."""
    seen: set[str] = set()
    for plan in planned:
        for name, value in plan.stated.items():
            if name not in seen:
                seen.add(name)
                yield Fact(name, value, _origin(plan.words(name), positions), SOURCE)


def _derived(found: Sequence[Derived], positions: dict[Word, int]) -> Iterator[Fact]:
    """Good news too, since it may contradict; of several commands the worse news."""
    worst: dict[str, Derived] = {}
    for item in found:
        if not item.needs and (item.name not in worst or not worst[item.name].value):
            worst[item.name] = item
    for item in worst.values():
        yield Fact(item.name, item.value, _origin(item.words, positions), SOURCE)


def _origin(words: Sequence[Word], positions: dict[Word, int]) -> str:
    return f"{SOURCE}:{positions[words[0]]}" if words and words[0] in positions else SOURCE


def _planned(faults: Sequence[Derived], positions: dict[Word, int]) -> Iterator[tuple[str, Hit]]:
    taken: set[int] = set()
    for item in faults:
        places = [positions[word] for word in item.words if word in positions] or [1]
        # Causes that rest on one line exclude each other, but several things may be wrong with one option: as far as there
        # are words enough each fault is shown at one of its own.
        place = next((number for number in places if number not in taken), places[0])
        taken.add(place)
        text = item.said or " ".join(word.text for word in item.words)
        text = f"{text}: {item.why}" if item.why else text
        yield item.name, Hit("", Place(SOURCE, place, 0), text, block=place, phase=Phase.UNKNOWN)


def _not_checked(found: Sequence[Derived]) -> Iterator[ProbeResult]:
    """The rules that could not be decided, each with what it would need."""
    for name, needs in {item.name: item.needs for item in found if item.needs}.items():
        yield ProbeResult(name, "unavailable", f"not known: {', '.join(needs)}")
