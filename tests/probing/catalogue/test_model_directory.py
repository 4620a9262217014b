"""The model's folder: found as the server finds it, its config read, its weight files held against each other."""

from __future__ import annotations

import json
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model import Value
from triage.probing.catalogue import model_directory, model_location, target_process
from triage.probing.catalogue.model_config import config_facts
from triage.probing.catalogue.weight_files import inspect_weights
from triage.probing.host import answers, look_at
from triage.probing.probe import NotApplicable, Target, Transcript
from triage.probing.snapshot import from_json, to_json
from triage.safety.redact import Redactor

DEEPSEEK: dict[str, Any] = {
    "architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "num_attention_heads": 128,
    "num_key_value_heads": 128, "n_routed_experts": 256, "hidden_size": 7168, "intermediate_size": 18432,
    "moe_intermediate_size": 2048, "vocab_size": 129280, "max_position_embeddings": 163840, "torch_dtype": "bfloat16",
    "quantization_config": {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128], "activation_scheme": "dynamic"},
}  # fmt: skip
QWEN_VL: dict[str, Any] = {
    "architectures": ["Qwen3VLMoeForConditionalGeneration"], "model_type": "qwen3_vl_moe", "dtype": "bfloat16",
    "text_config": {"num_attention_heads": 32, "num_key_value_heads": 4, "num_experts": 128, "hidden_size": 2048, "moe_intermediate_size": 768},
    "vision_config": {"hidden_size": 1152, "num_heads": 16, "intermediate_size": 4304},
}  # fmt: skip


def asked(path: object, **variables: str) -> tuple[str, dict[str, Value]]:
    """Outcome and facts for a model path, by way of a snapshot's text."""
    target = Target(facts={"server.model_path": str(path)}, environment={"HOME": "/none", **variables})
    (found,) = answers(model_directory.PROBES, from_json(to_json(look_at(model_directory.PROBES, target, Redactor()))))
    return found.outcome, {fact.name: fact.value for fact in found.facts}


