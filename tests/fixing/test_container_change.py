"""Options of a container changed in the command that starts it: before the image's name, and nothing else."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from triage.fixing.journal import Journal
from triage.fixing.launch_change import change_command
from triage.fixing.launch_script import change_script
from triage.fixing.plan import Plan, StepState
from triage.fixing.prepare import prepare
from triage.fixing.runner import ready_steps, run_plan
from triage.fixing.undoing import take_back_all
from triage.fixing.workshop import Workshop
from triage.playbook import ContainerChange, LaunchChange

SERVER = "python3 -m sglang.launch_server --model-path /m --tp 8"
NEW = "a container that exists keeps its options: remove it, and start a new one with this command"
MEMORY = ContainerChange(set=(("shm-size", "32g"),))
LOCK = ContainerChange(add=(("ulimit", "memlock=-1"),))
RIGHTS = ContainerChange(add=(("cap-add", "IPC_LOCK"), ("device", "/dev/infiniband")))


def changed(old: str, change: ContainerChange) -> tuple[str, tuple[str, ...]]:
    """The command with the change, and the notes."""
    found = change_command(shlex.split(old), LaunchChange(container=change))
    return shlex.join(found.words), tuple(note for note in found.notes if note != NEW)


@pytest.mark.parametrize(
    ("old", "change", "new"),
    [
        ("docker run IMG", MEMORY, "docker run --shm-size 32g IMG"),
        ("docker run --rm -it IMG", MEMORY, "docker run --shm-size 32g --rm -it IMG"),
        ("docker container run --gpus all -it IMG", MEMORY, "docker container run --gpus all --shm-size 32g -it IMG"),
        ("docker run --shm-size 16g IMG", MEMORY, "docker run --shm-size 32g IMG"),
        ("docker run --shm-size=16g IMG", MEMORY, "docker run --shm-size=32g IMG"),
        ("docker run --shm-size 32g IMG", MEMORY, "docker run --shm-size 32g IMG"),
        ("docker run --memory=1g -m2g IMG", ContainerChange(set=(("memory", "9g"),)), "docker run -m9g IMG"),
        ("docker run --ulimit memlock=64000 IMG", LOCK, "docker run --ulimit memlock=-1 IMG"),
        ("docker run --ulimit memlock=-1:-1 IMG", LOCK, "docker run --ulimit memlock=-1:-1 IMG"),
        ("docker run --ulimit nofile=9 IMG", LOCK, "docker run --ulimit nofile=9 --ulimit memlock=-1 IMG"),
        ("docker run --memory 8g IMG", ContainerChange(set=(("memory", "16g"),)), "docker run --memory 16g IMG"),
        ("podman run --net bridge IMG", ContainerChange(set=(("network", "host"),)), "podman run --net host IMG"),
        ("docker run --net=a --network b IMG", ContainerChange(set=(("network", "host"),)), "docker run --network host IMG"),
        ("docker run --cap-add=CAP_IPC_LOCK IMG", RIGHTS, "docker run --cap-add=CAP_IPC_LOCK --device /dev/infiniband IMG"),
        ("docker run -v /a:/m:ro IMG", ContainerChange(add=(("volume", "/b:/m"),)), "docker run -v /b:/m IMG"),
        ("docker run --privileged=false IMG", ContainerChange(set=(("privileged", None),)), "docker run --privileged IMG"),
        ("docker run --rm IMG", ContainerChange(set=(("privileged", None),)), "docker run --privileged --rm IMG"),
        ("docker run --privileged --rm IMG", ContainerChange(set=(("privileged", None),)), "docker run --privileged --rm IMG"),
        ("docker run --ipc=private --shm-size 1g IMG", ContainerChange((("ipc", "host"),), (), ("shm-size",)), "docker run --ipc=host IMG"),
        ("sudo -E docker run -e A=1 IMG", MEMORY, "sudo -E docker run -e A=1 --shm-size 32g IMG"),
        # What follows an option that we do not know may be its value.
        ("docker run --new-thing x IMG", MEMORY, "docker run --shm-size 32g --new-thing x IMG"),
    ],
)  # fmt: skip
def test_change(old: str, change: ContainerChange, new: str) -> None:
    """As it is spelled, each option once; what the server is told stays."""
    found, _ = changed(f"{old} {SERVER}", change)
    assert found == shlex.join(shlex.split(f"{new} {SERVER}"))


@pytest.mark.parametrize(
    ("old", "change", "note"),
    [
        ("docker run --shm-size 64g IMG", MEMORY, "--shm-size 64g is more than 32g already, and stays"),
        ("docker run --pids-limit -1 IMG", ContainerChange(set=(("pids-limit", "9"),)), "--pids-limit -1 is more than 9 already, and stays"),
        ("docker run --ulimit nofile=-1 IMG", ContainerChange(add=(("ulimit", "nofile=9"),)), "--ulimit nofile=-1 is more than nofile=9 already, and stays"),
        ("docker run --memory 0 IMG", ContainerChange(set=(("memory", "16g"),)), "--memory 0 is more than 16g already, and stays"),
        ("docker run --privileged IMG", RIGHTS, "--privileged stands for --cap-add IPC_LOCK already"),
        ("docker run IMG", ContainerChange(remove=("privileged",)), "--privileged is not among the container's options"),
    ],
)  # fmt: skip
def test_what_is_there_stays(old: str, change: ContainerChange, note: str) -> None:
    """A larger limit, or a right that another option gives; and a note says why."""
    found, notes = changed(f"{old} {SERVER}", change)
    assert found == shlex.join(shlex.split(f"{old} {SERVER}"))
    assert note in notes


@pytest.mark.parametrize(
    ("old", "change", "note"),
    [
        ("docker run --ipc=host IMG", MEMORY, "with --ipc=host the container has the /dev/shm of another"),
        ("docker run -p 1:1 IMG", ContainerChange(set=(("network", "host"),)), "with --network host every port is the host's"),
        ("podman run IMG", ContainerChange(set=(("gpus", "all"),)), "a podman that does not know --gpus takes --device"),
        ("docker run $OPTIONS --rm IMG", MEMORY, "options may also come from $OPTIONS; of two that say the same"),
    ],
)  # fmt: skip
def test_notes(old: str, change: ContainerChange, note: str) -> None:
    """What makes the change something else than it seems."""
    assert any(item.startswith(note) for item in changed(f"{old} {SERVER}", change)[1])
    assert not any("options may also" in item for item in changed(f"docker run $IMAGE {SERVER}", change)[1])


SCRIPT = f"""#!/bin/bash
# docker run --shm-size 1g
docker run --rm \\
  -e HF_TOKEN="$HF_TOKEN" \\
  -v "$HOME/m":/m \\
  lmsysorg/sglang:v0.5.5 \\
  bash -c "{SERVER} --port $PORT" | tee log
