"""Real SGLang servers that fail by themselves, run by ``sgltriage run``: each cause is named at exit, each status is the server's."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tools.make_failing_servers import SERVERS, FailingServer, occupied, server_command, variables_of

if TYPE_CHECKING:
    from tests.cli.conftest import Command

VARIABLE = "SGLTRIAGE_FAILING_SERVERS"

pytestmark = pytest.mark.slow


@pytest.fixture(name="folder")
def folder_fixture() -> Path:
    """The environment that the servers run in."""
    named = os.environ.get(VARIABLE)
    if not named:
        pytest.skip(f"no environment; tools/make_failing_servers.py FOLDER makes one, then set {VARIABLE}=FOLDER")
    return Path(named).absolute()


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_the_cause_is_named(sgltriage: Command, folder: Path, server: FailingServer) -> None:
    """The first diagnosis is the reason of that failure, the output came through, and the status is the server's own."""
    variables = variables_of(folder, server, {})
    (sgltriage.folder / "model").symlink_to(folder / "model")
    with occupied(server):
        done = sgltriage(
            "run", "--log", "server.log", "--report", "report.json", "--", "env", "-u", "PYTHONPATH",
            *(f"{name}={value}" for name, value in variables.items()), *server_command(folder, server),
        )  # fmt: skip
    said = done.stderr.decode(errors="replace")
    assert done.returncode == server.status, said[-3000:]
    assert server.death.encode() in done.stdout + done.stderr
    assert server.death in (sgltriage.folder / "server.log").read_text(errors="replace")
    report = json.loads((sgltriage.folder / "report.json").read_bytes())
    assert report["diagnoses"], said[-3000:]
    assert report["diagnoses"][0]["id"] in server.causes, said[-3000:]
    assert f"the server ended with exit status {server.status}" in said or "was ended by signal" in said


def test_there_are_enough_of_them() -> None:
    """At least five different reasons."""
    assert len({server.causes for server in SERVERS}) >= 5