def shard(path: Path, data: int = 16, stated: int = 16) -> None:
    """A safetensors file whose header states ``stated`` bytes of tensors and that holds ``data``."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [stated], "data_offsets": [0, stated]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(data))


def index(folder: Path, *names: str) -> None:
    """An index that says which file holds which tensor."""
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": {f"layers.{at}.w": name for at, name in enumerate(names)}})
    )


def test_config_of_a_mixture_of_experts() -> None:
    """Sizes under one name whatever the family calls them; blocks without a stated format of their scales have none."""
    facts = dict(config_facts(DEEPSEEK))
    assert facts["model.architecture"] == "DeepseekV3ForCausalLM"
    assert facts["model.num_experts"] == 256
    assert facts["model.quantization"] == "fp8"
    assert (facts["model.weight_block_n"], facts["model.weight_block_k"]) == (128, 128)
    assert facts["model.scale_fmt"] == "none"
    assert facts["model.dtype"] == "bfloat16"
    details = {**DEEPSEEK["quantization_config"], "scale_fmt": "ue8m0"}
    assert dict(config_facts({**DEEPSEEK, "quantization_config": details}))["model.scale_fmt"] == "ue8m0"


def test_config_of_several_parts() -> None:
    """Heads and sizes are those of the language model, not of the eyes; the type of numbers stands outside."""
    facts = dict(config_facts(QWEN_VL))
    assert facts["model.num_attention_heads"] == 32
    assert facts["model.num_key_value_heads"] == 4
    assert facts["model.hidden_size"] == 2048
    assert facts["model.dtype"] == "bfloat16"
    assert facts["model.is_multimodal"] is True
    assert "model.scale_fmt" not in facts


def test_config_of_other_quantizations(tmp_path: Path) -> None:
    """ModelOpt writes a file of its own; compressed-tensors states blocks by groups of layers."""
    (tmp_path / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    (tmp_path / "hf_quant_config.json").write_text('{"quantization": {"quant_algo": "NVFP4", "group_size": 16}}')
    _, facts = asked(tmp_path)
    assert facts["model.quantization"] == "nvfp4"
    assert facts["model.quantization_group_size"] == 16
    groups = {
        "quant_method": "compressed-tensors",
        "config_groups": {"group_0": {"weights": {"block_structure": [128, 128]}}},
    }
    assert dict(config_facts({"quantization_config": groups}))["model.weight_block_n"] == 128


def test_complete_folder(tmp_path: Path) -> None:
    """Everything there: nothing is missing, and only the files of the index count."""
    (tmp_path / "config.json").write_text(json.dumps(DEEPSEEK))
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "tokenizer_config.json").write_text('{"chat_template": "x"}')
    names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    for name in (*names, "consolidated.safetensors"):
        shard(tmp_path / name)
    index(tmp_path, *names)
    outcome, facts = asked(tmp_path)
    assert outcome == "ok"
    assert facts["model.path_exists"] is True
    assert facts["model.weight_files"] == 2
    assert (facts["model.missing_shards"], facts["model.truncated_shards"], facts["model.lfs_pointers"]) == (0, 0, 0)
    assert facts["model.has_tokenizer"] is True
    assert facts["model.has_chat_template"] is True


def test_incomplete_folder(tmp_path: Path) -> None:
    """A shard that the index names and that is not there, an empty one, one cut short, and a pointer of Git LFS."""
    names = [f"model-0000{number}-of-00005.safetensors" for number in range(1, 6)]
    index(tmp_path, *names)
    shard(tmp_path / names[0])
    shard(tmp_path / names[1], data=3)
    (tmp_path / names[2]).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4999802616\n")
    (tmp_path / names[3]).touch()
    _, facts = asked(tmp_path)
    assert facts["model.missing_shards"] == 2
    assert facts["model.truncated_shards"] == 1
    assert facts["model.lfs_pointers"] == 1
    assert facts["model.has_config"] is False


def test_numbers_in_names_stand_in_for_an_index(tmp_path: Path) -> None:
    """model-00001-of-00003 promises three; a folder without such names promises nothing."""
    shard(tmp_path / "model-00002-of-00003.safetensors")
    assert inspect_weights(tmp_path).missing == ("model-00001-of-00003.safetensors", "model-00003-of-00003.safetensors")
    (tmp_path / "model-00002-of-00003.safetensors").rename(tmp_path / "model.safetensors")
    assert inspect_weights(tmp_path).missing == ()


def test_names_across_the_blocks_of_a_long_index(tmp_path: Path) -> None:
    """A name that two reads share is one name."""
    names = [f"model-{number:06d}-of-030000.safetensors" for number in range(1, 30_001)]
    index(tmp_path, *names)
    assert (tmp_path / "model.safetensors.index.json").stat().st_size > 1 << 20
    assert inspect_weights(tmp_path).missing == tuple(names)


def test_weights_are_counted_in_gib(tmp_path: Path) -> None:
    """As SGLang's own GB; a sparse file of one GiB is 1.0."""
    with open(tmp_path / "model.gguf", "wb") as stream:
        stream.truncate(1 << 30)
    assert asked(tmp_path)[1]["model.weights_gb"] == 1.0


def test_places_that_are_no_folder(tmp_path: Path) -> None:
    """Missing, a file, an address, a repository that is not here, a path that nobody can resolve."""
    (tmp_path / "m.gguf").touch()
    assert asked(tmp_path / "none") == ("ok", {"model.path_exists": False})
    assert asked(tmp_path / "m.gguf") == ("ok", {"model.path_exists": True})
    assert asked("s3://bucket/m")[0] == "not-applicable"
    assert asked("org/model") == ("ok", {"model.in_cache": False})
    assert asked("./model")[0] == "not-applicable"
    assert asked(f"{tmp_path}/a\0b")[0] == "unavailable"
    assert asked(f"{tmp_path}/{'x' * 5000}")[0] == "unavailable"


