"""What ``--webhook`` and ``--webhook-header`` may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from triage.watching.webhook_target import Origin, target

ENVIRONMENT = {"URL": "https://hooks.example/T0/s3cr3t", "TOKEN": "Bearer s3cr3t\n", "EVIL": "x\r\nX-Injected: 1"}


@pytest.mark.parametrize(
    ("url", "origin", "path", "shown"),
    [
        ("https://hooks.example/a/b?c=d#e", Origin("https", "hooks.example", 443), "/a/b?c=d", "https://hooks.example"),
        ("http://127.0.0.1:8080", Origin("http", "127.0.0.1", 8080), "/", "http://127.0.0.1:8080"),
        ("https://[::1]:444/x", Origin("https", "::1", 444), "/x", "https://[::1]:444"),
        ("env:URL", Origin("https", "hooks.example", 443), "/T0/s3cr3t", "https://hooks.example"),
    ],
)
def test_urls(url: str, origin: Origin, path: str, shown: str) -> None:
    """What is connected to, what is asked for, and what may be shown of it."""
    found = target(url, (), ENVIRONMENT)
    assert (found.origin, found.path, str(found.origin)) == (origin, path, shown)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("hooks.example/s3cr3t", "begins with https://"),
        ("file:///etc/passwd", "No such file|begins with"),
        ("https:///s3cr3t", "names no host"),
        ("https://me:s3cr3t@hooks.example/", "holds a user"),
        ("https://hooks.example:99999/s3cr3t", "no URL"),
        ("https://hooks.example/a b", "percent-encoded"),
        ("https://hooks.example/\x01", "percent-encoded"),
        ("https://hooks.example/\u0430", "percent-encoded"),
        ("env:ABSENT", "the environment has no ABSENT"),
        ("file:absent", "No such file"),
    ],
)
def test_what_is_no_url(url: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told, without what may be a secret of it."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=said) as raised:
        target(url, (), ENVIRONMENT)
    assert "s3cr3t" not in str(raised.value)


def test_headers(tmp_path: Path) -> None:
    """Written out, from the environment, or from a file, without the line end that a file has."""
    path = tmp_path / "token"
    path.write_text("Basic s3cr3t\n")
    found = target(
        "https://h/", ("X-Team: infra: one", "Authorization:env:TOKEN", f"X-Auth-Token: file:{path}"), ENVIRONMENT
    )
    assert found.headers == (
        ("X-Team", "infra: one"), ("Authorization", "Bearer s3cr3t"), ("X-Auth-Token", "Basic s3cr3t"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("Authorization: Bearer s3cr3t", "must not stand in the command"),
        ("X-Api-Key: s3cr3t", "must not stand in the command"),
        ("Cookie: s3cr3t", "must not stand in the command"),
        ("nothing", "NAME: VALUE"),
        (": x", "NAME: VALUE"),
        ("a b: x", "NAME: VALUE"),
        ("Host: other", "set by us"),
        ("content-length: 3", "set by us"),
        ("X-A: env:EVIL", "line end"),
        ("X-A: x\r\nX-B: y", "line end"),
        ("X-A: \u00e9", "not ASCII"),
        ("X-A: env:ABSENT", "has no ABSENT"),
    ],
)
def test_what_is_no_header(header: str, said: str) -> None:
    """Nothing can be smuggled in, and no secret is shown, or wanted among the arguments."""
    with pytest.raises(ValueError, match=said) as raised:
        target("https://h/", (header,), ENVIRONMENT)
    assert "s3cr3t" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "is_open"),
    [
        ("http://hooks.example/", True),
        ("https://hooks.example/", False),
        ("http://localhost/", False),
        ("http://[::1]/", False),
    ],
)
def test_what_others_can_read(url: str, is_open: bool) -> None:
    """HTTP that leaves this machine."""
    assert target(url, (), {}).is_open is is_open
