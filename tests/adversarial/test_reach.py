"""Addresses and paths that reach too far, at every place that takes one."""

import io
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

import tools
from api.app import create_app
from tests.fakes import rig
from tests.fakes.http import free_port, served, server_settings
from tests.fakes.hub_server import Model, hub
from tests.fakes.rig import Tables
from tests.fakes.web import Answer, Request, Server, serving
from tests.fakes.world import World, world
from tools import Context, InvalidArgumentsError
from tools.settings import ToolSettings
from tuner.benchmarks.download import RefusedError, download
from tuner.errors import TunerError

HUB = "hf_PlantedHubToken0123456789"
CANARY = "the file that nobody may read"


@pytest.fixture(autouse=True)
def _tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    return rig.install(monkeypatch)


@pytest.fixture
def inside() -> Iterator[Server]:
    """A service of the private network, which believes whoever reaches it."""
    with serving(lambda _: Answer(200, CANARY.encode())) as server:
        yield server


HOSTS = (
    "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0", "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "127.0.0.1.", "①②⑦.0.0.1",
    "LOCALHOST", "user@127.0.0.1",
)  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
async def test_no_dataset_is_fetched_from_this_machine_however_it_is_written(inside: Server, host: str) -> None:
    with pytest.raises(TunerError):
        await download(f"http://{host}:{inside.server_port}/x", io.BytesIO(), max_bytes=1000, time_limit_s=5)
    assert inside.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://10.0.0.1/", "http://192.168.1.1/",
        "http://172.16.0.1/", "http://100.64.0.1/", "http://224.0.0.1/", "file:///etc/passwd", "ftp://example.org/x",
        "gopher://127.0.0.1/x", "//127.0.0.1/x", "http:///x", "http://0251.0376.0251.0376/",
    ],
)  # fmt: skip
async def test_no_dataset_is_fetched_from_private_or_metadata_addresses(url: str) -> None:
    with pytest.raises(RefusedError):
        await download(url, io.BytesIO(), max_bytes=1000, time_limit_s=5)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("tool", ["hf_model_info", "search_hf_models", "hf_download"])
async def test_a_hub_that_sends_us_elsewhere_gets_the_token_nowhere(
    tmp_path: Path, inside: Server, status: int, tool: str
) -> None:
    def elsewhere(request: Request) -> Answer:
        return Answer(status, headers={"Location": f"http://localhost:{inside.server_port}{request.path}"})

    with serving(elsewhere) as server:
        settings = ToolSettings(_env_file=None, hf_endpoint=server.url, hf_token=SecretStr(HUB))
        async with world(tmp_path) as there:
            args = {"text": "x"} if tool == "search_hf_models" else {"repo": "org/model"}
            with pytest.raises(TunerError) as caught:
                await tools.call(tool, args, Context(there.tuner, settings), call_id="c")
    assert server.asked[0].token == HUB
    assert [request.headers for request in inside.asked if HUB in str(dict(request.headers))] == []
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "folder",
    ["../outside", "a/../../outside", "/tmp/outside", "..", ".", "~/outside", "a\\..\\..\\b", "a\x00b", "link/outside"],
)
async def test_a_download_stays_in_the_folder_of_models(tmp_path: Path, folder: str) -> None:
    home, outside = tmp_path / "home", tmp_path / "elsewhere"
    outside.mkdir()
    with hub(org__model=Model({"config.json": b"{}"})) as served_hub:
        settings = ToolSettings(_env_file=None, hf_endpoint=served_hub.url)
        async with world(home) as there:
            models = there.tuner.settings.models
            models.mkdir(parents=True, exist_ok=True)
            (models / "link").symlink_to(outside)
            args = {"repo": "org/model", "folder": folder}
            with pytest.raises(TunerError):
                await tools.call("hf_download", args, Context(there.tuner, settings), call_id="c")
    assert list(outside.iterdir()) == []
    assert sorted(one.name for one in tmp_path.iterdir()) == ["elsewhere", "home"]


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "..\\evil"])
async def test_names_of_files_in_a_repository_do_not_leave_it(tmp_path: Path, name: str) -> None:
    with hub(org__model=Model({"config.json": b"{}", name: b"evil"})) as served_hub:
        settings = ToolSettings(_env_file=None, hf_endpoint=served_hub.url)
        async with world(tmp_path / "home") as there:
            with suppress(TunerError):
                await tools.call("hf_download", {"repo": "org/model"}, Context(there.tuner, settings), call_id="c")
            models = there.tuner.settings.models
    written = [one for one in tmp_path.rglob("*evil*") if not one.is_relative_to(models / "org" / "model")]
    assert written == []


