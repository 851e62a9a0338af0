"""What must not be seen: takes tokens, keys, passwords and credentials out of text, for whoever shows or stores it."""

import re
import traceback
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:  # the search in logs is a program that has nothing but the standard library
    from pydantic import JsonValue

REMOVED = "[removed]"
LEAST_LENGTH = 6
"""Of a secret known by its value: shorter ones would take whole words out of a text."""

_PLAIN_TOKENS = ("bos", "eos", "pad", "unk", "cls", "sep", "mask", "stop", "start", "end", "image", "audio", "video")
_COUNTED_TOKENS = ("per", "output", "input", "first", "next", "last", "each", "every", "new", "added", "special")
_NOT_AFTER = "".join(rf"(?<!{word}[_ -])" for word in (*_PLAIN_TOKENS, *_COUNTED_TOKENS))
"""`eos_token: </s>` and `time per output token: 31.5 ms` are no secrets."""

_NAME = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret|credentials?|api[_ -]?key|secret[_-]?key|private[_-]?key"
    r"|access[_-]?key(?:[_-]?id)?|signing[_-]?key|encryption[_-]?key|auth(?:entication)?[_-]?key|session[_-]?id)"
)
_TOKEN = rf"(?:(?=token){_NOT_AFTER}token)"
_NOTHING = r"[\"']?(?:None|null|true|false|undefined|\.\.\.|\*+|\[removed\]|SecretStr\()(?![^\s\"',;)}\]])"
"""No value, or none any more."""
_VALUE = r"(?:\[[^\]\n]{1,2000}\]?|\"[^\"\n]+\"?|'[^'\n]+'?|[^\s\"',;&)}\]]+)"
"""A quotation or list that does not end is one that was cut."""
_IS = r"[\"']?\s{0,8}(?:=>|=(?!>)|:)\s{0,8}"

_WHOLE = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)"
    r"|\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_[A-Za-z0-9_]{16,}|\bglpat-[\w-]{16,}"
    r"|\b(?:hf|api_org)_[A-Za-z0-9]{16,}|\bnvapi-[\w-]{16,}|\b(?:sk|pk|rk)-[\w-]{16,}|\bsk_(?:live|test)_\w{10,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16,}|\bAIza[\w-]{35}|\bxox[abeprs]-[\w-]{10,}|\bya29\.[\w-]{20,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?|\beyJ[\w-]{200,}",
    re.DOTALL,
)
"""Recognized by how they begin."""
_AUTHORIZATION = re.compile(
    r"(?i)(\b(?:proxy-)?authorization[\"']?\s{0,8}[:=,]\s{0,8}[\"']?)(?!\[removed\])"
    r"(?:(?:bearer|basic|token|digest|negotiate|apikey)\s+)?[^\s\"',;]+"
)
_COOKIE = re.compile(r"(?i)(\bcookie[\"']?\s{0,8}:\s{0,8}[\"']?)(?!\[removed\]|\s)[^\n\"']+")
_BEARER = re.compile(r"(?i)(\bbearer\s+)(?=[^\s\"',;]{0,200}[0-9]|[^\s\"',;]{24})[A-Za-z0-9._~+/=-]{8,}")
_USERINFO = re.compile(r"(?i)(\b[a-z][a-z0-9+.-]{1,20}://)[^\s/\"'<>@]{1,2000}(?:@[^\s/\"'<>@]{1,200}){0,4}@")
_QUERY = re.compile(
    r"(?i)([?&](?:[\w-]{0,40}(?:token|key|secret|password|signature|credential)|sig|auth|code)=)(?!\[removed\])"
    r"[^\s&\"'<>#]+"
)
_OPTION = re.compile(
    rf"(?i)(--(?:[a-z0-9]{{1,20}}[-_]){{0,4}}(?:token|api[-_]?key|password|secret|credentials?)"
    rf"(?:[\"']?,?\s+|=))(?!--?[a-z]|[\"']--|{_NOTHING}){_VALUE}"
)
_ASSIGNED = re.compile(rf"(?i)({_NAME}{_IS})(?!{_NOTHING}|\s){_VALUE}")
_TOKEN_ASSIGNED = re.compile(rf"(?i)({_TOKEN}{_IS})(?!{_NOTHING}|[\d.,]+(?![\w-])|\s){_VALUE}")
"""`token: 5` counts."""

_KEY = re.compile(rf"(?i)(?:^|[_. -]|(?<=[a-z]))(?:{_NAME}|{_TOKEN}|authorization|cookie)$")


