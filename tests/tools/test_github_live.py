"""The GitHub tools on emulate, a stand-in for GitHub with a memory."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

import tools
from tests.fakes import rig
from tests.fakes.rig import Death, Tables
from tools import Context, ToolSettings
from tuner.errors import NotFoundError, UnavailableError
from tuner.service import Tuner

pytestmark = pytest.mark.node

EMULATE = Path(__file__).parents[1] / "node/node_modules/emulate/dist/index.js"
SEED = """
tokens: {test_token: {login: octocat, scopes: [repo]}}
github:
  users: [{login: octocat}]
  repos: [{owner: octocat, name: engine, auto_init: true}]
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Of a fresh GitHub with one empty repository."""
    node = shutil.which("node")
    if node is None or not EMULATE.is_file():
        pytest.skip("Node or its packages are not here: npm ci in tests/node brings them")
    (tmp_path / "seed.yaml").write_text(SEED)
    for _ in range(5):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        options = ("--service", "github", "--port", str(port), "--base-url", url, "--seed", str(tmp_path / "seed.yaml"))
        process = subprocess.Popen([node, EMULATE, *options], cwd=tmp_path, stdout=subprocess.DEVNULL)
        try:
            if _ready(process, url):
                yield url
                return
        finally:
            process.kill()
            process.wait()
    pytest.fail("emulate did not start: each port it was given was taken meanwhile")


def _ready(process: subprocess.Popen[bytes], url: str) -> bool:
    while process.poll() is None:
        try:
            return httpx.get(f"{url}/repos/octocat/engine", trust_env=False).is_success
        except httpx.TransportError:
            time.sleep(0.02)
    return False


@pytest.fixture
def context(tuner: Tuner, url: str) -> Context:
    settings = ToolSettings(github_url=url, github_repo="octocat/engine", github_token=SecretStr("test_token"))
    return Context(tuner, settings)


async def call(context: Context, name: str, **args: Any) -> Any:
    return json.loads(await tools.call(name, args, context, call_id="c"))


async def test_a_failure_becomes_an_issue_that_the_next_one_like_it_is_linked_to(
    context: Context, tuner: Tuner, tables: Tables
) -> None:
    tables.deployer.starts = (Death(1, "password=sesame\nfake: no memory left\n"),)
    task = await tuner.create(rig.spec(parameters={"speed": [5]}))
    await tuner.start(task.id)
    await tuner.run(task.id)

    first = await call(context, "draft_github_issue", task=task.id, experiment=0)
    assert first["similar"] == []
    made = await call(
        context, "create_github_issue", title=first["title"], body=first["body"], labels=list(first["labels"])
    )
    assert (made["number"], made["labels"]) == (1, ["bug"])

    again = await call(context, "draft_github_issue", task=task.id, experiment=0)
    assert [issue["number"] for issue in again["similar"]] == [1]
    assert f"- #1 {first['title']} (open) {made['url']}" in again["body"]

    await call(context, "comment_github_issue", number=1, body="It happened again.")
    read = await call(context, "get_github_issue", number=1)
    assert read["title"] == first["title"]
    assert "password=[removed]" in read["body"]["text"]
    assert read["comments"]["text"].startswith("octocat, ")
    assert read["comments"]["text"].endswith(":\nIt happened again.")
    assert read["comments_total"] == 1


async def test_a_search_shows_so_many_and_says_how_many_there_are(context: Context) -> None:
    for number in range(4):
        await call(context, "create_github_issue", title=f"Slow start {number}", body="B")
    found = await call(context, "search_github_issues", text="slow start", limit=3)
    assert found["total"] == 4
    assert len(found["issues"]) == 3
    assert (await call(context, "search_github_issues", text="slow start", state="closed"))["issues"] == []
    assert (await call(context, "search_github_issues", text="something else entirely"))["total"] == 0


async def test_what_is_not_there_is_not_found(context: Context, tuner: Tuner) -> None:
    with pytest.raises(NotFoundError, match=r"cannot read issue #9 in octocat/engine \(404: Not Found\)"):
        await call(context, "get_github_issue", number=9)
    with pytest.raises(NotFoundError, match="cannot comment on issue #9"):
        await call(context, "comment_github_issue", number=9, body="B")
    elsewhere = Context(tuner, context.settings.model_copy(update={"github_repo": "octocat/none"}))
    with pytest.raises((NotFoundError, UnavailableError), match="octocat/none"):
        await call(elsewhere, "create_github_issue", title="T", body="B")
