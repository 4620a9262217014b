"""Which names promise a secret."""

from __future__ import annotations

import pytest

from triage.safety.secret_names import secret_name


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("api_key", "api_key"),
        ("admin_api_key", "admin_api_key"),
        ("--api-key", "api_key"),
        ("apiKey", "api_key"),
        ("x-api-key", "x_api_key"),
        ("ssl_keyfile_password", "ssl_keyfile_password"),
        ("DB_PASSWORD_PROD", "db_password_prod"),
        ("HF_TOKEN", "hf_token"),
        ("hf_token", "hf_token"),
        ("TOKEN", "token"),
        ("ANYTHING_KEY", "anything_key"),
        ("MY_SECRET", "my_secret"),
        ("client_secret", "client_secret"),
        ("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key"),
        ("Authorization", "authorization"),
    ],
)
def test_promises_a_secret(name: str, label: str) -> None:
    """Names that servers, shells, headers and clouds give to secrets."""
    assert secret_name(name) == label


@pytest.mark.parametrize(
    "name",
    ["", "--", "tokenizer-path", "num_tokens", "max_total_tokens", "token", "eos_token", "IMAGE_TOKEN", "KeyError", "key",
     "cache_key", "monkey", "bootstrap_room", "watchdog_timeout", "MAX_TOKENS", "PRIMARY_KEY", "new-token", "NCCL_IB_PKEY"],
)  # fmt: skip
def test_promises_none(name: str) -> None:
    """Ordinary words of SGLang's vocabulary."""
    assert secret_name(name) is None
