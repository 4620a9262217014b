"""The launch command changed: only what was meant, however the command is written."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.fixing.launch_change import change_command
from triage.fixing.launch_script import change_script
from triage.fixing.launch_show import launch_diff, write_script
from triage.playbook import LaunchChange
from triage.preflight.shell_words import shell_words

SERVER = "python3 -m sglang.launch_server"
FULL = LaunchChange(
    set=(("tp", "4"), ("mem-fraction-static", "0.8"), ("disable-cuda-graph", None)),
    remove=("enable-mixed-chunk",),
    env=(("NCCL_DEBUG", "INFO"),),
    unset=("HTTP_PROXY",),
    rename=(("SGL_X", "SGLANG_X"),),
)


@pytest.mark.parametrize(
    ("old", "change", "new"),
    [
        (f"{SERVER} --tp 8 --port 1", LaunchChange(set=(("tp-size", "4"),)), f"{SERVER} --tp 4 --port 1"),
        (f"{SERVER} --tensor-parallel-size=8", LaunchChange(set=(("tp", "4"),)), f"{SERVER} --tensor-parallel-size=4"),
        (f"{SERVER} --tp 2 --tp 8", LaunchChange(set=(("tp", "4"),)), f"{SERVER} --tp 2 --tp 4"),
        (f"{SERVER} --tp=8", LaunchChange(set=(("pp-size", "2"),)), f"{SERVER} --tp=8 --pp-size=2"),
        (f"{SERVER} --tp 8", LaunchChange(set=(("watchdog-timeout", "-1"),)), f"{SERVER} --tp 8 --watchdog-timeout -1"),
        (f"{SERVER} --tp 8", LaunchChange(set=(("log-level", "--x"),)), f"{SERVER} --tp 8 --log-level=--x"),
        (f"{SERVER} --cuda-graph-bs 1 2 4 --tp 8", LaunchChange(set=(("cuda-graph-bs", "1"),)), f"{SERVER} --cuda-graph-bs 1 --tp 8"),
        (f"{SERVER} --disable-cuda-graph", LaunchChange(set=(("disable-cuda-graph", None),)), f"{SERVER} --disable-cuda-graph"),
        (f"{SERVER} /m --tp 8", LaunchChange(set=(("model-path", "/n"),)), f"{SERVER} /n --tp 8"),
        (SERVER, LaunchChange(set=(("tp", "4"),)), f"{SERVER} --tp 4"),
        (f"{SERVER} --enable-ep-moe --tp 8", LaunchChange(rename=(("--enable-ep-moe", "--ep"),)), f"{SERVER} --ep --tp 8"),
        (f"{SERVER} --tp 8 --last x", LaunchChange(set=(("a", "1"),), remove=("last",)), f"{SERVER} --tp 8 --a 1"),
        (f"A=1 {SERVER}", LaunchChange(env=(("B", "2"), ("A", "3"))), f"A=3 B=2 {SERVER}"),
        (f"nohup {SERVER}", LaunchChange(env=(("B", "2"),)), f"B=2 nohup {SERVER}"),
        (f"sudo -E {SERVER}", LaunchChange(env=(("B", "2"), ("C", "3"))), f"sudo -E env B=2 C=3 {SERVER}"),
        (f"env A=1 nohup {SERVER}", LaunchChange(env=(("B", "2"),)), f"env A=1 B=2 nohup {SERVER}"),
        (f"A=1 {SERVER}", LaunchChange(unset=("A",)), SERVER),
        (f"SGL_X=1 SGLANG_X=2 {SERVER}", LaunchChange(rename=(("SGL_X", "SGLANG_X"),)), f"SGLANG_X=2 {SERVER}"),
        (
            f"docker run --gpus all -e A=1 -eC=1 -e D --env=E=1 img {SERVER} --tp 8",
            LaunchChange(env=(("A", "2"), ("C", "2"), ("D", "2"), ("N", "2")), unset=("E",)),
            f"docker run --gpus all -e A=2 -eC=2 -e D=2 -e N=2 img {SERVER} --tp 8",
        ),
        (f"docker run img {SERVER}", LaunchChange(env=(("N", "a b"),)), f"docker run -e 'N=a b' img {SERVER}"),
        (f"podman run -e A img {SERVER}", LaunchChange(unset=("A",)), f"podman run img {SERVER}"),
        ("python -m sglang_router.launch_router --policy x", LaunchChange(set=(("policy", "y"),), target="router"), "python -m sglang_router.launch_router --policy y"),
    ],
)  # fmt: skip
def test_change(old: str, change: LaunchChange, new: str) -> None:
    """Options and variables change as they are spelled; other words stay."""
    assert change_command(shlex.split(old), change).words == tuple(shlex.split(new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            f"cd /x && export HTTP_PROXY=p && SGL_X=$Y nohup {SERVER} /m --tp 8 --enable-mixed-chunk 2>&1 | tee log",
            (
                f"cd /x && unset HTTP_PROXY && SGLANG_X=$Y NCCL_DEBUG=INFO nohup {SERVER} /m --tp 4 --mem-fraction-static 0.8 "
                "--disable-cuda-graph 2>&1 | tee log"
            ),
        ),
        (
            f"export HTTP_PROXY=a B='x  y'; {SERVER} --model-path  '/a b' --tp  8 > log",
            f"export B='x  y'; NCCL_DEBUG=INFO {SERVER} --model-path  '/a b' --tp  4 --mem-fraction-static 0.8 --disable-cuda-graph > log",
        ),
        (
            f'if x; then\n  HTTP_PROXY=1 SGL_X="a b" {SERVER} \\\n    --enable-mixed-chunk \\\n    --tp "$TP"  # note\nfi\n',
            (
                f'if x; then\n  SGLANG_X="a b" NCCL_DEBUG=INFO {SERVER} \\\n    --tp 4 \\\n    --mem-fraction-static 0.8 \\\n'
                "    --disable-cuda-graph  # note\nfi\n"
            ),
        ),
        (
            f"for i in 1; do {SERVER} --tp 8 >log 2>&1 & done",
            f"for i in 1; do NCCL_DEBUG=INFO {SERVER} --tp 4 --mem-fraction-static 0.8 --disable-cuda-graph >log 2>&1 & done",
        ),
    ],
)
def test_scripts(old: str, new: str) -> None:
    """In a script, given as a file or behind ``bash -c``, all but the changed words stays byte for byte."""
    assert change_script(old, FULL).text == new
    assert change_command(["bash", "-c", old], FULL).words == ("bash", "-c", new)


def test_script_in_quotes() -> None:
    """A command in quotes of its own is changed there, as long as that needs no quotes within quotes."""
    old = f'#!/bin/bash\ndocker run -e A=$A img bash -c "pip install $X && \\\n  {SERVER} \\\n  --tp 8"\n# {SERVER} --tp 8\n'
    change = LaunchChange(set=(("tp", "4"), ("port", "1")), env=(("B", "1"),))
    new = old.replace('--tp 8"', '--tp 4 \\\n  --port 1"').replace("-e A=$A", "-e A=$A -e B=1")
    assert change_script(old, change).text == new
    for quoted in (f"bash -c '{SERVER} --tp 8'", f'bash -c "{SERVER} --tp 8"'):
        refused = change_script(quoted, LaunchChange(set=(("host", "a 'b $c"),)))
        assert refused.text == quoted
        assert "by hand" in refused.notes[0]
    escaped = f'bash -c "A=\\"1\\" {SERVER} --tp 8"'
    assert change_script(escaped, change).text == escaped


UNIT = f"""[Unit]
Description={SERVER} --tp 8
[Service]
Environment="A=5 6" HTTP_PROXY=1 B=2
Environment=SGL_X=1
ExecStartPre=/bin/true
ExecStart=-/usr/bin/{SERVER} \\
  --tp 8 \\
  --enable-mixed-chunk
