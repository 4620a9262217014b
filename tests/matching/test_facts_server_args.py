"""The server's arguments are read from every form of the dump, whole or cut, and nothing is evaluated."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.matching.server_args import literal_list, server_arguments

if TYPE_CHECKING:
    from triage.model import Value


def _read(text: str) -> dict[str, Value]:
    return dict(server_arguments(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "ServerArgs(a=1, b=-0.5, c=1e-05, d=True, e=None, f='x')",
            {"a": 1, "b": -0.5, "c": 1e-05, "d": True, "e": None, "f": "x"},
        ),
        ("Namespace(model='it\\'s', path=\"a b\", empty='')", {"model": "it's", "path": "a b", "empty": ""}),
        ("{'a': [1, 2, [3, 'x']], 'b': (), 'c': {1, 2}}", {"a": (1, 2, (3, "x")), "b": (), "c": (1, 2)}),
        ("{'outer': {'inner': {'leaf': 1}, 'x': 'y'}, 'last': 2}", {"outer.inner.leaf": 1, "outer.x": "y", "last": 2}),
        (
            "ServerArgs(mode=<Mode.NULL: 'null'>, n=<Kind.ONE: 1>, o=<object at 0x7f1>)",
            {"mode": "null", "n": 1, "o": "object at 0x7f1"},
        ),
        (
            "ServerArgs(dtype=torch.bfloat16, p=PosixPath('/m'), g=Config(x=1, y=None))",
            {"dtype": "torch.bfloat16", "p": "/m", "g.x": 1, "g.y": None},
        ),
        ("ServerArgs(r=[LoRARef(name='a', path='/p')], t=1)", {"r": ((("name", "a"), ("path", "/p")),), "t": 1}),
        ("ServerArgs(text='tp_size=9, x)', tp_size=8)", {"text": "tp_size=9, x)", "tp_size": 8}),
        ("{'a': 1, '_private': 2, 3: 4, 'b': float('inf'), 'c': nan}", {"a": 1, "3": 4, "b": "inf", "c": "nan"}),
        ("ServerArgs(a=1, tp_size=12", {"a": 1}),
        ("ServerArgs(a=1, path='/models/m", {"a": 1}),
        ("ServerArgs(a=1, path='/models/m'", {"a": 1, "path": "/models/m"}),
        ("ServerArgs(a=1, bs=[1, 2, 3", {"a": 1}),
        ("{'a': 1, 'outer': {'x': 1, 'y': tr", {"a": 1, "outer.x": 1}),
        ("ServerArgs(a=1, b=@@@, c=3)", {"a": 1}),
        ("ServerArgs(", {}),
        ("ServerArgs()", {}),
    ],
)
def test_forms(text: str, expected: dict[str, Value]) -> None:
    """Every kind of value, nested records, and cuts after which only what is whole remains."""
    assert _read("server_args=" + text) == expected


def test_types_are_kept() -> None:
    """True is not 1, 1.0 is not 1."""
    values = _read("server_args=X(a=True, b=1, c=1.0)")
    assert [type(value) for value in values.values()] == [bool, int, float]


def test_secrets_are_not_kept() -> None:
    """The value of a field that promises a secret never leaves the parser, at any depth."""
    found = _read(
        "server_args={'api_key': 'sk-1', 'admin_api_key': None, 'c': {'hf_token': 'hf_2'}, 'l': [X(password='p3', user='u')]}"
    )
    assert found["api_key"] == "<api_key>"
    assert found["admin_api_key"] is None
    assert not {"sk-1", "hf_2", "p3"} & set(str(found).replace("'", " ").split())


def test_deep_and_long_input_is_bounded() -> None:
    """Thousands of brackets or fields neither overflow the stack nor flood the facts."""
    assert _read("server_args=X(a=1, b=" + "[" * 100_000) == {"a": 1}
    assert _read("server_args=" + "X(y=" * 100_000) == {}
    assert len(_read("server_args=X(" + "".join(f"f{number}=1, " for number in range(10_000)) + ")")) == 2000


def test_other_text_has_none() -> None:
    """Without a record there are no arguments."""
    assert _read("self.server_args = server_args") == _read("") == {}


def test_lists_are_read_only_whole() -> None:
    """A cut list is not taken for a shorter one."""
    assert literal_list("x ['a', 'b']", 2) == ("a", "b")
    assert literal_list("x ['a', 'b'", 2) == ()


_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9), st.text(max_size=20)),
    lambda inner: st.lists(inner, max_size=4).map(tuple),
    max_leaves=10,
)
_NAMES = st.from_regex(r"f[a-z_]{1,10}", fullmatch=True)


@given(st.dictionaries(_NAMES, _VALUES, max_size=8))
def test_reads_what_python_prints(arguments: dict[str, Value]) -> None:
    """The repr of plain values comes back as the values, in the dict form and in the call form."""
    assert _read(f"server_args={arguments!r}") == arguments
    assert (
        _read("server_args=ServerArgs(" + ", ".join(f"{name}={value!r}" for name, value in arguments.items()) + ")")
        == arguments
    )


@given(st.dictionaries(_NAMES, _VALUES, max_size=6), st.integers(0, 400))
def test_a_cut_never_invents_values(arguments: dict[str, Value], at: int) -> None:
    """Cut anywhere, the fields that remain have the values they had."""
    found = _read(f"server_args={arguments!r}"[:at])
    assert found.items() <= arguments.items()


@given(st.text())
def test_any_text(text: str) -> None:
    """Nothing raises."""
    _read("server_args={" + text)
    _read("server_args=X(" + text)


_CORPUS = Path(os.environ.get("SGLTRIAGE_CORPUS", Path(__file__).resolve().parents[2] / ".." / "shared" / "corpus"))


@pytest.mark.corpus
@pytest.mark.skipif(not _CORPUS.is_dir(), reason=f"no labelled corpus at {_CORPUS}")
def test_real_dumps_are_read_to_their_end() -> None:
    """Dumps of all releases yield their last field."""
    dumps = [
        line
        for path in sorted(_CORPUS.glob("healthy/*/log.txt"))
        for line in path.read_text("utf-8", "replace").split("\n")
        if "server_args=" in line and line.rstrip().endswith((")", "}"))
    ]
    assert len(dumps) > 10
    for dump in dumps:
        assert list(_read(dump))[-1] in dump[-120:]
