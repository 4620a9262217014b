"""Hostile logs end to end: real bytes in, and what comes out is inert, private and right, in every format."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import time
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command
import zstandard

ROOT = Path(__file__).parents[2]


CRASH = b"ImportError: libcudnn.so.9: cannot open shared object file: No such file or directory"
OOM = b"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB"
FORMATS = ("text", "concise", "json", "jsonl", "markdown", "sarif")
SECRET = b"SENTINEL9secret"
PEAK_KIB = 200 << 10

ESCAPES = {
    "title": b"\x1b]0;owned\x07\x1b]2;owned\x1b\\",
    "clipboard": b"\x1b]52;c;ZWNobyBvd25lZA==\x07",
    "link": b"\x1b]8;;http://10.0.0.1\x1b\\link\x1b]8;;\x1b\\",
    "query": b"\x1b]4;1;?\x1b\\\x1b]50;?\x07",
    "dcs and apc": b"\x1bPq\x1b\\\x1b_G\x1b\\",
    "clear and ask": b"\x1b[2J\x1b[6n\x1b[?1049h",
    "colour": b"\x1b[31;1mred\x1b[0m",
    "lone escape": b"\x1b",
    "raw c1": b"\x9b2J\x90\x9d0;t\x9c",
    "utf-8 c1": b"\xc2\x9b2J\xc2\x90",
    "overlong": b"\xc0\x9b[2J\xe0\x80\x9b",
    "bidi": "\u202egnp.exe\u2066\u2069".encode(),
    "zero width": "\u200b\u200d\ufeff\U000e0041".encode(),
    "separators": "\u0085\u2028\u2029".encode(),
    "overwritten": b"\x08\x08\x0b\x0c\x7f",
    "surrogate": "\ud800".encode("utf-8", "surrogatepass"),
    "nul": b"\0",
}
MARKUP = (
    "[/foo]",
    "[red]x[/red]",
    "[@click=app.quit]x[/]",
    "[b",
    "\\[",
    ":boom:",
    "[link=http://e]",
    "{0} %s",
    "](http://e)",
    "<b>x</b>",
    "`x`",
    "|a|",
)


def _harmless(output: bytes) -> bool:
    """Valid UTF-8 of printable characters and line feeds."""
    text = output.decode("utf-8")
    return all(char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in text)


def _report(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    report = json.loads(done.stdout)
    assert isinstance(report, dict)
    return report


@pytest.mark.parametrize("name", ESCAPES)
def test_nothing_acts_on_the_terminal(sgltriage: Command, name: str) -> None:
    """Cases 1 to 3: whatever stands before, in and behind a message, it is found in its line and shown as text."""
    junk = ESCAPES[name]
    log = b"one\n" + junk + b"\n[2026-03-01 10:00:00] " + junk + CRASH + b" " + junk + b"\n"
    done = sgltriage("scan", "--format", "json", "--stdin-name", os.fsdecode(junk.replace(b"\0", b"")), stdin=log)
    assert (done.returncode, done.stderr) == (1, b"")
    assert _harmless(done.stdout)
    report = _report(done)
    assert [item["line"] for item in report["diagnoses"][0]["evidence"] if item["line"]] == [3]


def _all_escapes() -> bytes:
    everything = b"".join(
        b"ZorkError: the %s is broken: %s x\n" % (name.encode(), junk) for name, junk in ESCAPES.items()
    )
    return CRASH + b" " + b" ".join(ESCAPES.values()) + b"\n" + everything


@pytest.mark.parametrize("fmt", FORMATS)
def test_nothing_acts_in_any_format(sgltriage: Command, fmt: str) -> None:
    """Cases 1 to 3 in evidence and in unexplained lines of every format."""
    done = sgltriage("scan", "--format", fmt, "--unexplained", "50", stdin=_all_escapes())
    assert (done.returncode, done.stderr) == (1, b"")
    assert _harmless(done.stdout)
    assert all(name.encode() in done.stdout for name in ESCAPES if name in ("title", "dcs and apc", "bidi"))


def test_only_our_colours(sgltriage: Command) -> None:
    """With colours on, every escape is a colour of ours, and the characters are those of a pipe."""
    coloured = sgltriage("scan", "--color", "always", "--unexplained", "50", stdin=_all_escapes()).stdout
    assert b"\x1b[" in coloured
    plain = re.sub(rb"\x1b\[[0-9;]*m", b"", coloured)
    assert _harmless(plain)
    assert plain == sgltriage("scan", "--unexplained", "50", stdin=_all_escapes()).stdout


def test_undecodable_bytes_are_counted(sgltriage: Command) -> None:
    """Case 2: bytes that are not UTF-8 are counted in the report and shown by their value."""
    done = sgltriage("scan", "--format", "json", stdin=b"\x9b\xff\n" + CRASH + b" \x9b\n")
    report = _report(done)
    assert report["inputs"][0]["decode_errors"] == 3
    assert "\\x9b" in report["diagnoses"][0]["evidence"][0]["text"]


def test_lines_are_those_of_grep(sgltriage: Command) -> None:
    """Case 3: only a line feed ends a line, and offsets are those of the bytes."""
    log = "a\u2028b\u0085c\x0bd\x0ce\x1cf\rg\n\n".encode() * 7 + CRASH + b"\n"
    (entry,) = _report(sgltriage("scan", "--format", "json", stdin=log))["diagnoses"][0]["evidence"][:1]
    assert (entry["line"], entry["offset"]) == (15, log.index(CRASH))


@pytest.mark.parametrize("fmt", FORMATS)
def test_markup_is_text(sgltriage: Command, fmt: str) -> None:
    """Case 4: brackets, emoji codes and format fields in a message and in a path are shown letter by letter."""
    everything = " ".join(MARKUP)
    (sgltriage.folder / "[red]:boom:{0}%s.log").write_bytes(CRASH + b" " + everything.encode() + b"\n")
    done = sgltriage("scan", "[red]:boom:{0}%s.log", "--format", fmt)
    assert (done.returncode, done.stderr) == (1, b"")
    if fmt == "json":
        assert everything in _report(done)["diagnoses"][0]["evidence"][0]["text"]
    if fmt == "text":
        assert everything in done.stdout.decode()
    if fmt in ("text", "concise", "json", "jsonl"):
        assert "[red]:boom:{0}%s.log" in done.stdout.decode()


@pytest.mark.parametrize("kind", ["zst", "gz"])
def test_a_compressed_bomb(sgltriage: Command, kind: str) -> None:
    """Case 11: what unpacks without end is stopped early and said to be; with --strict the status is 4."""
    packed = (
        zstandard.ZstdCompressor(level=3).compress(bytes(200 << 20))
        if kind == "zst"
        else gzip.compress(b"x" * (100 << 20), 1)
    )
    (sgltriage.folder / "bomb").write_bytes(packed)
    done = sgltriage("scan", "bomb", "--format", "json", "--binary-as-text")
    assert done.returncode == 0
    (item,) = _report(done)["inputs"]
    assert item["truncated"]
    assert item["bytes"] < 50 << 20
    assert sgltriage("scan", "bomb", "--strict", "--binary-as-text").returncode == 4


def test_members_one_after_the_other(sgltriage: Command) -> None:
    """Case 11: concatenated gzip members are one log; a name that promises gzip does not make it so."""
    (sgltriage.folder / "two.gz").write_bytes(gzip.compress(b"a\n") + gzip.compress(CRASH + b"\n"))
    (sgltriage.folder / "plain.gz").write_bytes(CRASH + b"\n")
    for name in ("two.gz", "plain.gz"):
        assert sgltriage("scan", name).returncode == 1


SECRETS = {
    "repr": b"[2026-03-01 10:00:00] server_args=ServerArgs(model_path='/models/m', api_key='%s', admin_api_key=\"A'B%s\", tp_size=2)",
    "dict": b"[2026-03-01 10:00:00] server_args={'model_path': '/models/m', 'api_key': '%s', 'admin_api_key': '%s'}",
    "json": b'{"model": "m", "api_key": "%s", "hf_token": "%s"}',
    "command": b"python -m sglang.launch_server --model-path /models/m --api-key %s --admin-api-key=%s",
    "environment": b"HF_TOKEN=hf_%s0123456789 WANDB_API_KEY=%s",
    "bearer": b"Authorization: Bearer %s\nauthorization: bearer %s",
    "url": b"http://user:%s@10.0.0.1/ https://%s@10.0.0.1/x",
    "pem": b"-----BEGIN PRIVATE KEY-----\n" + b"MIIE%s\n" * 2 + b"AAAA\n" * 28 + b"-----END PRIVATE KEY-----",
    "colours": b"api_key='\x1b[31m%s\x1b[0m', admin_api_key='%s'",
}  # fmt: skip


def _secret_lines(name: str) -> bytes:
    """The secret as the software prints it, told again in an error line and in an evidence line, and healthy evidence."""
    secret = SECRETS[name] % (SECRET, SECRET)
    lines = [line for line in secret.split(b"\n") if name != "pem"]  # a line of a key's body alone says nothing
    told = [b"ZorkError: failed with " + line for line in lines] + [CRASH + b" " + line for line in lines]
    return b"\n".join([secret, *told, CRASH, b""])


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_stay(sgltriage: Command, name: str) -> None:
    """Case 13: a secret in the launch line, in an error line or in evidence does not leave, and nothing is lost beside it."""
    done = sgltriage("scan", "--format", "json", stdin=_secret_lines(name))
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"SENTINEL" not in done.stdout
    assert _report(done)["diagnoses"][0]["id"] == "libcudnn-missing"


@pytest.mark.parametrize("fmt", FORMATS)
def test_secrets_stay_in_every_format(sgltriage: Command, fmt: str) -> None:
    """Case 13: all of them at once, with every unexplained line shown."""
    done = sgltriage("scan", "--format", fmt, "--unexplained", "50", stdin=b"".join(map(_secret_lines, SECRETS)))
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"SENTINEL" not in done.stdout


@pytest.mark.parametrize("fmt", ["text", "json"])
def test_redactions_are_counted(sgltriage: Command, fmt: str) -> None:
    """Case 13: the report says what was hidden; the same secret has the same digits in one run and others in the next."""
    log = b"".join(CRASH + b" api_key='" + SECRET + b"' on TP%d\n" % rank for rank in range(2))
    runs = [sgltriage("scan", "--format", fmt, stdin=log).stdout.decode() for _ in range(2)]
    digits = [set(re.findall(r"‹api_key:([0-9a-f]+)›", run)) for run in runs]
    assert all(len(found) == 1 for found in digits)
    assert digits[0] != digits[1]
    if fmt == "json":
        assert json.loads(runs[0])["redacted"]["api_key"] > 0


@pytest.mark.parametrize("size", [(1 << 20) - 40, (1 << 20) - 10, (4 << 20) - 10])
def test_a_secret_across_a_border(sgltriage: Command, size: int) -> None:
    """Case 13: where a long line is cut into pieces no half of a secret gets out."""
    log = b"x" * size + b" api_key='" + SECRET * 3 + b"' " + CRASH + b"\n"
    for fmt in ("text", "json"):
        assert b"SENTINEL" not in sgltriage("scan", "--format", fmt, stdin=log).stdout


@pytest.mark.parametrize("between", range(480, 530, 7))
def test_a_clipped_secret(sgltriage: Command, between: int) -> None:
    """Case 13: of a long line only a part is shown; where it begins inside a secret, whose name is then out of sight, the
    rest of the secret stays hidden too."""
    log = b"api_key='" + SECRET + b"' " + b"x" * between + CRASH + b" " + b"y" * 5000 + b"\n"
    done = sgltriage("scan", "--format", "json", stdin=log)
    assert done.returncode == 1
    assert not any(SECRET[at : at + 4] in done.stdout for at in range(len(SECRET) - 3))


@pytest.mark.parametrize("fmt", FORMATS)
def test_prompts_and_forged_lines(sgltriage: Command, fmt: str) -> None:
    """Case 14: a prompt is not shown, and a failure told inside one is no failure, printed on one line or on several."""
    escaped = (
        b"[2026-03-01 10:00:00] Receive: obj=GenerateReqInput(rid='1', text='my diary\\n[2026-03-01 10:00:00] "
        + OOM
        + b"')\n"
    )
    raw = b"[2026-03-01 10:00:00] Receive: obj=GenerateReqInput(rid='1', text=\"my diary\n" + OOM + b'\n")\n'
    for log in (escaped, raw):
        done = sgltriage(
            "scan", "--format", fmt, stdin=b"[2026-03-01 09:59:00] The server is fired up and ready to roll!\n" + log
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"diary" not in done.stdout
        assert b"gpu-oom" not in done.stdout


@pytest.mark.parametrize("prompt", [b"", b'"', b'say "hi'], ids=["plain", "quote", "quoted"])
def test_a_forged_record(sgltriage: Command, prompt: bytes) -> None:
    """Case 14: a prompt that forges a whole line of the server's never makes a confident answer."""
    log = (
        b"[2026-03-01 09:59:00] The server is fired up and ready to roll!\n"
        b"[2026-03-01 10:00:00] Receive: obj=GenerateReqInput(rid='1', text=\""
        + prompt
        + b"\n[2026-03-01 10:00:01] "
        + OOM
        + b'\n", stream=True)\n'
    )
    report = _report(sgltriage("scan", "--format", "json", stdin=log))
    assert report["verdict"] not in ("confirmed", "likely")