def test_repository_in_the_cache(tmp_path: Path) -> None:
    """The snapshot that main points to; downloads that did not end are counted; dead links are missing files."""
    top = tmp_path / "hub" / "models--org--model"
    for name in ("refs", "blobs", "snapshots/abcdef0123456789"):
        (top / name).mkdir(parents=True)
    (top / "refs" / "main").write_text("abcdef0123456789")
    (top / "blobs" / "0a.incomplete").touch()
    snapshot = top / "snapshots" / "abcdef0123456789"
    (snapshot / "model-00001-of-00002.safetensors").symlink_to("../../blobs/gone")
    shard(snapshot / "model-00002-of-00002.safetensors")
    _, facts = asked("org/model", HF_HOME=str(tmp_path))
    assert facts["model.in_cache"] is True
    assert facts["model.incomplete_downloads"] == 1
    assert facts["model.missing_shards"] == 1
    assert asked(snapshot)[1]["model.incomplete_downloads"] == 1


def test_relative_path_of_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A running server's own folder is where its relative path begins."""
    (tmp_path / "proc" / "77").mkdir(parents=True)
    (tmp_path / "work" / "model").mkdir(parents=True)
    (tmp_path / "proc" / "77" / "cwd").symlink_to(tmp_path / "work")
    for module in (target_process, model_location):
        monkeypatch.setattr(module, "PROC", tmp_path / "proc")
    assert model_location.locate(Target(pid=77, facts={"server.model_path": "./model"})).kind == "folder"
    assert model_location.locate(Target(pid=77, facts={"server.model_path": "./none"})).kind == "missing"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_listed_is_not_empty(tmp_path: Path) -> None:
    """Denied is unavailable: no file may be called missing."""
    (tmp_path / "m").mkdir(mode=0o000)
    assert asked(tmp_path / "m")[0] == "unavailable"


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": ' + "[" * 100_000, "null"])
def test_a_config_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    """A cut-off or foreign config.json is a finding about the folder, not a failure of the probe."""
    (tmp_path / "config.json").write_text(text)
    outcome, facts = asked(tmp_path)
    assert outcome == "ok"
    assert facts["model.config_error"]
    assert facts["model.has_config"] is False


def test_without_a_model_path_there_is_nothing_to_look_at() -> None:
    """No fact, no probe."""
    (found,) = answers(model_directory.PROBES, look_at(model_directory.PROBES, Target(), Redactor()))
    assert found.outcome == "not-applicable"


LINES = st.sampled_from(
    [
        "model folder",
        "config {}",
        "config {",
        "weights files=1 bytes=2 missing=3 pointers=4 truncated=5 unchecked=6",
        "tokenizer yes",
        "downloading 9",
    ]
)


@given(lines=st.lists(LINES | st.text(max_size=50), max_size=10))
def test_no_text_breaks_the_parser(lines: list[str]) -> None:
    """Anything but a description is refused by its name."""
    for text in ("\n".join(lines), "\n".join(["model folder", *lines])):
        with suppress(ValueError, NotApplicable):
            list(model_directory.parse([Transcript(model_directory.LABEL, "ok", text)]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(
    [
        "architectures",
        "num_attention_heads",
        "n_routed_experts",
        "torch_dtype",
        "quantization_config",
        "text_config",
        "weight_block_size",
        "quant_method",
        "config_groups",
        "bits",
        "scale_fmt",
    ]
)


@given(
    config=st.recursive(
        st.dictionaries(KEYS, JSON, max_size=5),
        lambda inner: st.dictionaries(KEYS, inner | JSON, max_size=5),
        max_leaves=8,
    )
    | JSON
)
def test_no_config_breaks_the_facts(config: object) -> None:
    """Values of any type under any name are left out or are of the type that their fact has."""
    with suppress(ValueError):
        assert all(isinstance(value, (str, int)) for value in dict(config_facts(config)).values())
