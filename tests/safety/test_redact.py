"""What the redactor promises: no secret survives, ordinary words do, and hostile text costs no more than any other."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.safety.redact import Redactor
from triage.safety.visible import visible

S = "SENTINEL9secret"
FORMS = [
    f"server_args=ServerArgs(model_path='m', api_key='{S}', port=1)",
    f'server_args=ServerArgs(admin_api_key="A\'B{S}", port=1)',
    f"server_args=ServerArgs(admin_api_key='A\\'B{S}', port=1)",
    f"Namespace(ssl_keyfile_password='{S}')",
    f"{{'api_key': '{S}', 'port': 30000}}",
    f'{{"api_key": "{S}", "port": 30000}}',
    '{"line": "{\\"api_key\\": \\"' + S + '\\", \\"port\\": 1}"}',
    '{"line": "{\\\\\\"api_key\\\\\\": \\\\\\"' + S + '\\\\\\", 1}"}',
    f'{{"msg": "ServerArgs(api_key=\'A\\\\\'{S}\')"}}',
    f"api_key='{S}",
    f"api_keys=['a', \"{S}\"]",
    f"api_key=SecretStr('{S}')",
    f"api_key: {S}",
    f"hf_token={S}",
    f"python -m sglang.launch_server --api-key {S} --port 30000",
    f"python -m sglang.launch_server --api-key={S}",
    f"bash -c 'serve --api-key {S}'",
    f"['--api-key', '{S}', '--tp', '2']",
    f'"Cmd": ["--api-key={S}", "--tp", "2"]',
    f"HF_TOKEN={S} PATH=/bin",
    f"PATH=/bin\0HF_TOKEN={S}\0HOME=/root",
    f'"Env": ["OPENAI_API_KEY={S}", "PATH=/bin"]',
    f"environ({{'WANDB_API_KEY': '{S}'}})",
    f"export DB_PASSWORD='two {S} words'",
    f"DB_PASSWORD=p,a)s{S}&x",
    f"MY_SECRET={S}",
    f"Authorization: Bearer {S}",
    f"Authorization: Basic {S}==",
    f"Authorization: Digest username=a, response={S}",
    f"curl -H 'Authorization: Bearer {S}' http://10.0.0.1",
    f"headers={{'authorization': 'Bearer {S}'}}",
    f"(b'authorization', b'Bearer {S}'), (b'x-api-key', b'{S}')",
    f"x-api-key: {S}",
    f"Cookie: session={S}; theme=dark",
    f"got bearer {S}",
    f"http://user:{S}@10.0.0.1/x",
    f"https://oauth2:p@{S}@10.0.0.1/x",
    f"https://{S}@10.0.0.1/x",
    f"https://10.0.0.1/f?X-Amz-Signature={S}&x=1",
    f"sk-{S}",
    f"sk-proj-{S}",
    f"nvapi-{S}",
    f"hf_{S}0123456789",
    f"ghp_{S}0123456789",
    f"github_pat_{S}_0123456789",
    f"eyJhbGciOiJIUzI1NiJ9.{S}.c2lnbmF0dXJl",
    "hf_SENT\x1b[31mINEL9secret\x1b[0m0123456789",
    f"api_key='\x1b[1m{S}\x1b[0m'",
    f"-----BEGIN RSA PRIVATE KEY-----\nMIIE{S}\n-----END RSA PRIVATE KEY-----",
    f"-----BEGIN PRIVATE KEY-----\\nMIIE{S}\\n-----END PRIVATE KEY-----",
    f"-----BEGIN PRIVATE KEY-----\nMIIE{S}",
    # The last two are recognised by their length, as lines of a PEM body.
    f"{S}AbCd0123456789AbCd0123456789AbCd0123456789AbCd0123\n-----END PRIVATE KEY-----",
    f"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwgg{S}0123456789a",
]
HARMLESS = [
    "cannot open /etc/passwd: Permission denied",
    "--tokenizer-path /models/m --tokenizer-mode auto",
    "num_tokens=5, max_total_tokens: 4, max_new_tokens=16",
    "Decode batch. #running-req: 1, #token: 402, token usage: 0.00, gen throughput (token/s): 96.11",
    "Prefill batch. #new-seq: 1, #new-token: 211, #cached-token: 14",
    "KeyError: 'api_key'",
    "AssertionError: bootstrap_room should not be None",
    "watchdog_timeout=300",
    "api_key=None, admin_api_key='', hf_token=\"\", ssl_keyfile_password=None",
    "{'api_key': None, \"admin_api_key\": null}",
    "    api_key=server_args.api_key,",
    "def f(api_key: str = None, hf_token: Optional[str] = None)",
    "token = os.environ['X']",
    "error: argument --api-key: expected one argument",
    "usage: serve [--api-key API_KEY] [--port PORT]",
    "eos_token='</s>' pad_token_id=0 IMAGE_TOKEN=<image>",
    "Please pass a token or set HF_TOKEN to enable higher rate limits",
    'headers={"Authorization": f"Bearer {api_key}"}',
    "WWW-Authenticate: Bearer realm=x",
    "git clone ssh://git@10.0.0.1/repo",
    "http://10.0.0.1:30000/generate",
    "tcp://10.0.0.1:5000?init=1",
    "undefined symbol: _ZN3c105ErrorC2ENS_14SourceLocationESs",
    "/usr/local/lib/python3/dist/packages/torch/distributed/elastic/multiprocessing/api",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "hf_hub_download, hf_transfer, hf_chat_template_name=None",
    "input_ids=[1, 2, 3] has the wrong shape",
]
# Pieces that mean something to the redactor, to be put together in every way.
PIECES = [
    "api_key", "=", "'", '"', "\\", ":", " ", ",", "hf_" + "A" * 17, "sk-abcdefgh", "‹", "›", "‹api_key:7f3a›", "<", ">", "{", "}",
    "[", "]", "(", ")", "--api-key", "TOKEN", "_", "password", "token", "Authorization", "Bearer ", "Basic ", "://", "@", "a",
    "B1", "/", "-----BEGIN X-----", "-----END X-----", "\n", "\x1b[0m", "\x1b[", "m", "None", "ReqInput(", "text=", "messages",
    "'prompt': ", "eyJ" + "a" * 16, ".", "AKIA" + "A" * 16, "?sig=", "&", "Cookie", "b'", "=>", "secret", "x-api-key", "\t", "--",
    ";", "A1b/" * 16, "***", "‹prompt 3 chars›", "input_ids=", "…", "os.environ", "\udc9b", "\u202e",
]  # fmt: skip


def redact(text: str) -> str:
    """`text` redacted with a fixed salt."""
    return Redactor(b"salt").redact(text)


@pytest.mark.parametrize("text", FORMS)
def test_no_secret_survives(text: str) -> None:
    """The secret is gone in every form in which it is met, and that it was there is counted."""
    redactor = Redactor(b"salt")
    shown = redactor.redact(text)
    assert "SENTINEL" not in shown
    assert re.search("‹[a-z_]+:[0-9a-f]{4}›", shown)
    assert sum(redactor.counts.values()) >= 1


@pytest.mark.parametrize("text", FORMS)
def test_redacting_twice_changes_nothing(text: str) -> None:
    """Tokens are not secrets."""
    redactor = Redactor(b"salt")
    once = redactor.redact(text)
    counts = dict(redactor.counts)
    assert redactor.redact(once) == once
    assert redactor.counts == counts


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_words_stay(text: str) -> None:
    """What looks like a secret's name and is not one is left as it is."""
    redactor = Redactor(b"salt")
    assert redactor.redact(text) == text
    assert redactor.counts == {}