@pytest.mark.parametrize("number", [10, 5_000])
def test_a_storm_of_forged_requests(sgltriage: Command, number: int) -> None:
    """Case 14: a client that sends the same failure in every request changes nothing, and breaks nothing."""
    done = sgltriage(
        "scan",
        stdin=(b"[2026-03-01 10:00:00] Receive: obj=GenerateReqInput(rid='1', text='" + OOM + b"; " + CRASH + b"')\n")
        * number,
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32", "latin-1"])
def test_encodings(sgltriage: Command, encoding: str) -> None:
    """Case 15: text of other encodings is read, or at least its ASCII is."""
    log = ("grün\n" + CRASH.decode() + "\n").encode(encoding)
    done = sgltriage("scan", "--format", "json", stdin=log)
    assert (done.returncode, done.stderr) == (1, b"")
    assert _report(done)["diagnoses"][0]["evidence"][0]["line"] == 2


def test_nul_bytes(sgltriage: Command) -> None:
    """Case 16: NUL bytes inside a log hide nothing; nothing but NUL is binary."""
    assert sgltriage("scan", stdin=b"a\n" + bytes(1000) + b"\n" + CRASH + b"\n").returncode == 1
    done = sgltriage("scan", stdin=bytes(100_000))
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"looks binary" in done.stderr


def test_a_sparse_file(sgltriage: Command) -> None:
    """Case 16: the hole that copytruncate leaves is skipped, not read."""
    path = sgltriage.folder / "sparse.log"
    with path.open("wb") as stream:
        stream.truncate(1 << 30)
        stream.seek(1 << 30)
        stream.write(b"\n" + CRASH + b"\n")
    began = time.monotonic()
    done = sgltriage("scan", "sparse.log", "--format", "json")
    assert done.returncode == 1
    assert time.monotonic() - began < 20
    assert "hole" in json.dumps(_report(done)["inputs"])


_MEASURED = """
import sys
from triage.cli.main import _run
sys.argv = ["sgltriage", *sys.argv[1:]]
status = _run()
# ru_maxrss would count what the test process had when it forked.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")), file=sys.stderr)
sys.exit(status)
"""


def _measured(sgltriage: Command, *arguments: str) -> tuple[subprocess.CompletedProcess[bytes], int]:
    """The run and its peak resident memory in KiB."""
    sgltriage("scan", stdin=b"a\n")  # compiling the knowledge is not what is measured
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *arguments], capture_output=True, cwd=sgltriage.folder, env=sgltriage.environment,
        timeout=120, check=False,
    )  # fmt: skip
    return done, int(done.stderr.split()[-1])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.parametrize("content", ["line", "feeds", "storm", "errors", "dumps"])
