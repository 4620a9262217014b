"""A planned command beside what is known of host and model: what the rules read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from packaging.version import InvalidVersion, Version

from triage.model import Value
from triage.preflight.command import PlannedCommand
from triage.preflight.container_run import Container
from triage.preflight.facts import command_facts
from triage.preflight.shell_words import Word
from triage.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Derived:
    """What a rule found: a fact ``launch.*`` with the words that it rests on, or, with ``needs``, the facts that it lacks.

    A ``value`` of 0, False or '' is good news. ``said`` replaces the words in the evidence; ``why`` says in a few words
    what is wrong, for the correction.
    """

    name: str
    value: Value = None
    words: tuple[Word, ...] = ()
    said: str = ""
    why: str = ""
    needs: tuple[str, ...] = ()

    @property
    def is_fault(self) -> bool:
        """Does it speak of a fault?"""
        return not self.needs and bool(self.value)


@dataclass(frozen=True, slots=True)
class Plan:
    """``known``: facts of host and model by name. ``others``: further commands that are started together with this one.
    ``flags``: the options that the installed release takes, empty if its sources are not there."""

    command: PlannedCommand
    known: Mapping[str, Value]
    others: tuple[PlannedCommand, ...] = ()
    flags: frozenset[str] = frozenset()
    stated: Mapping[str, Value] = field(default_factory=dict)

    def get(self, name: str) -> Value:
        """A fact as the command states it, else as it is known of host and model; None if neither tells."""
        if name in self.stated:
            return self.stated[name]
        if not _reaches(name, self.command.container):
            return None
        return self.known.get(name)

    def number(self, name: str, default: float | None = None) -> float | None:
        """A fact that is a number; ``default`` where nothing is stated, None where it is no number."""
        value = self.get(name)
        if value is None:
            return default
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    def whole(self, name: str, default: int | None = None) -> int | None:
        """A fact that is a whole number; ``default`` where nothing is stated, None where it is none."""
        value = self.number(name, default)
        return int(value) if value is not None and value == int(value) else None

    def text(self, name: str) -> str:
        """A fact as text, '' where it is not known."""
        value = self.get(name)
        return "" if value is None else str(value)

    def texts(self, name: str) -> tuple[str, ...] | None:
        """A fact that is a list, as texts; None where it is not known."""
        value = self.get(name)
        if value is None:
            return None
        return tuple(map(str, value)) if isinstance(value, tuple) else (str(value),)

    def older_than(self, release: str) -> bool:
        """Is sglang known to be older than ``release``?"""
        try:
            version = Version(self.text("sglang.version"))
        except InvalidVersion:
            return False
        # 0.0.0.dev1 was built from a checkout: which release it is near to is not told.
        return any(version.release) and version < Version(release)

    def on(self, name: str) -> bool:
        """Is the option given, and not as false?"""
        return self.get(name) not in (None, False, "", "false", "False", 0)

    def words(self, *names: str) -> tuple[Word, ...]:
        """The words that state these facts, those of the first first; of the program if none does."""
        found = [
            word for name in names for item in command_facts(self.command) if item.name == name for word in item.words
        ]
        return tuple(dict.fromkeys(found)) or self.command.program


Rule = Callable[[Plan], Iterable[Derived]]
"""What follows for one matter. Pure; states nothing where the matter does not arise."""


def plan_for(
    command: PlannedCommand,
    known: Mapping[str, Value],
    others: tuple[PlannedCommand, ...] = (),
    flags: frozenset[str] = frozenset(),
) -> Plan:
    """The plan, its command's own facts read once."""
    return Plan(command, known, others, flags, {item.name: item.value for item in command_facts(command)})


def _reaches(name: str, container: Container | None) -> bool:
    """Does a fact about the host hold inside the container too?"""
    if container is None:
        return True
    area = name.partition(".")[0]
    if area in ("gpu", "driver", "kernel", "rdma", "model", "peermem"):
        return True
    if area == "network" or name == "port.in_use":
        return container.shares_network
    return area == "shm" and container.shares_ipc
