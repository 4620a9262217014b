"""Variables set and unset in a text, and texts replaced: nothing else changes by a byte."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from triage.fixing.env_file import EnvForm, edited_text, form_of, replaced_texts, set_variable, unset_variable
from triage.playbook import Edit

FORMS = tuple(EnvForm)
LINES = st.sampled_from((
    "", "A=1", "# A=2", "B='x y'", 'C="q"', "export D=4", "  export B=5", "E=", "; E=3", "F=a # tail", "export G=1 H=2", "if true; then",
    "fi", "cat <<END", "END", "it's", 'say "', "J=\\", "K=a\\ b", "L=$(date)", "B=1 run", "M=1; N=2", "[Service]", "P=ü\u2028x", "\x0c",
))  # fmt: skip
NAMES = st.sampled_from(("A", "B", "C", "D", "E", "F", "G", "J", "NEW"))
VALUES = st.one_of(
    st.sampled_from(("", "1", "/a:/b", "a b", "it's", 'q"q', "$X", "a\\", "#", " x ", "-5", "{a}", "~", "é")),
    st.text(max_size=6),
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A file of any such lines, with either line ending, with or without the last."""
    ends = draw(st.sampled_from(("\n", "\r\n")))
    text = ends.join(draw(st.lists(LINES, max_size=8)))
    return text + ends if draw(st.booleans()) else text


def _others(text: str, name: str) -> list[str]:
    return [line for line in re.findall(r"[^\n]*\n?", text) if not re.match(rf"\s*(?:export\s+)?{name}=", line)]


@given(texts(), NAMES, VALUES, st.sampled_from(FORMS))
def test_set_then_unset(text: str, name: str, value: str, form: EnvForm) -> None:
    """A variable that was not there is set and unset again: the text is the same, byte for byte."""
    assume(f"{name}=" not in text)
    try:
        changed = set_variable(text, name, value, form)
    except ValueError:
        return
    assert changed != text
    assert set_variable(changed, name, value, form) == changed
    assert unset_variable(changed, name, form) == text


@given(texts(), NAMES, VALUES, st.sampled_from(FORMS))
def test_other_lines(text: str, name: str, value: str, form: EnvForm) -> None:
    """Whatever is set, the lines that do not assign it stay, in their order, with their ends."""
    assume(not re.search(r"\\\r?$", text, re.MULTILINE))  # two lines that are one to the reader
    try:
        changed = set_variable(text, name, value, form)
    except ValueError:
        return
    before, after = _others(text, name), _others(changed, name)
    assert [line.rstrip("\r\n") for line in after if line.strip()] == [
        line.rstrip("\r\n") for line in before if line.strip()
    ]
    assert changed.count("\r\n") >= text.count("\r\n")


@given(texts(), NAMES, st.sampled_from(FORMS))
def test_unset_is_final(text: str, name: str, form: EnvForm) -> None:
    """Unsetting twice is unsetting once."""
    try:
        changed = unset_variable(text, name, form)
    except ValueError:
        return
    assert unset_variable(changed, name, form) == changed


@pytest.mark.parametrize(
    ("text", "form", "value", "expected"),
    [
        ("A=1\nB=2\n", EnvForm.UNKNOWN, "3", "A=3\nB=2\n"),
        ("A=1\nA=2\n", EnvForm.UNKNOWN, "3", "A=1\nA=3\n"),
        ('A="1"\r\nB=2', EnvForm.SYSTEMD, "x y", 'A="x y"\r\nB=2'),
        ("B=2\r\n", EnvForm.SYSTEMD, "3", "B=2\r\nA=3\r\n"),
        ("B=2", EnvForm.DOCKER, " a 'b' # $c ", "B=2\nA= a 'b' # $c "),
        ("# A=1\n", EnvForm.DOCKER, "3", "# A=1\nA=3\n"),
        ("export A=1 # why\n", EnvForm.SHELL, "a b", "export A='a b' # why\n"),
        ("A='1'\nexport A\n", EnvForm.SHELL, "2", "A='2'\nexport A\n"),
        ("alias x='y'\n", EnvForm.SHELL, "a$b", "alias x='y'\nexport A='a$b'\n"),
        ("if x; then\n  export A=1\nfi\n", EnvForm.SHELL, "2", "if x; then\n  export A=1\nfi\nexport A=2\n"),
        ("cat <<E\nA=1\nit's\nE\nA=2\n", EnvForm.SHELL, "3", "cat <<E\nA=1\nit's\nE\nA=3\n"),
        ("X='\nA=1\n'\n", EnvForm.SHELL, "3", "X='\nA=1\n'\nexport A=3\n"),
        ("A=$((1<<2))\nA=1\n", EnvForm.SHELL, "3", "A=$((1<<2))\nA=3\n"),
        ("#!/bin/sh\n# a note\nexec run\n", EnvForm.SHELL, "3", "#!/bin/sh\n# a note\nexport A=3\nexec run\n"),
        ("A=a\\\nb\nB=1\n", EnvForm.SYSTEMD, "3", "A=3\nB=1\n"),
        ("A=3\n", EnvForm.UNKNOWN, "3", "A=3\n"),
        ("export A='3'\n", EnvForm.SHELL, "3", "export A='3'\n"),
        ("", EnvForm.UNKNOWN, "3", "A=3\n"),
    ],
)
def test_set(text: str, form: EnvForm, value: str, expected: str) -> None:
    """The assignment that counts is changed where it stands, in its quotes; without one a line is added."""
    assert set_variable(text, "A", value, form) == expected