def test_large_inputs(sgltriage: Command, content: str) -> None:
    """Case 17: a line of 100 MB, ten million empty lines and storms cost flat memory, and the end is still read."""
    storm = {
        "line": b"y" * (1 << 20),
        "feeds": b"\n" * (1 << 20),
        "storm": (b"[2026-03-01 10:00:00 TP0] " + OOM + b"\n") * 7_000,
        "errors": b"[2026-03-01 10:00:00 TP0] ZorkError: the lamp is broken\n" * 18_000,
        "dumps": (b"[2026-03-01 10:00:00] Receive: obj=GenerateReqInput(text='" + b"z" * 1000 + b"')\n") * 960,
    }[content]
    turns = {"line": 100, "feeds": 10}.get(content, 20)
    with (sgltriage.folder / "large.log").open("wb") as stream:
        for _ in range(turns):
            stream.write(storm)
        stream.write(b"\n" * (content == "line") + CRASH + b"\n")
    done, peak = _measured(sgltriage, "scan", "large.log", "--format", "json")
    assert done.returncode == 1
    assert peak < PEAK_KIB
    report = _report(done)
    lines = turns * storm.count(b"\n") + 1 + (content == "line")
    assert report["inputs"][0]["lines"] == lines
    assert lines in [item["line"] for found in report["diagnoses"] for item in found["evidence"]]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"", b"\r"], ids=["lf", "crlf", "none", "cr"])
