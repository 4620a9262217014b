"""Options read from sources as text."""

from __future__ import annotations

from pathlib import Path

from triage.preflight.flag_sources import installed_flags, source_flags
from triage.preflight.flag_table_writer import module
from triage.preflight.flags import accepts, released
from triage.preflight.released_flags import RELEASES

OLD = """
parser.add_argument("--tensor-parallel-size", "--tp-size", type=int)
parser.add_argument("-h2", "positional", "--" + name)
"""
NEW = """
class ServerArgs:
    model_path: A[str, Arg(help="x", aliases=["--model"])]
    host: A[str, "The host."] = "127.0.0.1"
    port: A[int, f"One of {x}."] = 1
    enable_thing: A[bool, Arg(help="x", no_cli=True)] = False
    fp8_runner: A[str, Arg(cli_name="--fp8", help="x")] = ""
    derived: A[int, Derived("x")]
    plain: int = 0
    other: Dict[str, "no option"] = None
"""


def test_declarations() -> None:
    """Literals of add_argument and annotated fields are options; fields without a command line are not."""
    assert source_flags(OLD) == {"--tensor-parallel-size", "--tp-size"}
    assert source_flags(NEW) == {"--model-path", "--model", "--host", "--port", "--fp8"}
    assert source_flags("def f(:") == frozenset()


def test_installed(tmp_path: Path) -> None:
    """The server's own files are read, wherever a release keeps its fields; a missing package has no options."""
    fields = tmp_path / "sglang" / "srt" / "arg_groups" / "fields"
    fields.mkdir(parents=True)
    (tmp_path / "sglang" / "srt" / "server_args.py").write_text(OLD)
    (fields / "a.py").write_text(NEW)
    assert installed_flags(tmp_path / "sglang") == source_flags(OLD) | source_flags(NEW)
    assert installed_flags(tmp_path / "none") == frozenset()


def test_table() -> None:
    """The bundled table knows what every release takes, and what came and went."""
    tables = released()
    assert tuple(tables) == RELEASES
    assert all({"--model-path", "--tp-size", "--mem-fraction-static"} <= table for table in tables.values())
    assert "--enable-deepep-moe" in tables["0.4.9.post2"]
    assert "--enable-deepep-moe" not in tables["0.5.9"]
    assert "--moe-a2a-backend" not in tables["0.4.6.post5"]
    assert "--attn-dp-size" in tables["0.5.23"]


def test_written_table_reads_back() -> None:
    """The writer's module holds each release's options."""
    names: dict[str, object] = {}
    releases = [("1.0", frozenset({"--a", "--b"})), ("2.0", frozenset({"--b", "--c"}))]
    exec(module(releases), names)
    table = names["TABLE"]
    assert isinstance(table, dict)
    assert {taken: text.split() for taken, text in table.items()} == {"xx": ["--b"], "x.": ["--a"], ".x": ["--c"]}
    assert names["RELEASES"] == ("1.0", "2.0")


def test_abbreviations() -> None:
    """argparse takes the beginning of exactly one option."""
    flags = frozenset(("--tp-size", "--cuda-graph-a", "--cuda-graph-b"))
    assert accepts("--tp", flags)
    assert accepts("--cuda-graph-a", flags)
    assert not accepts("--cuda-graph", flags)
    assert not accepts("-tp", flags)
