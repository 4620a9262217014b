"""Named groups become typed values, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.matching.captures import MAX_TEXT, typed
from triage.model import Value

_GIB = 2**30


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", "  a b ", "a b"),
        ("text", "$(id)", "$(id)"),
        ("text", "x" * 10_000, "x" * MAX_TEXT),
        ("int", "42", 42),
        ("int", "-1", -1),
        ("int", "4.2", None),
        ("int", "", None),
        ("int", "9" * 5000, None),
        ("float", "0.88", 0.88),
        ("float", "1e3", 1000.0),
        ("float", "x", None),
        ("size", "2.00 GiB", 2.0 * _GIB),
        ("size", "512MiB", 512.0 * 2**20),
        ("size", "80GB", 80e9),
        ("size", "1024", 1024.0),
        ("size", "7 bytes", 7.0),
        ("size", "3 K", 3e3),
        ("size", "2 GiB; reboot", None),
        ("size", "-1 GiB", None),
        ("port", "30000", 30000),
        ("port", "0", None),
        ("port", "65535", 65535),
        ("port", "65536", None),
        ("port", "8000;reboot", None),
        ("pid", "17", 17),
        ("pid", "0", None),
        ("pid", "-3", None),
        ("path", "/models/a b", "/models/a b"),
        ("path", "relative/x", None),
        ("path", "/a\nb", None),
        ("path", "/a\0b", None),
        ("path", "/" + "x" * 10_000, None),
        ("ident", "org/model-7b@rev", "org/model-7b@rev"),
        ("ident", "--config=/etc/passwd", None),
        ("ident", "$(id)", None),
        ("ident", "a b", None),
        ("ident", "x" * 129, None),
        ("version", "0.5.9.post1+cu129", "0.5.9.post1+cu129"),
        ("version", "latest", None),
        ("version", "1.0; rm", None),
    ],
)
def test_typed(kind: str, text: str, value: Value) -> None:
    """What fits its type is converted, what does not is dropped and never bent to fit."""
    assert typed(kind, text) == value
    assert type(typed(kind, text)) is type(value)


@pytest.mark.parametrize("kind", ["text", "int", "float", "size", "port", "pid", "path", "ident", "version"])
@given(text=st.text())
def test_never_raises(kind: str, text: str) -> None:
    """Any text gives a value or None."""
    value = typed(kind, text)
    assert value is None or isinstance(value, (str, int, float))
