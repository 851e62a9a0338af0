"""Finding GitHub issues: for the model, and for the draft of a new one."""

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from tools.context import Runtime
from tools.github_api import Purpose, RejectedError, github
from tools.plain import plain
from tools.settings import ToolSettings
from tools.tool import tool
from tuner.spec.values import Frozen

if TYPE_CHECKING:  # see tools.github_api
    from github import Github
    from github.Issue import Issue
    from github.Repository import Repository


class IssueRow(Frozen):
    number: int
    title: str
    state: str
    labels: tuple[str, ...]
    updated_at: datetime
    comments: int
    url: str


class FoundIssues(Frozen):
    repo: str
    total: int
    """In all; the first ones are shown."""
    issues: tuple[IssueRow, ...]


@tool(untrusted=True)
async def search_github_issues(
    runtime: Runtime,
    text: Annotated[str, Field(min_length=1, max_length=200)],
    state: Literal["open", "closed", "all"] = "all",
    limit: Annotated[int, Field(ge=1, le=30)] = 10,
) -> FoundIssues:
    """Searches the issues of the configured GitHub repository by words in title, body and comments.

    Use it before you draft or write an issue, and to find out whether an error is known. Few and telling words find
    most; every word must occur. Free. Returns number, title, state and address of each; get_github_issue reads one.
    """
    return await search(runtime.context.settings, text, state=state, limit=limit)


async def search(settings: ToolSettings, text: str, *, state: str = "all", limit: int = 10) -> FoundIssues:
    """Raises what `github` raises, and RejectedError where the text has no word in it."""
    # Words only: a qualifier (`repo:`, `org:`) would reach whatever else the token can read.
    words = re.sub(r"[^\w.'/-]+", " ", text).strip(" -'./")
    if not words:
        raise RejectedError(f"There is no word to search for in {text!r:.60}; give a few telling ones.")
    of_state = "" if state == "all" else f" state:{state}"

    def find(connection: "Github", _: "Repository") -> FoundIssues:
        found = connection.search_issues(f"{words} repo:{settings.github_repo} is:issue{of_state}")
        return FoundIssues(
            repo=settings.github_repo or "",
            issues=tuple(_row(issue, settings) for issue in found.get_page(0)[:limit]),
            total=found.totalCount,
        )

    return await github(settings, Purpose("search issues"), find)


def _row(issue: "Issue", settings: ToolSettings) -> IssueRow:
    return IssueRow(
        number=issue.number,
        title=plain(issue.title, 200, settings.secrets),
        state=issue.state,
        labels=labels_of(issue),
        updated_at=issue.updated_at,
        comments=issue.comments,
        url=issue.html_url,
    )


def labels_of(issue: "Issue") -> tuple[str, ...]:
    return tuple(plain(label.name, 50) for label in issue.labels)
