"""Files that this program wrote itself: they quote logs, and read as logs they would tell of failures that are none."""

from __future__ import annotations

from triage.lazy_regex import lazy_regex

_WHERE = {
    "host": "a host snapshot: give it as --host FILE beside the log",
    "session": "a session: give it as --session FILE to 'sgltriage walk' or 'sgltriage tui'",
    "": "a report: give it as --report FILE to 'sgltriage fix'",
}
_HEAD = 400
_KIND = lazy_regex(rb'"kind":\s*"([a-z]{1,20})"')
_TOOL = lazy_regex(rb'"tool":\s*\{\s*"name":\s*"sgltriage"')


def own_file(head: bytes) -> str | None:
    """What a file that begins like this is and where it belongs, or None for any other."""
    if not head.startswith(b"{") or _TOOL.search(head[:_HEAD]) is None:
        return None
    kind = _KIND.search(head[:_HEAD])
    return _WHERE.get(kind[1].decode() if kind else "")
