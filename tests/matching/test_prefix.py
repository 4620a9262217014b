"""Each format and wrapper is recognised and its fields are read as printed."""

from __future__ import annotations

import pytest

from triage.matching.prefix import parse_prefix, parse_prefix_near, segments, strip_ansi

# front, message, format, wrappers, what else must be read
_TABLE: list[tuple[str, str, str, tuple[str, ...], dict[str, object]]] = [
    ("[gpu_id=0] ", "Load weight end. type=Llama", "sglang-gpuid", (), {"rank": None}),
    (
        "[16:43:29 TP0] ",
        "Prefill batch. #new-seq: 1",
        "sglang-hms",
        (),
        {"rank": "TP0", "time": "16:43:29", "seconds": None},
    ),
    (
        "[2025-07-18 10:22:01 TP0] ",
        "Load weight begin.",
        "sglang",
        (),
        {"rank": "TP0", "seconds": 1752834121.0, "level": None},
    ),
    ("[2026-05-07 05:56:32 DP3 TP3 EP3] ", "Capture", "sglang", (), {"rank": "DP3 TP3 EP3"}),
    ("[2026-07-18 03:03:06 ATTN_CP5 TP5] ", "Allocating", "sglang", (), {"rank": "ATTN_CP5 TP5"}),
    ("[2027-01-01 00:00:00 NEW_KIND12 TP5] ", "x", "sglang", (), {"rank": "NEW_KIND12 TP5"}),
    ("[2025-12-02 07:04:51 DisaggregationMode.DECODE TP1] ", "x", "sglang", (), {"rank": "TP1"}),
    ("[2026-04-01 20:42:08 encode_server] ", "x", "sglang", (), {"rank": None}),
    ("[2026-04-01 20:42:08 encode_dp_worker[0]] ", "x", "sglang", (), {"rank": "encode_dp_worker[0]"}),
    (
        "[2026-04-01 20:42:08.425] ",
        "Load",
        "sglang",
        (),
        {"seconds": 1775076128.425, "time": "2026-04-01 20:42:08.425"},
    ),
    ("[06-17 13:46:56] ", "Server warmup failed", "sglang-monthday", (), {"seconds": None}),
    ("[TP0] ", "Scheduler hit an exception", "sglang-rank", (), {"rank": "TP0"}),
    ("[2026-04-15 17:13:02][http_server.py:1991][INFO]: ", "The server", "sglang-custom", (), {"level": "info"}),
    (
        "[2025-11-30 11:18:05] INFO:     ",
        "Uvicorn running",
        "uvicorn",
        (),
        {"level": "info", "time": "2025-11-30 11:18:05"},
    ),
    ("[2025-11-30 11:18:05] CRITICAL: ", "bad", "uvicorn", (), {"level": "fatal"}),
    ("INFO:     ", '10.0.0.1:41834 - "POST /generate HTTP/1.1" 200 OK', "uvicorn", (), {"level": "info", "time": None}),
    ("WARNING:  ", "Invalid HTTP request received.", "uvicorn", (), {"level": "warning"}),
    (
        "[2025-04-30 14:23:56] 10.0.0.21 [30/Apr/2025:14:23:56 +0800] ",
        '"PUT /route HTTP/1.1" 200',
        "aiohttp-access",
        (),
        {"time": "2025-04-30 14:23:56"},
    ),
    (
        "2025-11-04 10:05:37  INFO sglang_router_rs::server: src/server.rs:830: ",
        "Starting router",
        "router",
        (),
        {"level": "info"},
    ),
    (
        "2025-07-31 21:42:47  INFO http_request{method=GET uri=/v1/models}: sglang_router_rs::response: src/middleware.rs:169: ",
        "finished processing request",
        "router",
        (),
        {},
    ),
    (
        "[smg] 2026-06-06 04:08:11  INFO wfaas::event: crates/workflow/src/event.rs:213: ",
        "Step",
        "router",
        ("tag",),
        {},
    ),
    (
        "[Router (Rust)] 2025-03-08 02:33:09 - INFO - ",
        "Worker is pending",
        "python-logging",
        ("tag",),
        {"level": "info"},
    ),
    (
        "INFO 01-07 10:56:48 api_server.py:764] ",
        "vLLM API server version 0.6.6.post2",
        "vllm",
        (),
        {"time": "01-07 10:56:48"},
    ),
    (
        "(Worker_DP1_EP2 pid=117) INFO 05-18 06:19:19 [gpu_worker.py:619] ",
        "CUDA graph",
        "vllm",
        ("vllm-process",),
        {"rank": "DP1 EP2", "pid": 117, "seconds": None},
    ),
    (
        "INFO 2025-04-06T03:02:45.843368291Z ",
        "Python: 3.10.12",
        "export",
        (),
        {"seconds": pytest.approx(1743908565.843368)},
    ),
    (
        "  | 2024-12-04T05:27:45.084Z | algo-1:18059:18136 [2] NCCL INFO ",
        "Bootstrap",
        "nccl",
        ("export",),
        {"node": "algo-1"},
    ),
    (
        "/usr/lib/python3/torch/cuda/__init__.py:63: ",
        "FutureWarning: The pynvml package",
        "python-warning",
        (),
        {"level": "warning"},
    ),
    (
        "<frozen importlib._bootstrap_external>:1301: ",
        "FutureWarning: The cuda.cudart module",
        "python-warning",
        (),
        {},
    ),
    (
        "2025-03-27 21:33:31,320 - INFO - flashinfer.jit: ",
        "Prebuilt kernels not found",
        "python-logging",
        (),
        {"level": "info", "seconds": pytest.approx(1743111211.32)},
    ),
    (
        "2026-03-31 09:40:10,320 - INFO - autotuner.py:256 - flashinfer.jit: ",
        "[Autotuner]: starts",
        "python-logging",
        (),
        {},
    ),
    (
        "2025-12-04 13:46:15.750325+08:00 - gpustack.worker.serve_manager - INFO - ",
        "x",
        "python-logging",
        (),
        {"seconds": pytest.approx(1764827175.750325)},
    ),
    (
        "2025-03-07 23:50:27,531 - __main__ - INFO - [2025-03-07 23:50:27 TP0] ",
        "Init",
        "sglang",
        ("python-logging",),
        {"rank": "TP0", "level": None},
    ),
    (
        "2025-04-08 00:33:43,317 xinference.api.restful_api 1 ERROR    [address=0.0.0.0:33877, pid=172] ",
        "x",
        "xinference",
        (),
        {"level": "error", "pid": 172},
    ),
    (
        "2026-01-10 10:00:00 NIXL INFO    _api.py:361 ",
        "Backend UCX was instantiated",
        "nixl-python",
        (),
        {"level": "info"},
    ),
    ("2025-11-07 05:42:50,217 WARNING services.py:2159 -- ", "low memory", "ray-python", (), {"level": "warning"}),
    ("2023-12-20 13:39:58 | ERROR | stderr | ", "RuntimeError: x", "loguru", (), {"level": None}),
    (
        "2025-07-02 16:41:31 | ERROR | sglang.srt.entrypoints.engine | ",
        "Received sigquit",
        "loguru",
        (),
        {"level": "error"},
    ),
    (
        "2023-12-20 13:39:58 | INFO | stdout | [2023-12-20 13:39:57 TP1] ",
        "x",
        "sglang",
        ("loguru",),
        {"rank": "TP1", "level": None},
    ),
    ("2025-11-05T01:56:54.243403Z  INFO model_runner.init_device_graphs: ", "Capture", "dynamo", (), {"level": "info"}),
    ("WARNING:torch.distributed.run:", "x", "python-basic", (), {"level": "warning"}),
    (
        "node-1:271:272 [0] NCCL INFO ",
        "Bootstrap: Using eth0",
        "nccl",
        (),
        {"node": "node-1", "pid": 271, "rank": None, "level": "info"},
    ),
    (
        "[2025-08-19 10:00:01] node-1:984:1301 [4] transport/net_ib.cc:2316 NCCL WARN ",
        "NET/IB : Got completion",
        "nccl",
        (),
        {"level": "warning", "time": "2025-08-19 10:00:01"},
    ),
    ("misc/ibvwrap.cc:278 NCCL WARN ", "Call to ibv_reg_mr failed", "nccl", (), {"level": "warning"}),
    ("", "NCCL version 2.27.3+cuda12.8", "nccl-version", (), {}),
    ("node-1:10:11 [0] NVSHMEM WARN ", "x", "nvshmem", (), {"level": "warning"}),
    ("/workspace/nvshmem_src/src/host/init/init.cu:989: ", "non-zero status: 7", "nvshmem-source", (), {}),
    ("WARN: ", "init failed for remote transport: ibrc", "nvshmem-source", (), {"level": "warning"}),
    ("/pytorch/aten/src/ATen/native/cuda/Indexing.cu:1515: ", "indexSelectSmallIndex: block", "source", (), {}),
    ("[Gloo] ", "Rank 0 is connected to 7 peer ranks.", "gloo", (), {"rank": None}),
    (
        "[rank7]:[E626 05:14:36.393067540 ProcessGroupNCCL.cpp:1743] ",
        "[PG ID 0] x",
        "torch-cpp",
        (),
        {"rank": "rank7", "level": "error", "time": "626 05:14:36.393067540", "seconds": None},
    ),
    ("[W724 18:22:38.909218572 socket.cpp:200] ", "[c10d] x", "torch-cpp", (), {"level": "warning"}),
    ("[E ProcessGroupNCCL.cpp:458] ", "[Rank 0] Watchdog", "torch-cpp", (), {"level": "error", "time": None}),
    ("[rank0]: ", "  File 'x.py'", "torch-rank", (), {"rank": "rank0"}),
    (
        "[rank0]:W0826 18:22:28.488000 40628 site-packages/torch/distributed/run.py:766] ",
        "x",
        "torch-python",
        (),
        {"rank": "rank0", "pid": 40628},
    ),
    (
        "E0801 13:23:20.000000 32974 torch/distributed/elastic/multiprocessing/api.py:874] ",
        "failed",
        "torch-python",
        (),
        {"pid": 32974},
    ),
    ("I0820 14:27:21.482718 4030958 ProcessGroupNCCL.cpp:980] ", "x", "glog", (), {"pid": 4030958}),
    (
        "E0115 05:20:19.945159   309 rdma_context.cpp:81] ",
        "Failed to open device",
        "glog",
        (),
        {"level": "error", "seconds": None},
    ),
    (
        "I20250519 11:37:43.171371  1480 rdma_context.cpp:125] ",
        "RDMA device",
        "glog",
        (),
        {"seconds": pytest.approx(1747654663.171371)},
    ),
    ("WARNING: ", "Logging before InitGoogleLogging() is written to STDERR", "glog-early", (), {"level": "warning"}),
    (
        "[1745994234.385141] [node-a:711260:0]     ucp_context.c:1774 UCX  WARN  ",
        "UCP version",
        "ucx",
        (),
        {"node": "node-a", "pid": 711260, "level": "warning", "seconds": 1745994234.385141},
    ),
    (
        "[1784273406.684686] [node-b:994396 :0]      ib_mlx5_dv.c:452  UCX  ERROR   ",
        "mlx5dv",
        "ucx",
        (),
        {"level": "error"},
    ),
    ("[node-a:711260:0:711300] ", "Caught signal 11 (Segmentation fault)", "ucx-signal", (), {"pid": 711260}),
    ("[22859.081860] ", "NVRM: Xid (PCI:0000:01:00): 31", "dmesg", (), {"seconds": None}),
    ("[Fri Aug 30 11:43:09 2024] ", "NVRM: Xid", "dmesg", (), {"seconds": 1725018189.0}),
    ("May 27 16:50:10 gpu01 kernel: ", "NVRM: Xid", "kernel", (), {"node": "gpu01", "seconds": None}),
    ("May 27 16:50:10 gpu01 kernel: [22859.081860] ", "NVRM: Xid", "kernel", (), {"node": "gpu01"}),
    (
        "libfabric:652244:1713524816::core:core:cuda_set_sync_memops():207<warn> ",
        "Failed",
        "libfabric",
        (),
        {"level": "warning"},
    ),
    (
        "[2024-08-07 10:14:35,261 I 727164 727164] global_state_accessor.cc:432: ",
        "This node",
        "ray-core",
        (),
        {"pid": 727164},
    ),
    (
        '{"timestamp": "2026-01-02 03:04:05", "level": "ERROR", "message": "',
        'it broke"}',
        "json",
        (),
        {"level": "error", "seconds": 1767323045.0},
    ),
    (
        "2025-10-20T08:00:00.000000000Z [2025-10-20 08:00:01] ",
        "x",
        "sglang",
        ("docker-ts",),
        {"time": "2025-10-20 08:00:01"},
    ),
    (
        "2025-10-20T08:00:00.5Z W1020 08:00:00.114000 311 torch/a.py:24] ",
        "x",
        "torch-python",
        ("docker-ts",),
        {"seconds": 1760947200.5},
    ),
    ("2025-10-20T08:00:00.1Z stderr F [2025-10-20 08:00:00 TP1] ", "x", "sglang", ("cri",), {"rank": "TP1"}),
    ("2025-10-20T08:00:00.1+08:00 stdout P ", "half of a lin", "", ("cri",), {"seconds": pytest.approx(1760918400.1)}),
    (
        '{"log":"[2025-10-20 08:00:00 TP2] ',
        'x\\n","stream":"stderr","time":"2025-10-20T08:00:00Z"}',
        "sglang",
        ("docker-json",),
        {"rank": "TP2"},
    ),
    (
        '{"log":"',
        'x\\n","stream":"stderr","time":"2025-10-20T08:00:00Z"}',
        "",
        ("docker-json",),
        {"seconds": 1760947200.0},
    ),
    (
        "[pod/sglang-0/sglang] 2025-10-20T08:00:00Z [2025-10-20 08:00:00] ",
        "x",
        "sglang",
        ("kubectl", "docker-ts"),
        {"node": "sglang-0"},
    ),
    ("sglang-0 sglang [2025-10-20 08:00:00 TP0] ", "x", "sglang", ("stern",), {"node": "sglang-0"}),
    (
        "Sep 04 10:00:12 gpu01 docker[20333]: [2025-09-04 10:00:12] ",
        "x",
        "sglang",
        ("journald-short",),
        {"node": "gpu01", "pid": None},
    ),
    ("Sep 04 10:00:12 gpu01 sglang[77]: ", "x", "", ("journald-short",), {"node": "gpu01", "pid": 77, "seconds": None}),
    ("2025-09-04T10:00:12+0200 gpu01 docker[1]: ", "x", "", ("journald-iso",), {"seconds": 1756972812.0}),
    ("2025-09-04T10:00:12+0000 gpu01 kernel: ", "perf: interrupt", "kernel", (), {"node": "gpu01"}),
    ("sglang-1  | [2025-10-20 08:00:00] ", "x", "sglang", ("compose",), {"node": "sglang-1"}),
    (
        "(SGLangEngine pid=4410, ip=10.0.0.2) [2026-01-01 00:00:00 TP1] ",
        "x",
        "sglang",
        ("ray",),
        {"node": "10.0.0.2", "pid": 4410},
    ),
    (" (SGLangEngine pid=12589) ", '  File "x.py", line 161, in forward', "", ("ray",), {"pid": 12589}),
    (
        "(RayWorkerWrapper pid=581, ip=10.0.0.3) host17:581:582 [0] NCCL INFO ",
        "x",
        "nccl",
        ("ray",),
        {"node": "10.0.0.3", "pid": 581},
    ),
    ("(raylet, ip=10.0.0.4) ", "x", "", ("ray",), {"node": "10.0.0.4"}),
    (
        "(head, rank=0, pid=8292) [rank5]:W0215 12:25:06.525000 14707 site-packages/torch/a.py:504] ",
        "x",
        "torch-python",
        ("ray",),
        {"rank": "rank5", "node": "head"},
    ),
    ("[36m(Actor pid=1, ip=10.0.0.5)[0m ", "x", "", ("ansi-remains", "ray", "ansi-remains"), {"node": "10.0.0.5"}),
    ("3: [2025-06-23 15:06:05 TP4] ", "Init", "sglang", ("slurm-label",), {"rank": "TP4", "node": "task3"}),
    ("[1,3]<stderr>:", "x", "", ("mpirun",), {"rank": "rank3"}),
    ("[default0]:[2025-06-23 15:06:05] ", "x", "sglang", ("torchrun",), {"rank": "default0"}),
    ("[trainer0|0]:", "ncclInternalError: x", "", ("torchrun",), {}),
    ("> > [2025-06-23 15:06:05 TP4] ", "x", "sglang", ("quote",), {"rank": "TP4"}),
    ("#26 473.6 ", "error: uninstall-no-record-file", "", ("buildkit",), {}),
    (
        "Loading safetensors checkpoint shards:  50% Completed | 2/4 [00:02<00:02,  1.01s/it][2026-03-01 22:54:10 TP1] ",
        "Using",
        "sglang",
        ("tqdm",),
        {"rank": "TP1"},
    ),
    ("100%|██████████| 25/25[2025-08-28 09:00:14] ", "Capture cuda graph end.", "sglang", ("tqdm",), {}),
    ("100%|█████| 4/4 [00:04<00:00,  1.00s/it]", "Killed", "tqdm", (), {}),
    ("", "Capturing batches (bs=8 avail_mem=3.10 GB):   0%|          | 0/4 [00:00<?, ?it/s]", "tqdm", (), {}),
]


