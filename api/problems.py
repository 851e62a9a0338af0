"""Every refusal as problem details (RFC 9457), and the one table from errors to statuses."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from sse_starlette.sse import SendTimeoutError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.streams import TooManyStreamsError
from tuner import errors
from tuner.errors import TunerError
from tuner.logs.redaction import traced
from tuner.spec.values import Frozen

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_S = "2"
MOST_PLACES = 50

STATUS: Mapping[type[TunerError], int] = {
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.LeaseLostError: 409,
    errors.UnavailableError: 409,
    errors.InvalidSettingsError: 500,
    errors.StorageError: 503,
    errors.ExperimentError: 500,
    # Every other one, those of the packages between us and the tuner included, is about what was given.
    TunerError: 422,
}
"""The nearest ancestor of an error decides."""

TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
"""What RFC 9110 calls them; Python 3.11 has older names."""


class Place(Frozen):
    """One thing that is wrong, and where."""

    where: str = ""
    """Dotted path: `optimization.strategy` of a task, `query.limit` of a request. Empty for the whole."""
    message: str
    line: int | None = None
    """1-based line of the body, where it was sent as text."""


class ProblemDetails(Frozen):
    """Why a request was refused."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = Field(examples=["No task '0123abcd'; autotuner list shows what there is."])
    """A sentence with the value, the limit and the way out."""
    errors: tuple[Place, ...] = ()
    """Where a request is wrong in several places."""
    error_id: str | None = None
    """Under which the service's log has the rest, for a failure of its own."""


class UnsupportedError(TunerError):
    """The body is of a kind that is not read here."""


class NoAssistantError(TunerError):
    """It could not be opened, or was not asked for."""


OWN: Mapping[type[TunerError], int] = {UnsupportedError: 415, TooManyStreamsError: 503, NoAssistantError: 503}


def title(status: int) -> str:
    return TITLES.get(status) or HTTPStatus(status).phrase


def response(
    status: int,
    detail: str,
    *,
    places: Sequence[Place] = (),
    error_id: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    problem = ProblemDetails(title=title(status), status=status, detail=detail, errors=tuple(places), error_id=error_id)
    retry = {"Retry-After": RETRY_S} if status == 503 else {}
    return Response(problem.model_dump_json(), status, {**retry, **(headers or {})}, media_type=MEDIA_TYPE)


def of(error: TunerError) -> Response:
    """What a caller is told of an error."""
    status = next(status for kind in type(error).__mro__ if (status := OWN.get(kind) or STATUS.get(kind)) is not None)
    if status == 500:
        return unexpected(error)
    found: Sequence[errors.Problem] = getattr(error, "problems", ())
    return response(status, str(error), places=[place(one) for one in found])


def place(problem: errors.Problem) -> Place:
    return Place(where=problem.where, message=problem.message, line=problem.line)


def unexpected(error: BaseException) -> Response:
    """A failure of ours: the log has it under an id, the caller only the id."""
    error_id = uuid4().hex[:12]
    log.error("error %s: %s", error_id, traced(error))
    return response(
        500, f"The service failed at this; its log has the reason under the id {error_id}.", error_id=error_id
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: these refusals, as problem details."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {status: {"description": title(status), "content": {MEDIA_TYPE: {"schema": schema}}} for status in statuses}


def install(app: FastAPI) -> None:
    app.add_exception_handler(TunerError, _tuner_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


class Edge:
    """ASGI middleware, the outermost: an unforeseen error becomes a 500 with an id that the log has too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except SendTimeoutError:
            log.info("%s: a reader that took nothing any more was left", scope["path"])
        except Exception as error:
            if scope["type"] != "http":
                raise
            answer = unexpected(error)
            if not started:
                await answer(scope, receive, send)


async def _tuner_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, TunerError)
    return of(error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    details = {
        404: f"There is nothing at {path:.200}; /docs lists what there is.",
        405: f"{request.method:.20} is not possible at {path:.200}; see the header Allow.",
        400: "The body cannot be read; send JSON in UTF-8.",
        413: "The body is larger than this service takes.",
    }
    headers = dict(error.headers or {})
    return response(error.status_code, details.get(error.status_code, str(error.detail)), headers=headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    places = [
        Place(where=".".join(str(part) for part in detail["loc"]), message=detail["msg"].removeprefix("Value error, "))
        for detail in error.errors()[:MOST_PLACES]
    ]
    return response(422, "; ".join(f"{one.where}: {one.message}" for one in places), places=places)
