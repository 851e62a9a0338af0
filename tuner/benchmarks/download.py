"""Downloads from public addresses only: a task file must not reach into a private network."""

import asyncio
import hashlib
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import BinaryIO

import httpx

from tuner.errors import StorageError, TunerError, UnavailableError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
REDIRECTS = (301, 302, 303, 307, 308)
MAX_REDIRECTS = 5
ADVICE = "download it yourself and give its path"


class RefusedError(TunerError):
    """This URL is not fetched, or what it gives is not taken."""


@dataclass(frozen=True)
class Reach:
    """Which machines may be asked."""

    resolve: Callable[[str, int], Awaitable[list[str]]]
    """Every address of a host."""
    allowed: Callable[[Address], bool]


async def _resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: Address) -> bool:
    """Reachable from anywhere, also where it wraps an IPv4 address: no loopback, private, link-local, metadata, ….

    Rules: IANA's special-purpose registries, as `ipaddress` knows them; IPv4 in IPv6 by RFC 4291, 3056, 4380, 6052.
    """
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in NAT64:
            wrapped.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if any(inner is not None and not is_public(inner) for inner in wrapped):
            return False
        if address.ipv4_mapped is not None:
            return True
    return address.is_global and not address.is_multicast and not address.is_reserved


PUBLIC = Reach(_resolve, is_public)


async def download(url: str, into: BinaryIO, *, max_bytes: int, time_limit_s: float, reach: Reach = PUBLIC) -> str:
    """Fetches a URL into a file and returns the SHA-256 of its content.

    Every host on the way is resolved once, checked, and connected to at that very address, so that a name that
    changes its address in between gains nothing. Proxies are not used: they would resolve the name again.

    Raises:
        RefusedError: the URL, a redirect, or the size of the content is not acceptable.
        UnavailableError: the server cannot be reached, or not in time.
    """
    try:
        async with (
            asyncio.timeout(time_limit_s),
            httpx.AsyncClient(trust_env=False, timeout=30, headers={"Accept-Encoding": "identity"}) as client,
        ):
            return await _follow(client, checked(url), into, max_bytes, reach)
    except TimeoutError as error:
        raise UnavailableError(f"{url} took more than {time_limit_s:g} s; {ADVICE}.") from error
    except httpx.HTTPError as error:
        raise UnavailableError(f"{url} cannot be fetched: {error or repr(error)}; try again, or {ADVICE}.") from error


def checked(url: str) -> httpx.URL:
    """A URL that may be asked for, as far as its text tells.

    Raises:
        RefusedError: it may not.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise RefusedError(f"{url!r} is no URL: {error}") from error
    if parsed.scheme not in ("http", "https"):
        raise RefusedError(f"{url} is not fetched: only http and https are, not {parsed.scheme!r}; or give a path.")
    if parsed.userinfo:
        raise RefusedError(f"A URL with a user or password in it is not fetched ({parsed.host}); {ADVICE}.")
    if not parsed.host:
        raise RefusedError(f"{url} names no host; write http(s)://host/path, or give a path.")
    return parsed


async def _follow(client: httpx.AsyncClient, url: httpx.URL, into: BinaryIO, max_bytes: int, reach: Reach) -> str:
    for _ in range(MAX_REDIRECTS + 1):
        answer = await _get(client, url, reach)
        try:
            if answer.status_code not in REDIRECTS:
                return await _save(answer, url, into, max_bytes)
            url = checked(str(url.join(answer.headers.get("Location", ""))))
        except httpx.InvalidURL as error:
            raise RefusedError(f"{url} redirects to something that is no URL: {error}") from error
        finally:
            await answer.aclose()
    raise RefusedError(f"{url} was not reached: more than {MAX_REDIRECTS} redirects.")


async def _get(client: httpx.AsyncClient, url: httpx.URL, reach: Reach) -> httpx.Response:
    """The beginning of the answer, from the first of the host's addresses that takes the connection."""
    refused: httpx.ConnectError | httpx.ConnectTimeout | None = None
    for address in await _addresses(url, reach):
        request = client.build_request(
            "GET",
            url.copy_with(host=address),
            headers={"Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        try:
            return await client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            refused = error
    assert refused is not None
    raise refused


async def _addresses(url: httpx.URL, reach: Reach) -> list[str]:
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = await reach.resolve(url.host, port)
    except (OSError, UnicodeError) as error:
        raise UnavailableError(f"The host {url.host!r} is not known: {error}; correct it, or {ADVICE}.") from error
    for text in found:
        if not reach.allowed(ipaddress.ip_address(text.partition("%")[0])):
            who = text if text == url.host else f"{url.host} is {text}, which"
            raise RefusedError(f"{url} is not fetched: {who} is not a public address; {ADVICE}.")
    if not found:
        raise UnavailableError(f"The host {url.host!r} has no address.")
    return found


async def _save(answer: httpx.Response, url: httpx.URL, into: BinaryIO, max_bytes: int) -> str:
    if not answer.is_success:
        kind = UnavailableError if answer.is_server_error or answer.status_code == 429 else RefusedError
        raise kind(f"{url} answered {answer.status_code} {answer.reason_phrase}; check it, or {ADVICE}.")
    digest, size = hashlib.sha256(), 0
    async for chunk in answer.aiter_raw():
        size += len(chunk)
        if size > max_bytes:
            raise RefusedError(f"{url} is larger than {max_bytes:,} bytes; take a smaller sample of it.")
        digest.update(chunk)
        try:
            await asyncio.to_thread(into.write, chunk)
        except OSError as error:
            raise StorageError(f"{url} cannot be saved: {error}; make room in the data folder.") from error
    return digest.hexdigest()
