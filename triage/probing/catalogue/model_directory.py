"""The model's folder: what its config.json says, and whether its files are complete."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from triage.model import Value
from triage.probing.catalogue.looks import look
from triage.probing.catalogue.model_config import config_facts, selected
from triage.probing.catalogue.model_location import Location, locate
from triage.probing.catalogue.weight_files import inspect_weights
from triage.probing.probe import NotApplicable, Probe, Read, Target, Transcript, by_label

LABEL = "model folder"
_MAX_CONFIG = 4 << 20
_MAX_TOKENIZER_CONFIG = 16 << 20
_TOKENIZERS = (
    "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "tekken.json", "vocab.json", "spiece.model", "tiktoken.model",
)  # fmt: skip
_TEMPLATES = ("chat_template.jinja", "chat_template.json")
_WEIGHTS = re.compile(r"weights files=(\d+) bytes=(\d+) missing=(\d+) pointers=(\d+) truncated=(\d+) unchecked=(\d+)")
_GIB = 1 << 30
"""SGLang prints GB and means these."""


def describe(target: Target) -> str:
    """The text of the transcript."""
    location = locate(target)
    lines = [f"model {location.kind}"]
    if location.folder is None:
        return "\n".join(lines)
    folder = location.folder
    lines += _config_lines(folder)
    weights = inspect_weights(folder)
    lines.append(
        f"weights files={weights.files} bytes={weights.bytes} missing={len(weights.missing)} "
        f"pointers={len(weights.pointers)} truncated={len(weights.truncated)} unchecked={weights.unchecked}"
    )
    for word, names in (("missing", weights.missing), ("pointer", weights.pointers), ("truncated", weights.truncated)):
        lines += [f"{word} {name}" for name in names[:20]]
    if any((folder / name).exists() for name in _TOKENIZERS):
        lines.append("tokenizer yes")
    if _has_template(folder):
        lines.append("chat-template yes")
    lines += _incomplete(location)
    return "\n".join(lines)


def parse(transcripts: Sequence[Transcript]) -> Iterable[tuple[str, Value]]:
    """``model.*``. A repository that is not in the cache is no missing path: then only ``model.in_cache`` is told."""
    transcript = by_label(transcripts, LABEL)
    if transcript is None:
        raise ValueError("the folder was not looked at")
    first, *lines = transcript.text.split("\n")
    kind = first.removeprefix("model ")
    if kind == "remote":
        raise NotApplicable("the model's path is an address elsewhere")
    if kind == "unclear":
        raise NotApplicable("the model's path is relative to the folder in which the server was started")
    if kind == "missing":
        yield "model.path_exists", False
        return
    if kind == "uncached":
        yield "model.in_cache", False
        return
    if kind not in ("folder", "file", "cached"):
        raise ValueError(f"no kind of place: {kind[:40]}")
    yield "model.path_exists", True
    if kind == "cached":
        yield "model.in_cache", True
    if kind != "file":
        yield from _folder_facts(lines)


def _folder_facts(lines: Sequence[str]) -> Iterable[tuple[str, Value]]:
    yield "model.has_tokenizer", "tokenizer yes" in lines
    yield "model.has_chat_template", "chat-template yes" in lines
    yield "model.has_config", any(line.startswith("config ") for line in lines)
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "config":
            try:
                yield from config_facts(json.loads(rest))
            except RecursionError as error:
                raise ValueError("config.json is nested too deeply") from error
        elif word == "config-error":
            yield "model.config_error", rest[:200]
        elif word == "downloading" and rest.isdecimal():
            yield "model.incomplete_downloads", int(rest[:9])
        elif found := _WEIGHTS.fullmatch(line):
            files, size, missing, pointers, truncated, unchecked = (int(text[:18]) for text in found.groups())
            yield "model.weight_files", files
            yield "model.weights_gb", round(size / _GIB, 2)
            yield "model.missing_shards", missing
            yield "model.lfs_pointers", pointers
            if truncated or not unchecked:  # none among those that were looked into does not mean none
                yield "model.truncated_shards", truncated


def _config_lines(folder: Path) -> list[str]:
    """The keys of config.json that facts are made of, on one line; ``hf_quant_config.json`` of ModelOpt joined to it."""
    try:
        config = json.loads(_text(folder / "config.json", _MAX_CONFIG))
        kept = selected(config)
    except OSError:
        return []
    except (ValueError, RecursionError) as error:
        return [f"config-error {type(error).__name__}: {error}"[:300].replace("\n", " ")]
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        stated = json.loads(_text(folder / "hf_quant_config.json", _MAX_CONFIG))
        kept.setdefault("quantization_config", stated["quantization"])
    return ["config " + json.dumps(selected(kept), ensure_ascii=True)]


def _has_template(folder: Path) -> bool:
    if any((folder / name).exists() for name in _TEMPLATES):
        return True
    try:
        return '"chat_template"' in _text(folder / "tokenizer_config.json", _MAX_TOKENIZER_CONFIG)
    except OSError:
        return False


def _incomplete(location: Location) -> list[str]:
    if location.blobs is None:
        return []
    return [f"downloading {sum(1 for _ in location.blobs.glob('*.incomplete'))}"]


def _text(path: Path, limit: int) -> str:
    with open(path, encoding="utf-8", errors="replace") as stream:
        return stream.read(limit)


def _reads(target: Target) -> Sequence[Read]:
    if not isinstance(path := target.facts.get("server.model_path"), str) or not path:
        return ()
    return (look(LABEL, lambda: describe(target), timeout_s=7.0),)


PROBES = (Probe("model-directory", "The model's folder: config.json and the weight files", _reads, parse, cost_s=0.5),)
