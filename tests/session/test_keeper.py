"""Sessions kept in the file that was named, and other files that are written once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.session.conftest import Begin
from triage.knowledge.compiled import Knowledge
from triage.session.errand import Errand
from triage.session.keeper import Keeper
from triage.session.new_file import NewFileError, write_new
from triage.session.session_file import SessionFileError, load_session


def test_kept_when_something_changed(begin: Begin, knowledge: Knowledge, tmp_path: Path) -> None:
    """Beside the caller; what came meanwhile is saved at the end."""
    session = begin(text=b"x\n")
    keeper = Keeper(tmp_path / "s.json")
    assert keeper.needs(session)
    assert keeper.save_beside(session) == ""
    later = session.note("something")
    while keeper.needs(session):
        assert keeper.save_beside(session) == ""
    assert not keeper.lacks(session)
    assert keeper.lacks(later)
    assert keeper.close(later) == ""
    assert not keeper.needs(later)
    assert load_session(tmp_path / "s.json", knowledge).state.actions == later.state.actions


def test_what_cannot_be_saved_is_told(begin: Begin, tmp_path: Path) -> None:
    """Once while it goes on, and at the end."""
    session = begin(text=b"x\n")
    keeper = Keeper(tmp_path / "no" / "folder" / "s.json")
    told = ""
    while not told:
        told = keeper.save_beside(session)
    assert "cannot be written" in told
    assert keeper.save_beside(session) == "", "it is not tried again for the same session"
    assert "cannot be written" in keeper.close(session)
    with pytest.raises(SessionFileError):
        keeper.save(session)


def test_without_a_file(begin: Begin) -> None:
    """Only what somebody did would be lost."""
    session = begin(text=b"x\n")
    keeper = Keeper(None)
    assert not keeper.needs(session)
    assert not keeper.lacks(session)
    assert not keeper.lacks(None)
    assert keeper.lacks(session.note("something"))
    assert keeper.close(session) == ""


def test_a_note_weighs_nothing_again(begin: Begin) -> None:
    """The report of a session with a further note is the very same object."""
    session = begin(text=b"torch.OutOfMemoryError: CUDA out of memory.\n")
    assert session.note("something").report is session.report


def test_new_files(tmp_path: Path) -> None:
    """For us alone, and never over another one."""
    write_new(tmp_path / "a", "text")
    assert (tmp_path / "a").read_text() == "text"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "b")
    for name, told in (
        ("a", "there already"),
        ("link", "there already"),
        ("no/such", "No such"),
        ("nul\0", "possible"),
    ):
        with pytest.raises(NewFileError, match=told):
            write_new(tmp_path / name, "other")
    assert not (tmp_path / "b").exists()


def test_errands() -> None:
    """An answer, or the error that was raised."""
    assert Errand(lambda: 7).answer() == 7
    failed: Errand[object] = Errand(lambda: [][1])
    assert failed.wait(10)
    with pytest.raises(IndexError):
        failed.answer()
