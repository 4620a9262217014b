"""Model values without secrets."""

from __future__ import annotations

from triage.model import Context, Difference, Fact, Hit, Launch, Place, Severity
from triage.safety.redact import Redactor
from triage.session.redacting import redacted

KEY = "sk-very-secret-0123456789"


def test_by_name_by_option_and_by_shape() -> None:
    """Facts and captures by their names, commands by their options, other texts by what they look like."""
    values = (
        Fact("server.api_key", "plainword", "log"),
        Fact("launch.command", ("serve", "--api-key", "plainword"), "log"),
        Hit("k", Place("s", 1, 0), f"api_key='{KEY}'", (("token_value", 7), ("api_key", "plainword"))),
        Launch("s", 1, command=("serve", "--api-key=plainword")),
        Difference("server.api_key", "plainword", (("s", "plainword"),)),
    )
    found = redacted(values, Redactor(b"salt"))
    assert "plainword" not in repr(found)
    assert KEY not in repr(found)
    assert repr(found).count("‹api_key:") == 7


def test_everything_else_stays() -> None:
    """Numbers, enums, places; the value is another only where something was hidden, and once hidden it stays."""
    hit = Hit("k", Place("s", 1, 2, seconds=3.5), "harmless", (("a", 1.5), ("b", None)), Context.BENIGN)
    assert redacted((hit, Severity.FATAL, True, None), Redactor()) == (hit, Severity.FATAL, True, None)
    once = redacted(Fact("hf_token", "abc", "o"), Redactor(b"salt"))
    assert redacted(once, Redactor(b"other")) == once