def test_pem_line_by_line() -> None:
    """The body of a key is hidden even when each of its lines comes alone, as a log reader meets them."""
    body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
    for _ in range(30):
        assert body not in redact(body)
    assert redact(f"  {body}\n{body}") == f"  {redact(body)}\n{redact(body)}"


def test_equal_secrets_correlate_within_a_run_only() -> None:
    """The digits are the same for one secret in one run, whatever it is called, and differ between runs."""
    first, second = Redactor(), Redactor()
    digits = {
        first.redact(f"api_key='{S}'")[-6:-2],
        first.redact(f"--api-key {S}")[-5:-1],
        first.redact(f"X_TOKEN={S}")[-5:-1],
    }
    assert len(digits) == 1
    others = [f"secret='{S}{number}'" for number in range(8)]
    assert [first.redact(text) for text in others] != [second.redact(text) for text in others]
    assert Redactor(b"a").redact(others[0]) == Redactor(b"a").redact(others[0])


def test_counts_by_kind() -> None:
    """Every replacement is counted under its name."""
    redactor = Redactor(b"salt")
    redactor.redact("api_key='abcdef', admin_api_key='ghijkl'")
    redactor.redact("api_key='abcdef' Receive: obj=GenerateReqInput(text='hello')")
    assert redactor.counts == {"api_key": 2, "admin_api_key": 1, "prompt": 1}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Receive: obj=GenerateReqInput(text='Hi \\'you\\'', rid='1')", "Receive: obj=GenerateReqInput(text='‹prompt 10 chars›', rid='1')"),
        ('obj=GenerateReqInput(text="it\'s", input_ids=None)', 'obj=GenerateReqInput(text="‹prompt 4 chars›", input_ids=None)'),
        ("obj=GenerateReqInput(input_ids=[1, 2, 3], stream=True)", "obj=GenerateReqInput(input_ids=[‹prompt 7 chars›], stream=True)"),
        ("obj=ChatReqInput(messages=[{'content': 'a ] b'}], n=1)", "obj=ChatReqInput(messages=[‹prompt 20 chars›], n=1)"),
        ("Finish: obj=EmbeddingReqInput(rid='1'), out={'text': 'yes'}", "Finish: obj=EmbeddingReqInput(rid='1'), out={'text': '‹prompt 3 chars›'}"),
        ("reqs=[Req(rid=1, input_ids=[128000, 1])]", "reqs=[Req(rid=1, input_ids=[‹prompt 9 chars›])]"),
        ('{"event": "request.received", "obj": {"text": "hi", "n": 1}}', '{"event": "request.received", "obj": {"text": "‹prompt 2 chars›", "n": 1}}'),
        ('body {"model": "m", "prompt": "say hi", "n": 1}', 'body {"model": "m", "prompt": "‹prompt 6 chars›", "n": 1}'),
        ("obj=GenerateReqInput(text='cut off here", "obj=GenerateReqInput(text='‹prompt 12 chars›"),
    ],
)  # fmt: skip
def test_prompts_are_hidden(text: str, shown: str) -> None:
    """What a user asked is replaced by its length; the rest of the record stays, and a second pass changes nothing."""
    assert redact(text) == shown
    assert redact(shown) == shown


