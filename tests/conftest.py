"""What all tests share: the tools of the checkout can be imported, while an installed package still comes before the checkout's."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from triage.engine import load
from triage.knowledge.compiled import Knowledge

ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:
    sys.path.append(ROOT)

# How long an example takes says more about the machine than about us; speed is measured in bench/.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

# Under nohup, or in the background of a script, these are ignored, and every process that a test starts would inherit that.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder of this run of the tests, for all workers: the bundled knowledge takes seconds to compile."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"


@pytest.fixture(scope="session")
def knowledge(cache: Path) -> Knowledge:
    """The bundled knowledge, compiled by the first worker that needs it."""
    cache.mkdir(exist_ok=True, mode=0o700)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return load((), {"XDG_CACHE_HOME": str(cache)})
