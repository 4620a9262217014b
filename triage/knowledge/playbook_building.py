"""A decoded playbook record as the nouns of fixing."""

from __future__ import annotations

from triage.knowledge.building import Plain, fact_tests
from triage.model import Location
from triage.playbook import (
    Action,
    Check,
    ContainerChange,
    Edit,
    EndProcess,
    LaunchChange,
    ListChange,
    OnFailure,
    Parameter,
    ParameterType,
    Playbook,
    Restart,
    Risk,
    Run,
    Step,
    StepKind,
    Words,
)

_RISK = {
    StepKind.CHECK: Risk.READ,
    StepKind.CHANGE: Risk.REVERSIBLE,
    StepKind.RESTART: Risk.DISRUPTIVE,
    StepKind.MANUAL: Risk.READ,
    StepKind.ASK: Risk.READ,
}
"""What a step of a kind risks if the file does not say."""


def build_playbook(record: dict[str, Plain], area: str, location: Location) -> Playbook:
    """The Playbook of a record that PLAYBOOK decoded without problems."""
    return Playbook(
        id=record["id"],
        title=record["title"].strip(),
        fixes=tuple(record["fixes"]),
        steps=tuple(_step(item) for item in record["steps"]),
        applies=fact_tests(record.get("applies", {})),
        parameters=tuple(_parameter(name, item) for name, item in record.get("parameters", {}).items()),
        verify=tuple(_check(item) for item in record.get("verify", ())),
        watch_for=record.get("watch_for", "").strip(),
        references=tuple(record.get("references", ())),
        area=area,
        location=location,
    )


def _parameter(name: str, item: dict[str, Plain]) -> Parameter:
    return Parameter(
        name=name,
        type=ParameterType(item["type"]),
        sources=tuple(item.get("from", ())),
        default=item.get("default"),
        minimum=item.get("minimum"),
        maximum=item.get("maximum"),
        choices=tuple(item.get("choices", ())),
        help=item.get("help", "").strip(),
    )


def _step(item: dict[str, Plain]) -> Step:
    kind = StepKind(item["kind"])
    return Step(
        id=item["id"],
        title=item["title"].strip(),
        why=item["why"].strip(),
        kind=kind,
        action=_action(item),
        risk=Risk(item["risk"]) if "risk" in item else _RISK[kind],
        where=item.get("where", "server"),
        when=fact_tests(item.get("when", {})),
        instead_of=item.get("instead_of", ""),
        env=tuple(item.get("env", {}).items()),
        cwd=item.get("cwd", ""),
        needs=tuple(item.get("needs", ())),
        already_done=_check(item["already_done"]) if "already_done" in item else None,
        preview=_run(item["preview"]) if "preview" in item else None,
        verify=_check(item["verify"]) if "verify" in item else None,
        undo=_action(item["undo"]) if "undo" in item else None,
        timeout_s=float(item.get("timeout", 120)),
        on_failure=OnFailure(item.get("on_failure", "stop")),
    )


def _action(item: dict[str, Plain]) -> Action:
    if "edit" in item:
        body = item["edit"]
        pairs = {key: tuple(body.get(key, {}).items()) for key in ("set", "replace")}
        return Edit(body["file"], pairs["set"], tuple(body.get("unset", ())), pairs["replace"], _lists(body))
    if "launch" in item:
        return _launch(item["launch"])
    if "end_process" in item:
        return EndProcess(item["end_process"])
    if "restart" in item:
        return Restart(item["restart"].get("pid", ""))
    if "text" in item:
        return Words(item["text"].strip(), tuple(tuple(words) for words in item.get("commands", ())))
    return _run(item)


def _run(item: dict[str, Plain]) -> Run:
    return Run(tuple(item["pip"]), pip=True) if "pip" in item else Run(tuple(item["argv"]))


def _launch(body: dict[str, Plain]) -> LaunchChange:
    return LaunchChange(
        set=_options(body),
        remove=tuple(body.get("remove", ())),
        env=tuple(body.get("env", {}).items()),
        unset=tuple(body.get("unset", ())),
        rename=tuple(body.get("rename", {}).items()),
        target=body.get("target", "server"),
        lists=_lists(body),
        container=_container(body.get("container", {})),
    )


def _options(body: dict[str, Plain]) -> tuple[tuple[str, str | None], ...]:
    return tuple(
        # Not "in": 1 equals True.
        (name, None if value is True or value is None else str(value))
        for name, value in body.get("set", {}).items()
    )


def _container(body: dict[str, Plain]) -> ContainerChange:
    added = tuple((name, value) for name, values in body.get("add", {}).items() for value in values)
    return ContainerChange(_options(body), added, tuple(body.get("remove", ())))


def _lists(body: dict[str, Plain]) -> ListChange:
    return ListChange(tuple(body.get("append", {}).items()), tuple(body.get("take_out", {}).items()))


def _check(item: dict[str, Plain]) -> Check:
    return Check(
        run=None if "probe" in item else _run(item),
        exit_code=item.get("exit", 0),
        has=item.get("has", ""),
        matches=item.get("matches", ""),
        lacks=item.get("lacks", ""),
        probe=item.get("probe", ""),
        facts=fact_tests(item.get("fact", {})),
        label=item.get("label", ""),
    )
