"""The launch command comes back from what the log shows, and starts what was seen running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from triage.matching.facts import read_facts
from triage.matching.launch import launch_arguments, launch_command
from triage.matching.launch_flags import FLAGS, field_of
from triage.matching.launch_line import launch_line, option_values, without_secrets

if TYPE_CHECKING:
    from triage.model import Value

_PROGRAM = ("python3", "-m", "sglang.launch_server")


def _facts(*lines: str) -> dict[str, Value]:
    return {fact.name: fact.value for line in lines for fact in read_facts(line, "log:1")}


def test_rebuilt_from_the_arguments() -> None:
    """Only what differs from the defaults is written; booleans are bare flags; unset values are left out."""
    facts = _facts(
        "server_args=ServerArgs(model_path='/models/m', tokenizer_path='/models/m', served_model_name='/models/m', host='0.0.0.0', "
        "port=30000, trust_remote_code=True, tp_size=8, dp_size=1, mem_fraction_static=0.85, chunked_prefill_size=-1, "
        "quantization=None, disable_cuda_graph=False, enable_dp_attention=True, log_level='info', hicache_io_backend='', "
        "random_seed=1234, cuda_graph_bs=[1, 2, 4], watchdog_timeout=300)"
    )
    assert launch_command(facts) == (
        *_PROGRAM, "--model-path", "/models/m", "--host", "0.0.0.0", "--trust-remote-code", "--tp-size", "8", "--enable-dp-attention",
        "--mem-fraction-static", "0.85", "--chunked-prefill-size", "-1",
    )  # fmt: skip


def test_different_names_are_kept() -> None:
    """A tokenizer or served name of its own is part of the command."""
    facts = _facts(
        "server_args=ServerArgs(model_path='/models/m', tokenizer_path='/models/t', served_model_name='chat')"
    )
    assert launch_command(facts) == (
        *_PROGRAM,
        "--model-path",
        "/models/m",
        "--tokenizer-path",
        "/models/t",
        "--served-model-name",
        "chat",
    )


def test_secrets_become_placeholders() -> None:
    """No form of the command shows a key, wherever the facts come from."""
    facts: dict[str, Value] = {
        "server.model_path": "/models/m",
        "server.api_key": "sk-1",
        "server.admin_api_key": "sk-2",
    }
    assert launch_command(facts)[-4:] == ("--api-key", "<api_key>", "--admin-api-key", "<admin_api_key>")
    shown: dict[str, Value] = {
        "launch.command": ("sglang", "serve", "--api-key=sk-1", "--admin-api-key", "sk-2", "--port", "1")
    }
    assert launch_command(shown) == (
        "sglang",
        "serve",
        "--api-key=<api_key>",
        "--admin-api-key",
        "<admin_api_key>",
        "--port",
        "1",
    )


def test_shown_command_wins() -> None:
    """The operator's own words stand before a reconstruction."""
    line = "$ python3 -m sglang.launch_server --model /models/m --tp 2"
    facts = _facts(line, "server_args=ServerArgs(model_path='/models/m', tp_size=2, mem_fraction_static=0.85)")
    assert launch_command(facts) == ("python3", "-m", "sglang.launch_server", "--model", "/models/m", "--tp", "2")


def test_no_model_no_command() -> None:
    """Without the model there is nothing that could be started."""
    assert launch_command({}) == ()
    assert launch_command({"server.tp_size": 8}) == ()


def test_resolved_arguments_are_marked() -> None:
    """Values that the server may have chosen itself can be told from those that only an operator sets."""
    arguments = launch_arguments(
        {"server.model_path": "/models/m", "server.tp_size": 2, "server.attention_backend": "fa3"}
    )
    assert [(argument.field, argument.resolved) for argument in arguments] == [
        ("model_path", False), ("tp_size", False), ("attention_backend", True),
    ]  # fmt: skip


def test_dp_attention_of_newer_releases() -> None:
    """Where the attention's own size is printed, the old switch is only its echo."""
    facts: dict[str, Value] = {
        "server.model_path": "/models/m",
        "server.attn_dp_size": 8,
        "server.enable_dp_attention": True,
    }
    assert launch_command(facts) == (*_PROGRAM, "--model-path", "/models/m", "--attn-dp-size", "8")


def test_values_that_look_like_options() -> None:
    """A text with a leading dash is bound to its flag."""
    facts: dict[str, Value] = {"server.model_path": "/models/m", "server.served_model_name": "--evil"}
    assert launch_command(facts)[-1] == "--served-model-name=--evil"


def test_lists_become_words() -> None:
    """Several values follow one flag; records in them cannot be written and are left out."""
    facts: dict[str, Value] = {
        "server.model_path": "/models/m",
        "server.warmups": ("a", "b"),
        "server.deepep_config": (("x", 1),),
    }
    assert launch_command(facts) == (*_PROGRAM, "--model-path", "/models/m", "--warmups", "a", "b")


def test_redirections_are_not_arguments() -> None:
    """What the shell does with the output is not part of argv."""
    argv, whole = launch_line("nohup python -m sglang.launch_server --model-path m > out.log 2>&1 &")
    assert (argv, whole) == (("python", "-m", "sglang.launch_server", "--model-path", "m"), True)


def test_open_lines_are_not_whole() -> None:
    """A command that goes on behind a backslash is known to be partial."""
    assert launch_line("$ python -m sglang.launch_server --tp 2 \\") == (
        ("python", "-m", "sglang.launch_server", "--tp", "2"),
        False,
    )


def test_flag_table_is_sound() -> None:
    """Each field stands once, and its option leads back to it."""
    fields = [flag.field for flag in FLAGS]
    assert len(set(fields)) == len(fields)
    assert all(field_of(flag.option) == flag.field for flag in FLAGS)
    assert FLAGS[0].field == "model_path"


_SIMPLE = st.one_of(
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.floats(0.001, 100),
    st.from_regex(r"[a-z/][\w./-]{0,20}", fullmatch=True),
)


@given(
    st.dictionaries(
        st.sampled_from([flag.field for flag in FLAGS[1:] if "key" not in flag.field]), _SIMPLE, max_size=10
    )
)
def test_command_says_what_the_facts_say(values: dict[str, Value]) -> None:
    """Read back, the rebuilt command sets only fields that the facts have, to their values."""
    facts: dict[str, Value] = {f"server.{name}": value for name, value in values.items()}
    command = launch_command({**facts, "server.model_path": "/models/m"})
    read = dict(option_values(command))
    assert read.pop("model_path") == "/models/m"
    assert {name: str(value) for name, value in read.items()} == {name: str(values[name]) for name in read}


@given(st.lists(st.text(max_size=10), max_size=8))
def test_any_words(words: list[str]) -> None:
    """Nothing raises on any argv, and hiding secrets keeps its length."""
    assert len(without_secrets(tuple(words))) == len(words)
    list(option_values(tuple(words)))
    launch_line("$ python3 -m sglang.launch_server " + " ".join(words))


@given(
    st.dictionaries(
        st.text(max_size=10).map(lambda name: f"server.{name}"), st.one_of(_SIMPLE, st.none(), st.text()), max_size=5
    )
)
def test_any_facts(facts: dict[str, Value]) -> None:
    """Nothing raises on any facts."""
    assert all(isinstance(word, str) for word in launch_command({**facts, "server.model_path": "m"}))
