"""From a playbook and a case to a plan on this machine: the server's interpreter, the values, the workshop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from triage.fixing.journal import journal_directory
from triage.fixing.noted_facts import facts_of_formulas
from triage.fixing.parameters import ParameterError, resolve
from triage.fixing.plan import Plan, make_plan
from triage.fixing.processes import ProcessIdentity, identity, is_same
from triage.fixing.surroundings import look
from triage.fixing.values import convert
from triage.fixing.workshop import Workshop
from triage.matching.launch import launch_command
from triage.model import Value
from triage.playbook import Case, Missing, Parameter, ParameterType, Playbook, Typed
from triage.probing.catalogue import all_probes
from triage.probing.host import answers, look_at
from triage.probing.probe import Target
from triage.records import dataclass, replace
from triage.safety.redact import Redactor

PYTHON = Parameter(
    "python", ParameterType.PATH, ("fact python.executable",), help="the interpreter that runs the server"
)
LAUNCH_FILE = Parameter(
    "launch_file", ParameterType.PATH, ("ask",), help="a script that starts the server, or one to be written"
)
BUILT_IN = (PYTHON, LAUNCH_FILE)
"""Parameters that every playbook has. ``launch_file`` stands in no text: it says where launch changes go."""


@dataclass(frozen=True, slots=True)
class OpenFix:
    """A plan and where it is carried out; ``given`` are the values that the operator named, as he wrote them."""

    plan: Plan
    workshop: Workshop
    given: Mapping[str, str]


def open_fix(
    playbook: Playbook,
    case: Case,
    given: Mapping[str, str],
    environment: Mapping[str, str],
    *,
    python: Path | None = None,
    pid: int | None = None,
    asks_host: bool = True,
) -> OpenFix:
    """The plan of ``playbook`` for ``case``; probes of this host tell what the case does not, unless ``asks_host`` is false.

    Raises:
        ParameterError: ``given`` names what the playbook does not have, or a value of a built-in parameter is wrong.
        JournalUnavailable: there is no place for backups and the journal.
    """
    own = {name: text for name, text in given.items() if name not in {item.name for item in BUILT_IN}}
    interpreter = _path(PYTHON, given) or python
    surroundings = look(interpreter, pid, environment)
    if asks_host and _lacks_facts(playbook, case):
        case = _with_host(case, surroundings.python, pid, environment)
    values = resolve(playbook.parameters, case, own)
    values["python"] = (
        Typed(str(surroundings.python), str(surroundings.python), "--set python" if interpreter else "this host")
        if surroundings.python is not None
        else Missing("the server's interpreter is not known (--set python=PATH)")
    )
    workshop = Workshop(
        surroundings=surroundings,
        environment=environment,
        backups=journal_directory(environment).parent / "backups",
        launch=launch_command(case.facts),
        launch_file=_path(LAUNCH_FILE, given),
        facts=case.facts,
        pid=pid,
    )
    return OpenFix(make_plan(playbook, case, values), workshop, dict(given))


def _path(parameter: Parameter, given: Mapping[str, str]) -> Path | None:
    if parameter.name not in given:
        return None
    text = given[parameter.name]
    converted = convert(parameter, str(Path(text).absolute()) if text else text, f"--set {parameter.name}")
    if isinstance(converted, Missing):
        raise ParameterError(converted.reason)
    return Path(converted.text)


def needed_facts(playbook: Playbook, case: Case) -> frozenset[str]:
    """The facts that a plan of this playbook for this case reads, in its formulas too; known or not."""
    named = {
        source.partition(" ")[2]
        for item in playbook.parameters
        for source in item.sources
        if source.startswith("fact ")
    }
    computed = {name for item in playbook.parameters for name in facts_of_formulas(item, case)}
    tests = [*playbook.applies, *(test for step in playbook.steps for test in step.when)]
    return frozenset(named | computed | {test.name for test in tests})


def _lacks_facts(playbook: Playbook, case: Case) -> bool:
    return any(name not in case.facts for name in needed_facts(playbook, case))


def _with_host(case: Case, python: Path | None, pid: int | None, environment: Mapping[str, str]) -> Case:
    """The case with what this host says beside it; what a log said of itself stays."""
    probes = all_probes()
    target = Target(python, pid, case.facts, dict(environment))
    told: dict[str, Value] = {}
    origins: dict[str, str] = {}
    for answer in answers(probes, look_at(probes, target, Redactor())):
        for fact in answer.facts:
            told[fact.name], origins[fact.name] = fact.value, fact.origin
    return replace(case, facts={**told, **case.facts}, origins={**origins, **case.origins})


def plan_record(fix: OpenFix, packs: Sequence[Path]) -> dict[str, object]:
    """What the journal keeps of a plan, so that it can be made again after a crash: no fact that it does not read."""
    case, playbook = fix.plan.case, fix.plan.playbook
    redactor = Redactor()
    names = needed_facts(playbook, case)
    values = {name: value.text for name, value in fix.plan.values.items() if isinstance(value, Typed)}
    return {
        "playbook": playbook.id,
        "diagnosis": case.diagnosis,
        "facts": _open({name: value for name, value in case.facts.items() if name in names}, redactor),
        "captures": _open(case.captures, redactor),
        "origins": {
            name: text for name, text in case.origins.items() if name.removeprefix("capture ") in case.captures
        },
        "launch": redactor.redact_arguments(fix.workshop.launch),
        "values": _open(values, redactor),
        "given": _open(fix.given, redactor),
        "python": str(fix.workshop.surroundings.python or ""),
        "server": _server_record(fix.workshop.pid),
        "packs": [str(path.absolute()) for path in packs],
        "inputs": list(case.inputs),
    }


def _server_record(pid: int | None) -> dict[str, object] | None:
    found = identity(pid) if pid is not None else None
    return None if found is None else {"pid": found.pid, "start_ticks": found.start_ticks}


def server_of_record(record: Mapping[str, object]) -> int | None:
    """The process of the server that ``plan_record`` put down, if that very process still runs."""
    server = record.get("server")
    pid, start = (server.get("pid"), server.get("start_ticks")) if isinstance(server, dict) else (None, None)
    if not isinstance(pid, int) or not isinstance(start, int):
        return None
    return pid if is_same(ProcessIdentity(pid, start, "", 0, ())) else None


def case_of_record(record: Mapping[str, object]) -> Case:
    """The case that ``plan_record`` put down."""
    facts = _mapping(record, "facts")
    launch = record.get("launch")
    if isinstance(launch, list) and launch:
        facts["launch.command"] = tuple(str(word) for word in launch)
    inputs = record.get("inputs")
    return Case(
        str(record.get("diagnosis", "")),
        facts,
        _mapping(record, "captures"),
        {name: str(text) for name, text in _mapping(record, "origins").items()},
        tuple(map(str, inputs)) if isinstance(inputs, list) else (),
    )


def _mapping(record: Mapping[str, object], key: str) -> dict[str, Value]:
    found = record.get(key)
    if not isinstance(found, dict):
        return {}
    return {str(name): tuple(value) if isinstance(value, list) else value for name, value in found.items()}


def _open(values: Mapping[str, Value], redactor: Redactor) -> dict[str, object]:
    """Those that hold no secret: a journal keeps none, so whoever goes on with the run has to give them again."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if all(
            redactor.redact_named(name, item) == item
            for item in (value if isinstance(value, tuple) else (value,))
            if isinstance(item, str)
        )
    }
