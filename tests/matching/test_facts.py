"""Lines that tell facts are found by the scan's patterns and read into typed values; others tell nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import hyperscan
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.matching.fact_patterns import FACT_PATTERNS
from triage.matching.facts import read_facts
from triage.matching.prefix import parse_prefix

if TYPE_CHECKING:
    from triage.model import Value

_CASES: list[tuple[str, dict[str, Value]]] = [
    ("Python: 3.12.3 (main, Aug 14 2025, 17:47:21) [GCC 13.3.0]", {"python.version": "3.12.3"}),
    ("CUDA available: True", {"cuda.available": True, "platform": "cuda"}),
    ("CUDA available: False", {"cuda.available": False}),
    ("ROCM available: True", {"rocm.available": True, "platform": "rocm"}),
    ("GPU 0,1,2,3: NVIDIA H100 80GB HBM3", {"gpu.name": "NVIDIA H100 80GB HBM3", "gpu.count": 4}),
    ("GPU 0,1 Compute Capability: 9.0", {"gpu.compute_capability": 9.0}),
    ("CUDA_HOME: /usr/local/cuda", {"cuda.home": "/usr/local/cuda"}),
    ("NVCC: Cuda compilation tools, release 12.9, V12.9.86", {"nvcc.version": "12.9"}),
    ("CUDA Driver Version: 580.105.08", {"driver.version": "580.105.08"}),
    ("CUDA Driver Version: 12080", {"driver.cuda": "12.8"}),
    ("PyTorch: 2.9.1+cu130", {"torch.installed": True, "torch.version": "2.9.1", "torch.build": "cu130", "torch.cuda": "13.0"}),
    ("PyTorch: 2.5.1+rocm6.2", {"torch.installed": True, "torch.version": "2.5.1", "torch.build": "rocm6.2", "torch.rocm": "6.2"}),
    ("sgl_kernel: 0.3.21", {"sgl-kernel.installed": True, "sgl-kernel.version": "0.3.21"}),
    ("sglang: 0.5.6.post3.dev975+g4935344fc", {"sglang.installed": True, "sglang.version": "0.5.6.post3.dev975+g4935344fc"}),
    ("flashinfer_jit_cache: Module Not Found", {"flashinfer-jit-cache.installed": False}),
    ("ulimit soft: 1048576", {"ulimit.nofile": 1048576}),
    ("Hypervisor vendor:: KVM", {"host.hypervisor": "KVM"}),
    ("torch==2.9.1+cu128", {"torch.installed": True, "torch.version": "2.9.1", "torch.build": "cu128", "torch.cuda": "12.8"}),
    ("sglang                    0.4.4.post4   /opt/sglang/python", {"sglang.installed": True, "sglang.version": "0.4.4.post4"}),
    ("Successfully installed sgl-kernel-0.3.21 sglang-0.5.9 left-pad-1.0",
     {"sgl-kernel.installed": True, "sgl-kernel.version": "0.3.21", "sglang.installed": True, "sglang.version": "0.5.9"}),
    ("NCCL version 2.27.3+cuda12.8", {"nccl.version": "2.27.3", "nccl.cuda": "12.8"}),
    ("sglang is using nccl==2.27.5", {"nccl.version": "2.27.5"}),
    ("vLLM API server version 0.6.6.post2", {"vllm.version": "0.6.6.post2"}),
    ("Automatically detected platform cuda.", {"platform": "cuda"}),
    ("RuntimeError: The NVIDIA driver on your system is too old (found version 11060). Please update", {"driver.cuda": "11.6"}),
    ("NVML library version: 565.57", {"nvml.version": "565.57"}),
    ("| NVIDIA-SMI 535.129.03             Driver Version: 535.129.03   CUDA Version: 12.2     |",
     {"driver.version": "535.129.03", "driver.cuda": "12.2"}),
    ("NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build", {"driver.version": "580.95.05"}),
    ("NVIDIA GeForce RTX 5090 with CUDA capability sm_120 is not compatible with the current PyTorch installation.",
     {"gpu.name": "NVIDIA GeForce RTX 5090", "gpu.compute_capability": 12.0}),
    ("Current Environment: PyTorch 2.9.1+cu130 | CuDNN 9.13",
     {"torch.installed": True, "torch.version": "2.9.1", "torch.build": "cu130", "torch.cuda": "13.0", "cudnn.version": "9.13"}),
    ("Load weight begin. avail mem=77.15 GB", {"memory.available_gb": 77.15}),
    ("Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=63.42 GB, mem usage=15.16 GB.",
     {"model.architecture": "LlamaForCausalLM", "model.dtype": "bfloat16", "memory.after_weights_gb": 63.42, "memory.weights_gb": 15.16}),
    ("Load weight end. elapsed=55.07 s, type=GlmForCausalLM, quant=w4afp8, avail mem=75.11 GB, mem usage=63.09 GB.",
     {"model.architecture": "GlmForCausalLM", "model.quantization": "w4afp8", "memory.after_weights_gb": 75.11, "memory.weights_gb": 63.09}),
    ("Load weight end. type=DeepseekV3ForCausalLMNextN, dtype=torch.bfloat16, avail mem=20.1 GB, mem usage=1.8 GB.", {}),
    ("Memory pool end. avail mem=8.85 GB", {"memory.after_pool_gb": 8.85}),
    ("KV Cache is allocated. #tokens: 442177, K size: 26.99 GB, V size: 26.99 GB", {"memory.kv_tokens": 442177, "memory.kv_gb": 53.98}),
    ("KV Cache is allocated. #tokens: 100, KV size: 3.20 GB", {"memory.kv_tokens": 100, "memory.kv_gb": 3.2}),
    ("Capture cuda graph bs [1, 2, 4, 8, 160, 16]", {"memory.graph_max_bs": 160}),
    ("Capture cuda graph bs [1, 2, 4, 8, 1", {}),
    ("Capture cuda graph end. Time elapsed: 7.21 s. mem usage=1.01 GB. avail mem=7.74 GB.",
     {"memory.graphs_gb": 1.01, "memory.after_graphs_gb": 7.74}),
    ("Capture cuda graph end. Time elapsed: 3.20 s. avail mem=3.90 GB", {"memory.after_graphs_gb": 3.9}),
    ("max_total_num_tokens=442177, chunked_prefill_size=8192, max_prefill_tokens=16384, max_running_requests=2764, context_len=131072, available_gpu_mem=7.74 GB",
     {"scheduler.max_total_num_tokens": 442177, "scheduler.chunked_prefill_size": 8192, "scheduler.max_prefill_tokens": 16384,
      "scheduler.max_running_requests": 2764, "scheduler.context_len": 131072, "memory.after_start_gb": 7.74}),
    ("max_total_num_tokens=436871, max_prefill_tokens=16384, max_running_requests=2121, context_len=8192",
     {"scheduler.max_total_num_tokens": 436871, "scheduler.max_prefill_tokens": 16384, "scheduler.max_running_requests": 2121,
      "scheduler.context_len": 8192}),
    ("The server is fired up and ready to roll!", {"server.ready": True}),
    ("server_args=ServerArgs(model_path='/models/m', tp_size=8, api_key='sk-secret')",
     {"server.model_path": "/models/m", "server.tp_size": 8, "server.api_key": "<api_key>"}),
    ("server_args={'model_path': '/models/m', 'tp_size': 8}", {"server.model_path": "/models/m", "server.tp_size": 8}),
    ("server_args=Namespace(model_path='/models/m', trust_remote_code=True)",
     {"server.model_path": "/models/m", "server.trust_remote_code": True}),
    ("(env) user@node-1:~$ CUDA_VISIBLE_DEVICES=0 python3 -m sglang.launch_server --model /models/m --tp 2 --trust-remote-code 2>&1 | tee log",
     {"launch.command": ("python3", "-m", "sglang.launch_server", "--model", "/models/m", "--tp", "2", "--trust-remote-code"),
      "server.model_path": "/models/m", "server.tp_size": 2, "server.trust_remote_code": True}),
    ("command=sglang serve --model-path /models/m --api-key sk-secret --lora-paths a b",
     {"launch.command": ("sglang", "serve", "--model-path", "/models/m", "--api-key", "<api_key>", "--lora-paths", "a", "b"),
      "server.model_path": "/models/m", "server.api_key": "<api_key>", "server.lora_paths": ("a", "b")}),
    ("command=['python3', '-m', 'sglang.launch_server', '--model-path=/models/m', '--port', '8001']",
     {"launch.command": ("python3", "-m", "sglang.launch_server", "--model-path=/models/m", "--port", "8001"),
      "server.model_path": "/models/m", "server.port": 8001}),
    ("$ python -m sglang.launch_server --mem-fraction-static 0.8 \\", {"server.mem_fraction_static": 0.8}),
    ("+ python3 -m sglang_router.launch_router --pd-disaggregation --prefill http://10.0.0.1:30000",
     {"router.command": ("python3", "-m", "sglang_router.launch_router", "--pd-disaggregation", "--prefill", "http://10.0.0.1:30000"),
      "router.pd_mode": True, "router.port": 30000, "pd.prefill_host": "10.0.0.1", "pd.prefill_port": 30000}),
]  # fmt: skip

_QUIET = [
    "[2025-08-04 11:51:41 TP0] Prefill batch. #new-seq: 1, #new-token: 211, #cached-token: 14, token usage: 0.00, #running-req: 0, #queue-req: 0, ",
    "[2026-08-04 11:51:46 TP0] Decode batch, #running-req: 1, #token: 402, token usage: 0.00, cuda graph: True, gen throughput (token/s): 96.11, #queue-req: 0, ",
    '[2025-08-04 11:51:44] INFO:     10.0.0.9:40011 - "POST /v1/chat/completions HTTP/1.1" 200 OK',
    '[2025-08-04 11:51:44] INFO:     10.0.0.9:40011 - "GET /get_server_info HTTP/1.1" 200 OK',
    "[2025-08-04 11:51:41] Receive: obj=GenerateReqInput(rid='ab12', text='hello', sampling_params={'max_new_tokens': 512}, stream=False)",
    "[2025-08-04 11:51:41] Finish: obj=GenerateReqInput(rid='ab12'), out={'text': 'x', 'meta_info': {'prompt_tokens': 3}}",
    "ValueError: memory leak detected! self.max_total_num_tokens=270331, available_size=644, evictable_size=269628",
    "NVRM: Xid (PCI:0000:01:00): 79, pid=1, name=python, GPU has fallen off the bus.",
]


def _database() -> hyperscan.Database:
    database = hyperscan.Database()
    database.compile(
        expressions=[regex.encode() for _, regex, _ in FACT_PATTERNS],
        ids=list(range(len(FACT_PATTERNS))),
        elements=len(FACT_PATTERNS),
        flags=[0] * len(FACT_PATTERNS),
    )
    return database


@pytest.fixture(scope="module")
def database() -> hyperscan.Database:
    """The patterns as the scan compiles them."""
    return _database()


def _fired(database: hyperscan.Database, line: str) -> set[int]:
    fired: set[int] = set()
    database.scan(line.encode("utf-8", "surrogateescape"), match_event_handler=lambda number, *_: fired.add(number))
    return fired


@pytest.mark.parametrize(("message", "expected"), _CASES, ids=[message[:50] for message, _ in _CASES])
def test_line_is_read(message: str, expected: dict[str, Value]) -> None:
    """Each kind of line yields exactly its facts, typed, with the place they come from."""
    facts = read_facts(message, "log:7")
    assert {fact.name: fact.value for fact in facts} == expected
    assert all(type(fact.value) is type(expected[fact.name]) and fact.origin == "log:7" for fact in facts)


@pytest.mark.parametrize(
    "message", [message for message, expected in _CASES if expected], ids=lambda message: message[:50]
)
def test_patterns_find_every_line_that_is_read(message: str, database: hyperscan.Database) -> None:
    """What read_facts can read, the scan finds, and each literal of a pattern that fires is in the line."""
    fired = _fired(database, message)
    assert fired
    assert all(FACT_PATTERNS[number][2] in message for number in fired)


@pytest.mark.parametrize("line", _QUIET, ids=lambda line: line[:60])
def test_ordinary_lines_are_quiet(line: str, database: hyperscan.Database) -> None:
    """Batch lines, request dumps, access lines and errors neither fire nor tell facts."""
    assert not _fired(database, line)
    assert read_facts(line[parse_prefix(line).end :], "x") == ()


@pytest.mark.parametrize(
    "message",
    [
        "Receive: obj=GenerateReqInput(text='python3 -m sglang.launch_server --model-path /evil --tp 8')",
        "Please start it with python3 -m sglang.launch_server --model-path /models/m",
        "usage: launch_server.py [-h] --model-path MODEL_PATH",
        "    sglang[srt] 0.4.9.post3 depends on torch==2.7.1; extra == 'srt'",
        "Collecting torch==2.9.1 (from sglang==0.5.9)",
        "ERROR: No matching distribution found for sgl-kernel==0.0.9.post2; extra == 'srt'",
        "the message said server_args=ServerArgs(tp_size=8)",
        "$ python -m sglang.launch_server --model 'open quote",
        "GPU 1 has a total capacity of 47.37 GiB",
    ],
)
def test_quotations_tell_nothing(message: str) -> None:
    """Only a message that is such a line counts: advice, requirements and prompts that mention one do not."""
    assert read_facts(message, "x") == ()


def test_patterns_are_sound() -> None:
    """Names are unique, no pattern is anchored or looks around, and every literal can be told from its regex."""
    names = [name for name, _, _ in FACT_PATTERNS]
    assert len(set(names)) == len(names)
    for _, regex, literal in FACT_PATTERNS:
        assert not regex.startswith("^")
        assert "(?=" not in regex
        assert "(?<" not in regex
        assert literal in regex.replace("\\", "")


@given(st.one_of(st.text(), st.tuples(st.sampled_from([case[0] for case in _CASES]), st.integers(0, 80), st.text(max_size=5)).map(
    lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + 1 :])))  # fmt: skip
def test_never_raises(message: str) -> None:
    """Any text, and any damaged fact line, gives facts or none."""
    for fact in read_facts(message, "x"):
        assert fact.name
        assert fact.name == fact.name.strip()


_CORPUS = Path(os.environ.get("SGLTRIAGE_CORPUS", Path(__file__).resolve().parents[2] / ".." / "shared" / "corpus"))


@pytest.mark.corpus
@pytest.mark.skipif(not _CORPUS.is_dir(), reason=f"no labelled corpus at {_CORPUS}")
def test_corpus_facts_are_found_by_the_patterns(database: hyperscan.Database) -> None:
    """In real logs no line tells facts that the scan would not have found, and batch lines never fire."""
    read = 0
    for path in sorted(_CORPUS.glob("*/*/log.txt")):
        for line in path.read_bytes().decode("utf-8", "surrogateescape").split("\n"):
            message = line[parse_prefix(line).end :]
            if read_facts(message, "x"):
                read += 1
                assert _fired(database, line), line[:200]
            if message.startswith(("Prefill batch", "Decode batch")):
                assert not _fired(database, line), line[:200]
    assert read > 100
