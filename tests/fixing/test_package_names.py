"""Module names of a log to package names: known ones only."""

from __future__ import annotations

import pytest

from triage.fixing.package_names import Chosen, package_of_module
from triage.playbook import Case, Missing


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("setproctitle", "setproctitle"), ("zmq", "pyzmq"), ("PIL.Image", "pillow"), ("cuda.bindings", "cuda-bindings"),
        ("cuda", "cuda-python"), ("partial_json_parser", "partial-json-parser"), ("uvicorn.config", "uvicorn"),
    ],
)  # fmt: skip
def test_known_modules(module: str, package: str) -> None:
    """The package's own name, whatever the module is called, and also from a part of it."""
    found = package_of_module(Case(captures={"module": module}))
    assert isinstance(found, Chosen)
    assert found.value == package


@pytest.mark.parametrize("module", ["requestss", "setproctitle2", "my_plugin", "", "../x", None, 3])
def test_a_log_does_not_choose_what_is_installed(module: str | int | None) -> None:
    """A name that nobody vouches for has to come from the operator."""
    assert isinstance(package_of_module(Case(captures={"module": module})), Missing)
