"""An application over a tuner without processes, and a client that knows its token."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from tests.fakes import rig
from tests.fakes.http import asked, server_settings
from tests.fakes.rig import Tables
from tuner import service
from tuner.service import Tuner
from tuner.settings import Settings


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    monkeypatch.setattr(service, "FOLLOW_S", 0.01)
    monkeypatch.setattr(service, "FOLLOW_AT_MOST_S", 0.02)
    return rig.install(monkeypatch)


@pytest.fixture
async def tuner(tmp_path: Path, tables: Tables) -> AsyncIterator[Tuner]:
    async with Tuner.open(Settings(home=tmp_path / "a home", lease_s=0.3)) as tuner:
        yield tuner


@pytest.fixture
def app(tuner: Tuner) -> FastAPI:
    return create_app(tuner, None, server=server_settings())


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with asked(app) as client:
        yield client
