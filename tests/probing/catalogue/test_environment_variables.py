"""Variables become facts: the ones that matter, typed, without secrets."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model import Value
from triage.probing.catalogue import environment_variables, target_process
from triage.probing.host import answers, look_at
from triage.probing.probe import Target, Transcript
from triage.probing.snapshot import from_json, to_json
from triage.safety.redact import Redactor


def asked(target: Target) -> tuple[str, dict[str, Value]]:
    """Outcome and facts, by way of a snapshot's text."""
    probes = environment_variables.PROBES
    (found,) = answers(probes, from_json(to_json(look_at(probes, target, Redactor()))))
    return found.outcome, {fact.name: fact.value for fact in found.facts}


def facts_of(**variables: str) -> dict[str, Value]:
    """Facts of a process with these variables."""
    outcome, facts = asked(Target(environment={"HOME": "/none", **variables}))
    assert outcome == "ok"
    return facts


def test_values_are_numbers_or_text() -> None:
    """A whole number is one; other values stay as they are; names are in small letters."""
    facts = facts_of(
        NVSHMEM_IB_TRAFFIC_CLASS="16", NCCL_IB_HCA="mlx5_0,mlx5_1", SGLANG_DG_USE_NVRTC="true", MC_TE_METRIC="007"
    )
    assert facts["env.nvshmem_ib_traffic_class"] == 16
    assert facts["env.nccl_ib_hca"] == "mlx5_0,mlx5_1"
    assert facts["env.sglang_dg_use_nvrtc"] == "true"
    assert facts["env.mc_te_metric"] == "007"


def test_what_is_not_set_is_left_out() -> None:
    """Also where it is set to nothing; only the loader's path is then an empty one."""
    facts = facts_of(HF_HUB_OFFLINE="", NIXL_PLUGIN_DIR="")
    assert "env.hf_hub_offline" not in facts
    assert "env.nixl_plugin_dir" not in facts
    assert "env.hf_token" not in facts
    assert facts["env.ld_library_path"] == ""
    assert facts_of(LD_LIBRARY_PATH="/usr/local/cuda/lib64")["env.ld_library_path"] == "/usr/local/cuda/lib64"


def test_other_variables_do_not_enter_the_transcript() -> None:
    """A recording holds nothing of the host that has nothing to do with the server."""
    text = environment_variables.describe(
        Target(environment={"DATABASE_URL": "x", "MY_PASSWORD": "y", "UCX_TLS": "rc"})
    )
    assert "DATABASE_URL" not in text
    assert "MY_PASSWORD" not in text
    assert "UCX_TLS=rc" in text


