"""``sgltriage preflight`` as a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from tests.cli.conftest import Command

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "triage" / "reporting" / "report.schema.json").read_text())


def _model(folder: Path) -> Path:
    """The folder of a model with 28 heads, of which only the configuration is there."""
    folder.mkdir()
    config = {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "num_attention_heads": 28, "num_key_value_heads": 4,
        "hidden_size": 3584, "intermediate_size": 18944, "max_position_embeddings": 32768,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_faults_of_this_host(sgltriage: Command) -> None:
    """The model's own configuration is read; the fault, its evidence and the corrected command are printed; exit 1."""
    model = _model(sgltriage.folder / "m")
    port = ("--port", "39173")
    done = sgltriage(
        "preflight", "--", "python3", "-m", "sglang.launch_server", "--model-path", model, "--tp", "3", *port
    )
    text = done.stdout.decode()
    assert done.returncode == 1, done.stderr
    assert "tp-not-dividing-heads" in text
    assert "command:6  --tp 3" in text
    assert "28 attention heads do not divide by 3" in text
    assert "  - --tp 3\n  + --tp 2\n" in text
    assert f"  python3 -m sglang.launch_server --model-path {model} --tp 2 --port 39173\n" in text


def test_json_is_the_schema_with_two_keys_more(sgltriage: Command) -> None:
    """The JSON is scan's, with the corrected command and its changes; secrets are redacted everywhere and counted."""
    words = (
        "SGL_X=1",
        "HF_TOKEN=hf_abcdefghijklmnopqrstuvwxyz",
        "sglang",
        "serve",
        "m",
        "--tensor-paralel-size",
        "2",
        "--api-key",
        "sk-Secret77",
    )
    done = sgltriage("preflight", "--no-probe", "--format", "json", *words)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    Draft202012Validator(SCHEMA).validate(report)
    assert [item["id"] for item in report["diagnoses"]] == ["launch-arg-invalid", "deprecated-env-var"]
    assert report["corrected_command"][0] == "SGLANG_X=1"
    assert report["corrected_command"][5:7] == ["--tensor-parallel-size", "2"]
    assert [item["was"] for item in report["changes"]] == [["--tensor-paralel-size"], ["SGL_X=1"]]
    assert b"Secret77" not in done.stdout
    assert b"hf_abcdef" not in done.stdout
    assert sum(report["redacted"].values()) >= 2


def test_correct_command(sgltriage: Command) -> None:
    """A command with nothing wrong ends with status 0 and says what could not be checked; no ``--`` is needed."""
    done = sgltriage(
        "preflight", "--no-probe", "python3", "-m", "sglang.launch_server", "--model-path", "org/m", "--tp", "8"
    )
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert text.startswith("no known problem")
    assert "not checked  launch.ranks_over_gpus: not known: gpu.count\n" in text
    assert "corrected command" not in text


def test_recorded_host(sgltriage: Command) -> None:
    """A snapshot stands for the host, and gives the same report wherever it is read."""
    assert sgltriage("probe", "--record", "host.json", "--only", "listening-ports").returncode == 0
    words = ("python3", "-m", "sglang.launch_server", "--model-path", "org/m")
    first = sgltriage("preflight", "--host", "host.json", "--format", "json", "--", *words)
    second = sgltriage(
        "preflight", "--host", "host.json", "--format", "json", "--", *words, env={"HTTP_PROXY": "http://p:1"}
    )
    assert first.returncode == second.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert json.loads(first.stdout)["facts"]["launch.port_taken"] == 0


def test_flags_of_an_environment(sgltriage: Command) -> None:
    """With --python the options are those of the sglang installed there, read as text."""
    package = sgltriage.folder / "env" / "lib" / "python3.12" / "site-packages" / "sglang"
    (package / "srt").mkdir(parents=True)
    (package / "version.py").write_text('__version__ = "9.9.9"\n')
    (package / "srt" / "server_args.py").write_text(
        'raise SystemExit("never run")\nparser.add_argument("--model-path", "--brand-new")\n'
    )
    words = ("sglang", "serve", "--model-path", "m", "--brand-new", "--tp", "1")
    done = sgltriage("preflight", "--no-probe", "--python", "env", "--format", "json", *words)
    report = json.loads(done.stdout)
    assert report["facts"]["sglang.version"] == "9.9.9"
    assert report["facts"]["launch.removed_flags"] == 1
    assert done.returncode == 1


def test_wrong_usage(sgltriage: Command) -> None:
    """What is no launch of SGLang, and two hosts at once, are wrong usage; a line says so."""
    for words in (("ls", "-l"), ("--no-probe", "--host", "/dev/null", "sglang", "serve"), ("--",)):
        done = sgltriage("preflight", *words)
        assert done.returncode == 2
        assert done.stderr.startswith(b"sgltriage: ")
        assert done.stdout == b""