@pytest.mark.parametrize(
    ("text", "form", "value", "reason"),
    [
        ("", EnvForm.UNKNOWN, "a b", "needs quotes for some readers"),
        ("", EnvForm.SHELL, "a\nb", "line break"),
        ("", EnvForm.DOCKER, "a\0", "NUL"),
        ("B=1\\", EnvForm.SYSTEMD, "1", "backslash"),
        ("say 'no end\n", EnvForm.SHELL, "1", "not understood"),
        ("#!/bin/sh\nif x; then\n A=2\nfi\n", EnvForm.SHELL, "1", "not understood"),
    ],
)
def test_set_refused(text: str, form: EnvForm, value: str, reason: str) -> None:
    """What cannot be written so that its reader gets that very value is refused, with the reason."""
    with pytest.raises(ValueError, match=reason):
        set_variable(text, "A", value, form)


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A=B", "A B", "Ä"])
def test_names(name: str) -> None:
    """Only what every reader takes for a name can be set."""
    with pytest.raises(ValueError, match="no name"):
        set_variable("", name, "1", EnvForm.SHELL)


def test_unset() -> None:
    """All lines that assign it go; a line that does more is refused."""
    assert unset_variable("A=1\nB=2\nA=3\n", "A", EnvForm.UNKNOWN) == "B=2\n"
    assert unset_variable("B=2\nexport A=3 # x\n", "A", EnvForm.SHELL) == "B=2\n"
    for text in ("export A=1 B=2\n", "  A=1\n", "A=1; B=2\n", "A=$(x)\n", "A=1 B=2\n", "declare -x A=1\n"):
        with pytest.raises(ValueError, match="does more"):
            unset_variable(text, "A", EnvForm.SHELL)


@given(st.text(alphabet=st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"]), max_size=12))
def test_shell_reads_the_value(value: str) -> None:
    """A real shell that reads the file gets the value back, and nothing in it is run."""
    text = set_variable('export A="old"\n', "A", value, EnvForm.SHELL) + set_variable("", "B", value, EnvForm.SHELL)
    shell = shutil.which("sh")
    assert shell
    script = text + 'printf "%s\\0%s" "$A" "$B"\n'
    found = subprocess.run(
        [shell, "-s"], input=script.encode(), capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    assert found.stdout.decode().split("\0") == [value, value]


@pytest.mark.parametrize(
    ("path", "text", "form"),
    [
        ("/home/u/.bashrc", "", EnvForm.SHELL),
        ("/etc/profile.d/cuda.sh", "", EnvForm.SHELL),
        ("/srv/sglang.env", "export A=1\n", EnvForm.SHELL),
        ("/etc/default/sglang", "A=1\n", EnvForm.SYSTEMD),
        ("/srv/sglang.env", "A='1'\n", EnvForm.SYSTEMD),
        ("/srv/sglang.env", "A=1\n", EnvForm.UNKNOWN),
    ],
)
def test_form(path: str, text: str, form: EnvForm) -> None:
    """Place and content tell who reads the file."""
    assert form_of(path, text) is form


def test_replace() -> None:
    """Each text must occur just once in the file as it was."""
    assert replaced_texts("a b c", (("a", "b"), ("c", "a"))) == "b b a"
    for pairs, reason in (
        ((("x", ""),), "does not occur"),
        ((("", "x"),), "does not occur"),
        (((" ", ""),), "more than once"),
    ):
        with pytest.raises(ValueError, match=reason):
            replaced_texts("a b c", pairs)
    with pytest.raises(ValueError, match="overlap"):
        replaced_texts("abc", (("ab", ""), ("bc", "")))
    with pytest.raises(ValueError, match="more than once"):
        replaced_texts("aaa", (("aa", "b"),))


def test_edit() -> None:
    """An edit replaces, unsets and sets, in this order."""
    edit = Edit(
        "/srv/sglang.env", set=(("NCCL_DEBUG", "INFO"), ("NEW", "1")), unset=("SGL_X",), replace=(("# old", "# new"),)
    )
    assert edited_text("# old\nNCCL_DEBUG=WARN\nSGL_X=1\n", edit) == "# new\nNCCL_DEBUG=INFO\nNEW=1\n"
    assert edited_text("A=1\n", Edit("f", set=(("B", "a b"),)), EnvForm.DOCKER) == "A=1\nB=a b\n"