@pytest.mark.parametrize(
    ("front", "message", "name", "wrappers", "fields"), _TABLE, ids=[row[0][:60] or row[1][:40] for row in _TABLE]
)
def test_front_is_recognised(
    front: str, message: str, name: str, wrappers: tuple[str, ...], fields: dict[str, object]
) -> None:
    """The format, the wrappers and the fields are read, and the message begins right behind the front."""
    found = parse_prefix(front + message)
    assert (found.format, found.wrappers) == (name, wrappers)
    assert (front + message)[found.end :] == message
    assert {field: getattr(found, field) for field in fields} == fields


@pytest.mark.parametrize("row", _TABLE, ids=[row[0][:60] or row[1][:40] for row in _TABLE])
def test_message_has_no_prefix_left(row: tuple[str, str, str, tuple[str, ...], dict[str, object]]) -> None:
    """Parsing what is left again takes nothing more away."""
    text = row[0] + row[1]
    message = text[parse_prefix(text).end :]
    assert parse_prefix(message).end == 0


@pytest.mark.parametrize(
    "text",
    [
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.50 GiB.",
        '  File "/usr/lib/python3/x.py", line 1, in f',
        "Traceback (most recent call last):",
        "RuntimeError: [23:42:39] /project/cpp/grammar_matcher.cc:556: Check failed",
        "ERROR: Cannot install sglang because of conflicting dependencies",
        "flashinfer-cubin version (0.6.13) does not match flashinfer version (0.6.14)",
        "RuntimeError: NCCL ERROR in call",
        "[sgl_kernel] CRITICAL: Could not load any common_ops library!",
        "[aiter] import [module_rmsnorm] under /x/module_rmsnorm.so",
        "    5 | #include <Python.h>",
        ">>> import torch",
        "[2026-03-01 22:54:06 TP",
        "",
    ],
)
def test_plain_text_has_no_prefix(text: str) -> None:
    """Messages that merely look structured are left whole."""
    found = parse_prefix(text)
    assert (found.format, found.wrappers, found.end) == ("", (), 0)


