"""Facts from a model's config.json: sizes, experts, quantization; those of the language model where it is one of several parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from triage.model import Value

_TEXT_PARTS = ("text_config", "llm_config", "language_config", "thinker_config")
_QUANTIZATION = ("quantization_config", "compression_config")
_NUMBERS = {
    "num_attention_heads": ("num_attention_heads", "n_head", "num_heads"),
    "num_key_value_heads": ("num_key_value_heads", "num_kv_heads", "multi_query_group_num"),
    "num_hidden_layers": ("num_hidden_layers", "n_layer", "num_layers"),
    "num_experts": ("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts"),
    "num_experts_per_tok": ("num_experts_per_tok", "moe_topk", "moe_k", "num_experts_per_token"),
    "hidden_size": ("hidden_size", "n_embd", "d_model"),
    "head_dim": ("head_dim",),
    "intermediate_size": ("intermediate_size", "ffn_hidden_size"),
    "moe_intermediate_size": ("moe_intermediate_size", "expert_ffn_hidden_size"),
    "vocab_size": ("vocab_size", "padded_vocab_size"),
    "max_position_embeddings": ("max_position_embeddings", "seq_length", "max_sequence_length", "model_max_length"),
}  # fmt: skip
"""Fact to the names that model families have for it, the usual one first."""
_TEXTS = ("model_type", "torch_dtype", "dtype")
_DETAILS = (
    "quant_method", "quant_algo", "weight_block_size", "scale_fmt", "bits", "group_size", "activation_scheme", "fmt", "format",
    "kv_cache_quant_algo",
)  # fmt: skip
_LARGEST = 1 << 53
_MAX_TEXT = 100
_MAX_PARTS = 2


def selected(config: object) -> dict[str, Any]:
    """The part of a config that facts are made of; nothing else of it enters a transcript.

    Raises:
        ValueError: it is no JSON object.
    """
    if not isinstance(config, dict):
        raise ValueError("config.json is no object")
    return _selected(config, _MAX_PARTS)


def config_facts(config: object) -> Iterator[tuple[str, Value]]:
    """``model.*`` facts. What is missing or of another type is left out.

    Raises:
        ValueError: it is no JSON object.
    """
    whole = selected(config)
    text = _text_part(whole)
    if names := whole.get("architectures"):
        yield "model.architecture", names[0]
    if isinstance(kind := whole.get("model_type"), str):
        yield "model.type", kind
    for fact, keys in _NUMBERS.items():
        # A family's text model may leave to the whole what both share.
        stated = (part[key] for part in (text, whole) for key in keys if key in part)
        if (value := next(stated, None)) is not None:
            yield f"model.{fact}", value
    dtypes = (part[key] for part in (whole, text) for key in ("dtype", "torch_dtype") if key in part)
    if (dtype := next(dtypes, None)) is not None:
        yield "model.dtype", dtype
    yield "model.is_multimodal", text is not whole
    for key in _QUANTIZATION:
        for part in (whole, text):
            if key in part:
                yield from _quantization(part[key])
                return


def _selected(config: Mapping[str, Any], depth: int) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for keys in _NUMBERS.values():
        kept.update({key: config[key] for key in keys if _is_count(config.get(key))})
    kept.update({key: config[key][:_MAX_TEXT] for key in _TEXTS if isinstance(config.get(key), str)})
    names = config.get("architectures")
    if isinstance(names, list) and names and isinstance(names[0], str):
        kept["architectures"] = [names[0][:_MAX_TEXT]]
    for key in _QUANTIZATION:
        if isinstance(part := config.get(key), dict):
            kept[key] = {name: part[name] for name in _DETAILS if _is_plain(part.get(name))}
            kept[key].update(_group_block(part))
    for key in _TEXT_PARTS:
        if depth and isinstance(part := config.get(key), dict):
            kept[key] = _selected(part, depth - 1)
    return kept


def _text_part(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part that describes the language model: SGLang shards by its heads and experts."""
    for key in _TEXT_PARTS:
        part = config.get(key)
        if isinstance(part, dict):
            inner = _text_part(part)
            if "num_attention_heads" in inner or "hidden_size" in inner:
                return inner
    return config


def _quantization(details: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    method = details.get("quant_method") or details.get("quant_algo")
    if isinstance(method, str):
        yield "model.quantization", method.lower()
    if isinstance(algorithm := details.get("quant_algo"), str):
        yield "model.quantization_algorithm", algorithm
    if isinstance(bits := details.get("bits"), int):
        yield "model.quantization_bits", bits
    if isinstance(size := details.get("group_size"), int):
        yield "model.quantization_group_size", size
    block = details.get("weight_block_size")
    if isinstance(block, list) and len(block) == 2 and all(map(_is_count, block)):
        yield "model.weight_block_n", block[0]
        yield "model.weight_block_k", block[1]
        # Blocks whose scales have no stated format have plain float32 ones.
        scale = details.get("scale_fmt")
        yield "model.scale_fmt", scale if isinstance(scale, str) else "none"


def _group_block(part: Mapping[str, Any]) -> dict[str, Any]:
    """compressed-tensors states its blocks for each group of layers."""
    groups = part.get("config_groups")
    for group in groups.values() if isinstance(groups, dict) else ():
        weights = group.get("weights") if isinstance(group, dict) else None
        block = weights.get("block_structure") if isinstance(weights, dict) else None
        if _is_plain(block) and isinstance(block, list):
            return {"weight_block_size": block}
    return {}


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= 4 and all(map(_is_count, value))
    return _is_count(value) or (isinstance(value, str) and len(value) <= _MAX_TEXT)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -1 <= value < _LARGEST
