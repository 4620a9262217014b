"""Variables that hold a list: in environment files, launch commands, scripts and units."""

from __future__ import annotations

import pytest

from triage.fixing.env_file import EnvForm, edited_text
from triage.fixing.launch_change import change_command
from triage.fixing.launch_script import change_script
from triage.fixing.list_variables import separator_of, with_item, without_item
from triage.playbook import Edit, LaunchChange, ListChange

SERVER = "python3 -m sglang.launch_server --tp 8"
BOTH = ListChange(append=(("no_proxy", "10.0.0.1"),), take_out=(("LD_LIBRARY_PATH", "/stubs"),))


def test_separators() -> None:
    """Folders to search are parted by colons, names and addresses by commas."""
    assert {name: separator_of(name) for name in ("LD_LIBRARY_PATH", "PATH", "no_proxy", "NCCL_IB_HCA")} == {
        "LD_LIBRARY_PATH": ":",
        "PATH": ":",
        "no_proxy": ",",
        "NCCL_IB_HCA": ",",
    }


@pytest.mark.parametrize(
    ("value", "put_in", "taken_out"),
    [
        ("", "/b", ""),
        ("/a", "/a:/b", "/a"),
        ("/b", "/b", ""),
        ("/a:/b:/c", "/a:/b:/c", "/a:/c"),
        ("/b/x:/xb", "/b/x:/xb:/b", "/b/x:/xb"),
        ("/a:", "/a:/b", "/a:"),
        ("/b:/a:/b", "/b:/a:/b", "/a"),
    ],
)
def test_items(value: str, put_in: str, taken_out: str) -> None:
    """An item is one between separators, not a part of another; what is there already is not put in twice."""
    assert with_item("LD_LIBRARY_PATH", value, "/b") == put_in
    assert without_item("LD_LIBRARY_PATH", value, "/b") == taken_out


@pytest.mark.parametrize(
    ("form", "before", "after"),
    [
        (EnvForm.DOCKER, "no_proxy=localhost\nLD_LIBRARY_PATH=/a:/stubs\n", "no_proxy=localhost,10.0.0.1\nLD_LIBRARY_PATH=/a\n"),
        (EnvForm.SYSTEMD, 'no_proxy="localhost"\n', 'no_proxy="localhost,10.0.0.1"\n'),
        (EnvForm.SHELL, "export no_proxy='a'\nexport LD_LIBRARY_PATH=/stubs:/a\n", "export no_proxy='a,10.0.0.1'\nexport LD_LIBRARY_PATH=/a\n"),
        (EnvForm.UNKNOWN, "A=1\n", "A=1\nno_proxy=10.0.0.1\n"),
    ],
)  # fmt: skip
def test_environment_files(form: EnvForm, before: str, after: str) -> None:
    """Only the item comes or goes; without the variable there is nothing to take out, and the item stands alone."""
    lists = BOTH if form is not EnvForm.SHELL or "LD_" in before else ListChange(append=BOTH.append)
    assert edited_text(before, Edit("f", lists=lists), form) == after


@pytest.mark.parametrize("text", ["export no_proxy=$no_proxy,x\n", "A=1\n"])
def test_what_a_shell_computes_or_inherits(text: str) -> None:
    """A script that makes the value, or may inherit it, is not guessed at."""
    with pytest.raises(ValueError, match="by hand"):
        edited_text(text, Edit("f", lists=ListChange(append=BOTH.append)), EnvForm.SHELL)


def test_launch_commands() -> None:
    """In front of a program and among the options of a container; what is not set is told."""
    lists = LaunchChange(lists=BOTH)
    changed = change_command(f"no_proxy=a LD_LIBRARY_PATH=/stubs:/b {SERVER}".split(), lists)
    assert " ".join(changed.words) == f"no_proxy=a,10.0.0.1 LD_LIBRARY_PATH=/b {SERVER}"
    assert changed.notes == ()
    boxed = change_command(f"docker run -e no_proxy=a image {SERVER}".split(), lists)
    assert " ".join(boxed.words) == f"docker run -e no_proxy=a,10.0.0.1 image {SERVER}"
    assert boxed.notes == ("LD_LIBRARY_PATH is not set here; where it is set elsewhere, take /stubs out there",)
    alone = change_command(SERVER.split(), LaunchChange(lists=ListChange(append=BOTH.append)))
    assert " ".join(alone.words) == f"no_proxy=10.0.0.1 {SERVER}"
    assert "hides what would be inherited" in alone.notes[0]


def test_several_items_of_one_variable() -> None:
    """Each is put in behind the one before."""
    lists = ListChange(append=(("no_proxy", "b"), ("no_proxy", "c")), take_out=(("no_proxy", "a"),))
    changed = change_command(f"no_proxy=a {SERVER}".split(), LaunchChange(lists=lists))
    assert changed.words[0] == "no_proxy=b,c"
    assert edited_text("no_proxy=a\n", Edit("f", lists=lists), EnvForm.DOCKER) == "no_proxy=b,c\n"


def test_scripts_and_units() -> None:
    """Where a shell computes the value it stays, with a note; a unit's own line is changed where that has it."""
    lists = LaunchChange(lists=ListChange(append=BOTH.append))
    computed = f"no_proxy=$no_proxy,x {SERVER}\n"
    found = change_script(computed, lists)
    assert found.text == computed
    assert found.notes == ("no_proxy is computed by the shell: its item 10.0.0.1 is to be changed by hand",)
    unit = f"[Service]\nEnvironment=A=1 no_proxy=a\nExecStart={SERVER}\n"
    assert change_script(unit, lists).text == unit.replace("no_proxy=a", "no_proxy=a,10.0.0.1")
