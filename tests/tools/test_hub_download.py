"""hf_download against a hub on loopback: what comes, where to, what stops it, and what it leaves behind."""

import asyncio
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import SecretStr

import tools
from tests.fakes.hub_server import Hub, Model, hub
from tests.fakes.web import json_answer
from tools import Context, ToolSettings, hub_driver, hub_target
from tuner.errors import ConflictError, NotFoundError, StorageError, UnavailableError
from tuner.service import Tuner
from tuner.settings import Settings
from tuner.storage.store import Store

WEIGHTS = b"w" * 300_000
FILES = {"config.json": b'{"architectures": ["Llama"]}', "model.safetensors": WEIGHTS, "original/old.pth": b"o" * 5000}
TOKEN = "hf_" + "Sesame" * 5


@pytest.fixture
def tuner(tmp_path: Path) -> Tuner:
    """Its database is not opened: nothing here asks it."""
    settings = Settings(home=tmp_path / "home")
    settings.home.mkdir()
    return Tuner(settings, Store(settings.store_url))


def context(tuner: Tuner, hub: Hub, **settings: Any) -> Context:
    return Context(tuner, ToolSettings(hf_endpoint=hub.url, **settings))


async def download(context: Context, told: list[Any] | None = None, **args: Any) -> Any:
    tell = told.append if told is not None else None
    return json.loads(
        await tools.call("hf_download", {"repo": "org/model", **args}, context, call_id="c", on_progress=tell)
    )


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if any("hub_driver" in part for part in one.cmdline())]


async def test_the_files_come_into_the_folder_that_a_task_names_like_the_model(tuner: Tuner) -> None:
    told: list[dict[str, Any]] = []
    with hub(org__model=Model(FILES)) as there:
        answer = await download(context(tuner, there), told)
        assert there.server.asked[0].token is None
    folder = tuner.settings.models / "org/model"
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert answer["model"] == "org/model"
    assert answer["commit"] == "c" * 40
    await asyncio.sleep(0)  # progress is told through the loop
    assert told[-1]["done"] == told[-1]["total"] == sum(map(len, FILES.values()))
    assert told[-1]["unit"] == "bytes"
    assert not children()


async def test_patterns_choose_the_files(tuner: Tuner) -> None:
    with hub(org__model=Model(FILES)) as there:
        answer = await download(context(tuner, there), allow=["*.json", "*.pth"], ignore=["original/*"], folder="small")
        assert there.fetched() == ["config.json"]
        with pytest.raises(NotFoundError, match=r"No file of org/model matches.*3 files.*config\.json"):
            await download(context(tuner, there), allow=["*.gguf"])
    assert answer["model"] == "small"


async def test_a_download_that_was_killed_goes_on_with_what_is_missing(tuner: Tuner) -> None:
    with hub(org__model=Model(FILES)) as there:
        there.half = "model.safetensors"
        going = asyncio.create_task(download(context(tuner, there)))
        folder = tuner.settings.models / "org/model"
        await asyncio.to_thread(there.server.paused.wait, 60)
        finished = folder / ".cache/huggingface/download"
        while len(list(finished.rglob("*.metadata"))) < 2:  # written right after the file itself
            await asyncio.sleep(0.01)
        (process,) = children()
        process.send_signal(signal.SIGKILL)
        with pytest.raises(UnavailableError, match=r"ended by itself with code -9.*what is finished is kept"):
            await going
        assert not (folder / "model.safetensors").exists()
        assert not list(folder.rglob("*.incomplete"))
        before = len(there.fetched())
        there.server.go_on.set()
        told: list[dict[str, Any]] = []
        await download(context(tuner, there), told)
        assert there.fetched()[before:] == ["model.safetensors"]
    await asyncio.sleep(0)
    assert told[-1]["done"] == told[-1]["total"]
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS


async def test_cancelled_it_has_stopped_and_swept_its_pieces(tuner: Tuner) -> None:
    with hub(org__model=Model(FILES)) as there:
        there.half = "model.safetensors"
        going = asyncio.create_task(download(context(tuner, there)))
        await asyncio.to_thread(there.server.paused.wait, 60)
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going
    assert not children()
    assert not list(tuner.settings.models.rglob("*.incomplete"))