"""


def test_script() -> None:
    """In a script the options stand on lines of their own where the others do; all else stays byte for byte."""
    found = change_script(SCRIPT, LaunchChange(container=replace(MEMORY, add=LOCK.add)))
    options = '  -v "$HOME/m":/m \\\n  --shm-size 32g \\\n  --ulimit memlock=-1 \\\n'
    assert found.text == SCRIPT.replace('  -v "$HOME/m":/m \\\n', options)
    assert (found.notes, found.is_refused) == ((NEW,), False)


def test_unit() -> None:
    """In a unit of systemd the command of ExecStart changes."""
    unit = f"[Service]\nExecStart=/usr/bin/docker run --name s IMG {SERVER}\n"
    found = change_script(unit, LaunchChange(container=MEMORY))
    assert found.text == unit.replace("--name s", "--name s --shm-size 32g")


@pytest.mark.parametrize(
    "text", [f"#!/bin/bash\n{SERVER}\n", "docker run IMG sleep 1\n", f"[Service]\nExecStart={SERVER}\n"]
)
def test_no_container(text: str) -> None:
    """Where no container with a server is started, nothing changes, and that is said."""
    found = change_script(text, LaunchChange(container=MEMORY))
    assert (found.text, found.is_refused) == (text, True)


Planned = Callable[..., Plan]
STEP = """
steps:
  - id: more
    title: More
    why: So.
    kind: change
    launch: {container: {set: {shm-size: 32g, privileged: true}, add: {ulimit: [memlock=-1, stack=67108864]}}}
