"""The launch flags that matter when a server fails, with the values that need not be written.

Read off the releases 0.2.15 to 0.5.23. Several values stand as defaults where releases differ or where the server fills
in the same value itself; writing such a value out would say no more.
"""

from __future__ import annotations

from triage.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from triage.model import Value


@dataclass(frozen=True, slots=True)
class Flag:
    """One field of the server's arguments. ``defaults``: values left out besides None and False.

    ``resolved``: the server fills the field in when the operator left it open, so a printed value may be either's.
    """

    field: str
    defaults: tuple[Value, ...] = ()
    resolved: bool = False

    @property
    def option(self) -> str:
        """The flag as it is written: ``--tp-size``."""
        return "--" + _RENAMED.get(self.field, self.field).replace("_", "-")


_RENAMED = {"fp8_gemm_runner_backend": "fp8_gemm_backend", "fp4_gemm_runner_backend": "fp4_gemm_backend"}

_ALIASES = {
    "model": "model_path",
    "tp": "tp_size",
    "tensor_parallel_size": "tp_size",
    "dp": "dp_size",
    "data_parallel_size": "dp_size",
    "pp": "pp_size",
    "pipeline_parallel_size": "pp_size",
    "ep": "ep_size",
    "expert_parallel_size": "ep_size",
    "attention_data_parallel_size": "attn_dp_size",
    "attention_context_parallel_size": "attn_cp_size",
    "moe_data_parallel_size": "moe_dp_size",
    "nccl_init_addr": "dist_init_addr",
    "speculative_draft_model": "speculative_draft_model_path",
    "enable_hicache": "enable_hierarchical_cache",
    **{option: field for field, option in _RENAMED.items()},
}


def field_of(option: str) -> str:
    """The field that an option sets: ``--tensor-parallel-size`` is ``tp_size``."""
    name = option.lstrip("-").replace("-", "_")
    return _ALIASES.get(name, name)


TEXT_FIELDS = frozenset(
    [
        "model_path",
        "tokenizer_path",
        "served_model_name",
        "host",
        "revision",
        "chat_template",
        "dist_init_addr",
        "download_dir",
    ]
)
"""Fields whose value is text even when it looks like a number."""