async def test_two_at_once_into_one_folder_are_refused(tuner: Tuner) -> None:
    with hub(org__model=Model(FILES)) as there:
        there.half = "model.safetensors"
        going = asyncio.create_task(download(context(tuner, there)))
        await asyncio.to_thread(there.server.paused.wait, 60)
        with pytest.raises(ConflictError, match="Another download into"):
            await download(context(tuner, there))
        there.server.go_on.set()
        await going


def test_the_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    with hub(org__model=Model(FILES)) as there:
        there.half = "model.safetensors"
        process = subprocess.Popen(
            [sys.executable, "-I", hub_driver.__file__], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        assert process.stdin is not None
        job = {"endpoint": there.url, "token": None, "repo": "org/model", "revision": "c" * 40, "folder": str(tmp_path)}
        process.stdin.write(json.dumps({**job, "files": [["model.safetensors", len(WEIGHTS)]]}) + "\n")
        process.stdin.flush()
        assert there.server.paused.wait(60)
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(30) == 1


async def test_what_does_not_fit_is_refused_before_anything_is_written(
    tuner: Tuner, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 3 * 2**30))
    with hub(org__model=Model(FILES, sizes={"model.safetensors": 5 * 2**30})) as there:
        here = context(tuner, there)
        with pytest.raises(StorageError, match=r"needs 5\.00 GiB more.*3\.00 GiB free.*AUTOTUNER_HOME"):
            await download(here)
        preview = await tools.preview("hf_download", {"repo": "org/model"}, here)
        assert there.fetched() == []
    assert not tuner.settings.models.exists()
    assert preview["files"] == 3
    assert preview["bytes"] == 5 * 2**30 + len(FILES["config.json"]) + len(FILES["original/old.pth"])
    assert preview["free"] == "3.00 GiB"
    assert str(preview["folder"]).endswith("models/org/model")
    assert "make room" in str(preview["problem"])


async def test_a_disk_that_fills_up_meanwhile_says_so(tuner: Tuner, monkeypatch: pytest.MonkeyPatch) -> None:
    said = json.dumps(
        {"failed": {"kinds": ["OSError"], "status": None, "retry_s": None, "errno": errno.ENOSPC, "text": ""}}
    )
    driver = tuner.settings.home / "driver.py"
    driver.write_text(f"input(); print({said!r})")
    monkeypatch.setattr(hub_driver, "__file__", str(driver))
    with hub(org__model=Model(FILES)) as there, pytest.raises(StorageError, match=r"is full; make room"):
        await download(context(tuner, there))


@pytest.mark.parametrize(
    "folder", ["../out", "/etc/x", "a/../../b", ".hidden", "~/x", "a//b", "a/./b", "a b", "x\\..\\y", "a/b/c/d/e", ""]
)
async def test_names_that_lead_elsewhere_are_no_arguments(tuner: Tuner, folder: str) -> None:
    with hub(org__model=Model(FILES)) as there, pytest.raises(tools.InvalidArgumentsError, match="folder"):
        await download(context(tuner, there), folder=folder)
    assert not tuner.settings.models.exists()


@pytest.mark.parametrize("folder", ["a/../../b", "/etc", "..", "."])
def test_a_target_is_never_outside_of_the_models_whatever_it_is_called(tmp_path: Path, folder: str) -> None:
    with pytest.raises(ConflictError, match="leads out of"):
        hub_target.place(tmp_path / "models", folder)


async def test_links_are_not_followed(tuner: Tuner, tmp_path: Path) -> None:
    models, outside = tuner.settings.models, tmp_path / "outside"
    outside.mkdir()
    models.mkdir()
    (models / "org").symlink_to(outside)
    with hub(org__model=Model(FILES)) as there:
        here = context(tuner, there)
        with pytest.raises(ConflictError, match="is a link"):
            await download(here)
        await download(here, folder="mine", ignore=["original/*"])
        (models / "mine/original").symlink_to(outside)
        with pytest.raises(ConflictError, match="is a link"):
            await download(here, folder="mine")
        (models / "mine/model.safetensors").unlink()
        (models / "mine/model.safetensors").symlink_to(outside / "x")
        with pytest.raises(ConflictError, match="is a link"):
            await download(here, folder="mine", ignore=["original/*"])
    assert not list(outside.iterdir())


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "a\\..\\evil", "a\nb"])
async def test_a_hub_cannot_name_files_out_of_the_folder(tuner: Tuner, name: str) -> None:
    with hub(org__model=Model({**FILES, name: b"x"})) as there:
        with pytest.raises(ConflictError, match="leads out of its folder"):
            await download(context(tuner, there))
        assert there.fetched() == []
    assert not tuner.settings.models.exists()


