"""What a playbook file says. Frozen values only."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from triage.model import FactTest, Location, Value
from triage.records import dataclass, field


class ParameterType(str, Enum):
    """What a value must be before it may enter a command."""

    INT = "int"
    FLOAT = "float"
    SIZE = "size"
    PORT = "port"
    PID = "pid"
    PATH = "path"
    IDENT = "ident"
    MODEL = "model"
    VERSION = "version"
    ENUM = "enum"
    BOOL = "bool"


class StepKind(str, Enum):
    """``check`` only reads; ``change`` and ``restart`` do something; ``manual`` and ``ask`` are for people."""

    CHECK = "check"
    CHANGE = "change"
    RESTART = "restart"
    MANUAL = "manual"
    ASK = "ask"


class Risk(str, Enum):
    """What a step may do to the machine, least first."""

    READ = "read"
    REVERSIBLE = "reversible"
    DISRUPTIVE = "disruptive"
    DESTRUCTIVE = "destructive"


class OnFailure(str, Enum):
    """What becomes of the run when a step fails."""

    STOP = "stop"
    CONTINUE = "continue"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that steps need. ``sources`` are tried in order: ``fact NAME``, ``capture NAME``, ``compute FORMULA``, ``ask``;
    then ``default``. ``minimum`` and ``maximum`` bound numbers, ``choices`` an enum."""

    name: str
    type: ParameterType
    sources: tuple[str, ...] = ()
    default: Value = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A command: one element an argument, with ``{parameter}`` in them. ``pip``: the arguments of pip for the interpreter
    that runs the server, whatever installs packages there."""

    argv: tuple[str, ...]
    pip: bool = False


@dataclass(frozen=True, slots=True)
class ListChange:
    """Items put at the end of variables that hold a list, or taken out of them: pairs of a name and an item."""

    append: tuple[tuple[str, str], ...] = ()
    take_out: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.append or self.take_out)


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a text file: variables set, unset or (``lists``) changed by an item in an environment file (``NAME=value`` or
    ``export NAME=value`` lines), or texts replaced, each of which must occur just once."""

    file: str
    set: tuple[tuple[str, str], ...] = ()
    unset: tuple[str, ...] = ()
    replace: tuple[tuple[str, str], ...] = ()
    lists: ListChange = ListChange()


@dataclass(frozen=True, slots=True)
class ContainerChange:
    """A change of the options of ``docker run`` (``--`` left out): ``set`` those that count once (a value None is a switch),
    ``add`` a value of those that may be given often, ``remove`` all of a name."""

    set: tuple[tuple[str, str | None], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.set or self.add or self.remove)


@dataclass(frozen=True, slots=True)
class LaunchChange:
    """A change of the server's launch command: options set (``--`` left out; a value None is a bare flag) or removed,
    variables set, unset or (``lists``) changed by an item; ``rename`` gives variables, or options with their dashes, another name. ``target``: which program,
    ``server`` or ``router``. ``container``: the container that the command starts it in; stands by itself."""

    set: tuple[tuple[str, str | None], ...] = ()
    remove: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    unset: tuple[str, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()
    target: str = "server"
    lists: ListChange = ListChange()
    container: ContainerChange = ContainerChange()


@dataclass(frozen=True, slots=True)
class EndProcess:
    """End one process: SIGTERM, then SIGKILL after ``grace_s``. ``pid`` holds a parameter; never a name."""

    pid: str
    grace_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Restart:
    """Start the server again: through systemd or docker where one of them runs it, else by its (changed) launch command.
    ``pid`` holds a parameter of the process to end first; empty: it is dead already."""

    pid: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What people are told to do or to type; each of ``commands`` is a line ready for a shell, values in quotes."""

    text: str
    commands: tuple[tuple[str, ...], ...] = ()


Action: TypeAlias = "Run | Edit | LaunchChange | EndProcess | Restart | Words"


@dataclass(frozen=True, slots=True)
class Check:
    """A question with the answer yes, no or unknown. Either ``run`` (with the exit status and, if given, a text
    that its output must hold, or a regex that it must or must not match) or facts that a ``probe`` of this host gives."""

    run: Run | None = None
    exit_code: int = 0
    has: str = ""
    matches: str = ""
    lacks: str = ""
    probe: str = ""
    facts: tuple[FactTest, ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a playbook. ``where``: ``host`` is never attempted inside a container, ``client`` never on this machine.
    ``when`` leaves the step out where these facts say so, ``instead_of`` where that earlier step can be done; ``needs`` is any of root, gpu-idle, restart."""

    id: str
    title: str
    why: str
    kind: StepKind
    action: Action
    risk: Risk
    where: str = "server"
    when: tuple[FactTest, ...] = ()
    instead_of: str = ""
    env: tuple[tuple[str, str], ...] = ()
    cwd: str = ""
    needs: tuple[str, ...] = ()
    already_done: Check | None = None
    preview: Run | None = None
    verify: Check | None = None
    undo: Action | None = None
    timeout_s: float = 120.0
    on_failure: OnFailure = OnFailure.STOP


@dataclass(frozen=True, slots=True)
class Playbook:
    """How one cause, or several of a kind, is put right. ``verify`` decides at the end whether it was; ``watch_for`` says what
    to look at where only time can tell."""

    id: str
    title: str
    fixes: tuple[str, ...]
    steps: tuple[Step, ...]
    applies: tuple[FactTest, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    verify: tuple[Check, ...] = ()
    watch_for: str = ""
    references: tuple[str, ...] = ()
    area: str = ""
    location: Location = field(default_factory=lambda: Location(""))

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that name."""
        return next((item for item in self.parameters if item.name == name), None)
