"""Checks every request before anything else sees it: Host, Origin, kind of body, and the token.

A browser lets any page send requests to a local service. So a request must name this service as its host (DNS
rebinding), must not come from another page (`Origin`, `Sec-Fetch-Site`), must not carry what a form can send, and must
show that it knows the token: in `Authorization`, or by a cookie that a one-time link was exchanged for.
"""

import hashlib
import hmac
import secrets
import socket
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import psutil
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api import problems
from api.page import LOCKED
from api.settings import ServerSettings
from tuner.machine.addresses import bracketed

HEALTH, LOGIN = "/api/system/health", "/login"
SAFE = ("GET", "HEAD", "OPTIONS")
BODIES = {
    "application/json", "application/merge-patch+json",
    "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml",
}  # fmt: skip
"""None of them can be sent by a form, or by a script of another page without asking first."""
OUTSTANDING_KEYS = 16
COOKIE_S = 30 * 86_400


@dataclass
class Keyring:
    """The token of a launch, the one-time keys of login links, and the cookie they are exchanged for."""

    token: str
    _keys: deque[str] = field(default_factory=lambda: deque(maxlen=OUTSTANDING_KEYS))

    @classmethod
    def of(cls, server: ServerSettings) -> "Keyring":
        return cls(server.token.get_secret_value() if server.token else secrets.token_urlsafe(32))

    @property
    def cookie(self) -> str:
        """Not the token: another service on this host may see our cookies, and must not learn it."""
        return hmac.new(self.token.encode(), b"autotuner cookie", hashlib.sha256).hexdigest()

    def key(self) -> str:
        """For one login link. Only the newest few count."""
        key = secrets.token_urlsafe(24)
        self._keys.append(key)
        return key

    def spend(self, key: str) -> bool:
        known = next((one for one in self._keys if _same(one, key)), None)
        if known is not None:
            self._keys.remove(known)
        return known is not None

    def knows(self, headers: Headers, cookie_name: str) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if given:
            return scheme.lower() == "bearer" and _same(given.strip(), self.token)
        return _same(_cookie(headers, cookie_name), self.cookie)


class Guard:
    """ASGI middleware that refuses with problem details (a browser's navigation with a page) and closes websockets."""

    def __init__(self, app: ASGIApp, server: ServerSettings, keyring: Keyring) -> None:
        self._app, self._server, self._keyring = app, server, keyring
        self._hosts = frozenset(hosts(server))
        self._origins = frozenset(f"{scheme}://{host}" for scheme in ("http", "https") for host in self._hosts)
        self._cookie_name = f"autotuner-{server.port}"
        """Cookies do not know ports: two services on one host must not overwrite each other's."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asks = scope["type"] in ("http", "websocket")
        refused = self._refusal(scope, Headers(scope=scope)) if asks else None
        if refused is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
        else:
            await refused(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        method = scope["method"] if scope["type"] == "http" else "GET"
        navigation = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
        path: str = scope["path"]
        if (refused := self._stranger(headers, navigation and not path.startswith("/api/"))) is not None:
            return refused
        if method not in SAFE and (refused := self._body(headers)) is not None:
            return refused
        if path == HEALTH and method == "GET":
            return None
        if path == LOGIN and method == "GET":
            return self._log_in(scope, headers)
        if not self._server.require_token or self._keyring.knows(headers, self._cookie_name):
            return None
        if method == "GET" and "text/html" in headers.get("accept", "") and not path.startswith("/api/"):
            return HTMLResponse(LOCKED, 401)
        return problems.response(
            401,
            "This needs the token that `autotuner serve` printed, as `Authorization: Bearer …`; "
            "a browser gets in by the login link printed there.",
            headers={"WWW-Authenticate": 'Bearer realm="autotuner"'},
        )

    def _stranger(self, headers: Headers, page: bool) -> Response | None:
        named = headers.getlist("host")
        if len(named) != 1 or not named[0]:
            return problems.response(400, f"A request must name one Host, not {len(named)}.")
        if named[0].lower() not in self._hosts:
            return problems.response(
                403,
                f"This service is not called {named[0]:.100}; it is {', '.join(sorted(self._hosts)[:6])}. "
                "AUTOTUNER_HOSTS adds names.",
            )
        for origin in headers.getlist("origin"):
            if origin.lower() not in self._origins:
                return problems.response(403, f"Pages of {origin:.100} may not use this service.")
        site = headers.get("sec-fetch-site", "none")
        # A link to our page may stand anywhere: it is shown, but a strict cookie is not sent along.
        if site not in ("same-origin", "none") and not page:
            return problems.response(403, f"Only this service's own page may use it, not one that is {site:.20}.")
        return None

    def _body(self, headers: Headers) -> Response | None:
        """Refuses what a form can send; whoever sends JSON or YAML from a page must ask first, and gets no answer."""
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        length = headers.get("content-length", "0")
        if kind not in BODIES and (kind or length != "0" or "transfer-encoding" in headers):
            said = f"of the kind {kind:.60}" if kind else "without a Content-Type"
            return problems.response(415, f"A body {said} is not taken; send application/json or application/yaml.")
        limit = self._server.max_body_bytes
        if not length.isdigit() or int(length) > limit:
            return problems.response(413, f"A body of {length:.20} bytes is too large; {limit:,} are the limit.")
        return None

    def _log_in(self, scope: Scope, headers: Headers) -> Response:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("key", [""])[0]
        known = self._keyring.knows(headers, self._cookie_name)
        if not known and self._server.require_token and not self._keyring.spend(given):
            return HTMLResponse(LOCKED, 401)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie_name, self._keyring.cookie, COOKIE_S, httponly=True, samesite="strict", path="/")
        return answer


def hosts(server: ServerSettings) -> Iterable[str]:
    """Every value of `Host` that means this service; the port is left out only where it is HTTP's own."""
    names = {"localhost", "127.0.0.1", "[::1]"}
    if not server.loopback:
        names |= {bracketed(server.host.lower()), socket.gethostname().lower(), socket.getfqdn().lower()}
        if server.host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
            names |= {bracketed(address) for address in _addresses()}
    elif server.host != "localhost":
        names.add(bracketed(server.host.lower()))
    for name in sorted(names):
        yield f"{name}:{server.port}"
        if server.port == 80:
            yield name
    for name in server.hosts:
        yield name.lower()
        if urlsplit(f"//{name}").port is None:
            yield f"{name.lower()}:{server.port}"


def _addresses() -> Iterable[str]:
    for found in psutil.net_if_addrs().values():
        for one in found:
            if one.family in (socket.AF_INET, socket.AF_INET6):
                yield one.address.partition("%")[0]


def _cookie(headers: Headers, name: str) -> str:
    return next((jar[name] for line in headers.getlist("cookie") if name in (jar := cookie_parser(line))), "")


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), known.encode("utf-8", "surrogateescape"))
