"""A launch command as it is typed, taken apart: programs, options, variables, containers. Nothing of it is run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from triage.matching.launch_line import option_values
from triage.model import Value
from triage.preflight.container_run import ENGINES, Container, container_run
from triage.preflight.shell_words import OPERATORS, Word, shell_words
from triage.records import dataclass

SERVER, ROUTER, ROUTER_WITH_SERVERS, COMPILER = "server", "router", "router-with-servers", "deep-gemm-compiler"
DIFFUSION = "diffusion-server"
"""``sglang serve`` of an image or video model: a program with options of its own."""
_DIFFUSION_FIELDS = frozenset((
    "num_gpus", "pipeline_class_name", "ulysses_degree", "ring_degree", "sp_degree", "enable_cfg_parallel", "dit_cpu_offload",
    "vae_cpu_offload", "text_encoder_cpu_offload", "image_encoder_cpu_offload", "dit_layerwise_offload", "use_fsdp_inference",
    "dit_precision", "vae_precision", "hsdp_shard_dim",
))  # fmt: skip
_MODULES = {
    "sglang.launch_server": SERVER,
    "sglang_router.launch_router": ROUTER,
    "sglang_router.launch_server": ROUTER_WITH_SERVERS,
    "sglang.compile_deep_gemm": COMPILER,
    "sglang.srt.disaggregation.mini_lb": ROUTER,
    "sglang.srt.disaggregation.launch_lb": ROUTER,
}
_ROUTERS = frozenset(("sgl-router", "sglang-router", "smg"))
_SHELLS = frozenset(("bash", "sh", "dash", "zsh", "ash"))
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PYTHON = re.compile(r"python[\d.]*")
_PYTHON_OPTIONS = re.compile(r"-[bBdEhiIOPqRsSuvVx]+")
_OPTION = re.compile(r"--[A-Za-z][\w-]*(?:=.*)?", re.DOTALL)
# argparse takes no such word for a value; a negative number it does.
_DASHED = re.compile(r"--?[A-Za-z].*", re.DOTALL)
_REDIRECTION = re.compile(r"\d?>.*|<.*")
_MAX_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Option:
    """An option with its values: ``--tp 8``, ``--tp=8``, ``--trust-remote-code``. ``field`` is the server's own name
    (``tp_size``); ``name`` is as typed, empty for a positional model; ``value`` is typed, True for a bare flag."""

    name: str
    field: str
    value: Value
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable that the command sets, in one word (``A=B``, or what follows ``-e``)."""

    name: str
    value: str
    word: Word


@dataclass(frozen=True, slots=True)
class PlannedCommand:
    """One program that the words would start: its kind, the words that name it, its options, variables and container.
    ``start`` is the first word of all that belongs to it, wrappers included."""

    kind: str
    program: tuple[Word, ...]
    options: tuple[Option, ...]
    start: Word
    variables: tuple[Variable, ...] = ()
    container: Container | None = None

    def option(self, field: str) -> Option | None:
        """The option that sets ``field``; of several the last, as argparse takes it."""
        return next((item for item in reversed(self.options) if item.field == field), None)

    @property
    def last_word(self) -> Word:
        """The word behind which a further option goes."""
        return self.options[-1].words[-1] if self.options else self.program[-1]

    def variable(self, name: str) -> Variable | None:
        """The variable of that name; of several the last."""
        return next((item for item in reversed(self.variables) if item.name == name), None)


def parse_command(words: Sequence[str]) -> tuple[PlannedCommand, ...]:
    """Every program of SGLang that ``words`` (an argv, variables in front) would start; empty if there is none.

    Looked through are wrappers (env, nohup, sudo, uv run, numactl, ...), ``bash -c`` scripts with several commands, and
    ``docker run``.
    """
    return tuple(_script([Word(text, index) for index, text in enumerate(words)], (), None, 0))


def _script(
    words: Iterable[Word], variables: tuple[Variable, ...], container: Container | None, depth: int
) -> Iterator[PlannedCommand]:
    segment: list[Word] = []
    for word in (*words, Word(";", -1)):
        if not (word.bare and word.text in OPERATORS):
            segment.append(word)
            continue
        if segment and segment[0].text == "export":
            variables += tuple(_assignments(segment[1:]))
        elif segment and all(_ASSIGNMENT.match(item.text) for item in segment):
            pass  # a variable of the shell alone
        elif segment:
            yield from _segment(segment, variables, container, depth)
        segment = []


