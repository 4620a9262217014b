"""The options of ``docker run`` changed, before the image's name; every other word stays as it was typed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from triage.fixing.launch_text import WordEdits
from triage.playbook import ContainerChange
from triage.preflight.container_run import WITH_VALUE, Container, Setting
from triage.preflight.resources import size_in_mb
from triage.preflight.shell_words import Word
from triage.records import dataclass

REPEATED = frozenset((
    "add-host", "annotation", "cap-add", "cap-drop", "device", "device-cgroup-rule", "env", "env-file", "group-add", "label",
    "mount", "publish", "security-opt", "storage-opt", "sysctl", "tmpfs", "ulimit", "volume", "volumes-from",
))  # fmt: skip
"""Options that may be given often, each time with another value."""
SWITCHES = frozenset(
    ("detach", "init", "interactive", "no-healthcheck", "oom-kill-disable", "privileged", "read-only", "rm", "tty")
)
"""Options without a value."""
_KEYED = frozenset(("annotation", "env", "label", "security-opt", "storage-opt", "sysctl", "ulimit"))
_LIMITS = frozenset(("memory", "memory-swap", "pids-limit", "shm-size", "ulimit"))
_GIVEN_BY_PRIVILEGED = frozenset(("cap-add", "device", "security-opt"))


@dataclass(frozen=True, slots=True)
class ContainerEditor:
    """Makes the changes of one ``docker run``. ``behind_image``: the word behind the image's name, if there is one."""

    container: Container
    edits: WordEdits
    behind_image: Word | None = None

    def make(self, change: ContainerChange) -> Iterator[str]:
        """Put the changes down as edits; yields what people should know."""
        for name in change.remove:
            yield from self._remove(name)
        fresh: list[tuple[str, str | None]] = []
        for name, value in change.set:
            yield from self._set(name, value, fresh)
        for name, value in change.add:
            yield from self._add(name, value, fresh)
        self._put(fresh)
        yield from self._notes(change)

    def _remove(self, name: str) -> Iterator[str]:
        found = self.container.all(name)
        for setting in found:
            self._take_out(setting)
        if not found:
            yield f"--{name} is not among the container's options"

    def _take_out(self, setting: Setting) -> None:
        for word in setting.words:
            self.edits.remove(word)

    def _set(self, name: str, value: str | None, fresh: list[tuple[str, str | None]]) -> Iterator[str]:
        *earlier, last = self.container.all(name) or (None,)
        for setting in earlier:
            if setting is not None:
                # Of some options, such as --network, docker does not take two.
                self._take_out(setting)
        if last is None:
            fresh.append((name, value))
        elif value is None:
            if last.value not in ("", "true"):
                self.edits.write(last.words[0], f"--{name}")
        else:
            yield from self._write(last, value)

    def _add(self, name: str, value: str, fresh: list[tuple[str, str | None]]) -> Iterator[str]:
        if name in _GIVEN_BY_PRIVILEGED and self._is_privileged:
            yield f"--privileged stands for --{name} {value} already"
            return
        present = [item for item in self.container.all(name) if _key(name, item.value) == _key(name, value)]
        if not present:
            fresh.append((name, value))
        for setting in present:
            yield from self._write(setting, value)

    def _write(self, setting: Setting, value: str) -> Iterator[str]:
        name, old = setting.name, setting.value
        if _meant(name, old) == _meant(name, value):
            return
        if name in _LIMITS and _is_more(name, old.rpartition("=")[2], value.rpartition("=")[2]):
            yield f"--{name} {old} is more than {value} already, and stays"
            return
        word = setting.words[-1]
        # ``--shm-size=1g``, ``-m1g``: the value is the end of the word that names the option.
        typed = "" if len(setting.words) > 1 else word.text.removesuffix(old)
        self.edits.write(word, typed + value)

    def _put(self, options: Sequence[tuple[str, str | None]]) -> None:
        # Behind an option that we do not know, the next word may be its value.
        whole = [item for item in self.container.settings if item.name in WITH_VALUE and item.value]
        last = whole[-1].words if whole else (self.container.run,)
        like = (whole or self.container.settings or (None,))[-1]
        for name, value in options:
            texts = (f"--{name}",) if value is None else (f"--{name}", value)
            self.edits.put_behind(last[-1], *texts, like=like.words[0] if like is not None else None)

    def _notes(self, change: ContainerChange) -> Iterator[str]:
        named = {name for name, _ in (*change.set, *change.add)}
        ipc = dict(change.set).get("ipc") or self._value("ipc")
        if "shm-size" in named and ipc not in ("", "private", "shareable"):
            yield f"with --ipc={ipc} the container has the /dev/shm of another, so that its own --shm-size does not count"
        if dict(change.set).get("network") == "host" and self.container.all("publish"):
            yield "with --network host every port is the host's, and the engine leaves -p out of account"
        if "gpus" in named and self.container.engine.text.endswith("podman"):
            yield "a podman that does not know --gpus takes --device nvidia.com/gpu=all"
        if self.container.image.text.startswith("$") and (
            self.behind_image is None or self.behind_image.text.startswith("-")
        ):
            yield f"options may also come from {self.container.image.text}; of two that say the same the last counts"
        if self.edits:
            yield "a container that exists keeps its options: remove it, and start a new one with this command"

    @property
    def _is_privileged(self) -> bool:
        found = self.container.last("privileged")
        return found is not None and found.value in ("", "true")

    def _value(self, name: str) -> str:
        found = self.container.last(name)
        return "" if found is None else found.value


def _key(name: str, value: str) -> str:
    """What makes two values of a repeated option the same: the variable, the limit, the place in the container."""
    if name in _KEYED:
        return value.partition("=")[0]
    if name == "volume":
        return value.split(":")[1] if ":" in value else value
    return _meant(name, value)


def _meant(name: str, value: str) -> str:
    if name in ("cap-add", "cap-drop"):
        return value.upper().removeprefix("CAP_")
    if name == "ulimit":
        limit, _, both = value.partition("=")
        soft, _, hard = both.partition(":")
        return f"{limit}={soft}" if hard in ("", soft) else value
    return value


def _is_more(name: str, old: str, new: str) -> bool:
    """Is the limit ``old`` above ``new``? Of a soft and a hard one the soft counts, which is what the server gets."""
    before, after = (_amount(name, text.partition(":")[0]) for text in (old, new))
    return before is not None and after is not None and before > after


def _amount(name: str, text: str) -> float | None:
    is_unlimited = text == "-1" or (text == "0" and name in ("memory", "pids-limit"))
    return math.inf if is_unlimited else size_in_mb(text)
