"""What rendering loads: measured by modules, for a clock on a busy machine proves nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = "argparse,asyncio,hashlib,hmac,inspect,json,logging,rich,subprocess,textual,urllib.parse"


def loaded(code: str) -> set[str]:
    """The modules of `HEAVY` that are loaded after `code` and were not before the package's own nouns."""
    script = f"import sys, triage.model; before = set(sys.modules)\n{code}\nprint(*(set('{HEAVY}'.split(',')) & (set(sys.modules) - before)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_render_is_light() -> None:
    """Choosing a format loads none of the modules that formats need."""
    assert loaded("import triage.reporting.render, triage.reporting.outlet, triage.safety.redact") == set()


@pytest.mark.parametrize(
    ("fmt", "extra"), [("text", set()), ("concise", set()), ("markdown", set()), ("json", {"json"})]
)
def test_formats_load_what_they_need(fmt: str, extra: set[str]) -> None:
    """Text for people needs no JSON, and a report without secrets needs no hashing."""
    code = (
        "from triage.model import *; from triage.reporting.render import render; from triage.reporting.outlet import Outlet\n"
        "from triage.safety.redact import Redactor\n"
        f"list(render(Report(Verdict.HEALTHY, Observation()), '{fmt}', Outlet(Redactor())))"
    )
    assert loaded(code) == extra


def test_unknown_format() -> None:
    """A format that does not exist is named, with those that do."""
    from triage.model import Observation, Report, Verdict
    from triage.reporting.outlet import Outlet
    from triage.reporting.render import render
    from triage.safety.redact import Redactor

    with pytest.raises(ValueError, match="unknown format 'xml': choose one of text, concise, json"):
        render(Report(Verdict.HEALTHY, Observation()), "xml", Outlet(Redactor()))
