"""Whether the service works, and what it is."""

import asyncio
import importlib.metadata
import logging
import platform
from typing import Literal

from fastapi import APIRouter, Request, Response

from api.deps import ServerDep, SupervisorDep, TunerDep
from api.guard import LOGIN, Keyring
from tuner.errors import StorageError
from tuner.runner.supervisor import SupervisorStatus
from tuner.spec.values import Frozen

log = logging.getLogger(__name__)
router = APIRouter(prefix="/system", tags=["system"])

DATABASE_S = 3.0


class Health(Frozen):
    """Says nothing of what is inside: it is answered without a token."""

    status: Literal["ok", "degraded"]
    database: Literal["ok", "unavailable"]


class ModelInfo(Frozen):
    """Which one answers in the chat."""

    label: str
    offline: bool
    """No language model is configured: a built-in one answers, which knows a small grammar."""


class SettingsInfo(Frozen):
    """Without secrets."""

    home: str
    """The data folder."""
    database: Literal["sqlite", "postgresql"]
    host: str
    port: int
    token_required: bool
    engine_ports: tuple[int, int]
    lease_s: float
    max_body_bytes: int
    max_streams: int


class SystemInfo(Frozen):
    version: str
    python: str
    platform: str
    model: ModelInfo | None
    """None: the service runs without an assistant, or is still loading it."""
    worker: SupervisorStatus | None
    """The service's own; None: it has none."""
    settings: SettingsInfo


class LoginLink(Frozen):
    path: str
    """To be opened once in a browser, below this service's address."""


@router.get(
    "/health", responses={503: {"description": "The database cannot be used.", "model": Health}}, response_model=Health
)
async def get_health(tuner: TunerDep, response: Response) -> Health:
    """Whether the service answers and its database, too. The one address that needs no token."""
    try:
        async with asyncio.timeout(DATABASE_S):
            await tuner.counts()
    except (StorageError, TimeoutError) as error:
        log.warning("unhealthy: %s", error or f"the database did not answer within {DATABASE_S:g} s")
        response.status_code = 503
        return Health(status="degraded", database="unavailable")
    return Health(status="ok", database="ok")


@router.get("/info")
async def get_info(request: Request, tuner: TunerDep, server: ServerDep, supervisor: SupervisorDep) -> SystemInfo:
    """Version, settings without secrets, and which model answers."""
    settings, held = tuner.settings, request.app.state.assistant
    if isinstance(held, asyncio.Future):
        held = held.result() if held.done() and not held.cancelled() and held.exception() is None else None
    return SystemInfo(
        version=importlib.metadata.version("autotuner"),
        python=platform.python_version(),
        platform=platform.platform(),
        model=None if held is None else ModelInfo(label=held.model, offline=held.offline),
        worker=None if supervisor is None else supervisor.status(),
        settings=SettingsInfo(
            home=str(settings.home),
            database="sqlite" if settings.store_url.startswith("sqlite") else "postgresql",
            host=server.host,
            port=server.port,
            token_required=server.require_token,
            engine_ports=(settings.port_low, settings.port_high),
            lease_s=settings.lease_s,
            max_body_bytes=server.max_body_bytes,
            max_streams=server.max_streams,
        ),
    )


@router.post("/login-links", status_code=201)
async def create_login_link(request: Request) -> LoginLink:
    """A link that lets one more browser in, once."""
    keyring: Keyring = request.app.state.keyring
    return LoginLink(path=f"{LOGIN}?key={keyring.key()}")
