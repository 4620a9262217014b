"""Templates: parsed once, filled once, and what lint says about a command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.fixing.template import Piece, Template, TemplateError, complaint, complaints, fill, parse
from triage.fixing.values import convert
from triage.playbook import Missing, Parameter, ParameterType, Typed

KNOWN = {
    item.name: item
    for item in (
        Parameter("python", ParameterType.PATH),
        Parameter("port", ParameterType.PORT),
        Parameter("host", ParameterType.IDENT),
        Parameter("shift", ParameterType.INT, minimum=-5),
    )
}


def test_pieces() -> None:
    """Literal text and names in order; doubled braces are literal ones."""
    assert parse("--port={port}") == Template((Piece("--port="), Piece("port", is_name=True)))
    assert fill(parse("{{{port}}} {{x}}"), {"port": Typed("80", 80, "f:1")}) == "{80} {x}"
    assert parse("{a}{b}{a}").names == ("a", "b", "a")
    assert parse("") == Template(())


@pytest.mark.parametrize(
    "text", ["{", "}", "a}b", "{}", "{A}", "{a b}", "{a!r}", "{a:>9}", "{a.b}", "{a[0]}", "{{a}", "{1}", "{{{a}}"]
)
def test_malformed_braces(text: str) -> None:
    """A single brace, a format specification, an attribute: refused, and named by lint."""
    with pytest.raises(TemplateError, match="brace"):
        parse(text)
    assert [message for message in complaints(text, KNOWN) if "brace" in message]


def test_values_are_not_expanded_again() -> None:
    """Braces inside a value stay what they are, even if they name another parameter."""
    values = {"a": Typed("{b}{{7*7}}", "", "f:1"), "b": Typed("SECRET", "", "f:2")}
    assert fill(parse("x={a}"), values) == "x={b}{{7*7}}"


def test_missing_values_pass_their_reason_on() -> None:
    """The first value that there is not is the answer."""
    lack = Missing("value from server.log:12 is not a port: x")
    assert fill(parse("{host}:{port}"), {"host": Typed("h", "h", "f:1"), "port": lack}) == lack
    assert fill(parse("{nothing}"), {}) == Missing("there is no parameter 'nothing'")


def test_unknown_names_with_a_hint() -> None:
    """Each unknown name once, with what was probably meant."""
    assert list(complaints("{prot} {prot} {port}", KNOWN)) == ["no parameter 'prot'; did you mean 'port'?"]
    assert list(complaints("{port} {{prot}}", KNOWN)) == []


@pytest.mark.parametrize(
    ("argv", "part"),
    [
        ((), "needs a program"),
        (("",), "needs a program"),
        (("{host}", "x"), "must be literal"),
        (("{python}3", "x"), "must be literal"),
        (("/opt/{host}/bin/x",), "must be literal"),
        (("seq", "{shift}"), "begin with a dash"),
        (("seq", "{shift}:{port}"), "begin with a dash"),
        (("seq", "{shift}", "--"), "begin with a dash"),
        (("curl", "http://{hst}/"), "no parameter 'hst'"),
        (("curl", "{host"), "brace"),
        (("curl", "{host}{host}{host}{host}{host}"), "more than 4"),
    ],
)
def test_complaints_about_commands(argv: tuple[str, ...], part: str) -> None:
    """What lint refuses in a command."""
    found = complaint(argv, KNOWN)
    assert found is not None
    assert part in found


@pytest.mark.parametrize(
    "argv",
    [
        ("{python}", "-m", "pip", "show", "torch"),
        ("curl", "-sS", "http://{host}:{port}/health"),
        ("seq", "--", "{shift}"),
        ("seq", "--from={shift}"),
        ("kill", "{port}"),
    ],
)
def test_sound_commands(argv: tuple[str, ...]) -> None:
    """Values within an argument, after ``--``, or that never begin with a dash."""
    assert complaint(argv, KNOWN) is None


words = st.one_of(st.sampled_from(["-m", "--", "http://{a}:{b}/", "--x={c}", "{d}", "{{{a}}}", "plain", "{e}"]))
raw = st.one_of(st.text(), st.sampled_from(["{b}", "{{7*7}}", "$(id)", "--x", "-1", "a b", "/a/{b}", "a\nb", "8"]))
KINDS = {
    "a": ParameterType.IDENT,
    "b": ParameterType.PORT,
    "c": ParameterType.PATH,
    "d": ParameterType.INT,
    "e": ParameterType.VERSION,
}


@given(st.lists(words, min_size=1, max_size=8), st.dictionaries(st.sampled_from("abcde"), raw))
def test_argv_keeps_its_form(argv: list[str], captured: dict[str, str]) -> None:
    """For any captured text: one argument stays one argument at its place, and only typed values stand in it."""
    values = {name: convert(Parameter(name, KINDS[name]), text, "f:1") for name, text in captured.items()}
    filled = [fill(parse(word), values) for word in argv]
    if any(isinstance(item, Missing) for item in filled):
        return
    assert len(filled) == len(argv)
    for word, text in zip(argv, filled, strict=True):
        assert isinstance(text, str)
        expected = "".join(_text(values[piece.text]) if piece.is_name else piece.text for piece in parse(word).pieces)
        assert text == expected
        assert "\x00" not in text
        assert "\n" not in text
        assert text.startswith("-") == word.startswith("-")


def _text(value: Typed | Missing) -> str:
    assert isinstance(value, Typed)
    return value.text
