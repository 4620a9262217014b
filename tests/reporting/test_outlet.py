"""The one door."""

from __future__ import annotations

from triage.reporting.outlet import Outlet
from triage.safety.redact import Redactor


def test_redacts_before_it_shows() -> None:
    """A secret broken by a colour code is found first; then what is left is made visible."""
    outlet = Outlet(Redactor(b"salt"))
    shown = outlet.show("\x1b[31mapi_key='abc\x1b[0mdef'\x1b[2J")
    assert shown.startswith("api_key='‹api_key:")
    assert shown.endswith("›'␛[2J")
    assert outlet.counts == {"api_key": 1}


def test_values() -> None:
    """Every value that a fact can hold becomes what JSON can hold."""
    outlet = Outlet(Redactor(b"salt"))
    assert outlet.value((1, 2.0000001, True, None, "a\x1b", ("b",))) == [1, 2.0, True, None, "a␛", ["b"]]


def test_names_and_command_lines() -> None:
    """A secret by name, or behind an option, is hidden inside tuples too."""
    outlet = Outlet(Redactor(b"salt"))
    assert "hunter2" not in str(outlet.value("hunter2", "server.api_key"))
    assert "hunter2" not in str(outlet.value(("hunter2", "x"), "server.api_key"))
    assert "hunter2" not in str(outlet.value(("serve", "--api-key", "hunter2"), "server.command"))
    assert outlet.value("llama", "server.model_path") == "llama"
