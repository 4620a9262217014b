"""Launch commands on made-up hosts: what is wrong with each, and how it should read."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import pytest

from tests.preflight.conftest import Check
from triage.model import Severity, Value

Host = Mapping[str, Value]

H100: Host = {
    "gpu.count": 8, "gpu.name": "NVIDIA H100 80GB HBM3", "gpu.compute_capability": 9.0, "gpu.memory_total_mb": 81559,
    "gpu.memory_used_mb": 4, "shm.size_mb": 515900, "network.addresses": ("127.0.0.1", "10.0.0.11", "172.17.0.1"),
    "network.interfaces": ("lo", "eth0", "docker0"), "network.listening_ports": (22, 111), "sglang.version": "0.5.9",
    "kernel.module.nvidia_peermem": True, "rdma.device_count": 8, "mooncake-transfer-engine.installed": True,
    "nixl.installed": True, "deepgemm.cached_kernels": 412, "env.proxy_intercepts_loopback": False,
}  # fmt: skip
"""A healthy node with eight H100."""
QWEN7: Host = {
    "model.path_exists": True, "model.num_attention_heads": 28, "model.num_key_value_heads": 4, "model.weights_gb": 14.2,
    "model.intermediate_size": 18944, "model.max_position_embeddings": 32768, "model.architecture": "Qwen2ForCausalLM",
}  # fmt: skip
LLAMA70: Host = {
    "model.path_exists": True, "model.num_attention_heads": 64, "model.num_key_value_heads": 8, "model.weights_gb": 131.4,
    "model.intermediate_size": 28672, "model.max_position_embeddings": 131072, "model.architecture": "LlamaForCausalLM",
}  # fmt: skip
DEEPSEEK: Host = {
    "model.path_exists": True, "model.num_attention_heads": 128, "model.num_key_value_heads": 128, "model.num_experts": 256,
    "model.intermediate_size": 18432, "model.moe_intermediate_size": 2048, "model.weight_block_n": 128,
    "model.weights_gb": 641.3, "model.max_position_embeddings": 163840, "model.quantization": "fp8",
    "model.architecture": "DeepseekV3ForCausalLM",
}  # fmt: skip
QWEN_MOE: Host = {
    "model.path_exists": True, "model.num_attention_heads": 64, "model.num_key_value_heads": 4, "model.num_experts": 128,
    "model.intermediate_size": 12288, "model.moe_intermediate_size": 1536, "model.weight_block_n": 128,
    "model.weights_gb": 220.0, "model.max_position_embeddings": 40960, "model.quantization": "fp8",
    "model.architecture": "Qwen3MoeForCausalLM",
}  # fmt: skip
H200: Host = {**H100, "gpu.name": "NVIDIA H200", "gpu.memory_total_mb": 143771}
SERVE = "python3 -m sglang.launch_server --model-path /models/m"
PD = f"{SERVE} --disaggregation-mode"

CORRECT: dict[str, tuple[str, Host]] = {
    "one GPU, nothing special": (SERVE, {**H100, **QWEN7}),
    "without any host": (f"{SERVE} --tp 8", {}),
    "a 28-head model on four": (f"{SERVE} --tp 4", {**H100, **QWEN7}),
    "eight of eight GPUs": (f"{SERVE} --tp 8 --context-length 131072", {**H100, **LLAMA70}),
    "more ranks than key/value heads": (f"{SERVE} --tp 8 --ep 8", {**H200, **QWEN_MOE}),
    "DeepSeek-V3 on eight H200": (f"{SERVE} --tp 8 --trust-remote-code --mem-fraction-static 0.9", {**H200, **DEEPSEEK}),
    "two nodes, the first": (
        f"{SERVE} --tp 16 --nnodes 2 --node-rank 0 --dist-init-addr 10.0.0.11:5000 --trust-remote-code", {**H100, **DEEPSEEK}),
    "two nodes, the second, which names the first": (
        f"{SERVE} --tp 16 --nnodes 2 --node-rank 1 --dist-init-addr 10.0.0.10:5000 --trust-remote-code", {**H100, **DEEPSEEK}),
    "two nodes, the second, with the first one's name": (
        f"{SERVE} --tp 16 --nnodes 2 --node-rank 1 --dist-init-addr node-1:5000 --trust-remote-code",
        {**H100, **DEEPSEEK, "network.dist_init_addr_is_local": False}),
    "attention DP over an odd number of heads a rank": (
        f"{SERVE} --tp 8 --dp 8 --enable-dp-attention --moe-a2a-backend deepep", {**H200, **DEEPSEEK}),
    "dispatch tokens at the limit": (
        f"SGLANG_DEEPEP_NUM_MAX_DISPATCH_TOKENS_PER_RANK=1024 {SERVE} --tp 8 --moe-a2a-backend deepep", {**H200, **DEEPSEEK}),
    "dispatch tokens where nothing dispatches": (
        f"SGLANG_DEEPEP_NUM_MAX_DISPATCH_TOKENS_PER_RANK=2048 {SERVE} --tp 2", {**H100, **LLAMA70}),
    "a prefill server over mooncake": (
        f"{PD} prefill --disaggregation-transfer-backend mooncake --disaggregation-ib-device mlx5_0 --port 30000", {**H100, **QWEN7}),
    "a decode server over mooncake": (f"{PD} decode --port 30001 --base-gpu-id 1", {**H100, **QWEN7}),
    "a decode server over nixl": (f"{PD} decode --disaggregation-transfer-backend nixl", {**H100, **QWEN7}),
    "the router of a pair": (
        "python3 -m sglang_router.launch_router --pd-disaggregation --prefill http://10.0.0.11:30000 8998 --decode http://10.0.0.12:30001 --port 8000",
        H100),
    "a plain router": ("python -m sglang_router.launch_router --worker-urls http://10.0.0.11:30000 --policy cache_aware", H100),
    "docker as documented": (
        f"docker run --gpus all --shm-size 32g -p 30000:30000 -v /data:/models --env HF_TOKEN=x --ipc=host lmsysorg/sglang:v0.5.9 {SERVE} --tp 8", {**H100, **LLAMA70}),
    "a taken port of the host, which a container does not share": (
        "docker run --gpus all --ipc=host lmsysorg/sglang:latest sglang serve meta/m --port 30000",
        {**H100, "network.listening_ports": (30000,)}),
    "a proxy with its exception": (
        f"http_proxy=http://proxy:3128 no_proxy=localhost,127.0.0.1 {SERVE}", {**H100, **QWEN7}),
    "an abbreviation that argparse takes": (f"{SERVE} --tensor-parallel 2 --mem-fraction 0.8", {**H100, **QWEN7}),
    "wrappers and redirections": (
        "nohup env A=1 numactl --interleave=all python3 -u -m sglang.launch_server --model-path /models/m --tp 2", {**H100, **QWEN7}),
    "the compiler of kernels": (
        "python3 -m sglang.compile_deep_gemm --model deepseek-ai/DeepSeek-V3 --tp 8 --trust-remote-code --timeout 3600", H200),
    "a longer context, told twice": (
        f"SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN=1 {SERVE} --context-length 65536", {**H100, **QWEN7}),
    "an old flag in its own release": (f"{SERVE} --tp 8 --enable-deepep-moe", {**H200, **DEEPSEEK, "sglang.version": "0.4.9.post2"}),
    "a flag of a release that nobody knows yet": (f"{SERVE} --quantum-batching-depth 3", {**QWEN7, "sglang.version": "0.9.1"}),
    "an old variable in a release that knows no other": (
        f"SGL_ENABLE_JIT_DEEPGEMM=1 {SERVE}", {**H100, **QWEN7, "sglang.version": "0.4.9.post2"}),
    "docker with the host's shared memory mounted": (
        "docker run --gpus all -v /dev/shm:/dev/shm lmsysorg/sglang:v0.5.9 sglang serve meta/m --tp 4", {**H100, **LLAMA70}),
    "an interface by the beginning of its name": (f"NCCL_SOCKET_IFNAME=eth GLOO_SOCKET_IFNAME=eth0 {SERVE}", {**H100, **QWEN7}),
}  # fmt: skip

WRONG: dict[str, tuple[str, Host, set[str], str | None]] = {
    "tp 3 on 28 heads": (
        f"{SERVE} --tp 3", {**H100, **QWEN7}, {"tp-not-dividing-heads"}, f"{SERVE} --tp 4"),
    "tp 3 on 28 heads and three GPUs": (
        f"{SERVE} --tp=3", {**H100, **QWEN7, "gpu.count": 3}, {"tp-not-dividing-heads"}, f"{SERVE} --tp=2"),
    "tp 3 on 28 heads, GPUs unknown": (
        f"{SERVE} --tensor-parallel-size 3", QWEN7, {"tp-not-dividing-heads"}, f"{SERVE} --tensor-parallel-size 2"),
    "tp 7 divides the heads and not the key/value heads": (
        f"{SERVE} --tp 7", {**H100, **QWEN7, "gpu.count": 7}, {"tp-not-dividing-heads"}, f"{SERVE} --tp 4"),
    "sixteen ranks on eight GPUs": (
        f"{SERVE} --tp 16", {**H100, **LLAMA70}, {"tp-exceeds-visible-gpus"}, f"{SERVE} --tp 8"),
    "four ranks, two GPUs made visible": (
        f"CUDA_VISIBLE_DEVICES=0,1 {SERVE} --tp 4", {**H100, **QWEN7}, {"tp-exceeds-visible-gpus"},
        f"CUDA_VISIBLE_DEVICES=0,1 {SERVE} --tp 2"),
    "experts that do not divide": (
        f"{SERVE} --tp 6 --ep 6", {**H200, **QWEN_MOE, "model.num_attention_heads": 48, "model.num_key_value_heads": 48},
        {"ep-experts-not-divisible"}, f"{SERVE} --tp 8 --ep 8"),
    "an ep of its own that does not divide the experts": (
        f"{SERVE} --tp 8 --ep 8", {**H200, **QWEN_MOE, "model.num_experts": 60, "model.weight_block_n": None},
        {"ep-experts-not-divisible"}, f"{SERVE} --tp 4 --ep 4"),
    "a quantization block cut in two": (
        f"{SERVE} --tp 8", {**H200, **QWEN_MOE}, {"quant-block-not-divisible"}, f"{SERVE} --tp 4"),
    "dispatch tokens 2048": (
        f"SGLANG_DEEPEP_NUM_MAX_DISPATCH_TOKENS_PER_RANK=2048 {SERVE} --tp 8 --moe-a2a-backend deepep", {**H200, **DEEPSEEK},
        {"deepep-max-dispatch-tokens"},
        f"SGLANG_DEEPEP_NUM_MAX_DISPATCH_TOKENS_PER_RANK=1024 {SERVE} --tp 8 --moe-a2a-backend deepep"),
    "the first node listens on another node's address": (
        f"{SERVE} --tp 16 --nnodes 2 --node-rank 0 --dist-init-addr 10.0.0.12:5000", {**H100, **DEEPSEEK}, {"dist-init-addr-bind"},
        f"{SERVE} --tp 16 --nnodes 2 --node-rank 0 --dist-init-addr 10.0.0.11:5000"),
    "a misspelt flag": (
        f"{SERVE} --tensor-paralel-size 2", {**H100, **QWEN7}, {"launch-arg-invalid"}, f"{SERVE} --tensor-parallel-size 2"),
    "underscores for dashes": (
        f"{SERVE} --reasoning_parser qwen3", {**H100, **QWEN7}, {"launch-arg-invalid"}, f"{SERVE} --reasoning-parser qwen3"),
    "a misspelt flag, release unknown": (
        f"{SERVE} --mem-fraction-statik 0.8", QWEN7, {"launch-arg-invalid"}, f"{SERVE} --mem-fraction-static 0.8"),
    "one dash": (f"{SERVE} -tp 2", {**H100, **QWEN7}, {"launch-arg-invalid"}, f"{SERVE} --tp 2"),
    "a flag that is like no other": (f"{SERVE} --zzzyx-qqq", {**H100, **QWEN7}, {"launch-arg-invalid"}, None),
    "a removed flag with a successor": (
        f"{SERVE} --tp 8 --enable-deepep-moe", {**H200, **DEEPSEEK}, {"launch-arg-invalid"},
        f"{SERVE} --tp 8 --moe-a2a-backend deepep"),
    "a removed flag whose successor has a size": (
        f"{SERVE} --tp 8 --enable-ep-moe", {**H200, **DEEPSEEK}, {"launch-arg-invalid"}, f"{SERVE} --tp 8 --ep-size 8"),
    "a removed flag without a successor": (
        f"{SERVE} --disable-mla --tp 8", {**H200, **DEEPSEEK}, {"launch-arg-invalid"}, f"{SERVE} --tp 8"),
    "a flag that has become two": (
        f"{SERVE} --cuda-graph-max-bs 160", {**H100, **QWEN7, "sglang.version": "0.5.23"}, {"launch-arg-invalid"},
        f"{SERVE} --cuda-graph-max-bs-decode 160"),
    "a flag that is newer than the release": (
        f"{SERVE} --moe-a2a-backend deepep --tp 8", {**H200, **DEEPSEEK, "sglang.version": "0.4.6.post5"}, {"launch-arg-invalid"}, f"{SERVE} --tp 8"),
    "nodes that do not divide the ranks": (
        f"{SERVE} --tp 3 --nnodes 2 --node-rank 1 --dist-init-addr 10.0.0.10:5000", H100, {"launch-arg-invalid"},
        f"{SERVE} --tp 4 --nnodes 2 --node-rank 1 --dist-init-addr 10.0.0.10:5000"),
    "attention DP that does not divide the ranks": (
        f"{SERVE} --tp 8 --dp 3 --enable-dp-attention", H100, {"launch-arg-invalid"}, f"{SERVE} --tp 6 --dp 3 --enable-dp-attention"),
    "a context longer than the model's": (
        f"{SERVE} --context-length 65536", {**H100, **QWEN7}, {"launch-arg-invalid"}, f"{SERVE} --context-length 32768"),
    "the port is taken": (
        f"{SERVE} --port 8080", {**H100, **QWEN7, "network.listening_ports": (22, 8080, 8081)}, {"port-in-use"}, f"{SERVE} --port 8082"),
    "the default port is taken": (
        SERVE, {**H100, **QWEN7, "network.listening_ports": (30000,)}, {"port-in-use"}, f"{SERVE} --port 30001"),
    "the rendezvous port is taken": (
        f"{SERVE} --dist-init-addr 10.0.0.11:5000", {**H100, **QWEN7, "network.listening_ports": ("0.0.0.0:5000",)}, {"port-in-use"},
        f"{SERVE} --dist-init-addr 10.0.0.11:5001"),
    "a proxy of the command": (
        f"HTTP_PROXY=http://proxy:3128 {SERVE}", {**H100, **QWEN7}, {"http-proxy-intercepts-localhost"},
        f"HTTP_PROXY=http://proxy:3128 NO_PROXY=localhost,127.0.0.1 {SERVE}"),
    "a proxy of the environment, with exceptions for others": (
        SERVE, {**H100, **QWEN7, "env.http_proxy": "http://proxy:3128", "env.no_proxy": ".corp", "env.proxy_intercepts_loopback": True},
        {"http-proxy-intercepts-localhost"}, f"no_proxy=.corp,localhost,127.0.0.1 {SERVE}"),
    "a proxy with an exception that does not reach": (
        f"nohup env http_proxy=http://proxy:3128 no_proxy=localhost {SERVE}", {**H100, **QWEN7}, {"http-proxy-intercepts-localhost"},
        f"nohup env http_proxy=http://proxy:3128 no_proxy=localhost,localhost,127.0.0.1 {SERVE}"),
    "docker with its default shared memory": (
        "docker run --gpus all -p 30000:30000 lmsysorg/sglang:v0.5.9 sglang serve --model-path meta/m --tp 4", {**H100, **LLAMA70},
        {"nccl-shm-too-small"},
        "docker run --shm-size 32g --gpus all -p 30000:30000 lmsysorg/sglang:v0.5.9 sglang serve --model-path meta/m --tp 4"),
    "docker with little shared memory": (
        "docker run --gpus all --shm-size=128m lmsysorg/sglang:v0.5.9 sglang serve --model-path meta/m --tp 8", {**H100, **LLAMA70},
        {"nccl-shm-too-small"},
        "docker run --gpus all --shm-size=32g lmsysorg/sglang:v0.5.9 sglang serve --model-path meta/m --tp 8"),
    "docker without a GPU": (
        "docker run --ipc=host lmsysorg/sglang:v0.5.9 sglang serve --model-path meta/m", H100, {"docker-gpu-not-passed"},
        "docker run --gpus all --ipc=host lmsysorg/sglang:v0.5.9 sglang serve --model-path meta/m"),
    "docker with two GPUs for four ranks": (
        """docker run --gpus '"device=0,1"' --ipc=host lmsysorg/sglang:v0.5.9 sglang serve --model-path meta/m --tp 4""",
        {**H100, **LLAMA70}, {"tp-exceeds-visible-gpus"},
        """docker run --gpus '"device=0,1"' --ipc=host lmsysorg/sglang:v0.5.9 sglang serve --model-path meta/m --tp 2"""),
    "weights larger than the memory of all GPUs": (
        f"{SERVE} --tp 8", {**H100, **DEEPSEEK}, {"gpu-oom-weights"}, None),
    "weights that more of the GPUs could hold": (
        f"{SERVE} --tp 1", {**H100, **LLAMA70}, {"gpu-oom-weights"}, f"{SERVE} --tp 2"),
    "a memory fraction below the weights": (
        f"{SERVE} --mem-fraction-static 0.1", {**H100, **QWEN7}, {"gpu-oom-kv-pool"}, f"{SERVE} --mem-fraction-static 0.28"),
    "a memory fraction that leaves nothing": (
        f"{SERVE} --mem-fraction-static 0.995", {**H100, **QWEN7}, {"gpu-oom-runtime"}, f"{SERVE} --mem-fraction-static 0.96"),
    "prefill over mooncake, which is not installed": (
        f"{PD} prefill", {**H100, **QWEN7, "mooncake-transfer-engine.installed": False}, {"mooncake-not-installed"}, None),
    "decode over nixl, which is not installed": (
        f"{PD} decode --disaggregation-transfer-backend nixl", {**H100, **QWEN7, "nixl.installed": False}, {"nixl-not-installed"}, None),
    "mooncake without peermem": (
        f"{PD} prefill", {**H100, **QWEN7, "kernel.module.nvidia_peermem": False}, {"nvidia-peermem-unavailable"}, None),
    "a router that does not know it is one for PD": (
        "python3 -m sglang_router.launch_router --prefill http://10.0.0.11:30000 8998 --decode http://10.0.0.12:30001", H100,
        {"pd-router-missing-or-misconfigured"},
        "python3 -m sglang_router.launch_router --pd-disaggregation --prefill http://10.0.0.11:30000 8998 --decode http://10.0.0.12:30001"),
    "no such folder": (SERVE, {**H100, "model.path_exists": False}, {"model-path-not-found"}, None),
    "no such interface": (f"GLOO_SOCKET_IFNAME=ens5 {SERVE}", {**H100, **QWEN7}, {"nccl-wrong-interface"}, None),
    "two faults of one option": (
        f"{SERVE} --tp 12", {**H100, **QWEN7}, {"tp-not-dividing-heads", "tp-exceeds-visible-gpus"}, f"{SERVE} --tp 4"),
    "within a script": (
        """bash -lc 'cd /srv && export A=1; python3 -m sglang.launch_server --model-path "/models/m" --tp 3 --port 30000 > log 2>&1'""",
        {**H100, **QWEN7}, {"tp-not-dividing-heads"},
        """bash -lc 'cd /srv && export A=1; python3 -m sglang.launch_server --model-path "/models/m" --tp 4 --port 30000 > log 2>&1'"""),
    "the second of two servers in a script": (
        f"""bash -c '{PD} prefill & {PD} decode --port 30001 --tp 3'""", {**H100, **QWEN7}, {"tp-not-dividing-heads"},
        f"""bash -c '{PD} prefill & {PD} decode --port 30001 --tp 4'"""),
}  # fmt: skip


def _known(host: Host) -> dict[str, Value]:
    return {name: value for name, value in host.items() if value is not None}


@pytest.mark.parametrize("name", CORRECT)
def test_correct_command(name: str, checked: Check) -> None:
    """A command that works gives no error, and nothing that would have to change."""
    command, host = CORRECT[name]
    found = checked(command, _known(host))
    assert [item.id for item in found.report.diagnoses if item.severity.rank >= Severity.ERROR.rank] == []
    assert found.correction.words is None


@pytest.mark.parametrize("name", WRONG)
def test_wrong_command(name: str, checked: Check) -> None:
    """Each fault is found, no other error beside it, and the corrected command is shown where there is one."""
    command, host, expected, corrected = WRONG[name]
    found = checked(command, _known(host))
    serious = {item.id for item in found.report.diagnoses if item.severity.rank >= Severity.ERROR.rank}
    assert serious == expected
    assert found.correction.words == (None if corrected is None else tuple(shlex.split(corrected)))
    assert found.correction.changes
    assert all(change.reason for change in found.correction.changes)


@pytest.mark.parametrize("name", [name for name, case in WRONG.items() if case[3] is not None])
def test_corrected_command_is_correct(name: str, checked: Check) -> None:
    """Checked again, the corrected command has no error left."""
    _, host, _, corrected = WRONG[name]
    found = checked(corrected, _known(host))
    assert [item.id for item in found.report.diagnoses if item.severity.rank >= Severity.ERROR.rank] == []
    assert found.correction.words is None


@pytest.mark.parametrize(
    ("command", "host", "advice", "corrected"),
    [
        (f"SGL_ENABLE_JIT_DEEPGEMM=1 {SERVE}", {**H100, **QWEN7}, "deprecated-env-var", f"SGLANG_ENABLE_JIT_DEEPGEMM=1 {SERVE}"),
        (f"SGLANG_GC_LOG=1 {SERVE}", {**H100, **QWEN7}, "deprecated-env-var", f"SGLANG_LOG_GC=1 {SERVE}"),
        (f"SGLANG_QUEUED_TIMEOUT_MS=9 {SERVE}", {**H100, **QWEN7}, "deprecated-env-var", None),
        (f"{PD} prefill", {**H100, **QWEN7}, "pd-server-needs-router", None),
        (f"{SERVE} --tp 8 --moe-a2a-backend deepep", {**H200, **DEEPSEEK, "deepgemm.cached_kernels": 0}, "deepgemm-cache-cold", None),
    ],
)  # fmt: skip
def test_advice(command: str, host: Host, advice: str, corrected: str | None, checked: Check) -> None:
    """What does not stop a server is said without an error."""
    found = checked(command, host)
    assert advice in [item.id for item in found.report.diagnoses]
    assert all(item.severity.rank < Severity.ERROR.rank for item in found.report.diagnoses)
    assert found.correction.words == (None if corrected is None else tuple(shlex.split(corrected)))


def test_router_beside_its_servers(checked: Check) -> None:
    """With the router in the same script nobody is reminded of it."""
    router = "python3 -m sglang_router.launch_router --pd-disaggregation --prefill http://a:30000 8998 --decode http://b:30001 --port 8000"
    found = checked(f"bash -c '{PD} prefill & {PD} decode --port 30001 & {router}'", {**H100, **QWEN7})
    assert found.report.diagnoses == ()


def test_installed_flags_decide(checked: Check) -> None:
    """What the installed sources take is taken, whatever the table of releases says, and nothing else is."""
    flags = frozenset(("--model-path", "--brand-new", "--tp"))
    assert checked(f"{SERVE} --brand-new 1", {}, flags).report.diagnoses == ()
    assert [item.id for item in checked(f"{SERVE} --trust-remote-code", {}, flags).report.diagnoses] == [
        "launch-arg-invalid"
    ]


def test_unknown_is_not_checked(checked: Check) -> None:
    """Without a host every rule that needs one is listed as not checked, with what it lacks."""
    probes = {item.name: item.reason for item in checked(f"{SERVE} --tp 8", {}).report.probes}
    assert probes["launch.heads_remainder"] == "not known: model.num_attention_heads"
    assert probes["launch.ranks_over_gpus"] == "not known: gpu.count"


def test_good_news_is_stated(checked: Check) -> None:
    """A rule that finds nothing wrong says so as a fact, with the word that it rests on."""
    facts = {fact.name: fact for fact in checked(f"{SERVE} --tp 4", {**H100, **QWEN7}).report.observation.facts}
    assert facts["launch.heads_remainder"].value == 0
    assert facts["launch.heads_remainder"].origin == "command:6"
    assert facts["server.tp_size"].value == 4


def test_evidence_points_at_the_words(checked: Check) -> None:
    """The first line of evidence is the place of the option in the command."""
    found = checked(f"{SERVE} --tp 3", {**H100, **QWEN7})
    entry = found.report.diagnoses[0].ledger[0]
    assert entry.place is not None
    assert (entry.place.source, entry.place.line) == ("command", 6)
    assert entry.text.startswith("--tp 3")