def test_value_of_a_named_thing() -> None:
    """A fact or capture is hidden for its name alone, for its text has no context."""
    redactor = Redactor(b"salt")
    assert redactor.redact_named("server.api_key", S).startswith("‹api_key:")
    assert redactor.redact_named("server.api_key", "None") == "None"
    assert redactor.redact_named("server.port", "30000") == "30000"
    assert S not in redactor.redact_named("server.model_path", f"https://u:{S}@10.0.0.1/m")


def test_arguments() -> None:
    """In an argument list the secret is a whole element or the part behind the equals sign."""
    argv = (
        "HF_TOKEN=abc",
        "serve",
        "--api-key",
        S,
        "--admin-api-key",
        "--tp",
        "2",
        f"--ssl-keyfile-password={S}",
        "--tokenizer-path",
        "t",
    )
    shown = Redactor(b"salt").redact_arguments(argv)
    assert [part.partition("‹")[0] for part in shown] == [
        "HF_TOKEN=", "serve", "--api-key", "", "--admin-api-key", "--tp", "2", "--ssl-keyfile-password=", "--tokenizer-path", "t",
    ]  # fmt: skip
    assert S not in "".join(shown)


SECRETS = st.text("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789", min_size=12, max_size=60)


@given(SECRETS, st.sampled_from(FORMS[:-2]), st.text(), st.text())
def test_any_secret_in_any_form_anywhere(secret: str, form: str, before: str, after: str) -> None:
    """Whatever stands around it, on other lines, the secret is gone."""
    text = f"{before}\n{form.replace(S, secret)}\n{after}"
    if secret not in before + after:
        assert secret not in visible(redact(text))


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_idempotent_on_torn_pieces(text: str) -> None:
    """Any arrangement of the redactor's own vocabulary is settled after one pass."""
    assert redact(redact(text)) == redact(text)


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_never_raises(text: str) -> None:
    """Any text, lone surrogates included."""
    assert isinstance(redact(text), str)


ADVERSARIAL = [*PIECES, "\"api_key=a", "'api_key=\"", "\\\"api_key\\\": \\\"", "\x1b[\x1b[m", "text=[", "api_key='x'a", "bearer  ", "Aa0/" * 15 + "\n"]  # fmt: skip


@pytest.mark.parametrize("seed", ADVERSARIAL)
def test_hostile_repetition_is_linear(seed: str) -> None:
    """A line made to be searched over and over costs time in proportion to its length: minutes if it were not."""
    text = seed * (60_000 // len(seed))
    began = time.process_time()
    redact(text)
    redact("ReqInput(" + text)
    assert time.process_time() - began < 5


def test_a_token_of_language_hides_no_secret_behind_it() -> None:
    """Where the value of 'token' is none, secrets in the rest of what looked like it are still replaced."""
    assert "hunter22" not in redact("token=''eyJaaaaaaaaaaaaaaaa?sig=hunter22hunter22")
    assert "hunter22" not in redact("token='<|im_start|> password: hunter22'")
