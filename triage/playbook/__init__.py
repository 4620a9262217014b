"""The nouns of fixing: what a playbook file says, and what it becomes for one failure on one machine. Frozen values only."""

from triage.playbook.case import (
    Case,
    Missing,
    Typed,
)
from triage.playbook.file import (
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
from triage.playbook.preview import (
    FileContent,
    PlanPreview,
    ShownValue,
    StepPreview,
)

__all__ = [
    "Action",
    "Case",
    "Check",
    "ContainerChange",
    "Edit",
    "EndProcess",
    "FileContent",
    "LaunchChange",
    "ListChange",
    "Missing",
    "OnFailure",
    "Parameter",
    "ParameterType",
    "PlanPreview",
    "Playbook",
    "Restart",
    "Risk",
    "Run",
    "ShownValue",
    "Step",
    "StepKind",
    "StepPreview",
    "Typed",
    "Words",
]
