"""Known symptom lines in otherwise ordinary server logs: each must name its cause first, in every wrapping, and never from a prompt."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from triage.engine import load, scan_text
from triage.knowledge.compiled import Knowledge
from triage.model import Report, Severity

STAMP = "[2026-03-01 10:00:{:02d}{}] "
LIFE = ("command", "import", "launch", "weights", "pool", "capture", "warmup", "serving")
FRAMES = (
    "Traceback (most recent call last):",
    '  File "/usr/local/lib/python3.12/dist-packages/sglang/srt/managers/scheduler.py", line 3021, in run_scheduler_process',
    "    scheduler = Scheduler(server_args, port_args, gpu_id, tp_rank)",
)


@dataclass(frozen=True, slots=True)
class Seed:
    """A symptom: the cause it must name, the phase of the server's life that it ends, its lines, and the server's mode."""

    cause: str
    phase: str
    lines: tuple[str, ...]
    mode: str = "null"
    exception: bool = False

    def __str__(self) -> str:
        return f"{self.cause}-{self.mode}-{self.lines[-1][:24]}"


def exception(cause: str, phase: str, *lines: str, mode: str = "null") -> Seed:
    """A symptom that Python prints below a traceback."""
    return Seed(cause, phase, lines, mode, exception=True)


def line(cause: str, phase: str, *lines: str, mode: str = "null") -> Seed:
    """A symptom that is a record of its own."""
    return Seed(cause, phase, lines, mode)


ROOM = "Disaggregated request received without bootstrap room id"
ROOM_MISSPELT = "Disaggregated request received without boostrap room id"
ABI = (
    "ImportError: /usr/lib/python3/dist-packages/sgl_kernel/sm100/common_ops.abi3.so: undefined symbol: "
    "_ZN3c104cuda29c10_cuda_check_implementationEiPKcS2_ib"
)
OOM = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 7.00 GiB. GPU 0 has a total capacity of 178.35 GiB "
    "of which 2.31 GiB is free."
)
DEPRECATED = "UserWarning: Environment variable SGL_DISABLE_TP_MEMORY_INBALANCE_CHECK is deprecated"

SEEDS = (
    line(
        "fp8-scale-not-ue8m0-on-blackwell",
        "launch",
        "WARNING model_config.py:872: DeepGemm is enabled but the scale_fmt of checkpoint is not ue8m0. This might cause "
        "accuracy degradation on Blackwell.",
    ),
    line(
        "pip-debian-record-missing",
        "command",
        "ERROR: Cannot uninstall typing_extensions 4.10.0, RECORD file not found. Hint: The package was installed by debian.",
    ),
    exception("sgl-kernel-torch-abi-mismatch", "import", ABI),
    exception("libcudnn-missing", "import", "ImportError: libcudnn.so.9: cannot open shared object file"),
    exception("libcusparselt-missing", "import", "ImportError: libcusparseLt.so.0: cannot open shared object file"),
    exception("tp-not-dividing-heads", "weights", "AssertionError: assert self.total_num_heads % tp_size == 0"),
    exception(
        "deepep-max-dispatch-tokens",
        "capture",
        "    assert self.num_max_dispatch_tokens_per_rank <= 1024",
        "AssertionError",
    ),
    exception(
        "mooncake-not-installed",
        "launch",
        "ModuleNotFoundError: No module named 'mooncake'",
        "ImportError: Please install mooncake by following the instructions",
        mode="prefill",
    ),
    exception("deepgemm-precompile-oom", "weights", "$ python3 -m sglang.compile_deep_gemm --model /models/m-v3", OOM),
    exception("deepep-timeout", "warmup", "RuntimeError: DeepEP error: timeout (dispatch CPU)"),
    exception(
        "pd-direct-request-prefill", "serving", "AssertionError: bootstrap_room should not be None", mode="prefill"
    ),
    exception("pd-direct-request-prefill", "serving", "AssertionError: bootstrap_room should not be None"),
    *(
        line(f"pd-direct-request-{'prefill' if mode == 'prefill' else 'decode'}", "serving", text, mode=mode)
        for text in (ROOM, ROOM_MISSPELT)
        for mode in ("prefill", "decode", "null")
    ),
    exception("dist-init-addr-bind", "launch", "zmq.error.ZMQError: No such device (addr: tcp://10.8.0.25:5757)"),
    line("deprecated-env-var", "launch", f"/opt/sglang/srt/environ.py:71: {DEPRECATED}"),
    line(
        "mooncake-rdma-register-failed",
        "pool",
        "RdmaTransport: Failed to register memory: addr 0x7f0000000000 length 37896192",
        mode="prefill",
    ),
    line(
        "nvidia-peermem-unavailable",
        "command",
        "modprobe: ERROR: could not insert 'nvidia_peermem': Invalid argument",
    ),
    exception(
        "quant-block-not-divisible",
        "weights",
        "ValueError: Weight output_partition_size = 576 is not divisible by weight quantization block_n = 128.",
    ),
    line("ib-device-not-found", "launch", "No IB devices found", mode="decode"),
)

DEAD = Seed("", "serving", ())


def server_args(mode: str) -> str:
    """The line in which the server prints its settings."""
    return (
        "server_args=ServerArgs(model_path='/models/m-v3', tokenizer_path='/models/m-v3', trust_remote_code=True, "
        "dtype='auto', quantization=None, context_length=None, device='cuda', host='0.0.0.0', port=30000, "
        "mem_fraction_static=0.85, max_running_requests=None, chunked_prefill_size=8192, random_seed=41, "
        "watchdog_timeout=300, dist_timeout=None, log_level='info', log_requests=False, api_key=None, "
        "attention_backend='fa3', moe_a2a_backend='none', disable_cuda_graph=False, enable_dp_attention=False, "
        f"disaggregation_mode='{mode}', disaggregation_transfer_backend='mooncake', "
        "disaggregation_bootstrap_port=8998, disaggregation_ib_device=None)"
    )


def life(mode: str) -> dict[str, list[str]]:
    """What an ordinary start prints in each phase of its life."""
    own = STAMP.format(1, "")
    rank = [STAMP.format(second, " TP0") for second in range(60)]
    return {
        "command": ["Collecting typing_extensions", "Installing collected packages: typing_extensions"],
        "import": ["/usr/local/lib/python3.12/dist-packages/torch/cuda/__init__.py:61: FutureWarning: The pynvml package is deprecated."],
        "launch": [own + server_args(mode), f"{rank[5]}Init torch distributed begin.", f"{rank[9]}sglang is using nccl==2.27.5"],
        "weights": [
            f"{rank[10]}Init torch distributed ends. elapsed=4.10 s, mem usage=0.81 GB",
            f"{rank[11]}Load weight begin. avail mem=77.40 GB",
            "Loading safetensors checkpoint shards:  50% Completed | 2/4 [00:03<00:03,  1.61s/it]",
        ],
        "pool": [
            f"{rank[20]}Load weight end. elapsed=9.04 s, type=DeepseekV3ForCausalLM, quant=fp8, avail mem=30.20 GB, mem usage=47.20 GB.",
            f"{rank[21]}KV Cache is allocated. #tokens: 412033, K size: 11.80 GB, V size: 11.80 GB",
        ],
        "capture": [
            f"{rank[22]}Memory pool end. avail mem=6.10 GB",
            f"{rank[23]}Capture cuda graph begin. This can take up to several minutes. avail mem=6.00 GB",
        ],
        "warmup": [
            f"{rank[30]}Capture cuda graph end. Time elapsed: 7.21 s. mem usage=1.01 GB. avail mem=4.99 GB.",
            f"{rank[31]}max_total_num_tokens=412033, chunked_prefill_size=8192, max_prefill_tokens=16384, max_running_requests=2048, context_len=163840",
            STAMP.format(32, "") + "INFO:     Application startup complete.",
            STAMP.format(32, "") + "INFO:     Uvicorn running on http://0.0.0.0:30000 (Press CTRL+C to quit)",
        ],
        "serving": [
            f"{rank[34]}Prefill batch. #new-seq: 1, #new-token: 7, #cached-token: 0, token usage: 0.00, #running-req: 0, #queue-req: 0",
            STAMP.format(35, "") + "The server is fired up and ready to roll!",
            f"{rank[36]}Prefill batch. #new-seq: 1, #new-token: 192, #cached-token: 0, token usage: 0.00, #running-req: 0, #queue-req: 0",
            f"{rank[37]}Decode batch. #running-req: 1, #token: 233, token usage: 0.00, cuda graph: True, gen throughput (token/s): 91.10, #queue-req: 0",
        ],
    }  # fmt: skip


def log_of(seed: Seed, *, traceback: bool = False) -> list[str]:
    """An ordinary life up to the phase of ``seed``, its lines, and the end."""
    phases = life(seed.mode)
    before = [text for phase in LIFE[: LIFE.index(seed.phase) + 1] for text in phases[phase]]
    symptom = list(seed.lines)
    if symptom and symptom[0].startswith("$ "):
        before.insert(0, symptom.pop(0))
    if traceback:
        *inner, last = FRAMES
        symptom = [STAMP.format(40, " TP0") + f"Scheduler hit an exception: {inner[0]}", *inner[1:], last, *symptom]
    elif not seed.exception and seed.phase not in ("command", "import"):
        symptom = [STAMP.format(40, "") + text for text in symptom]
    return before + symptom


def text_of(lines: list[str]) -> bytes:
    """Lines as a file."""
    return "".join(text + "\n" for text in lines).encode()


WRAPPERS: dict[str, Callable[[str], str]] = {
    "docker-t": lambda text: "2026-03-01T10:00:41.123456789Z " + text,
    "cri": lambda text: "2026-03-01T10:00:41.123456789Z stderr F " + text,
    "kubectl": lambda text: "[pod/sglang-0/server] " + text,
    "journald": lambda text: "Mar 01 10:00:41 node-1 sglang[4711]: " + text,
    "ansi": lambda text: f"\x1b[33m{text}\x1b[0m",
    "compose": lambda text: f"\x1b[36mserver-1  |\x1b[0m {text}",
}


@pytest.fixture(name="knowledge", scope="module")
def knowledge_fixture() -> Knowledge:
    """The bundled knowledge."""
    return load(environment=dict(os.environ))


def names_first(report: Report, seed: Seed) -> None:
    """The cause stands first and did not recover."""
    found = [(item.id, round(item.confidence, 2)) for item in report.diagnoses]
    assert found, (
        f"nothing is found; recovered: {[item.id for item in report.recovered]}, unexplained: {report.unexplained}"
    )
    assert found[0][0] == seed.cause, found
    assert not report.diagnoses[0].recovered


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_seed_names_its_cause(seed: Seed, knowledge: Knowledge) -> None:
    """The bare symptom at the end of a log that stops."""
    names_first(scan_text(text_of(log_of(seed)), knowledge), seed)


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if seed.exception], ids=str)
def test_seed_below_a_traceback(seed: Seed, knowledge: Knowledge) -> None:
    """The same as the last line of the scheduler's traceback."""
    names_first(scan_text(text_of(log_of(seed, traceback=True)), knowledge), seed)


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_seed_in_a_wrapper(seed: Seed, wrapper: str, knowledge: Knowledge) -> None:
    """What carried the log to the reader does not change what it says."""
    lines = [WRAPPERS[wrapper](text) for text in log_of(seed)]
    names_first(scan_text(text_of(lines), knowledge), seed)


