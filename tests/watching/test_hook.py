"""Hooks: real commands that get an event, and cannot hold up or harm the watcher."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.watching.telling import ENDED, appeared, encode, gate, resolved, texts
from triage.watching.background import Delivery
from triage.watching.fan_out import Notes
from triage.watching.hook import Command, Hook
from triage.watching.listener import Told

HOSTILE = 'x\'; touch pwned; "$(touch pwned)" `touch pwned` \x1b]0;title\x07 \udcff\u202e ‹ api_key=sk-abcdefghijklmnop1234 \n{}'


class Rig:
    """A hook that runs a Python script in ``folder``, and what became of it."""

    def __init__(self, folder: Path, script: str, timeout_s: float = 30.0) -> None:
        argv = (sys.executable, "-c", script)
        self.notes, self.delivery = Notes(), Delivery("hook")
        command = Command(argv, str(folder), tuple(os.environ.items()), timeout_s)
        self.hook = Hook(command, gate(), encode, self.delivery, self.notes)

    def run(self, *all_told: Told) -> list[str]:
        """Tell all, wait for the end; the notes."""
        for told in all_told:
            self.hook.tell(told)
        self.hook.close(ENDED)
        return texts(self.notes)


def wait_for(is_so: Callable[[], bool]) -> None:
    """Until it is, or 20 s."""
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def test_the_event_is_standard_input(tmp_path: Path) -> None:
    """One line of JSON and an end, for each event in order, in the folder that was asked for."""
    rig = Rig(tmp_path, "import sys; open('got', 'ab').write(sys.stdin.buffer.read())")
    assert rig.run(appeared(1), resolved(2)) == []
    first, second = (tmp_path / "got").read_bytes().splitlines()
    assert json.loads(first) == json.loads(encode(appeared(1)))
    assert json.loads(second)["event"] == "diagnosis-resolved"
    assert rig.delivery.counts() == {"delivered": 2, "failed": 0, "dropped": 0}


def test_hostile_text_is_data(tmp_path: Path) -> None:
    """It arrives as a string in JSON, shown and redacted; neither argv nor the environment holds any of it."""
    script = "import sys, os, json; json.dump([json.load(sys.stdin), sys.argv, dict(os.environ)], open('got', 'w'))"
    Rig(tmp_path, script).run(appeared(1, text=HOSTILE))
    event, argv, environment = json.loads((tmp_path / "got").read_text())
    assert "touch pwned" in event["text"]
    assert "sk-abcdefghijklmnop1234" not in event["text"]
    assert not {"\x1b", "\x07", "\u202e", "\n"} & set(event["text"])
    assert argv == ["-c"]
    assert "pwned" not in "".join(environment.values())
    assert not (tmp_path / "pwned").exists()
    ours = {name: value for name, value in environment.items() if name.startswith("SGLTRIAGE_")}
    assert ours == {
        "SGLTRIAGE_EVENT": "diagnosis-appeared", "SGLTRIAGE_ID": "gpu-oom", "SGLTRIAGE_SEVERITY": "fatal",
        "SGLTRIAGE_CONFIDENCE": "99",
    }  # fmt: skip


def test_an_id_that_is_no_plain_word_is_no_variable(tmp_path: Path) -> None:
    """A rule pack from elsewhere may call its causes as it likes."""
    script = "import os; open('got', 'w').write(os.environ.get('SGLTRIAGE_ID', 'none'))"
    Rig(tmp_path, script).run(appeared(1, "x; rm -rf /"))
    assert (tmp_path / "got").read_text() == "none"


def test_a_slow_one_is_killed_with_its_family(tmp_path: Path) -> None:
    """Its children too, also those that ignore being asked; the watcher was never kept waiting."""
    script = (
        "import os, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('pids.new', 'w').write(f'{os.getpid()} {child.pid}'); os.rename('pids.new', 'pids')\n"
        "time.sleep(600)"
    )
    rig = Rig(tmp_path, script, timeout_s=2.0)
    began = time.monotonic()
    rig.hook.tell(appeared(1))
    assert time.monotonic() - began < 1.0
    wait_for(lambda: rig.delivery.counts()["failed"] == 1)
    assert texts(rig.notes) == [f"{Path(sys.executable).name}: took more than 2 s and was ended"]
    wait_for(lambda: not any(is_running(int(pid)) for pid in (tmp_path / "pids").read_text().split()))


def is_running(pid: int) -> bool:
    """Whether it is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_big_output_is_capped(tmp_path: Path) -> None:
    """100 MB are read and dropped; some lines of it are shown, without secrets or half ones."""
    script = (
        "import sys\n"
        "print('api_key=sk-abcdefghijklmnop1234')\n"
        "for _ in range(100): sys.stdout.write('x' * (1 << 20) + chr(10))"
    )
    rig = Rig(tmp_path, script)
    found = rig.run(appeared(1))
    assert len(found) <= 7
    assert sum(map(len, found)) < 4000
    assert "api_key=‹" in found[0]
    assert found[-1].endswith("... and more, which is not shown")
    assert rig.delivery.counts()["delivered"] == 1