def _emptied(found: re.Match[str]) -> str:
    """Keeps the name, and the quotes around the value."""
    value = found[0][len(found[1]) :]
    quote = value[0] if value[0] in "\"'" and value[0] == value[-1] else ""
    return f"{found[1]}{quote}{REMOVED}{quote}"


_BEGINNINGS = (
    "-----begin ", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "hf_", "api_org_", "nvapi-", "sk-",
    "pk-", "rk-", "sk_live_", "sk_test_", "akia", "asia", "aiza", "xox", "ya29.", "eyj",
)  # fmt: skip
_NAMES = (
    "passw", "passphrase", "pwd", "secret", "credential", "signing", "encryption", "authentication", "api key",
    *(f"{word}{mark}{end}" for word, end in (("api", "key"), ("private", "key"), ("access", "key"), ("auth", "key"),
      ("session", "id")) for mark in ("", "_", "-")),
)  # fmt: skip
_TOKENS = tuple(f"token{after}" for after in "=:\"' \t\n")
Rule: TypeAlias = tuple[tuple[str, ...], re.Pattern[str], str | Callable[[re.Match[str]], str]]
RULES: tuple[Rule, ...] = (
    (_BEGINNINGS, _WHOLE, REMOVED),
    (("://",), _USERINFO, rf"\1{REMOVED}@"),
    (("authorization",), _AUTHORIZATION, _emptied),
    (("cookie",), _COOKIE, _emptied),
    (("bearer",), _BEARER, _emptied),
    (("?", "&"), _QUERY, _emptied),
    (("--",), _OPTION, _emptied),
    (_NAMES, _ASSIGNED, _emptied),
    (_TOKENS, _TOKEN_ASSIGNED, _emptied),
)
"""A pattern is asked where one of its hints is in the text, in lower case: logs are long, and secrets rare in them."""


_BEGINNING = "|".join((*map(re.escape, _BEGINNINGS), "bearer", "(?:proxy-)?authorization", "cookie"))
BEGINNING = re.compile(rf"(?i){_BEGINNING}")
"""What is recognized only where a word begins."""
_UNFINISHED = re.compile(
    rf"(?i)\b(?:{_BEGINNING})[\w.-]*$|\bbearer\s+\S*$|(?<=://)[^\s/\"'<>@]*:(?![0-9]*$)[^\s/\"'<>@]*$"
)


def rules(text: str) -> tuple[Rule, ...]:
    """Those that may find something in it, or in a part of it."""
    lower = text.lower()
    return tuple(rule for rule in RULES if any(hint in lower for hint in rule[0]))


def redact(text: str, known: Iterable[str] = (), *, unfinished: bool = False, among: tuple[Rule, ...] = RULES) -> str:
    """The text with every secret in it replaced by `[removed]`; what is around stays readable.

    Takes out more rather than less. Applied twice it does no more than once.

    Args:
        known: secrets by their value (`ToolSettings.secrets`), wherever they stand.
        unfinished: the text goes on elsewhere, so that its last word may be the beginning of a secret.
        among: the `rules` of a longer text that this is a part of.
    """
    text = without(text, known)
    if unfinished:
        text = _UNFINISHED.sub(REMOVED, text)
    lower = text.lower()
    for hints, pattern, put in among:
        for hint in hints:  # not `any`: every line comes by here
            if hint in lower:
                text = pattern.sub(put, text)
                break
    return text


def traced(error: BaseException, known: Iterable[str] = ()) -> str:
    """An error with where it came from, for a log."""
    return redact("".join(traceback.format_exception(error)), known)


def without(text: str, known: Iterable[str]) -> str:
    """The text without the secrets that are known by their value; all else stays, so that JSON stays JSON."""
    for secret in sorted((secret for secret in known if len(secret) >= LEAST_LENGTH), key=len, reverse=True):
        text = text.replace(secret, REMOVED)
    return text


def redact_json(value: "JsonValue", known: Iterable[str] = ()) -> "JsonValue":
    """The same for nested data: texts by what they hold, and whatever stands under a key like `api_key`."""
    known = tuple(known)
    match value:
        case str():
            return redact(value, known)
        case list():
            return [redact_json(item, known) for item in value]
        case dict():
            return {
                redact(key, known): REMOVED if item and _KEY.search(key) else redact_json(item, known)
                for key, item in value.items()
            }
        case _:
            return value