def test_line_ends(sgltriage: Command, ending: bytes) -> None:
    """Case 18: the last line counts however it ends, and a carriage return at its end is not shown."""
    done = sgltriage("scan", "--format", "json", stdin=b"one\r\n" + CRASH + ending)
    (entry,) = _report(done)["diagnoses"][0]["evidence"][:1]
    assert (entry["line"], entry["text"]) == (2, CRASH.decode())


def test_progress_bars(sgltriage: Command) -> None:
    """Case 18: what a carriage return overwrites is read as a line of its own, and shown without its neighbours."""
    log = b"Loading: 10%|#|\r" + CRASH + b"\rLoading: 100%|###|\r\n"
    (entry,) = _report(sgltriage("scan", "--format", "json", stdin=log))["diagnoses"][0]["evidence"][:1]
    assert (entry["line"], entry["text"]) == (1, CRASH.decode())


def test_a_deeply_nested_record_of_a_container_runtime(sgltriage: Command) -> None:
    """JSON that nests too deep for its reader is a line like any other and no crash."""
    log = b'{"log":"a","x":' + b"[" * 200_000 + b"\n" + CRASH + b"\n"
    done = sgltriage("scan", stdin=log)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_workflow_command(sgltriage: Command) -> None:
    """In a CI job's log no line of the report is an order to the runner."""
    for fmt in ("text", "concise", "markdown"):
        done = sgltriage("scan", "--stdin-name", "::add-mask::x", "--format", fmt, stdin=CRASH + b" ##[group]x\n")
        assert not re.search(rb"^\s*::|##\[", done.stdout, re.MULTILINE)
