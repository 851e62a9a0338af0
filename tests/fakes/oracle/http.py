"""As much of HTTP/1.1 as the oracle's own client needs: one request a connection, the answer's body as it comes."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    reader: asyncio.StreamReader

    async def parts(self) -> AsyncIterator[bytes]:
        """Raises:
        ConnectionError, asyncio.IncompleteReadError: the body is cut.
        """
        if self.headers.get("transfer-encoding") != "chunked":
            while part := await self.reader.read(65536):
                yield part
            return
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            yield (await self.reader.readexactly(size + 2))[:-2]

    async def lines(self) -> AsyncIterator[str]:
        rest = b""
        async for part in self.parts():
            *whole, rest = (rest + part).split(b"\n")
            for line in whole:
                yield line.decode().rstrip("\r")

    async def text(self) -> str:
        return b"".join([part async for part in self.parts()]).decode()


@asynccontextmanager
async def post(url: str, body: object) -> AsyncIterator[Answer]:
    """Raises:
    ConnectionError, asyncio.IncompleteReadError: there is no answer.
    """
    address = urlsplit(url)
    data = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        head = f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        yield Answer(int(status.split(" ")[1]), headers, reader)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
