"""The command itself: verbs, help, usage errors, and what happens when we have a bug."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

from triage import __version__

ROOT = Path(__file__).parents[2]
LOGS = ROOT / "fixtures" / "logs"


CRASH = LOGS / "libcudnn-import/server.log"


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("scan", "--help"), ("why", "-h"), ("kb", "--help")])
def test_help(sgltriage: Command, arguments: tuple[str, ...]) -> None:
    """Help is a result: on stdout, status 0."""
    done = sgltriage(*arguments)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Usage" in done.stdout


def test_help_lists_every_verb(sgltriage: Command) -> None:
    """Each verb has its line, and each can be asked for its own help."""
    text = sgltriage("--help").stdout.decode()
    for verb in ("scan", "explain", "why", "why-not", "kb"):
        assert f"  {verb} " in text
        assert sgltriage(verb, "--help").returncode == 0


def test_version(sgltriage: Command) -> None:
    """The version names us and the Python that runs us."""
    done = sgltriage("--version")
    assert done.returncode == 0
    assert done.stdout.decode().split() == ["sgltriage", f"{__version__},", "Python", sys.version.split()[0]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("scna", "x"), ["no verb 'scna'", "did you mean", "scan"]),
        (("scan", "--formt", "json"), ["--formt", "--format"]),
        (("scan", "--format", "jsn"), ["jsn", "json"]),
        (("scan", "--top", "0"), ["--top", "0"]),
        (("scan", "--kb", "nowhere"), ["--kb", "nowhere"]),
        (("explain",), ["ID"]),
    ],
)
def test_usage_errors(sgltriage: Command, arguments: tuple[str, ...], words: list[str]) -> None:
    """A wrong call is one line on stderr that helps, with status 2 and nothing on stdout."""
    done = sgltriage(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert len(done.stderr.splitlines()) == 1
    assert all(word in done.stderr.decode() for word in words)
    assert b"--help)" in done.stderr


def test_a_file_instead_of_a_verb(sgltriage: Command) -> None:
    """Who names a log first is told how to scan it."""
    (sgltriage.folder / "server.log").touch()
    done = sgltriage("server.log")
    assert done.returncode == 2
    assert b"sgltriage scan server.log" in done.stderr


def test_a_hostile_argument(sgltriage: Command) -> None:
    """What a caller passes on from elsewhere cannot act on the terminal either."""
    done = sgltriage("x\x1b]0;t\x07\n\u202e")
    assert done.returncode == 2
    assert b"\x1b" not in done.stderr
    assert b"\xe2\x80\xae" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


_DRIVER = """
import sys
import triage.engine
def broken(*arguments, **options):
    raise ZeroDivisionError("broken \\x1b[2J with api_key='SENTINELsecret9'")
triage.engine.scan_inputs = broken
from triage.cli.main import _run
sys.argv = ["sgltriage", "scan", "--stdin-name", "x", "--without", "libcudnn-missing"]
sys.exit(_run())
"""


@pytest.mark.parametrize("place", ["state", "home", "none"])
def test_a_bug_of_ours(sgltriage: Command, place: str) -> None:
    """A crash is one line and status 3; the details are in a file of the user's own, without secrets or escapes."""
    folder = sgltriage.folder / "places"
    folder.mkdir()
    env = sgltriage.environment | {
        "XDG_STATE_HOME": str(folder / "state") if place == "state" else "",
        "HOME": "/proc/nowhere" if place == "none" else str(folder),
        "TMPDIR": str(folder),
    }
    done = subprocess.run(
        [sys.executable, "-c", _DRIVER],
        input=b"a\n",
        capture_output=True,
        cwd=sgltriage.folder,
        env=env,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, b"")
    assert len(done.stderr.splitlines()) == 1
    assert b"internal error: ZeroDivisionError" in done.stderr
    assert b"Traceback" not in done.stderr
    (report,) = folder.rglob("crash-*.md")
    assert str(report).encode() in done.stderr
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    text = report.read_text()
    assert "Traceback" in text
    assert not any(bad in text + done.stderr.decode() for bad in ("\x1b", "SENTINEL"))


def test_a_bug_with_a_hostile_file_name(sgltriage: Command) -> None:
    """A crash report can be written whatever bytes the arguments hold."""
    driver = _DRIVER.replace('"--stdin-name", "x"', '"--stdin-name", "\\udcff\\n\\x1b"')
    done = subprocess.run(
        [sys.executable, "-c", driver],
        input=b"a\n",
        capture_output=True,
        cwd=sgltriage.folder,
        env=sgltriage.environment,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert b"crash-" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_folder_that_holds_modules(sgltriage: Command) -> None:
    """The installed command, run among files called like what it imports, imports none of them."""
    script = shutil.which("sgltriage", path=str(Path(sys.executable).parent))
    if script is None:
        pytest.skip("no console script is installed beside this interpreter")
    for name in ("yaml", "argparse", "regex", "hyperscan", "numpy", "packaging", "json", "triage"):
        (sgltriage.folder / f"{name}.py").write_text(
            "raise SystemExit('a module of the current folder was imported')\n"
        )
    shutil.copy(CRASH, sgltriage.folder / "server.log")
    env = {key: value for key, value in sgltriage.environment.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [script, "scan", "server.log"], capture_output=True, cwd=sgltriage.folder, env=env, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"libcudnn-missing" in done.stdout


def test_a_small_log_imports_little(sgltriage: Command) -> None:
    """What a scan of a small log through a pipe does not need is not loaded."""
    code = (
        "import sys, triage.cli.main as main; sys.argv = ['sgltriage', 'scan', 'server.log']; main._run(); "
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & {'yaml', 'numpy', 'rich', 'textual', 'asyncio', 'pydantic', "
        "'packaging', 'rapidfuzz', 'zstandard'}), file=sys.stderr)"
    )
    shutil.copy(CRASH, sgltriage.folder / "server.log")
    for _ in range(2):  # the first may have to compile the knowledge
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            cwd=sgltriage.folder,
            env=sgltriage.environment,
            timeout=60,
            check=False,
        )
    assert not {"yaml", "numpy", "rich", "textual", "asyncio", "pydantic", "zstandard"} & set(
        done.stderr.decode().split()
    )