Restart=always
"""


def test_unit() -> None:
    """In a unit file the command changes in ExecStart and variables in Environment; systemd has to be told."""
    changed = change_script(UNIT, FULL)
    expected = (
        UNIT.replace(" HTTP_PROXY=1", "")
        .replace("SGL_X", "SGLANG_X")
        .replace("X=1\n", "X=1\nEnvironment=NCCL_DEBUG=INFO\n")
    )
    expected = expected.replace(
        "  --tp 8 \\\n  --enable-mixed-chunk", "  --tp 4 \\\n  --mem-fraction-static 0.8 \\\n  --disable-cuda-graph"
    )
    assert changed.text == expected
    assert "systemctl daemon-reload makes systemd read it" in changed.notes
    special = change_script(UNIT, LaunchChange(set=(("host", '$a%b\\"c'),), env=(("A", "$a%b"), ("N", "x y"))))
    assert '--host "$$a%%b\\\\\\"c"' in special.text
    assert 'Environment="A=$a%%b" HTTP_PROXY=1 B=2\n' in special.text
    assert '\nEnvironment="N=x y"\nExecStartPre' in special.text
    assert change_script(UNIT, LaunchChange(unset=("SGL_X",))).text == UNIT.replace("Environment=SGL_X=1\n", "")


@pytest.mark.parametrize(
    "text", [UNIT.replace("  --tp", "# a comment\n  --tp"), UNIT.replace("sglang", "other"), "echo hello\n", ""]
)
def test_left_alone(text: str) -> None:
    """Where no command is found, or not understood, nothing changes and a note says so."""
    changed = change_script(text, LaunchChange(set=(("tp", "4"),)))
    assert changed.text == text
    assert changed.notes


def test_notes() -> None:
    """People learn what was not found, what they must put in, and what is done more than once."""
    words = shlex.split(f"{SERVER} --api-key '<api_key>'")
    notes = change_command(words, LaunchChange(remove=("x",), unset=("A",), rename=(("B", "C"), ("--d", "--e")))).notes
    assert [note.split(" ")[0] for note in notes] == ["B", "--d", "--x", "A", "<api_key>"]
    assert change_command(["ls"], LaunchChange(set=(("tp", "4"),))) == change_command(["ls"], LaunchChange())
    both = change_command(["bash", "-c", f"{SERVER} --tp 8 & {SERVER} --tp 8"], LaunchChange(set=(("tp", "4"),)))
    assert both.words[2] == f"{SERVER} --tp 4 & {SERVER} --tp 4"
    assert both.notes[0].startswith("2 programs")
    hidden = change_script(f'{SERVER} --port 1 "$ARGS"\n', LaunchChange(set=(("tp", "4"),)))
    assert hidden.text == f'{SERVER} --port 1 "$ARGS" --tp 4\n'


OPTION = st.sampled_from(("--tp 8", "--tp=8", "--tp-size '8'", "--model-path \"/a b\"", "--trust-remote-code", "--cuda-graph-bs 1 2", "--x=$Y", "--port 1"))  # fmt: skip
GAP = st.sampled_from((" ", "  ", " \\\n  ", "\t"))
AROUND = st.sampled_from(("", "# it's a note\n", "set -e\n", "A='b c'\n", "ls | wc\n", "export Z=1\n"))
CHANGE = st.builds(
    LaunchChange,
    set=st.lists(st.sampled_from((("tp", "4"), ("port", "2 3"), ("new", None), ("newer", "'"), ("cuda-graph-bs", "1"))), max_size=3, unique_by=lambda item: item[0]).map(tuple),
    remove=st.lists(st.sampled_from(("trust-remote-code", "x", "none")), max_size=2, unique=True).map(tuple),
    env=st.lists(st.sampled_from((("A", "1"), ("V", "a b"), ("N", "$x"))), max_size=2, unique=True).map(tuple),
    unset=st.sampled_from(((), ("W",))),
)  # fmt: skip


@st.composite
def scripts(draw: st.DrawFn) -> tuple[str, str, str]:
    """What is above, the command, and what is below."""
    front = draw(st.sampled_from(("", "V=1 ", "W=1 V='2 3' ", "nohup ", "exec ")))
    command = front + SERVER + "".join(draw(GAP) + option for option in draw(st.lists(OPTION, max_size=5)))
    end = draw(st.sampled_from(("\n", " > log 2>&1 &\n", " 2>&1 | tee log\n", "; ls\n")))
    return draw(AROUND), command, end + draw(AROUND)


@given(scripts(), CHANGE)
def test_script_as_words(script: tuple[str, str, str], change: LaunchChange) -> None:
    """A script's words change as the same words in an argv do, and what is around the command stays byte for byte."""
    above, command, below = script
    changed = change_script("".join(script), change).text
    assert changed.startswith(above)
    assert changed.endswith(below)
    middle = changed[len(above) : len(changed) - len(below)]
    words = [word.text for word in shell_words(command, 0)]
    assert [word.text for word in shell_words(middle, 0)] == list(change_command(words, change).words)
    assert change_command(words, change).words == change_command(change_command(words, change).words, change).words