@pytest.mark.parametrize("name", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
def test_tokens_are_only_told_as_set(name: str) -> None:
    """Neither the transcript nor the facts hold a secret; the older name of the hub's token counts as well."""
    secret = "not-a-real-one-123"
    facts = facts_of(**{name: secret, "SGLANG_API_KEY": secret})
    assert facts["env.hf_token"] == "set"
    assert facts["env.sglang_api_key"] == "set"
    assert secret not in environment_variables.describe(Target(environment={name: secret}))


def test_what_was_never_written_is_not_counted_as_redacted() -> None:
    """The placeholder of a token is no secret: it stays, and the number of redacted secrets stays 0."""
    redactor = Redactor(b"salt")
    target = Target(environment={"HF_TOKEN": "not-a-real-one-123", "SGLANG_API_KEY": "not-a-real-one-456"})
    snapshot = look_at(environment_variables.PROBES, target, redactor)
    assert "HF_TOKEN=<set>\nSGLANG_API_KEY=<set>" in snapshot.transcripts["environment"][0].text
    assert snapshot.redacted == {}
    (answer,) = answers(environment_variables.PROBES, snapshot)
    facts = {fact.name: fact.value for fact in answer.facts}
    assert (facts["env.hf_token"], facts["env.sglang_api_key"]) == ("set", "set")


def test_the_newer_name_of_the_allocator_s_variable() -> None:
    """It is read like the older one, and before it; each keeps a fact of its own."""
    new, old = "expandable_segments:True", "max_split_size_mb:512"
    assert facts_of(PYTORCH_ALLOC_CONF=new)["env.pytorch_cuda_alloc_conf"] == new
    assert facts_of(PYTORCH_CUDA_ALLOC_CONF=old)["env.pytorch_cuda_alloc_conf"] == old
    both = facts_of(PYTORCH_ALLOC_CONF=new, PYTORCH_CUDA_ALLOC_CONF=old)
    assert both["env.pytorch_cuda_alloc_conf"] == both["env.pytorch_alloc_conf"] == new
    assert facts_of(PYTORCH_ALLOC_CONF="", PYTORCH_CUDA_ALLOC_CONF=old)["env.pytorch_cuda_alloc_conf"] == old
    assert "env.pytorch_alloc_conf" not in facts_of(PYTORCH_CUDA_ALLOC_CONF=old)


def test_token_file_is_seen(tmp_path: Path) -> None:
    """A login leaves a file in the hub's folder."""
    assert facts_of(HF_HOME=str(tmp_path))["hub.token_file"] is False
    (tmp_path / "token").write_text("x")
    assert facts_of(HF_HOME=str(tmp_path))["hub.token_file"] is True


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"no_proxy": "example.com"}, False),
        ({"http_proxy": "http://10.0.0.1:3128"}, True),
        ({"HTTPS_PROXY": "http://10.0.0.1:3128"}, True),
        ({"all_proxy": "socks5://10.0.0.1:1080", "no_proxy": "localhost,.example.com"}, True),
        ({"http_proxy": "http://10.0.0.1:3128", "no_proxy": "localhost, 127.0.0.1"}, False),
        ({"http_proxy": "http://10.0.0.1:3128", "NO_PROXY": "10.0.0.0/8,127.0.0.0/8"}, False),
        ({"http_proxy": "http://10.0.0.1:3128", "no_proxy": "*"}, False),
        ({"http_proxy": "http://10.0.0.1:3128", "no_proxy": "", "NO_PROXY": "127.0.0.1"}, False),
        ({"http_proxy": "", "HTTP_PROXY": ""}, False),
        ({"http_proxy": "http://10.0.0.1:3128", "no_proxy": "::1,10.0.0.0/8"}, True),
    ],
)
def test_proxies_and_the_own_address(variables: dict[str, str], expected: bool) -> None:
    """A proxy takes the server's request to itself unless no_proxy excepts 127.0.0.1."""
    assert facts_of(**variables)["env.proxy_intercepts_loopback"] is expected


def test_variables_of_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a process its own are read and those of the asker are not; a value with a line feed stays one line."""
    folder = tmp_path / "77"
    folder.mkdir()
    (folder / "environ").write_bytes(b"GLOO_SOCKET_IFNAME=eth0\nNCCL_DEBUG=INFO\0")
    monkeypatch.setattr(target_process, "PROC", tmp_path)
    _, facts = asked(Target(pid=77, environment={"NCCL_DEBUG": "WARN"}))
    assert facts["env.gloo_socket_ifname"] == "eth0\\nNCCL_DEBUG=INFO"
    assert "env.nccl_debug" not in facts


def test_probe_runs_here() -> None:
    """Own process, one that does not exist, and nothing to look at."""
    assert asked(Target(pid=os.getpid()))[0] == "ok"
    assert asked(Target(pid=2**22 + 1))[0] == "unavailable"
    assert asked(Target())[0] == "not-applicable"


@given(text=st.text(max_size=300), name=st.sampled_from(["NCCL_X", "http_proxy", "no_proxy", "HF_TOKEN"]))
def test_no_text_breaks_the_parser(text: str, name: str) -> None:
    """Any value of any variable; and other text is refused by its name."""
    facts = dict(
        environment_variables.parse(
            [Transcript(environment_variables.LABEL, "ok", f"# of x\n{name}={text}\nhttp_proxy=p")]
        )
    )
    assert isinstance(facts["env.proxy_intercepts_loopback"], bool)
    with suppress(ValueError):
        list(environment_variables.parse([Transcript(environment_variables.LABEL, "ok", text)]))
