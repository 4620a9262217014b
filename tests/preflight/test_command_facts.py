"""What the words of a launch command state, as facts."""

from __future__ import annotations

import shlex

import pytest

from triage.model import Value
from triage.preflight.command import parse_command
from triage.preflight.facts import command_facts

NEW, OLD = "expandable_segments:True", "max_split_size_mb:512"


def facts_of(command: str) -> dict[str, Value]:
    """The facts of the one server that the command starts; later ones win."""
    (planned,) = parse_command(shlex.split(command))
    return {item.name: item.value for item in command_facts(planned)}


@pytest.mark.parametrize(
    ("prefix", "value"),
    [
        (f"PYTORCH_CUDA_ALLOC_CONF={OLD}", OLD),
        (f"PYTORCH_ALLOC_CONF={NEW}", NEW),
        (f"PYTORCH_ALLOC_CONF={NEW} PYTORCH_CUDA_ALLOC_CONF={OLD}", NEW),
        (f"PYTORCH_CUDA_ALLOC_CONF={OLD} PYTORCH_ALLOC_CONF={NEW}", NEW),
        (f"PYTORCH_ALLOC_CONF= PYTORCH_CUDA_ALLOC_CONF={OLD}", OLD),
        ("", None),
    ],
)
def test_the_allocator_s_variable_under_both_names(prefix: str, value: str | None) -> None:
    """PyTorch reads the newer name first, wherever it stands, and signatures know one fact."""
    facts = facts_of(f"{prefix} python3 -m sglang.launch_server --model-path /models/m")
    assert facts.get("env.pytorch_cuda_alloc_conf") == value
