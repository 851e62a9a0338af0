"""What must not be seen is taken out, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from tuner.logs.redaction import REMOVED, redact, redact_json

SECRET = "S3sameOpenThyself9"

HIDDEN = [
    f"ghp_{SECRET}", f"github_pat_{SECRET}", f"hf_{SECRET}", f"sk-{SECRET}", f"sk-ant-api03-{SECRET}",
    f"nvapi-{SECRET}",    f"xoxb-{SECRET}", f"glpat-{SECRET}", f"eyJhbGciOiJIUzI1NiJ9.{SECRET}.{SECRET}",
    f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n{SECRET}\n-----END RSA PRIVATE KEY-----",
    f"-----BEGIN PRIVATE KEY-----\n{SECRET}",
    f"Authorization: Bearer {SECRET}", f"authorization: Basic {SECRET}==", f'"Authorization": "token {SECRET}"',
    f"-H 'Proxy-Authorization: {SECRET}'", f"curl with bearer {SECRET}", f"Cookie: a=b; session={SECRET}",
    f"Set-Cookie: id={SECRET}; Path=/",
    f"postgresql+psycopg://me:{SECRET}@host/db", f"https://{SECRET}@github.com/x", f"redis://:p@{SECRET}@host",
    f"GET /v1?api_key={SECRET}&x=1", f"https://s3/x?X-Amz-Signature={SECRET}", f"/?token={SECRET}", f"/?sig={SECRET}",
    f"HF_TOKEN={SECRET}", f"export AWS_SECRET_ACCESS_KEY='{SECRET}'", f"OPENAI_API_KEY: {SECRET}", f"password={SECRET}",
    f'{{"password": "{SECRET}"}}',
    f"{{'api_key': '{SECRET}'}}", f"api_key=['a', '{SECRET}'], x=1", f"apiKey = {SECRET}",
    f"db.passwd => {SECRET}", f'secret: "two words {SECRET}"', "password=12345678", f"client_secret={SECRET}",
    f"--api-key {SECRET} --port 80", f"--hf-token={SECRET}", f"['--api-key', '{SECRET}', '--port']",
    f"access_token: {SECRET}", f"x-api-key: {SECRET}", f"  token = {SECRET}",
]  # fmt: skip

KEPT = [
    "time per output token: 31.5 ms", "first token: 12 s", "eos_token='</s>', pad_token: <pad>",
    "max_num_batched_tokens=2048", "num_tokens: 5 of 7", "api_key=None, hf_token=None", "token: 5",
    "tokenizer='gpt2' tokenizer_mode=auto skip_tokenizer_init=False", "git@github.com:x/y.git",
    "http://127.0.0.1:8000/v1/@x", "a bearer of bad news", "--hf-token --port 80",
    "commit 0123456789abcdef0123456789abcdef01234567", "hf_hub_download(repo_id, filename)", "monkey: banana",
    "the password must be longer", "sk-learn", "https://example.org/a?page=2&keyboard=us", "",
]  # fmt: skip


@pytest.mark.parametrize("text", HIDDEN)
def test_a_secret_is_removed_and_the_rest_stays(text: str) -> None:
    shown = redact(f"before {text}\nafter" if "BEGIN PRIVATE" not in text else f"before {text}")
    assert SECRET not in shown
    assert "12345678" not in shown
    assert REMOVED in shown
    assert shown.startswith("before ")
    assert shown.endswith("\nafter") or "BEGIN PRIVATE" in text
    assert redact(shown) == shown


@pytest.mark.parametrize("text", KEPT)
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert redact(text) == text


def test_a_line_stays_readable_around_it() -> None:
    line = f"INFO args: Namespace(host='0.0.0.0', api_key='{SECRET}', model='org/m', max_num_seqs=4)"
    assert redact(line) == "INFO args: Namespace(host='0.0.0.0', api_key='[removed]', model='org/m', max_num_seqs=4)"
    assert redact(f"postgresql://me:{SECRET}@host/db?x=1") == "postgresql://[removed]@host/db?x=1"


def test_known_secrets_go_wherever_they_stand_the_longest_first() -> None:
    assert redact("xopensesamex, opensesame2", ["opensesame", "opensesame2"]) == "x[removed]x, [removed]"
    assert redact("the cat", ["", "cat"]) == "the cat", "too short to be looked for"


def test_nested_data_is_redacted_by_key_and_by_content() -> None:
    data: dict[str, JsonValue] = {
        "env": {"HF_TOKEN": SECRET, "PORT": "80", "apiKey": {"a": SECRET}},
        "headers": [{"Authorization": SECRET}, f"Bearer {SECRET}"],
        "eos_token": "</s>",
        "max_tokens": 5,
        "password": None,
        f"hf_{SECRET}": 1,
    }
    assert redact_json(data) == {
        "env": {"HF_TOKEN": REMOVED, "PORT": "80", "apiKey": REMOVED},
        "headers": [{"Authorization": REMOVED}, f"Bearer {REMOVED}"],
        "eos_token": "</s>",
        "max_tokens": 5,
        "password": None,
        REMOVED: 1,
    }
    assert redact_json({"x": ["opensesame"]}, ["opensesame"]) == {"x": [REMOVED]}


@given(st.text(alphabet=st.sampled_from("aZ9_-.:=?&@/\"' \n[](){},"), max_size=80), st.sampled_from(HIDDEN))
def test_applied_twice_it_does_no_more_and_nothing_of_a_secret_is_left(around: str, text: str) -> None:
    once = redact(f"{around}\n{text}\n{around}")
    assert SECRET not in once
    assert redact(once) == once
