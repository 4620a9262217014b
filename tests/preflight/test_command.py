"""A launch command taken apart, however it is wrapped."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.knowledge.base import KnowledgeBase
from triage.model import Fact, Value
from triage.preflight.check import check
from triage.preflight.command import COMPILER, ROUTER, ROUTER_WITH_SERVERS, SERVER, parse_command
from triage.preflight.facts import command_facts

WORDS = (
    "python3", "-m", "sglang.launch_server", "sglang", "serve", "bash", "-c", "docker", "run", "--gpus", "all", "-e", "A=B", "--tp", "8",
    "--tp=0", "--model-path", "/m", "-tp", "&&", ";", "\"", "'", "--", "=", "", "HTTP_PROXY=x", "--dist-init-addr", "[::1", "1e999", "-v",
    "--mem-fraction-static", "nan", "python3 -m sglang.launch_server --tp 3 --model m", "sglang_router.launch_router", "--prefill",
    "--nnodes", "--base-gpu-id", "-5", "--shm-size", "9q", "CUDA_VISIBLE_DEVICES=,", "--context-length", "9" * 30, "--port", "65535",
)  # fmt: skip
_FACTS: dict[str, Value] = {
        "gpu.count": 2, "model.num_attention_heads": 28, "model.num_key_value_heads": 4, "network.addresses": ("10.0.0.1",),
        "network.listening_ports": (30000, 65535), "gpu.memory_total_mb": 80000, "model.weights_gb": 9.0,
        "model.max_position_embeddings": 4096,
}  # fmt: skip
HOST = [Fact(name, value, "a test") for name, value in _FACTS.items()]


@pytest.mark.parametrize(
    ("command", "kinds"),
    [
        ("python3 -m sglang.launch_server --model m", [SERVER]),
        ("/opt/venv/bin/python3.12 -u -X dev -m sglang.launch_server --model m", [SERVER]),
        ("sglang serve m --tp 2", [SERVER]),
        ("uv run --with sglang sglang serve m", [SERVER]),
        ("A=1 env -u B C=2 nohup sudo -E time exec python -m sglang.launch_server", [SERVER]),
        ("python -m sglang_router.launch_router --worker-urls http://a", [ROUTER]),
        ("python -m sglang_router.launch_server --model m --dp 2", [ROUTER_WITH_SERVERS]),
        ("smg launch --worker-urls http://a", [ROUTER]),
        ("sgl-router --worker-urls http://a", [ROUTER]),
        ("python3 -m sglang.compile_deep_gemm --model m", [COMPILER]),
        ("bash -c 'cd x; python -m sglang.launch_server --model m && echo done'", [SERVER]),
        ("bash -c 'python -m sglang.launch_server & python -m sglang_router.launch_router'", [SERVER, ROUTER]),
        ("docker run --rm -it --gpus all image sglang serve m", [SERVER]),
        ("docker run --rm image bash -lc 'sglang serve m'", [SERVER]),
        ("sudo docker container run image sglang serve m", [SERVER]),
        ("vllm serve m", []),
        ("python3 -m sglang.bench_serving", []),
        ("python3 train.py -m sglang.launch_server", []),
        ("docker run sglang", []),
        ("", []),
    ],
)
def test_programs(command: str, kinds: list[str]) -> None:
    """Every program of SGLang is found behind its wrappers, and no other."""
    assert [item.kind for item in parse_command(shlex.split(command))] == kinds


def test_variables_and_options() -> None:
    """Variables in front, exported ones and those of env count; options keep their words; secrets become placeholders."""
    script = "export A=1; B=2 env C=3 python -m sglang.launch_server --model /m --tp=8 --trust-remote-code --api-key sk-1 > log"
    (command,) = parse_command(["bash", "-c", script])
    facts = {item.name: item.value for item in command_facts(command)}
    assert facts == {
        "server.model_path": "/m", "server.tp_size": 8, "server.trust_remote_code": True, "server.api_key": "<api_key>",
        "env.a": 1, "env.b": 2, "env.c": 3,
    }  # fmt: skip


def test_container_has_its_own_environment() -> None:
    """Only what -e hands over reaches into a container; volumes tell where a path lies outside."""
    words = shlex.split(
        "A=1 B=2 docker run -e A -e C=3 --env=D=4 -v /data/models:/models:ro --shm-size=1g --network host "
        "lmsysorg/sglang:v0.5.6.post2-cu129 python3 -m sglang.launch_server --model-path /models/m"
    )
    (command,) = parse_command(words)
    assert [(item.name, item.value) for item in command.variables] == [("A", "1"), ("C", "3"), ("D", "4")]
    assert command.container is not None
    assert command.container.release == "0.5.6.post2"
    assert command.container.on_host("/models/m") == "/data/models/m"
    assert command.container.on_host("/modelsx/m") == ""
    assert command.container.shares_network
    assert not command.container.shares_ipc


@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=12)), max_size=16))
def test_any_words(base: KnowledgeBase, words: list[str]) -> None:
    """Whatever is typed is read without an error, and a correction of a command is a command again."""
    checked = check(words, base, HOST)
    if checked.correction.words is not None:
        assert parse_command(checked.correction.words)


@pytest.mark.parametrize("words", ["--num-gpus 4 --ulysses-degree 2", "--model-type diffusion --anything 1"])
def test_pictures_are_another_program(base: KnowledgeBase, words: str) -> None:
    """A server of image models takes options of its own; it is not measured with those of language models."""
    assert check(shlex.split(f"sglang serve org/m {words}"), base, HOST).report.diagnoses == ()
