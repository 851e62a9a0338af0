"""The built page, and the pages that say how to build it or how to log in."""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

BUILT = Path(__file__).parents[1] / "ui" / "dist"
DATA = ("/api/", "/mcp", "/metrics")

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 12vh auto; max-width: 36rem; padding: 0 1.25rem; }
code { font: .9em ui-monospace, Menlo, Consolas, monospace; }
"""


def small(title: str, body: str) -> str:
    """A page of its own: no script, nothing fetched."""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )


LOCKED = small(
    "Autotuner is locked",
    "<p>Open the login link that <code>autotuner serve</code> printed; it works once. A browser that has used one "
    'comes in <a href="/">here</a>.</p>\n<p>Programs send the token: <code>Authorization: Bearer …</code></p>',
)

NOT_BUILT = small(
    "Autotuner is running",
    "<p>The page has not been built. In the checkout, with Node 20 or newer: <code>make ui</code></p>\n"
    '<p>Meanwhile: <a href="/docs">the HTTP interface</a>, and <code>autotuner chat</code> in a terminal.</p>',
)


class Page:
    """Serves the files of a built page; every other path that a person may open is its `index.html`."""

    def __init__(self, folder: Path = BUILT) -> None:
        self._index = folder / "index.html"
        self._files = StaticFiles(directory=folder, check_dir=False, follow_symlink=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": "nothing is here"})
            return
        await (await self._answer(scope))(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response:
        path = scope["path"]
        if scope["method"] not in ("GET", "HEAD") or path.startswith(DATA):
            raise HTTPException(404)
        if not self._index.is_file():
            if path == "/":
                return HTMLResponse(NOT_BUILT)
            raise HTTPException(404)
        try:
            answer = await self._files.get_response(self._files.get_path(scope), scope)
        except HTTPException:
            if "text/html" not in Request(scope).headers.get("accept", ""):
                raise
            answer = FileResponse(self._index)
        # What a build names by its content never changes; everything else is asked for again.
        unchanging = path.startswith("/assets/") and answer.status_code == 200
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if unchanging else "no-cache"
        return answer
