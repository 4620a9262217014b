"""Containers and their limits from recorded control groups."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from triage.model import Value
from triage.probing.catalogue.container import CONTAINER_LIMITS
from triage.probing.probe import Look, Target, Transcript

LABELS = (
    "/.dockerenv",
    "/run/.containerenv",
    "/run/systemd/container",
    "/proc/1/cgroup",
    "variables of containers",
    "mount of /",
    "control groups of process self",
)
ROOT_DISK = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
ROOT_OVERLAY = "720 640 0:61 / / rw,relatime master:5 - overlay overlay rw,lowerdir=/var/lib\n"


def facts(texts: Mapping[str, str]) -> dict[str, Value]:
    """The facts when these reads succeed and the others find nothing."""
    return dict(
        CONTAINER_LIMITS.parse(
            [Transcript(label, "ok" if label in texts else "absent", texts.get(label, "")) for label in LABELS]
        )
    )


def group(path: str, **files: str) -> str:
    """Files of one control group as the look writes them; ``_`` in a name stands for the first dot."""
    return "".join(f"==> {path}/{name.replace('__', '.')} <==\n{body}\n" for name, body in files.items())


def test_kubernetes_with_version_2() -> None:
    """In a pod the container is the top of the view: its limit, its use and its kills are the facts."""
    found = facts(
        {
            "/proc/1/cgroup": "0::/\n",
            "variables of containers": "KUBERNETES_SERVICE_HOST\n",
            "mount of /": ROOT_OVERLAY,
            LABELS[-1]: group(
                "/sys/fs/cgroup",
                memory__max="68719476736",
                memory__current="34359738368",
                memory__peak="68719476736",
                memory__events="low 0\nhigh 0\nmax 17\noom 3\noom_kill 2\noom_group_kill 0",
                cpu__max="1600000 100000",
                pids__max="max",
                pids__current="211",
            ),
        }
    )
    assert found == {
        "container.is_container": True,
        "container.kind": "kubernetes",
        "container.cgroup_version": 2,
        "container.memory_limited": True,
        "container.memory_limit_gb": 64.0,
        "container.memory_used_gb": 32.0,
        "container.memory_peak_gb": 64.0,
        "container.oom_kills": 2,
        "container.cpus": 16.0,
    }


def test_docker_with_version_1() -> None:
    """Version 1 writes each limit in its own hierarchy, and 'none' as a huge number or -1."""
    memory = group(
        "/sys/fs/cgroup/memory",
        memory__limit_in_bytes="9223372036854771712",
        memory__usage_in_bytes="1073741824",
        memory__oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 1",
    )
    cpu = group("/sys/fs/cgroup/cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    found = facts({"/.dockerenv": "", "/proc/1/cgroup": "4:memory:/docker/0123\n", LABELS[-1]: memory + cpu})
    assert found == {
        "container.is_container": True,
        "container.kind": "docker",
        "container.cgroup_version": 1,
        "container.memory_limited": False,
        "container.memory_used_gb": 1.0,
        "container.oom_kills": 1,
    }


def test_the_narrowest_group_limits() -> None:
    """Of nested groups the smallest limit counts, and the use is that of the group it belongs to."""
    inner = group("/sys/fs/cgroup/a.slice/b.scope", memory__max="max", memory__current="1073741824", pids__max="500")
    outer = group("/sys/fs/cgroup/a.slice", memory__max="8589934592", memory__current="7516192768", pids__max="100")
    found = facts({"/proc/1/cgroup": "0::/init.scope\n", "mount of /": ROOT_DISK, LABELS[-1]: inner + outer})
    assert found["container.is_container"] is False
    assert found["container.memory_limit_gb"] == 8.0
    assert found["container.memory_used_gb"] == 7.0
    assert found["container.pids_limit"] == 100


def test_kills_of_strangers_do_not_count() -> None:
    """On a host the slice above counts the kills of everybody in it; ours is the innermost group."""
    inner = group("/sys/fs/cgroup/user.slice/b.scope", memory__events="oom_kill 0")
    outer = group("/sys/fs/cgroup/user.slice", memory__events="oom_kill 9")
    assert facts({LABELS[-1]: inner + outer})["container.oom_kills"] == 0


def test_kills_anywhere_in_the_container_count() -> None:
    """Where the top of the view is a group, it is the container's own, and the server may run in a part of it beside ours."""
    inner = group("/sys/fs/cgroup/ours", memory__events="oom_kill 0")
    top = group("/sys/fs/cgroup", memory__events="oom_kill 4")
    assert facts({LABELS[-1]: inner + top})["container.oom_kills"] == 4


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        ({"/.dockerenv": ""}, "docker"),
        ({"/run/.containerenv": 'engine="podman-5.2.2"\n'}, "podman"),
        ({"/run/systemd/container": "lxc\n"}, "lxc"),
        ({"/proc/1/cgroup": "0::/kubepods.slice/kubepods-pod0.slice/cri-containerd-0.scope\n"}, "kubernetes"),
        ({"/proc/1/cgroup": "0::/system.slice/docker-0.scope\n"}, "docker"),
        ({"variables of containers": "APPTAINER_CONTAINER\n"}, "apptainer"),
        ({"/proc/1/cgroup": "0::/\n", "mount of /": ROOT_OVERLAY}, "unknown"),
    ],
)
def test_kinds_of_containers(texts: dict[str, str], kind: str) -> None:
    """Each runtime leaves its own sign, and layers under the root are a sign of any."""
    found = facts(texts)
    assert (found["container.is_container"], found["container.kind"]) == (True, kind)


def test_a_host_is_no_container() -> None:
    """Without any sign, and with a look at what would show it, this is a host; without that look nothing is said."""
    assert facts({"/proc/1/cgroup": "0::/init.scope\n", "mount of /": ROOT_DISK}) == {"container.is_container": False}
    assert facts({}) == {}


def test_values_of_variables_are_not_recorded() -> None:
    """The address of the cluster's service is nobody's business: only that the variable is set."""
    reads = CONTAINER_LIMITS.reads(Target(environment={"KUBERNETES_SERVICE_HOST": "10.0.0.1", "container": "podman"}))
    look = next(read for read in reads if read.label == "variables of containers")
    assert isinstance(look, Look)
    assert look.function() == "KUBERNETES_SERVICE_HOST\ncontainer=podman\n"
