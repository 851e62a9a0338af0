"""Every refusal is problem details, and a failure tells an id and nothing else."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from api.problems import ProblemDetails, of
from tests.fakes.http import HOST
from tuner import errors
from tuner.errors import FailureKind, InvalidSpecError, Problem, TunerError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotFoundError("x"), 404),
        (errors.ConflictError("x"), 409),
        (errors.UnavailableError("x"), 409),
        (errors.LeaseLostError("x"), 409),
        (errors.StorageError("x"), 503),
        (InvalidSpecError([Problem("x")]), 422),
        (TunerError("x"), 422),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_of_the_tuner_is_told_as_it_is(error: TunerError, status: int) -> None:
    answer = of(error)
    problem = ProblemDetails.model_validate_json(bytes(answer.body))
    assert (answer.status_code, problem.status, problem.detail) == (status, status, "x")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert ("Retry-After" in answer.headers) == (status == 503)


@pytest.mark.parametrize(
    "error",
    [errors.InvalidSettingsError("a secret"), errors.DeploymentError(FailureKind.CRASHED, "a secret")],
    ids=lambda value: type(value).__name__,
)
def test_an_error_that_no_request_can_cause_is_a_failure_of_ours(error: TunerError) -> None:
    answer = of(error)
    assert (answer.status_code, b"secret" in answer.body) == (500, False)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nope", 404),
        ("GET", "/api/tasks/", 404),
        ("GET", "/mcpx", 404),
        ("POST", "/nope", 404),
        ("GET", "/api/tasks/nope", 404),
        ("PUT", "/api/tasks", 405),
        ("POST", "/api/hardware", 405),
        ("GET", "/api/tasks?limit=x", 422),
        ("POST", "/api/tasks", 415),
    ],
)
async def test_a_request_that_cannot_be_is_refused_in_the_same_form(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    refused = await client.request(method, path)
    problem = ProblemDetails.model_validate_json(refused.content)
    assert (refused.status_code, problem.status) == (status, status)
    assert problem.detail.endswith(".") or problem.errors
    assert ("Allow" in refused.headers) == (status == 405)


async def test_a_body_that_grows_over_the_limit_while_it_is_read_is_refused(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * 2**20

    refused = await client.post("/api/tasks", content=endless(), headers={"Content-Type": "application/json"})
    assert ProblemDetails.model_validate_json(refused.content).status == 413


async def test_a_bug_is_told_by_an_id_under_which_the_log_has_the_rest(
    app: FastAPI, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/api/bug")
    async def _() -> None:
        raise ZeroDivisionError("a secret")

    answer = await client.get("/api/bug")
    problem = ProblemDetails.model_validate_json(answer.content)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert problem.error_id is not None
    (record,) = [record for record in caplog.records if problem.error_id in record.getMessage()]
    assert "ZeroDivisionError" in record.getMessage()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_request_for_the_assistant_waits_while_it_is_being_opened(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    opening: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    app.state.assistant = opening
    asking = asyncio.create_task(client.get("/api/agent/sessions"))
    info = (await client.get("/api/system/info")).json()
    assert (info["model"], asking.done()) == (None, False)
    opening.set_exception(errors.UnavailableError("The model needs a key; set AUTOTUNER_LLM_API_KEY."))
    refused = await asking
    assert (refused.status_code, "AUTOTUNER_LLM_API_KEY" in refused.text) == (503, True)
    assert (await client.get("/api/system/info")).json()["model"] is None


async def test_without_an_assistant_its_part_of_the_interface_says_so(client: httpx.AsyncClient) -> None:
    refused = await client.get("/api/agent/sessions")
    assert (refused.status_code, "without an assistant" in refused.json()["detail"]) == (503, True)


async def test_every_answer_carries_the_headers_that_keep_a_browser_safe(client: httpx.AsyncClient) -> None:
    for path in ("/api/tasks", "/api/nope", "/", "/docs", "/api/system/health"):
        headers = (await client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "script-src 'self';" in headers["Content-Security-Policy"]
    foreign = await client.get("/", headers={"Host": "evil.example", "Origin": f"http://{HOST}"})
    assert "Content-Security-Policy" in foreign.headers
