"""GitHub's way of saying no: a REST API on loopback that answers every request as it is told to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.fakes.web import Answer, Request, Server, json_answer, serving

ISSUE: dict[str, Any] = {
    "number": 7,
    "title": "Out of memory with tp 2",
    "state": "open",
    "body": "It dies.",
    "user": {"login": "octocat"},
    "labels": [{"name": "bug"}],
    "created_at": "2026-01-02T03:04:05Z",
    "updated_at": "2026-01-02T03:04:05Z",
    "comments": 0,
    "url": "/repos/octocat/engine/issues/7",
    "html_url": "https://github.example/octocat/engine/issues/7",
}


def refusal(status: int, message: str, errors: list[Any] | None = None, **headers: str) -> Answer:
    return json_answer({"message": message, **({"errors": errors} if errors else {})}, status, **headers)


def found(*issues: dict[str, Any]) -> Answer:
    return json_answer({"total_count": len(issues), "incomplete_results": False, "items": list(issues)})


@contextmanager
def github_answering(answer: Answer) -> Iterator[Server]:
    def same(_: Request) -> Answer:
        return answer

    with serving(same) as server:
        yield server