def test_torn_prefix_is_found_near_the_message() -> None:
    """When two ranks write at once, the rank of the later prefix owns the text behind it."""
    text = "[2026-03-01 22:54:06 TP[2026-03-01 22:54:06 TP3] Init torch distributed ends."
    found = parse_prefix_near(text, text.index("Init"))
    assert (found.rank, text[found.end :]) == ("TP3", "Init torch distributed ends.")


def test_prefix_behind_the_position_is_not_taken() -> None:
    """Only a prefix that begins at or before the position counts, the last one of them."""
    text = "[2026-03-01 22:54:06 TP1] one[2026-03-01 22:54:06 TP2] two[2026-03-01 22:54:06 TP3] three"
    assert [parse_prefix_near(text, text.index(word)).rank for word in ("one", "two", "three")] == ["TP1", "TP2", "TP3"]
    assert parse_prefix_near(text, text.index("two")).end == text.index("two")


def test_near_keeps_the_wrappers_of_the_line() -> None:
    """A glued prefix stands in the same container as the line it is glued to."""
    text = "[pod/sglang-0/sglang] torn[2026-03-01 22:54:06 TP3] INFO:     x"
    found = parse_prefix_near(text, text.index("INFO"))
    assert (found.wrappers, found.node, found.rank, found.format) == (("kubectl",), "sglang-0", "TP3", "uvicorn")


def test_near_falls_back_to_the_front() -> None:
    """Without an SGLang prefix the ordinary reading stands."""
    text = "INFO 01-07 10:56:48 api_server.py:764] hello [1, 2] world"
    assert parse_prefix_near(text, len(text)) == parse_prefix(text)


def test_ansi_is_removed() -> None:
    """Colours, cursor moves and titles go; text stays."""
    assert strip_ansi("\x1b[2m2025\x1b[0m \x1b[38;5;1mX\x1b[K\x1b]0;title\x07Y\x1b[?25l") == "2025 XY"
    assert strip_ansi("no escapes [0m here") == "no escapes [0m here"


def test_carriage_returns_split_a_line() -> None:
    """Progress bars redraw with CR: each drawing is a part, in order, and empty ones and the line's own CR are dropped."""
    assert segments("\ra\rb\r\rc\r") == ("a", "b", "c")
    assert segments("one") == ("one",)
    assert segments("\r") == segments("") == ()
