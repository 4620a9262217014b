"""What may become part of a command, and what is refused with the reason."""

from __future__ import annotations

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.fixing.values import convert
from triage.model import Value
from triage.playbook import Missing, Parameter, ParameterType, Typed
from triage.safety.visible import visible

CHOICES = ("fp8_e4m3", "auto", "-x")
HOSTILE = [
    "$(id)",
    ";reboot",
    "--config=/etc/passwd",
    "a\nb",
    "a\x00b",
    "x" * 10_240,
    "../../etc",
    "",
    " ",
    "{other}",
    "{{7*7}}",
]


def make(kind: ParameterType, minimum: float | None = None, maximum: float | None = None) -> Parameter:
    """A parameter of that type."""
    return Parameter("x", kind, minimum=minimum, maximum=maximum, choices=CHOICES if kind is ParameterType.ENUM else ())


@pytest.mark.parametrize(
    ("kind", "value", "text", "typed"),
    [
        (ParameterType.INT, "8192", "8192", 8192),
        (ParameterType.INT, 8192.0, "8192", 8192),
        (ParameterType.FLOAT, "0.88", "0.88", 0.88),
        (ParameterType.FLOAT, 1e-17, "0.00000000000000001", 1e-17),
        (ParameterType.FLOAT, 8e-280, "0.0", 0.0),
        (ParameterType.FLOAT, -0.0, "0.0", 0.0),
        (ParameterType.FLOAT, ".5", "0.5", 0.5),
        (ParameterType.FLOAT, 1, "1.0", 1.0),
        (ParameterType.FLOAT, 1e-07, "0.0000001", 1e-07),
        (ParameterType.SIZE, "1.50 GiB", "1610612736", 1610612736),
        (ParameterType.SIZE, 469762048.0, "469762048", 469762048),
        (ParameterType.PORT, "30000", "30000", 30000),
        (ParameterType.PID, 4711, "4711", 4711),
        (ParameterType.PATH, "/models//m/./x/", "/models/m/x", "/models/m/x"),
        (ParameterType.PATH, "//host/share", "/host/share", "/host/share"),
        (ParameterType.PATH, "/models/a b/ü", "/models/a b/ü", "/models/a b/ü"),
        (ParameterType.IDENT, "sglang.service@1", "sglang.service@1", "sglang.service@1"),
        (ParameterType.IDENT, 0, "0", "0"),
        (ParameterType.VERSION, "2.9.1+cu128", "2.9.1+cu128", "2.9.1+cu128"),
        (ParameterType.VERSION, "v0.5.6.POST3", "0.5.6.post3", "0.5.6.post3"),
        (ParameterType.ENUM, "auto", "auto", "auto"),
        (ParameterType.BOOL, True, "true", True),
        (ParameterType.BOOL, "False", "false", False),
    ],
)
def test_converts(kind: ParameterType, value: Value, text: str, typed: Value) -> None:
    """A value of the type becomes its text, with where it was read."""
    assert convert(make(kind), value, "server.log:12") == Typed(text, typed, "server.log:12")


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("kind", list(ParameterType))
def test_hostile_text_is_refused(kind: ParameterType, value: str) -> None:
    """Shell, options, line ends, NUL, ten kilobytes, climbing paths: no type takes them, and the reason says where it stood."""
    found = convert(make(kind), value, "server.log:12")
    assert isinstance(found, Missing)
    assert found.reason.startswith("value from server.log:12 is not ")
    assert found.reason == visible(found.reason)
    assert len(found.reason.partition(": ")[2]) <= 60


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ParameterType.INT, True),
        (ParameterType.INT, 1.5),
        (ParameterType.INT, "1_000"),
        (ParameterType.INT, "٣"),
        (ParameterType.INT, "9" * 19),
        (ParameterType.INT, ("8",)),
        (ParameterType.FLOAT, "nan"),
        (ParameterType.FLOAT, float("inf")),
        (ParameterType.FLOAT, True),
        (ParameterType.SIZE, -1),
        (ParameterType.SIZE, "12 parsecs"),
        (ParameterType.PORT, 0),
        (ParameterType.PORT, 65536),
        (ParameterType.PORT, "30000 "),
        (ParameterType.PID, 0),
        (ParameterType.PID, "-1"),
        (ParameterType.PATH, "models/m"),
        (ParameterType.PATH, "/a/../b"),
        (ParameterType.PATH, "/a/\u202egnp.x"),
        (ParameterType.PATH, "/a/\udc9b"),
        (ParameterType.PATH, "/a "),
        (ParameterType.PATH, "/" + "ü" * 2048),
        (ParameterType.PATH, 7),
        (ParameterType.IDENT, "-rf"),
        (ParameterType.IDENT, "a b"),
        (ParameterType.VERSION, "not-a-version"),
        (ParameterType.VERSION, 2.9),
        (ParameterType.ENUM, "fp16"),
        (ParameterType.ENUM, "-x"),
        (ParameterType.BOOL, 1),
        (ParameterType.BOOL, "yes"),
        (ParameterType.INT, None),
    ],
)
def test_refuses(kind: ParameterType, value: Value) -> None:
    """What only resembles the type is not taken for it."""
    assert isinstance(convert(make(kind), value, "f:1"), Missing)


def test_bounds() -> None:
    """Bounds hold for numbers, and the reason names the bound."""
    parameter = make(ParameterType.FLOAT, 0.3, 0.95)
    assert convert(parameter, "0.3", "f:1") == Typed("0.3", 0.3, "f:1")
    assert convert(parameter, "0.29", "f:1") == Missing("value from f:1 is below 0.3: 0.29")
    assert convert(parameter, 0.96, "f:1") == Missing("value from f:1 is above 0.95: 0.96")


def test_negative_only_where_it_is_meant() -> None:
    """A number begins with a dash only if the minimum says so."""
    assert convert(make(ParameterType.INT), "-1", "f:1") == Missing("value from f:1 is below 0: -1")
    assert convert(make(ParameterType.INT, minimum=-1), "-1", "f:1") == Typed("-1", -1, "f:1")
    assert isinstance(convert(make(ParameterType.INT, minimum=-1), "-2", "f:1"), Missing)


def test_reason_is_harmless_and_short() -> None:
    """Neither the value nor the name of the source reaches a terminal raw."""
    found = convert(make(ParameterType.PORT), "\x1b[31m" + "y" * 500, "a\x1b]0;x\x07.log:3")
    assert isinstance(found, Missing)
    assert found.reason == f"value from a␛]0;x␇.log:3 is not a port: ␛[31m{'y' * 54}…"


anything = st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.sampled_from(HOSTILE))


@given(st.sampled_from(list(ParameterType)), anything, st.sampled_from([None, 0.0, 1.0]))
def test_what_converts_is_harmless(kind: ParameterType, value: Value, minimum: float | None) -> None:
    """Whatever is given: a text that comes out is no option, has no control character, no blank at its ends, and converts to itself."""
    found = convert(make(kind, minimum), value, "f:1")
    if isinstance(found, Missing):
        assert found.reason.startswith("value from f:1 is ")
        return
    assert found.text
    assert not found.text.startswith("-")
    assert found.text == found.text.strip()
    assert not any(category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in found.text)
    again = convert(make(kind, minimum), found.text, "f:1")
    assert isinstance(again, Typed)
    assert again.text == found.text
