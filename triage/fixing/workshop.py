"""Where the steps of a plan are carried out: this machine, its server's interpreter, and the launch command as it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from triage.fixing.pip_command import pip_argv
from triage.fixing.programs import SEARCH_PATH, resolve_argv
from triage.fixing.surroundings import Surroundings
from triage.model import Value
from triage.playbook import Missing, Run
from triage.records import dataclass, field, replace

KEPT_VARIABLES = (
    "HOME", "LANG", "LC_ALL", "TERM", "TMPDIR", "USER", "LOGNAME", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY",
    "HTTPS_PROXY", "NO_PROXY", "all_proxy", "ALL_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "LD_LIBRARY_PATH", "KUBECONFIG",
)  # fmt: skip
KEPT_BEGINNINGS = ("CUDA_", "DG_", "DOCKER_", "HF_", "PIP_", "SGLANG_", "SGL_", "TRITON_", "UV_", "XDG_")
"""What a step sees of the operator's environment: what tools need to work here as they do for him, and the folders in which
they keep what the server will look for; nothing else."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """``launch``: the launch command with the changes of earlier steps; ``container_changed``: options of the container are among
    them, as far as anybody knows; ``launch_file``: where it is written (a script that
    holds it already, or a new file); ``facts``: what is known, for probes to look at the right places; ``backups``: the folder
    for copies of edited files; ``environment``: the operator's; ``find`` makes the program of a command an absolute path."""

    surroundings: Surroundings
    environment: Mapping[str, str]
    backups: Path
    launch: tuple[str, ...] = ()
    launch_changed: bool = False
    container_changed: bool = False
    launch_file: Path | None = None
    facts: Mapping[str, Value] = field(default_factory=dict)
    pid: int | None = None
    find: Callable[..., tuple[str, ...] | Missing] = resolve_argv

    @property
    def allowed(self) -> frozenset[Path]:
        """Programs that may be called by their absolute path: the operator named their environment."""
        named = (self.surroundings.python, self.surroundings.uv)
        return frozenset(path for path in named if path is not None)

    def argv(self, run: Run) -> tuple[str, ...] | Missing:
        """The exact command of ``run``: pip as this environment needs it, the program by its absolute path."""
        if run.pip:
            return pip_argv(run.argv, self.surroundings)
        return self.find(run.argv, allowed=self.allowed)

    def after(self, launch: tuple[str, ...], *, container_changed: bool = False) -> Workshop:
        """The workshop once a step has left the launch command, and maybe the container's options, like this."""
        return replace(
            self,
            launch=launch,
            launch_changed=self.launch_changed or launch != self.launch,
            container_changed=self.container_changed or container_changed,
        )

    def child_environment(self, additions: Mapping[str, str]) -> dict[str, str]:
        """The whole environment of a step."""
        kept = {
            name: text
            for name, text in self.environment.items()
            if name in KEPT_VARIABLES or name.startswith(KEPT_BEGINNINGS)
        }
        return {**kept, "PATH": SEARCH_PATH, **additions}