async def test_a_folder_with_something_else_in_it_is_left_alone(tuner: Tuner) -> None:
    with hub(org__model=Model(FILES), org__other=Model(FILES, commit="d" * 40)) as there:
        here = context(tuner, there)
        (tuner.settings.models / "mine").mkdir(parents=True)
        (tuner.settings.models / "mine/config.json").write_text("{}")
        with pytest.raises(ConflictError, match="was not downloaded like this"):
            await download(here, folder="mine")
        (tuner.settings.models / "file").touch()
        with pytest.raises(ConflictError, match="is a file"):
            await download(here, folder="file")
        with pytest.raises(ConflictError, match="demo model"):
            await download(here, folder="demo")
        await download(here, allow=["config.json"])
        with pytest.raises(ConflictError, match=r"holds org/model at c{40}, not org/other at d{40}"):
            await download(here, repo="org/other", folder="org/model")
        there.models["org/model"].commit = "e" * 40
        with pytest.raises(ConflictError, match=r"files of two would mix"):
            await download(here)


async def test_gated_missing_and_misspelled_models_are_explained(tuner: Tuner) -> None:
    gated, private = Model(FILES, gated=True, token=None), Model(FILES, token=TOKEN)
    with hub(org__gated=gated, org__private=private) as there:
        here = context(tuner, there)
        with pytest.raises(UnavailableError, match=r"org/gated is gated.*/org/gated in a browser.*AUTOTUNER_HF_TOKEN"):
            await download(here, repo="org/gated")
        for repo in ("org/none", "org/private"):
            with pytest.raises(NotFoundError, match=rf"no model '{repo}' on http.*or it is private.*search_hf_models"):
                await download(here, repo=repo)
        with pytest.raises(NotFoundError, match=r"org/private has no revision 'v9'"):
            await download(context(tuner, there, hf_token=SecretStr(TOKEN)), repo="org/private", revision="v9")
        assert there.fetched() == []
    assert not list(tuner.settings.models.iterdir()), "a folder without a model in it would look like one"


async def test_a_token_reaches_the_hub_and_nothing_else(
    tuner: Tuner, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(0)
    monkeypatch.setenv("HF_TOKEN", "hf_" + "Another" * 4)
    told: list[Any] = []
    with hub(org__model=Model(FILES, gated=True, token=TOKEN)) as there:
        here = context(tuner, there, hf_token=SecretStr(TOKEN))
        answer = await download(here, told)
        assert {one.token for one in there.server.asked} == {TOKEN}
        there.refusal = json_answer({"error": f"no such token: {TOKEN}"}, 403)
        with pytest.raises(UnavailableError) as refused:
            await download(here, folder="again")
    printed = capfd.readouterr()
    seen = [str(answer), str(told), str(refused.value), caplog.text, printed.out, printed.err, repr(here.settings)]
    seen += [path.read_text(errors="replace") for path in tuner.settings.home.rglob("*") if path.is_file()]
    assert "403" in str(refused.value)
    assert not [text for text in seen if TOKEN in text]


async def test_offline_nothing_is_asked(tuner: Tuner) -> None:
    with hub(org__model=Model(FILES)) as there:
        here = context(tuner, there, hf_offline=True)
        with pytest.raises(UnavailableError, match=r"Offline mode is on.*HF_HUB_OFFLINE.*hf_cache_scan"):
            await download(here)
        assert "Offline mode" in str((await tools.preview("hf_download", {"repo": "org/model"}, here))["problem"])
        assert there.server.asked == []


async def test_the_environment_of_the_hubs_own_library_turns_offline_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert ToolSettings().hf_offline
    assert ToolSettings().secrets == (TOKEN,)
    monkeypatch.setenv("AUTOTUNER_HF_OFFLINE", "0")
    assert not ToolSettings().hf_offline
    assert os.environ["HF_HUB_OFFLINE"] == "1"