FLAGS: tuple[Flag, ...] = (
    Flag("model_path"),
    Flag("tokenizer_path"),
    Flag("revision"),
    Flag("served_model_name"),
    Flag("host", ("127.0.0.1",)),
    Flag("port", (30000,)),
    Flag("trust_remote_code"),
    Flag("dtype", ("auto",)),
    Flag("quantization", resolved=True),
    Flag("kv_cache_dtype", ("auto",), resolved=True),
    Flag("load_format", ("auto",)),
    Flag("model_impl", ("auto",)),
    Flag("model_loader_extra_config", ("{}",)),
    Flag("json_model_override_args", ("{}",)),
    Flag("download_dir"),
    Flag("context_length"),
    Flag("is_embedding"),
    Flag("enable_multimodal"),
    Flag("chat_template"),
    Flag("device", ("cuda",)),
    Flag("tp_size", (1,)),
    Flag("pp_size", (1,)),
    Flag("dp_size", (1,)),
    Flag("attn_dp_size", (1,), resolved=True),
    Flag("ep_size", (1,), resolved=True),
    Flag("attn_cp_size", (1,), resolved=True),
    Flag("moe_dp_size", (1,)),
    Flag("moe_dense_tp_size", resolved=True),
    Flag("enable_dp_attention"),
    Flag("enable_dp_lm_head"),
    Flag("nnodes", (1,)),
    Flag("node_rank", (0,)),
    Flag("dist_init_addr"),
    Flag("dist_timeout"),
    Flag("nccl_port"),
    Flag("base_gpu_id", (0,)),
    Flag("gpu_id_step", (1,)),
    Flag("mem_fraction_static", resolved=True),
    Flag("max_running_requests", resolved=True),
    Flag("max_queued_requests"),
    Flag("max_total_tokens"),
    Flag("chunked_prefill_size", (8192,), resolved=True),
    Flag("max_prefill_tokens", (16384,)),
    Flag("schedule_policy", ("fcfs", "lpm")),
    Flag("schedule_conservativeness", (1.0,), resolved=True),
    Flag("page_size", (1,), resolved=True),
    Flag("swa_full_tokens_ratio", (0.8,), resolved=True),
    Flag("cpu_offload_gb", (0,)),
    Flag("attention_backend", resolved=True),
    Flag("prefill_attention_backend", resolved=True),
    Flag("decode_attention_backend", resolved=True),
    Flag("mm_attention_backend", resolved=True),
    Flag("sampling_backend", ("flashinfer", "pytorch")),
    Flag("grammar_backend", ("xgrammar", "outlines")),
    Flag("fp8_gemm_runner_backend", ("auto",)),
    Flag("fp4_gemm_runner_backend", ("auto", "flashinfer_cutlass")),
    Flag("moe_a2a_backend", ("none",)),
    Flag("moe_runner_backend", ("auto",), resolved=True),
    Flag("enable_ep_moe"),
    Flag("enable_deepep_moe"),
    Flag("deepep_mode", ("auto",), resolved=True),
    Flag("deepep_config"),
    Flag("enable_eplb"),
    Flag("ep_num_redundant_experts", (0,)),
    Flag("ep_dispatch_algorithm", resolved=True),
    Flag("init_expert_location", ("trivial",)),
    Flag("enable_two_batch_overlap"),
    Flag("enable_single_batch_overlap"),
    Flag("speculative_algorithm"),
    Flag("speculative_draft_model_path", resolved=True),
    Flag("speculative_num_steps", resolved=True),
    Flag("speculative_eagle_topk", resolved=True),
    Flag("speculative_num_draft_tokens", resolved=True),
    Flag("speculative_token_map"),
    Flag("disable_cuda_graph", resolved=True),
    Flag("cuda_graph_max_bs", (160,), resolved=True),
    Flag("cuda_graph_max_bs_decode", resolved=True),
    Flag("disable_cuda_graph_padding"),
    Flag("disable_custom_all_reduce", resolved=True),
    Flag("disable_overlap_schedule", resolved=True),
    Flag("disable_radix_cache", resolved=True),
    Flag("disable_chunked_prefix_cache", resolved=True),
    Flag("disable_shared_experts_fusion", resolved=True),
    Flag("enable_mixed_chunk"),
    Flag("enable_torch_compile"),
    Flag("torch_compile_max_bs", (32,)),
    Flag("torchao_config", ("",)),
    Flag("enable_p2p_check"),
    Flag("enable_nccl_nvls"),
    Flag("enable_symm_mem", resolved=True),
    Flag("enable_mscclpp"),
    Flag("enable_torch_symm_mem"),
    Flag("enable_memory_saver"),
    Flag("enable_hierarchical_cache"),
    Flag("hicache_ratio", (2.0,)),
    Flag("hicache_size", (0,)),
    Flag("hicache_write_policy", ("write_through", "write_through_selective")),
    Flag("hicache_io_backend", ("kernel",), resolved=True),
    Flag("hicache_mem_layout", ("layer_first", "page_first"), resolved=True),
    Flag("hicache_storage_backend"),
    Flag("hicache_storage_prefetch_policy", ("best_effort", "timeout")),
    Flag("hicache_storage_backend_extra_config"),
    Flag("disaggregation_mode", ("null",)),
    Flag("disaggregation_transfer_backend", ("mooncake",)),
    Flag("disaggregation_bootstrap_port", (8998,)),
    Flag("disaggregation_ib_device"),
    Flag("mooncake_ib_device"),
    Flag("num_reserved_decode_tokens", (512,)),
    Flag("enable_lora", resolved=True),
    Flag("max_loras_per_batch", (8,)),
    Flag("max_lora_rank", resolved=True),
    Flag("lora_backend", ("triton", "csgmv")),
    Flag("watchdog_timeout", (300,)),
    Flag("soft_watchdog_timeout"),
    Flag("skip_server_warmup"),
    Flag("warmups"),
    Flag("skip_tokenizer_init"),
    Flag("tokenizer_mode", ("auto",)),
    Flag("tokenizer_worker_num", (1,)),
    Flag("tool_call_parser"),
    Flag("reasoning_parser"),
    Flag("stream_interval", (1,)),
    Flag("num_continuous_decode_steps", (1,)),
    Flag("allow_auto_truncate"),
    Flag("enable_custom_logit_processor"),
    Flag("weight_loader_disable_mmap"),
    Flag("log_level", ("info",)),
    Flag("log_requests"),
    Flag("log_requests_level", (0, 2)),
    Flag("enable_metrics"),
    Flag("enable_cache_report"),
    Flag("api_key"),
    Flag("admin_api_key"),
)
