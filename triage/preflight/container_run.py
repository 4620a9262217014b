"""``docker run [options] IMAGE COMMAND``: which words are options, which the image, which the command inside."""

from __future__ import annotations

import re
from collections.abc import Sequence

from triage.preflight.shell_words import Word
from triage.records import dataclass

SHARED_MEMORY = "/dev/shm"  # noqa: S108  (a name to look for)
ENGINES = frozenset(("docker", "podman", "nerdctl"))
WITH_VALUE = frozenset(
    """add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns cidfile cpu-period
    cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems detach-keys device device-cgroup-rule
    device-read-bps device-read-iops device-write-bps device-write-iops dns dns-option dns-search domainname entrypoint env
    env-file expose gpus group-add health-cmd health-interval health-retries health-start-period health-timeout hostname ip
    ip6 ipc isolation kernel-memory label label-file link link-local-ip log-driver log-opt mac-address memory
    memory-reservation memory-swap memory-swappiness mount name net net-alias network network-alias oom-score-adj pid
    pids-limit platform publish pull restart runtime security-opt shm-size stop-signal stop-timeout storage-opt sysctl tmpfs
    tz ulimit user userns uts volume volume-driver volumes-from workdir""".split()  # noqa: SIM905  (a list of words would be seventy lines)
)
"""Options of ``docker run`` that take a value."""
_SHORT = {"e": "env", "v": "volume", "p": "publish", "w": "workdir", "u": "user", "h": "hostname", "l": "label",
          "m": "memory", "c": "cpu-shares", "a": "attach"}  # fmt: skip
_SAME = {"net": "network"}
_IMAGE_RELEASE = re.compile(r"(?:^|/)sglang:v?(\d+\.\d+\.\d+(?:\.?(?:post|rc)\d+)?)(?![\d.])")


@dataclass(frozen=True, slots=True)
class Setting:
    """An option of ``docker run``: its name without dashes, its value (empty for a switch), and the words that say so."""

    name: str
    value: str
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Container:
    """The container that a command is to run in. ``engine`` is the word ``docker``; ``run`` the word ``run``."""

    engine: Word
    run: Word
    settings: tuple[Setting, ...]
    image: Word

    def all(self, name: str) -> tuple[Setting, ...]:
        """Every setting of that name, in order."""
        return tuple(item for item in self.settings if item.name == name)

    def last(self, name: str) -> Setting | None:
        """The setting that counts when one is given twice."""
        return next(reversed(self.all(name)), None)

    @property
    def shares_network(self) -> bool:
        """Does it use the host's interfaces and ports?"""
        network = self.last("network")
        return network is not None and network.value == "host"

    @property
    def shares_ipc(self) -> bool:
        """Does it use the host's shared memory?"""
        ipc = self.last("ipc")
        return (ipc is not None and ipc.value == "host") or bool(self.on_host(SHARED_MEMORY))

    @property
    def release(self) -> str:
        """The release of sglang that the image's tag names, or ''."""
        found = _IMAGE_RELEASE.search(self.image.text)
        return re.sub(r"(?<=\d)\.?(post|rc)", r".\1", found[1]).replace(".rc", "rc") if found else ""

    def on_host(self, path: str) -> str:
        """Where a path of the container lies on the host, as the volumes say; '' if none holds it."""
        for setting in (*self.all("volume"), *self.all("mount")):
            source, target = _mounted(setting)
            if source.startswith("/") and target and (path == target or path.startswith(target.rstrip("/") + "/")):
                return source.rstrip("/") + path[len(target.rstrip("/")) :]
        return ""


def container_run(words: Sequence[Word]) -> tuple[Container, tuple[Word, ...]] | None:
    """The container of ``docker run ...`` that begins with ``words``, and the words of the command inside."""
    run = next((at for at in (1, 2) if at < len(words) and words[at].text == "run"), None)
    if run is None:
        return None
    settings: list[Setting] = []
    at = run + 1
    while at < len(words) and words[at].text.startswith("-") and len(words[at].text) > 1:
        taken = _setting(words, at)
        settings.append(taken)
        at += len(taken.words)
    if at >= len(words):
        return None
    return Container(words[0], words[run], tuple(settings), words[at]), tuple(words[at + 1 :])


def _setting(words: Sequence[Word], at: int) -> Setting:
    word = words[at]
    if word.text.startswith("--"):
        name, equals, value = word.text[2:].partition("=")
    else:
        # -itd is three switches; -eA=B is -e with its value; of -ite A=B the last letter takes the value.
        letter = next((place for place, one in enumerate(word.text[1:], 1) if one in _SHORT), None)
        if letter is None:
            return Setting(word.text[1:], "", (word,))
        name, value = _SHORT[word.text[letter]], word.text[letter + 1 :]
        equals = value[:1]
        value = value.removeprefix("=")
    name = _SAME.get(name, name)
    if equals or name not in WITH_VALUE or at + 1 >= len(words):
        return Setting(name, value, (word,))
    return Setting(name, words[at + 1].text, (word, words[at + 1]))


def _mounted(setting: Setting) -> tuple[str, str]:
    """(path on the host, path in the container) of ``-v`` or ``--mount``."""
    if setting.name == "volume":
        source, _, rest = setting.value.partition(":")
        return source, rest.partition(":")[0]
    parts = dict(item.partition("=")[::2] for item in setting.value.split(","))
    source = parts.get("source", parts.get("src", ""))
    return source, parts.get("target", parts.get("destination", parts.get("dst", "")))
