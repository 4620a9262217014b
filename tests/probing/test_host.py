"""A host asked: all reads side by side and in time, redacted, and the same answers from a recording."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone

from triage.probing.host import answers, look_at
from triage.probing.probe import Command, File, Look, Probe, Read, Target, Transcript, fixed
from triage.probing.snapshot import Snapshot, from_json, to_json
from triage.safety.redact import Redactor

SECRET = "hf_" + "abcdefghijklmnopqrstuvwxyz012345"


def texts(items: Sequence[Transcript]) -> list[tuple[str, str]]:
    """A parser that tells what each read gave."""
    return [(f"mine.{number}", f"{item.status} {item.text}") for number, item in enumerate(items)]


def probe(name: str, *reads: Read) -> Probe:
    """A probe with these reads."""
    return Probe(name, "What I look at", fixed(*reads), texts)


def said(text: str) -> Look:
    """A look that answers at once."""
    return Look(f"say {text[:8]}", lambda: text)


def sleeping(seconds: float) -> Callable[[], str]:
    """A function that takes its time."""

    def function() -> str:
        time.sleep(seconds)
        return "late"

    return function


def ask(*probes: Probe, limit_s: float = 5.0, target: Target | None = None) -> Snapshot:
    """What a look at this machine gives."""
    return look_at(probes, target or Target(), Redactor(), limit_s=limit_s)


def test_transcripts_stand_in_the_order_of_the_reads() -> None:
    """Whichever is ready first."""
    snapshot = ask(probe("a", Look("slow", sleeping(0.2)), said("fast")), probe("b", said("other")))
    assert [item.label for item in snapshot.transcripts["a"]] == ["slow", "say fast"]
    assert [item.text for item in snapshot.transcripts["a"]] == ["late", "fast"]
    assert [item.text for item in snapshot.transcripts["b"]] == ["other"]


def test_reads_are_carried_out_side_by_side() -> None:
    """Ten that take a third of a second each take less than two seconds together."""
    began = time.monotonic()
    snapshot = ask(*(probe(f"p{n}", Look(f"nap {n}", sleeping(0.3))) for n in range(10)))
    assert time.monotonic() - began < 2.0
    assert all(items[0].text == "late" for items in snapshot.transcripts.values())


def test_what_several_probes_read_is_read_once() -> None:
    """The driver is asked for its report once, not by each probe that reads it."""
    calls: list[int] = []

    def count() -> str:
        calls.append(1)
        return "report"

    shared = Look("shared", count)
    snapshot = ask(probe("a", shared), probe("b", shared, said("more")))
    assert calls == [1]
    assert snapshot.transcripts["a"][0] == snapshot.transcripts["b"][0]


def test_what_is_not_ready_in_time_is_given_up() -> None:
    """The rest is there all the same, and the reason names the limit of the whole run."""
    began = time.monotonic()
    snapshot = ask(probe("hangs", Look("dead file system", sleeping(3.0))), probe("works", said("here")), limit_s=0.4)
    assert time.monotonic() - began < 2.0
    assert snapshot.transcripts["works"][0].text == "here"
    (late,) = snapshot.transcripts["hangs"]
    assert (late.status, late.label) == ("timed-out", "dead file system")
    assert late.reason == "not ready when the whole run had taken 0.4 s"


def test_many_reads_that_hang_do_not_hold_up_the_run() -> None:
    """More of them than are carried out at a time: the run ends on time, and nothing is waited for at its end."""
    began = time.monotonic()
    snapshot = ask(*(probe(f"p{n}", Look(f"hang {n}", sleeping(2.0), 2.0)) for n in range(40)), limit_s=0.5)
    assert time.monotonic() - began < 2.0
    assert {items[0].status for items in snapshot.transcripts.values()} == {"timed-out"}
    assert all(thread.daemon for thread in threading.enumerate() if thread.name in ("probe", "look"))


def test_a_probe_that_may_not_even_find_out_what_to_read() -> None:
    """Its refusal is its answer, and hurts no other."""

    def refused(_: Target) -> Sequence[Read]:
        raise PermissionError(13, "Permission denied")

    mine = Probe("mine", "What I look at", refused, texts)
    snapshot = ask(mine, probe("other", said("here")))
    first, second = answers([mine, probe("other")], snapshot)
    assert (first.outcome, first.reason) == ("unavailable", "Permission denied")
    assert second.outcome == "ok"


def test_a_probe_without_reads_is_not_applicable() -> None:
    """It is in the snapshot, so that elsewhere it is not taken for one that was left out."""
    snapshot = ask(probe("nothing"))
    assert snapshot.transcripts == {"nothing": ()}
    assert answers([probe("nothing")], snapshot)[0].outcome == "not-applicable"


def test_reads_know_the_target() -> None:
    """Its environment is that of the children, and what is known from logs decides what is read."""
    mine = Probe("mine", "", lambda target: (Command(("sh", "-c", f"echo $WHO {target.facts['port']}")),), texts)
    target = Target(facts={"port": 30000}, environment={"WHO": "me"})
    assert ask(mine, target=target).transcripts["mine"][0].text == "me 30000\n"


def test_no_secret_is_kept() -> None:
    """Neither in a text nor in a label; each is counted, and the lines around it stay as they were."""
    snapshot = ask(
        probe("a", said(f"first line\nHF_TOKEN={SECRET}\nlast line")),
        probe("b", Look(f"curl -H 'Authorization: Bearer {SECRET}'", lambda: "done")),
        probe("c", Command(("sh", "-c", f"echo --api-key {SECRET}"))),
    )
    stored = to_json(snapshot)
    assert SECRET not in stored
    assert sum(snapshot.redacted.values()) >= 4
    lines = snapshot.transcripts["a"][0].text.split("\n")
    assert (lines[0], lines[2], len(lines)) == ("first line", "last line", 3)
    assert lines[1].startswith("HF_TOKEN=\u2039hf_token:")


def test_a_key_block_of_several_lines() -> None:
    """Its body is hidden even though it is looked at line by line."""
    body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
    text = f"-----BEGIN PRIVATE KEY-----\n{body}\n{body}\n-----END PRIVATE KEY-----\nafter"
    found = ask(probe("a", said(text))).transcripts["a"][0].text
    assert body not in found
    assert found.endswith("after")


def test_a_file_with_control_characters_in_its_name_does_no_harm() -> None:
    """What is shown is made visible later; a recording keeps what was read."""
    assert ask(probe("a", File("/no/such\x1b[31m/file"))).transcripts["a"][0].status == "absent"


def test_a_recording_gives_the_same_answers() -> None:
    """Outcome, reason, time and facts: nothing is left to the machine that reads it."""
    probes = [
        probe("a", said("one"), File("/no/such/file")),
        probe("b", Command(("no-such-command-here",))),
        probe("c"),
    ]
    snapshot = ask(*probes)
    assert answers(probes, from_json(to_json(snapshot))) == answers(probes, snapshot)


def test_a_probe_that_the_snapshot_lacks() -> None:
    """It was recorded by another release, or with --only."""
    (answer,) = answers([probe("new")], ask(probe("old", said("here"))))
    assert (answer.outcome, answer.reason) == ("unavailable", "the snapshot does not hold it")


def test_a_probe_that_nobody_knows_any_more() -> None:
    """What is in a snapshot and not in the catalogue is left alone."""
    snapshot = Snapshot({"gone": (Transcript("x", "ok", "y"),)}, {})
    assert answers([], snapshot) == ()


def test_a_snapshot_knows_its_time() -> None:
    """In UTC and whole seconds: lines of a kernel log can be placed by it."""
    snapshot = look_at([probe("p", said("seen"))], Target(), Redactor())
    recorded = datetime.fromisoformat(snapshot.recorded)
    assert recorded.utcoffset() == timedelta(0)
    assert recorded.microsecond == 0
    assert abs(datetime.now(timezone.utc) - recorded) < timedelta(minutes=1)