@pytest.mark.parametrize(
    "repo", ["../../x", "org/../..", "org/model/../../..", "http://127.0.0.1/x", "org/model?x=/", "%2e%2e/x"]
)
async def test_what_is_no_repository_is_not_asked_for(tmp_path: Path, repo: str) -> None:
    with hub() as served_hub:
        settings = ToolSettings(_env_file=None, hf_endpoint=served_hub.url)
        async with world(tmp_path) as there:
            for tool in ("hf_model_info", "hf_download"):
                with pytest.raises(InvalidArgumentsError):
                    await tools.call(tool, {"repo": repo}, Context(there.tuner, settings), call_id="c")
        assert served_hub.server.asked == []


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path / "home") as there:
        yield there


@pytest.fixture
async def http(there: World) -> AsyncIterator[httpx.AsyncClient]:
    held, port = free_port()
    settings = server_settings(port=port)
    headers = {"Authorization": f"Bearer {settings.token.get_secret_value() if settings.token else ''}"}
    async with (
        served(create_app(there.tuner, there.assistant, server=settings), held),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as http,
    ):
        yield http


UP = ("..", "%2e%2e", "..%2f..", "%2e%2e%2f%2e%2e%2f%2e%2e", "....//", "..%5c..", "%252e%252e%252f", "..;", ".%00.")
PLACES = (
    "/api/tasks/{task}/plots/{up}/canary.txt",
    "/api/tasks/{task}/plots/{up}%2fcanary.txt",
    "/api/tasks/{up}/canary.txt",
    "/api/tasks/{up}%2fcanary.txt/logs",
    "/api/tasks/{up}%2fcanary.txt/report",
    "/api/presets/{up}%2fcanary.txt",
    "/api/agent/sessions/{up}%2fcanary.txt/transcript",
    "/assets/{up}/canary.txt",
    "/{up}/canary.txt",
    "/{up}%2fcanary.txt",
)


@pytest.mark.parametrize("up", UP)
async def test_no_path_leads_out_of_what_is_served(
    tmp_path: Path, there: World, http: httpx.AsyncClient, up: str
) -> None:
    ended = await there.finished("words")
    runs = there.tuner.settings.runs(ended.id)
    for folder in (tmp_path, *(one for one in runs.parents if one.is_relative_to(tmp_path)), runs, runs / "0"):
        (folder / "canary.txt").write_text(CANARY)
    for place in PLACES:
        answer = await http.get(
            httpx.URL(str(http.base_url)).copy_with(raw_path=place.format(task=ended.id, up=up).encode())
        )
        assert CANARY not in answer.text, place
        assert answer.status_code < 500, place


async def test_a_log_is_found_by_numbers_alone(there: World, http: httpx.AsyncClient) -> None:
    ended = await there.finished("words")
    for wrong in ("../0", "0/../../x", "-1", "1e9", "0x0"):
        answer = await http.get(f"/api/tasks/{ended.id}/logs", params={"experiment": wrong})
        assert answer.status_code in (404, 422)


async def test_what_is_a_link_out_of_a_task_is_not_followed_as_a_plot(
    tmp_path: Path, there: World, http: httpx.AsyncClient
) -> None:
    ended = await there.finished("words")
    (tmp_path / "canary.svg").write_text(CANARY)
    plots = there.tuner.settings.runs(ended.id) / "plots"
    plots.mkdir(parents=True)
    (plots / "canary.svg").symlink_to(tmp_path / "canary.svg")
    answer = await http.get(f"/api/tasks/{ended.id}/plots/canary.svg")
    assert CANARY not in answer.text


async def test_a_file_of_this_machine_that_is_named_as_a_model_is_not_shown(tmp_path: Path, there: World) -> None:
    secret = tmp_path / "secret"
    secret.write_text(CANARY)
    with pytest.raises(TunerError) as caught:
        await there.tuner.create(rig.spec(task_name="t", model=str(secret)))
    assert CANARY not in str(caught.value)