"""
OPTIONS = "--shm-size 32g --privileged --ulimit memlock=-1 --ulimit stack=67108864"


def test_written_and_undone(
    planned: Planned, workshop: Workshop, journal: Journal, operator: Callable[..., object], tmp_path: Path
) -> None:
    """The operator's script gets the options, and its undo brings every byte back."""
    path = tmp_path / "serve.sh"
    path.write_text(SCRIPT, encoding="utf-8")
    mine, person = replace(workshop, launch_file=path), operator()
    (step,) = planned(STEP).steps
    prepared = prepare(step, mine)
    assert "+  --shm-size 32g \\" in prepared.diff
    run_plan(planned(STEP), mine, journal, person)  # type: ignore[arg-type]
    assert all(
        option in path.read_text(encoding="utf-8")
        for option in ("--shm-size 32g", "--privileged", "--ulimit stack=67108864")
    )
    # What says so already needs no change.
    again = prepare(step, mine).edit
    assert again is not None
    assert not again.changes
    assert list(take_back_all(mine, journal, person)) == [("more", "undone")]  # type: ignore[arg-type]
    assert path.read_text(encoding="utf-8") == SCRIPT


def test_shown_where_the_command_is_known(planned: Planned, workshop: Workshop) -> None:
    """Old against new, and the whole command to type."""
    known = replace(workshop, launch=("docker", "run", "IMG", *SERVER.split()))
    (step,) = planned(STEP).steps
    prepared = prepare(step, known)
    assert prepared.state is StepState.SHOWN
    assert [line for line in prepared.diff if line.startswith("+")] == [
        f"+ --{option}" for option in OPTIONS[2:].split(" --")
    ]
    assert prepared.words is not None
    assert prepared.words.commands == (("docker", "run", *OPTIONS.split(), "IMG", *SERVER.split()),)


@pytest.mark.parametrize("launch", [(), tuple(SERVER.split())])
@pytest.mark.parametrize("script", [False, True])
def test_told_where_only_the_server_is_known(
    planned: Planned, workshop: Workshop, tmp_path: Path, launch: tuple[str, ...], script: bool
) -> None:
    """What to add and where, for docker, compose and Kubernetes; no file is touched."""
    path = tmp_path / "serve.sh"
    path.write_text(SERVER, encoding="utf-8")
    (step,) = planned(STEP).steps
    prepared = prepare(step, replace(workshop, launch=launch, launch_file=path if script else None))
    assert (prepared.state, prepared.edit) == (StepState.SHOWN, None)
    assert ("no container is started" if script else "--set launch_file=PATH names a script") in prepared.reason
    assert prepared.words is not None
    assert "before the image name" in prepared.words.text
    assert "shm_size: 32g, privileged: true, ulimits: {memlock: -1, stack: 67108864}" in prepared.words.text
    assert "emptyDir of medium Memory and sizeLimit 32Gi on /dev/shm" in prepared.words.text
    assert prepared.words.commands == (("docker", "run", *OPTIONS.split(), "...", "IMAGE", "..."),)


@pytest.mark.parametrize(
    ("runtime", "engine", "pods"),
    [
        ("podman", "podman", False),
        ("docker", "docker", False),
        ("kubernetes", None, True),
        ("containerd", "docker", True),
    ],
)
def test_told_for_what_runs_the_container(
    planned: Planned, workshop: Workshop, runtime: str, engine: str | None, pods: bool
) -> None:
    """As far as it is known what that is."""
    (step,) = planned(STEP).steps
    words = prepare(
        step, replace(workshop, surroundings=replace(workshop.surroundings, container_runtime=runtime))
    ).words
    assert words is not None
    assert ("Kubernetes" in words.text) == pods
    assert [command[0] for command in words.commands] == ([engine] if engine else [])


def test_a_restart_behind_it(planned: Planned, workshop: Workshop) -> None:
    """A step that changes the container's options is known to the restart behind it."""
    text = STEP + "  - {id: again, title: Again, why: So., kind: restart, restart: {}}\n"
    docker = replace(workshop.surroundings, supervisor="docker", container_runtime="docker", container_name="s1")
    mine = replace(workshop, launch=tuple(SERVER.split()), surroundings=docker)
    _, again = ready_steps(planned(text), mine)
    assert again.state is StepState.SHOWN
    assert again.words is not None
    assert "put it aside" in again.words.text
    (alone,) = ready_steps(planned("\nsteps:\n  - {id: again, title: A, why: So., kind: restart, restart: {}}\n"), mine)
    assert alone.words is None
