"""Who is let in: by name, by page, by kind of body, by token."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from api.guard import Guard, Keyring, hosts
from api.settings import ServerSettings
from tests.fakes.http import HOST, TOKEN, server_settings
from tuner.errors import InvalidSettingsError

BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def welcome(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("welcome")(scope, receive, send)


def guarded(**changes: object) -> tuple[Guard, Keyring]:
    server = server_settings(**changes)
    keyring = Keyring.of(server)
    return Guard(welcome, server, keyring), keyring


async def ask(
    headers: Mapping[str, str] = {},
    *,
    method: str = "GET",
    path: str = "/api/tasks",
    guard: Guard | None = None,
    content: bytes | None = None,
) -> httpx.Response:
    transport = httpx.ASGITransport(guard or guarded()[0])
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
        return await client.request(method, path, headers=httpx.Headers(headers, encoding="latin-1"), content=content)


@pytest.mark.parametrize("host", [HOST, "localhost:8686", "LocalHost:8686", "[::1]:8686"])
async def test_a_request_that_names_this_service_and_knows_the_token_comes_in(host: str) -> None:
    assert (await ask({**BEARER, "Host": host})).text == "welcome"


@pytest.mark.parametrize(
    "host", ["evil.example:8686", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.evil.example:8686", "0x7f.1:8686"]
)
async def test_a_request_that_names_another_host_is_refused_though_it_knows_the_token(host: str) -> None:
    answer = await ask({**BEARER, "Host": host})
    assert answer.status_code == 403
    assert host in answer.json()["detail"]


@pytest.mark.parametrize("named", [[], ["127.0.0.1:8686", "evil.example"], [""]])
async def test_a_request_must_name_exactly_one_host(named: list[str]) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/api/tasks",
        "query_string": b"",
        "headers": [(b"host", name.encode()) for name in named] + [(b"authorization", f"Bearer {TOKEN}".encode())],
    }
    await guarded()[0](scope, receive, send)
    assert sent[0]["status"] == 400


@pytest.mark.parametrize(
    "foreign",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_foreign_page_is_refused_though_the_cookie_came_along(method: str, foreign: Mapping[str, str]) -> None:
    guard, keyring = guarded()
    cookie = {"Cookie": f"autotuner-8686={keyring.cookie}"}
    assert (await ask(cookie, method=method, guard=guard)).text == "welcome"
    assert (await ask({**cookie, **foreign}, method=method, guard=guard)).status_code == 403


@pytest.mark.parametrize("own", [{"Origin": f"http://{HOST}"}, {"Sec-Fetch-Site": "same-origin"}], ids=str)
async def test_the_services_own_page_comes_in(own: Mapping[str, str]) -> None:
    assert (await ask({**BEARER, **own}, method="POST")).text == "welcome"


async def test_a_link_to_the_page_may_stand_anywhere_one_to_its_data_may_not() -> None:
    click = {**BEARER, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert (await ask(click, path="/")).text == "welcome"
    assert (await ask(click, path="/api/tasks")).status_code == 403
    assert (await ask(click, path="/", method="POST")).status_code == 403


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "text/plain;json", ""],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_what_a_form_can_send_is_refused(method: str, kind: str) -> None:
    headers = {**BEARER, **({"Content-Type": kind} if kind else {})}
    assert (await ask(headers, method=method, content=b"{}")).status_code == 415


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/yaml"])
async def test_json_and_yaml_are_taken_and_so_is_no_body(kind: str) -> None:
    assert (await ask({**BEARER, "Content-Type": kind}, method="POST", content=b"{}")).text == "welcome"
    assert (await ask(BEARER, method="POST")).text == "welcome"


async def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    guard, _ = guarded(max_body_bytes=1024)
    json = {**BEARER, "Content-Type": "application/json"}
    assert (await ask(json, method="POST", guard=guard, content=b" " * 1024)).text == "welcome"
    assert (await ask(json, method="POST", guard=guard, content=b" " * 1025)).status_code == 413


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Bearer {TOKEN.upper()}"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer ümläut".encode().decode("latin-1")},
        {"Cookie": f"autotuner-8686={TOKEN}"},
        {"Cookie": f"other={TOKEN}"},
    ],
    ids=str,
)
async def test_without_the_right_token_nothing_is_answered_but_health(given: Mapping[str, str]) -> None:
    for path in ("/api/tasks", "/mcp", "/metrics", "/openapi.json", "/docs", "/", "/api/system/health/"):
        refused = await ask(given, path=path)
        assert (refused.status_code, "Bearer" in refused.headers["WWW-Authenticate"]) == (401, True)
    assert (await ask(given, path="/api/system/health")).text == "welcome"


async def test_a_person_without_the_token_reads_how_to_get_in() -> None:
    answer = await ask({"Accept": "text/html,*/*"}, path="/")
    assert answer.status_code == 401
    assert "login link" in answer.text


async def test_a_login_link_works_once_and_leaves_a_cookie_that_is_not_the_token() -> None:
    guard, keyring = guarded()
    link = f"/login?key={keyring.key()}"
    answer = await ask(path=link, guard=guard)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    said = answer.headers["Set-Cookie"]
    assert TOKEN not in said
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(said.split("; "))
    cookie = {"Cookie": f'half="broken; a={{}}; {said.split(";")[0]}'}
    assert (await ask(cookie, guard=guard)).text == "welcome"
    assert (await ask(path=link, guard=guard)).status_code == 401
    assert (await ask(cookie, path=link, guard=guard)).status_code == 303, "who is in, stays in"


async def test_only_the_newest_login_links_work() -> None:
    guard, keyring = guarded()
    first, *_, last = [keyring.key() for _ in range(17)]
    assert (await ask(path=f"/login?key={first}", guard=guard)).status_code == 401
    assert (await ask(path=f"/login?key={last}", guard=guard)).status_code == 303


async def test_where_no_token_is_asked_for_the_rest_still_holds() -> None:
    guard, _ = guarded(require_token=False)
    assert (await ask(guard=guard)).text == "welcome"
    assert (await ask({"Host": "evil.example"}, guard=guard)).status_code == 403
    assert (await ask({"Sec-Fetch-Site": "cross-site"}, method="POST", guard=guard)).status_code == 403


async def test_a_websocket_is_guarded_too() -> None:
    sent: list[Message] = []
    reached = False

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal reached
        reached = True

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    server = server_settings()
    guard = Guard(app, server, Keyring.of(server))
    scope: dict[str, Any] = {"type": "websocket", "path": "/mcp", "headers": [(b"host", HOST.encode())]}
    await guard(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]
    scope["headers"].append((b"authorization", f"Bearer {TOKEN}".encode()))
    assert not reached
    await guard(scope, receive, send)
    assert reached


def test_every_launch_has_a_token_of_its_own() -> None:
    server = server_settings(token=None)
    assert Keyring.of(server).token != Keyring.of(server).token
    assert len(Keyring.of(server).token) > 40


def test_a_service_for_other_machines_is_called_by_their_names_for_it() -> None:
    server = server_settings(host="0.0.0.0", hosts="Tuner.example, tuner.example:8443")
    known = set(hosts(server))
    assert {"127.0.0.1:8686", "tuner.example", "tuner.example:8686", "tuner.example:8443"} <= known
    assert "evil.example:8686" not in known


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_on_loopback_the_token_can_be_switched_off(host: str) -> None:
    assert not server_settings(host=host, require_token=False).require_token


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "tuner.example", ""])
def test_anywhere_else_it_cannot(host: str) -> None:
    with pytest.raises(InvalidSettingsError, match="without a token"):
        server_settings(host=host, require_token=False)


@pytest.mark.parametrize("token", ["short", "ümlaut" * 5, "with\nnewline in it"])
def test_a_weak_or_odd_token_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(InvalidSettingsError, match="AUTOTUNER_TOKEN") as refused:
        server_settings(token=token)
    assert token not in str(refused.value)


def test_settings_come_from_the_environment_and_a_bad_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOTUNER_HOSTS", "a.example,b.example")
    assert ServerSettings().hosts == ("a.example", "b.example")
    monkeypatch.setenv("AUTOTUNER_PORT", "70000")
    with pytest.raises(InvalidSettingsError, match="AUTOTUNER_PORT is "):
        ServerSettings()
