"""A session kept in the file that the operator named, after every change worth it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from triage.session.errand import Errand

if TYPE_CHECKING:
    from triage.session.session import Session
    from triage.session.state import Action


class Keeper:
    """Saves to ``path``, None: nowhere. Sessions of another machine are never written over."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._saved: Session | None = None
        self._begun: Session | None = None
        self._errand: Errand[object] | None = None

    def holds(self, session: Session) -> None:
        """This is what stands in the file already."""
        self._saved = session

    def lacks(self, session: Session | None) -> bool:
        """Something that the operator did would be lost by going now."""
        if session is None or session.is_frozen:
            return False
        saved: tuple[Action, ...] = self._saved.state.actions if self._saved is not None else ()
        return session.state.actions != saved

    def needs(self, session: Session | None) -> bool:
        """The file does not hold this very session."""
        return self.path is not None and session is not None and not session.is_frozen and session is not self._saved

    def save(self, session: Session) -> None:
        """Save now.

        Raises:
            SessionFileError: it cannot be written.
        """
        # Late: a screen is to be drawn before anything is saved.
        from triage.session.session_file import save_session

        if self.path is not None and self.needs(session):
            save_session(session, self.path)
            self._saved = session

    def save_beside(self, session: Session) -> str:
        """Begin to save in a thread, unless that is being done or failed for this session; what went wrong the last time, in
        one line."""
        told = ""
        if self._errand is not None and self._errand.is_over:
            told = self._outcome()
        if self._errand is None and self.path is not None and self.needs(session) and session is not self._begun:
            from triage.session.session_file import save_session

            path, self._begun = self.path, session
            self._errand = Errand(lambda: save_session(session, path))
        return told

    def close(self, session: Session | None) -> str:
        """Save what is not saved, before the end; what went wrong, in one line."""
        if self._errand is not None:
            self._outcome()
        from triage.session.session_file import SessionFileError

        if session is None or not self.needs(session):
            return ""
        try:
            self.save(session)
        except SessionFileError as error:
            return str(error)
        return ""

    def _outcome(self) -> str:
        from triage.session.session_file import SessionFileError

        assert self._errand is not None
        errand, self._errand = self._errand, None
        try:
            errand.answer()
        except SessionFileError as error:
            return str(error)
        self._saved = self._begun
        return ""