@pytest.mark.parametrize("form", ["escaped", "raw"])
@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_seed_in_a_prompt_is_no_evidence(seed: Seed, form: str, knowledge: Knowledge) -> None:
    """A client may send any text: printed as a request it names no cause."""
    prompt = "why does my server say\n" + "\n".join(seed.lines) + "\nand stop"
    shown = repr(prompt) if form == "escaped" else f'"{prompt}"'
    dump = (
        f"{STAMP.format(38, '')}Receive: obj=GenerateReqInput(text={shown}, input_ids=None, rid='5f0c', stream=False)"
    )
    lines = [*log_of(DEAD), dump, life("null")["serving"][-1].replace(":37 ", ":39 ")]
    report = scan_text(text_of(lines), knowledge)
    assert seed.cause not in [item.id for item in (*report.diagnoses, *report.recovered)]


def test_ordinary_log_is_healthy(knowledge: Knowledge) -> None:
    """The log around the symptoms says nothing by itself."""
    report = scan_text(text_of(log_of(DEAD)), knowledge)
    assert (report.verdict.value, report.diagnoses) == ("healthy", ())


def test_deprecated_variable_is_only_information(knowledge: Knowledge) -> None:
    """An old name that still works is no failure."""
    seed = next(seed for seed in SEEDS if seed.cause == "deprecated-env-var")
    report = scan_text(text_of(log_of(seed)), knowledge)
    assert [item.severity for item in report.diagnoses] == [Severity.INFO]