def test_how_it_failed_is_noted(tmp_path: Path) -> None:
    """With what it printed; one that fails does not keep the next from running."""
    script = (
        "import json, sys; e = json.load(sys.stdin); print('cannot page', file=sys.stderr); sys.exit(e['sequence'])"
    )
    rig = Rig(tmp_path, script)
    name = Path(sys.executable).name
    assert rig.run(appeared(3), resolved(4)) == [
        f"{name}: cannot page", f"{name}: ended with exit status 3", f"{name}: cannot page", f"{name}: ended with exit status 4",
    ]  # fmt: skip
    assert rig.delivery.counts()["failed"] == 2


def test_ended_by_a_signal(tmp_path: Path) -> None:
    """Told as that."""
    found = Rig(tmp_path, "import os; os.kill(os.getpid(), 9)").run(appeared(1))
    assert found == [f"{Path(sys.executable).name}: ended by signal 9"]


def test_one_that_cannot_be_started(tmp_path: Path) -> None:
    """Such as when its folder went away since."""
    folder = tmp_path / "gone"
    found = Rig(folder, "pass").run(appeared(1))
    assert len(found) == 1
    assert "could not be started" in found[0]


def test_one_that_reads_nothing(tmp_path: Path) -> None:
    """A large event is no trouble for who does not want it."""
    rig = Rig(tmp_path, "import os; os.close(0)")
    assert rig.run(appeared(1, text="x" * 200_000)) == []
    assert rig.delivery.counts()["delivered"] == 1


def test_a_large_event_arrives_whole(tmp_path: Path) -> None:
    """More than a pipe holds, to who takes its time."""
    script = "import sys, time, json; time.sleep(0.2); open('got', 'w').write(str(len(json.load(sys.stdin)['text'])))"
    Rig(tmp_path, script).run(appeared(1, text="word " * 50_000))
    assert int((tmp_path / "got").read_text()) >= 249_999


def test_the_end_waits_no_longer_than_a_run_may_take(tmp_path: Path) -> None:
    """However many wait; what is not run is counted and noted."""
    rig = Rig(tmp_path, "import time; time.sleep(600)", timeout_s=1.0)
    for sequence in range(1, 6):
        rig.hook.tell(appeared(sequence, f"cause-{sequence}"))
    began = time.monotonic()
    rig.hook.close(ENDED)
    assert time.monotonic() - began < 10
    counts = rig.delivery.counts()
    assert counts["delivered"] == 0
    assert counts["dropped"] >= 3
    assert any("not handed over in the 1 s" in text for text in texts(rig.notes))


def test_nothing_told_nothing_run(tmp_path: Path) -> None:
    """No thread is started and no time is lost."""
    rig = Rig(tmp_path, "open('got', 'w')")
    assert rig.run() == []
    assert not (tmp_path / "got").exists()


@pytest.mark.parametrize("waiting", [150])
def test_more_than_can_wait(tmp_path: Path, waiting: int) -> None:
    """The oldest are dropped, and that is noted once."""
    rig = Rig(tmp_path, "import time; time.sleep(600)", timeout_s=0.5)
    for sequence in range(1, waiting + 1):
        rig.hook.tell(appeared(sequence, f"cause-{sequence}"))
    rig.hook.close(ENDED)
    assert sum(rig.delivery.counts().values()) >= waiting
    assert sum("the oldest are dropped" in text for text in texts(rig.notes)) == 1