def _segment(
    words: Sequence[Word], variables: tuple[Variable, ...], container: Container | None, depth: int
) -> Iterator[PlannedCommand]:
    """The program of one command, behind whatever stands before it."""
    for at, word in enumerate(words):
        name = word.text.rpartition("/")[2]
        if _ASSIGNMENT.match(word.text):
            variables += tuple(_assignments([word]))
            continue
        if name in _SHELLS and depth < _MAX_DEPTH:
            script = _script_of(words[at + 1 :])
            # Of a script within a script the places cannot be told any more, so it is left alone.
            if script is not None and script.span is None:
                yield from _script(shell_words(script.text, script.index), variables, container, depth + 1)
                return
        if name in ENGINES and container is None:
            taken = container_run(words[at:])
            if taken is not None:
                inner, rest = taken
                # What is set outside does not reach into a container.
                yield from _segment(rest, tuple(_container_variables(inner, variables)), inner, depth + 1)
                return
        found = _program(words, at)
        if found is not None:
            kind, length = found
            options = tuple(_options(_arguments(words[at + length :]), kind))
            yield PlannedCommand(
                DIFFUSION if kind == SERVER and _makes_pictures(options) else kind,
                tuple(words[at : at + length]),
                options,
                container.engine if container is not None else words[0],
                variables,
                container,
            )
            return


def _program(words: Sequence[Word], at: int) -> tuple[str, int] | None:
    """Kind and number of words of the program that begins at ``at``."""
    name = words[at].text.rpartition("/")[2]
    following = words[at + 1].text if at + 1 < len(words) else ""
    if name == "sglang" and following == "serve":
        return SERVER, 2
    if name in _ROUTERS:
        return (ROUTER, 2) if following in ("launch", "start") else (ROUTER, 1)
    if not _PYTHON.fullmatch(name):
        return None
    end = at + 1
    while end < len(words):
        text = words[end].text
        if text == "-m" and end + 1 < len(words):
            return (_MODULES[words[end + 1].text], end + 2 - at) if words[end + 1].text in _MODULES else None
        if text in ("-X", "-W"):
            end += 1
        elif text.endswith("/sglang/launch_server.py"):
            return SERVER, end + 1 - at
        elif not _PYTHON_OPTIONS.fullmatch(text):
            return None
        end += 1
    return None


def _makes_pictures(options: Iterable[Option]) -> bool:
    return any(
        item.field in _DIFFUSION_FIELDS or (item.field, item.value) == ("model_type", "diffusion") for item in options
    )


def _arguments(words: Sequence[Word]) -> tuple[Word, ...]:
    """Up to the first redirection."""
    end = next(
        (at for at, word in enumerate(words) if word.bare and word.span and _REDIRECTION.fullmatch(word.text)), None
    )
    return tuple(words[:end])


def _options(words: Sequence[Word], kind: str) -> Iterator[Option]:
    at = 0
    if words and kind in (SERVER, COMPILER) and not words[0].text.startswith("-"):
        yield Option("", "model_path", words[0].text, (words[0],))
        at = 1
    while at < len(words):
        end = at + 1
        if _OPTION.fullmatch(words[at].text):
            while end < len(words) and "=" not in words[at].text and not _DASHED.fullmatch(words[end].text):
                end += 1
            taken = tuple(words[at:end])
            for field, value in option_values(tuple(word.text for word in taken)):
                yield Option(taken[0].text.partition("=")[0], field, value, taken)
        elif _DASHED.fullmatch(words[at].text):
            while end < len(words) and not _DASHED.fullmatch(words[end].text):
                end += 1
            yield Option(words[at].text, "", True, tuple(words[at:end]))
        at = end


def _assignments(words: Iterable[Word]) -> Iterator[Variable]:
    for word in words:
        name, equals, value = word.text.partition("=")
        if equals and _ASSIGNMENT.match(word.text):
            yield Variable(name, value, word)


def _container_variables(container: Container, outer: tuple[Variable, ...]) -> Iterator[Variable]:
    for setting in container.all("env"):
        name, equals, value = setting.value.partition("=")
        if equals:
            yield Variable(name, value, setting.words[-1])
        else:
            # -e NAME hands on what is set outside.
            yield from (item for item in outer if item.name == name)


def _script_of(words: Sequence[Word]) -> Word | None:
    """The script of ``bash -c SCRIPT``, ``bash -lc SCRIPT``."""
    for at, word in enumerate(words):
        if not word.text.startswith("-"):
            return None
        if re.fullmatch(r"-[a-zA-Z]*c", word.text):
            return words[at + 1] if at + 1 < len(words) else None
    return None
