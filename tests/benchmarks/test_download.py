import hashlib
import io
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest

from tuner.benchmarks.download import PUBLIC, Reach, RefusedError, download, is_public
from tuner.errors import TunerError, UnavailableError

DATA = b"prompt\nhello\n" * 10_000


async def get(url: str, *, reach: Reach = PUBLIC, max_bytes: int = 10**6, limit_s: float = 30) -> bytes:
    into = io.BytesIO()
    digest = await download(url, into, max_bytes=max_bytes, time_limit_s=limit_s, reach=reach)
    assert digest == hashlib.sha256(into.getvalue()).hexdigest()
    return into.getvalue()


class Web:
    """A server on loopback whose pages are set by the test; counts what it is asked."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, str]] = []

    def url(self, path: str, host: str = "data.example") -> str:
        return f"http://{host}:{self.port}{path}"


@pytest.fixture
def web() -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append((self.headers["Host"], self.path))
            status, headers, content = served.pages.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(BrokenPipeError):  # a reader that refuses leaves
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Web(server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


def knowing(*pairs: tuple[str, str]) -> Reach:
    """A world with these hosts, in which 127.0.0.1 alone is a public address besides the real ones."""
    addresses = dict(pairs)

    async def resolve(host: str, port: int) -> list[str]:
        if host not in addresses:
            raise OSError("Name or service not known")
        return addresses[host].split()

    return Reach(resolve, lambda address: address == ip_address("127.0.0.1") or is_public(address))


HERE = knowing(("data.example", "127.0.0.1"), ("inside.example", "10.0.0.7"), ("two.example", "127.0.0.1 192.168.1.1"))


async def test_a_dataset_comes_from_the_web_by_way_of_redirects(web: Web) -> None:
    web.pages["/data"] = (302, {"Location": "/moved?x=1"}, b"")
    web.pages["/moved?x=1"] = (200, {"Content-Type": "application/gzip"}, DATA)
    assert await get(web.url("/data"), reach=HERE) == DATA
    assert {host for host, _ in web.asked} == {f"data.example:{web.port}"}


async def test_a_host_is_resolved_once_and_asked_at_the_address_that_was_checked(web: Web) -> None:
    web.pages["/data"] = (200, {}, DATA)
    answers = iter(["127.0.0.1", "10.0.0.7"])

    async def changing(host: str, port: int) -> list[str]:
        return [next(answers)]

    assert await get(web.url("/data"), reach=Reach(changing, HERE.allowed)) == DATA
    assert next(answers) == "10.0.0.7"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x", "http://localhost/x", "http://2130706433/x", "http://0x7f.1/x", "http://0/x",
        "http://[::1]/x", "http://[::ffff:127.0.0.1]/x", "http://[64:ff9b::7f00:1]/x", "http://[2002:7f00:1::]/x",
        "http://169.254.169.254/latest/meta-data", "http://[fe80::1]/x", "http://[fd00:ec2::254]/x",
        "http://10.1.2.3/x", "http://172.16.0.1/x", "http://192.168.0.1/x", "http://100.64.0.1/x",
        "http://224.0.0.1/x", "http://[ff02::1]/x", "http://240.0.0.1/x", "http://192.0.2.1/x", "http://[::]/x",
    ],
)  # fmt: skip
async def test_addresses_that_are_not_public_are_refused(url: str) -> None:
    with pytest.raises(RefusedError, match="not a public address"):
        await get(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://data.example/x", "only http and https"),
        ("file:///etc/passwd", "only http and https"),
        ("gopher://data.example/", "only http and https"),
        ("http://user:secret@data.example/x", "with a user or password"),
        ("http://", "names no host"),
        ("http://[::1", "is no URL"),
    ],
)
async def test_urls_of_other_kinds_are_refused_and_secrets_not_repeated(url: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason) as caught:
        await get(url, reach=HERE)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://inside.example/", "inside.example is 10.0.0.7"),
        ("http://169.254.169.254/latest", "not a public address|not known"),
        ("//inside.example/x", "10.0.0.7"),
        ("file:///etc/passwd", "only http and https"),
        ("http://user:secret@data.example/", "with a user or password"),
        ("/again", "more than 5 redirects"),
    ],
)
async def test_every_redirect_is_checked_like_the_first_url(web: Web, location: str, reason: str) -> None:
    web.pages["/data"] = web.pages["/again"] = (302, {"Location": location}, b"")
    reach = knowing(
        ("data.example", "127.0.0.1"), ("inside.example", "10.0.0.7"), ("169.254.169.254", "169.254.169.254")
    )
    with pytest.raises(RefusedError, match=reason):
        await get(web.url("/data"), reach=reach)


async def test_a_host_with_one_private_address_among_others_is_refused_unasked(web: Web) -> None:
    with pytest.raises(RefusedError, match=r"two.example is 192\.168\.1\.1"):
        await get(web.url("/data", "two.example"), reach=HERE)
    assert web.asked == []


@pytest.mark.parametrize(
    ("status", "kind"), [(404, RefusedError), (403, RefusedError), (429, UnavailableError), (503, UnavailableError)]
)  # fmt: skip
async def test_an_error_of_the_server_is_not_taken_for_data(web: Web, status: int, kind: type[TunerError]) -> None:
    web.pages["/data"] = (status, {}, DATA)
    with pytest.raises(kind, match=f"answered {status}"):
        await get(web.url("/data"), reach=HERE)


async def test_more_bytes_than_allowed_are_not_taken_whatever_the_server_announced(web: Web) -> None:
    web.pages["/data"] = (200, {}, b"x" * 200_000)
    with pytest.raises(RefusedError, match="larger than 1,000 bytes"):
        await get(web.url("/data"), max_bytes=1_000, reach=HERE)


async def test_a_server_that_does_not_answer_is_given_up(web: Web) -> None:
    class Slow(dict[str, tuple[int, dict[str, str], bytes]]):
        released = threading.Event()

        def get(self, *_: object) -> tuple[int, dict[str, str], bytes]:
            self.released.wait(30)
            return 500, {}, b""

    web.pages = slow = Slow()
    try:
        with pytest.raises(UnavailableError, match=r"more than 0\.2 s"):
            await get(web.url("/data"), limit_s=0.2, reach=HERE)
    finally:
        slow.released.set()


async def test_a_host_that_nobody_knows_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match=r"nowhere\.example"):
        await get("http://nowhere.example/x", reach=HERE)


async def test_the_next_address_is_asked_where_the_first_takes_no_connection(web: Web) -> None:
    web.pages["/data"] = (200, {}, DATA)
    reach = Reach(knowing(("data.example", "127.0.0.2 127.0.0.1")).resolve, lambda address: True)
    assert await get(web.url("/data"), reach=reach) == DATA