@given(scripts())
def test_there_and_back(script: tuple[str, str, str]) -> None:
    """Nothing to change changes nothing; an option added and removed again leaves no trace."""
    text = "".join(script)
    assert change_script(text, LaunchChange()).text == text
    added = change_script(text, LaunchChange(set=(("brand-new", "1"),))).text
    assert added != text
    assert change_script(added, LaunchChange(remove=("brand-new",))).text == text


def test_diff() -> None:
    """People see the whole command, an option a line, with what goes and what comes."""
    old = shlex.split(f"A=1 {SERVER} --model-path '/a b' --tp 8")
    new = change_command(old, LaunchChange(set=(("tp", "4"),), env=(("B", "2"),))).words
    assert launch_diff(old, old) == ()
    assert launch_diff(old, new) == (
        "  A=1", "+ B=2", f"  {SERVER}", "  --model-path '/a b'", "- --tp 8", "+ --tp 4",
    )  # fmt: skip
    nested = ["docker", "run", "--gpus", "all", "img", "bash", "-c", f"cd /x &&\n {SERVER} \\\n --tp 8"]
    shown = launch_diff(nested, change_command(nested, LaunchChange(set=(("tp", "4"),))).words)
    assert shown == ("  docker run", "  --gpus all", "  img bash -c 'cd /x &&", f"  {SERVER}", "- --tp 8'", "+ --tp 4'")


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8), max_size=5))
def test_written_script(values: list[str]) -> None:
    """A real bash that runs the script gets every word as it is, nothing expanded, and what cannot be seen is an escape."""
    bash = shutil.which("bash")
    printf = shutil.which("printf")
    assert bash
    assert printf
    words = [f"V={''.join(values)}", printf, r"%s\0", *values]
    script = write_script(words, ["a note\nrm -rf x"])
    assert all(line.isprintable() for line in script.split("\n"))
    found = subprocess.run(
        [bash], input=script.encode(), capture_output=True, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"}
    )
    assert found.stdout.decode().split("\0")[: len(values) or 1] == (values or [""])


def test_script_layout() -> None:
    """The script reads well."""
    words = ["A=b c", *shlex.split(f"{SERVER} --model-path /m --tp 8 --trust-remote-code")]
    assert write_script(words, ["old: --tp 4"]) == (
        "#!/usr/bin/env bash\n# old: --tp 4\nset -euo pipefail\n\nexport A='b c'\n"
        f"exec {SERVER} \\\n  --model-path /m \\\n  --tp 8 \\\n  --trust-remote-code\n"
    )
    for words in ([], ["A=1"], ["-x"], [""], ["a", "\0"]):
        with pytest.raises(ValueError):
            write_script(words)
