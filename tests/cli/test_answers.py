"""Questions that only the operator can answer, asked by a report and answered with --answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

LOG = (
    "[2026-03-01 10:00:00 TP8] Init torch distributed begin.\n"
    "[rank8]: RuntimeError: Gloo connectFullMesh failed with [../third_party/gloo/gloo/transport/tcp/pair.cc:144] "
    "no error (timed out after 30000ms)\n"
)
NAME = "network.firewall_between_nodes"


@pytest.fixture(name="log")
def log_fixture(tmp_path: Path) -> str:
    """A log that two causes explain, told apart by what the operator knows."""
    (tmp_path / "server.log").write_text(LOG)
    return "server.log"


def report(sgltriage: Command, log: str, *arguments: str) -> dict[str, Any]:
    """The JSON report."""
    found = json.loads(sgltriage("scan", "--format", "json", *arguments, log).stdout)
    assert isinstance(found, dict)
    return found


def test_the_question_is_the_next_step(sgltriage: Command, log: str) -> None:
    """Without an answer it is asked, in words and with what may be answered."""
    steps = report(sgltriage, log)["diagnoses"][0]["next"]
    asked = next(step for step in steps if step.get("question") == NAME)
    assert asked["ask"].endswith("(yes or no)")


def test_an_answer_weighs(sgltriage: Command, log: str) -> None:
    """Yes makes the firewall the first answer and stands in its ledger; no leaves it behind; nothing is asked again."""
    yes = report(sgltriage, log, "--answer", f"{NAME}=yes")["diagnoses"]
    assert yes[0]["id"] == "firewall-between-nodes"
    assert any(item["origin"] == "answer" and NAME in item["text"] for item in yes[0]["evidence"])
    assert not any(step.get("question") == NAME for item in yes for step in item["next"])
    no = report(sgltriage, log, "--answer", f"{NAME}=no")["diagnoses"]
    assert no[0]["id"] != "firewall-between-nodes"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (f"{NAME}=perhaps", "neither yes nor no"),
        ("network.firewal_between_nodes=yes", f"did you mean '{NAME}'"),
        (NAME, "write NAME=VALUE"),
    ],
)
def test_a_wrong_answer_is_told(sgltriage: Command, log: str, answer: str, said: str) -> None:
    """One line, exit 2."""
    done = sgltriage("scan", "--answer", answer, log)
    assert done.returncode == 2
    assert said in done.stderr.decode()
