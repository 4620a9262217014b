"""Which clients are run for --source, and what is refused."""

from __future__ import annotations

import pytest

from triage.reading.live_sources import client_command


@pytest.mark.parametrize(
    ("source", "first", "again"),
    [
        (
            "journal:sglang@0.service",
            "journalctl --follow --unit=sglang@0.service --output=short-iso --no-pager --lines=10000",
            "journalctl --follow --unit=sglang@0.service --output=short-iso --no-pager --since=@1700000000 --lines=all",
        ),
        (
            "docker:sglang",
            "docker logs --follow --timestamps --tail=10000 -- sglang",
            "docker logs --follow --timestamps --since=1700000000.500000 -- sglang",
        ),
        (
            "kubectl:-n serving 'pod/sglang-0' -c server",
            "kubectl logs --follow --timestamps --tail=10000 -n serving pod/sglang-0 -c server",
            "kubectl logs --follow --timestamps -n serving pod/sglang-0 -c server --since-time=2023-11-14T22:13:20Z",
        ),
        (
            "kubectl:pod/a --tail 5 --since=1h",
            "kubectl logs --follow --timestamps pod/a --tail 5 --since=1h",
            "kubectl logs --follow --timestamps pod/a --since-time=2023-11-14T22:13:20Z",
        ),
        (
            "kubectl:pod/a --timestamps=false",
            "kubectl logs --follow --tail=10000 pod/a --timestamps=false",
            "kubectl logs --follow pod/a --timestamps=false --since-time=2023-11-14T22:13:20Z",
        ),
    ],
)
def test_argv(source: str, first: str, again: str) -> None:
    """At first with some history, later from a moment on; a list of arguments, never a shell line."""
    command = client_command(source)
    assert command.label == source
    assert command.argv(None) == first.split(" ")
    assert command.argv(1_700_000_000.5) == again.split(" ")


def test_name_stays_one_argument() -> None:
    """What a shell would act on is part of the name."""
    assert client_command("docker:a; reboot $(id)").argv(None)[-1] == "a; reboot $(id)"
    assert "--unit=a b\n--file=/x" in client_command("journal:a b\n--file=/x").argv(None)


@pytest.mark.parametrize(
    "source",
    ["", "journal", "journal:", "docker: ", "podman:x", "docker:-f", "journal:--file=/x", "docker:a\0b", "kubectl:'"],
)
def test_refused(source: str) -> None:
    """No name, another kind, an option in place of a name, a NUL or an open quotation mark is a usage error."""
    with pytest.raises(ValueError, match=r"source|names nothing|option|split"):
        client_command(source)
