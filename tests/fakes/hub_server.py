"""A Hugging Face hub on loopback: models with files, gated and private ones, refusals, and files that stop half-way."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any
from urllib.parse import unquote

from tests.fakes.web import Answer, Request, Server, json_answer, serving


@dataclass
class Model:
    files: dict[str, bytes]
    commit: str = "c" * 40
    branches: tuple[str, ...] = ("main",)
    sizes: dict[str, int] = field(default_factory=dict)
    """Sizes that are told instead of the true ones."""
    gated: bool = False
    """Listed for everybody, its files for nobody but who has the token."""
    token: str | None = None
    """Without it there is no such model."""
    more: dict[str, Any] = field(default_factory=dict)

    def info(self, name: str) -> dict[str, Any]:
        siblings = [
            {"rfilename": path, "size": self.sizes.get(path, len(content))} for path, content in self.files.items()
        ]
        gated = "manual" if self.gated else False
        return {"id": name, "sha": self.commit, "siblings": siblings, "gated": gated, "private": False, **self.more}


@dataclass
class Hub:
    models: dict[str, Model]
    refusal: Answer | None = None
    """To everything."""
    half: str | None = None
    """Name of a file of which only half is sent before the server waits."""
    server: Server = field(init=False)

    @property
    def url(self) -> str:
        return self.server.url

    def fetched(self) -> list[str]:
        """Names of the files that were sent, in order."""
        gets = [one.path for one in self.server.asked if one.method == "GET" and "/resolve/" in one.path]
        return [unquote(path.split("/resolve/")[1].split("/", 1)[1]) for path in gets]

    def answer(self, request: Request) -> Answer:
        if self.refusal is not None:
            return self.refusal
        if request.path == "/api/models":
            return self._search(request)
        if request.path.startswith("/api/models/"):
            return self._info(request)
        return self._file(request)

    def _search(self, request: Request) -> Answer:
        text = request.query["search"][0].lower()
        found = [{**model.info(name), **model.more} for name, model in self.models.items() if text in name.lower()]
        return json_answer(found[: int(request.query["limit"][0])])

    def _info(self, request: Request) -> Answer:
        name, _, revision = request.path.removeprefix("/api/models/").partition("/revision/")
        model = self.models.get(name)
        if model is None or (model.token and request.token != model.token):
            return _error(401, "RepoNotFound", "Repository not found")
        if unquote(revision) not in ("", model.commit, *model.branches):
            return _error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return json_answer(model.info(name))

    def _file(self, request: Request) -> Answer:
        name, _, rest = request.path.lstrip("/").partition("/resolve/")
        path = unquote(rest.partition("/")[2])
        model = self.models.get(name)
        if model is None:
            return _error(404, "RepoNotFound", "Repository not found")
        if model.gated and (model.token is None or request.token != model.token):
            return _error(403, "GatedRepo", f"Access to model {name} is restricted")
        if path not in model.files:
            return _error(404, "EntryNotFound", "Entry not found")
        content = model.files[path]
        start = (
            int(request.headers["range"].removeprefix("bytes=").partition("-")[0]) if "range" in request.headers else 0
        )
        headers = {
            "X-Repo-Commit": model.commit,
            "ETag": f'"{sha1(content).hexdigest()}"',
            "Accept-Ranges": "bytes",
            **({"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}),
        }
        pause = len(content) // 2 if path == self.half and not self.server.go_on.is_set() else None
        return Answer(206 if start else 200, content[start:], headers, pause_after=pause)


def _error(status: int, code: str, message: str) -> Answer:
    body = json.dumps({"error": message}).encode()
    return Answer(status, body, {"X-Error-Code": code, "X-Error-Message": message, "Content-Type": "application/json"})


@contextmanager
def hub(**models: Model) -> Iterator[Hub]:
    """Models by name, with `__` for the slash."""
    made = Hub({name.replace("__", "/"): model for name, model in models.items()})
    with serving(made.answer) as server:
        made.server = server
        yield made
