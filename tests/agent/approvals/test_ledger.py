"""The ledger by itself, on SQLite and PostgreSQL: who may run what, once."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue
from sqlalchemy import update

from agent.approvals.ledger import Ledger
from agent.approvals.policy import PolicyDecision
from agent.approvals.records.audit import AuditQuery
from agent.approvals.records.executions import CallOutcome, Ending
from agent.approvals.sequence import run_once
from agent.domain import Approval, ApprovalState, Approve, Reject
from agent.settings import AgentSettings
from agent.storage.schema import GRANT
from tests.fakes.gated import Toolbox, add_session, delete_session, ledger, let_time_pass
from tools.errors import InvalidArgumentsError
from tuner.errors import ConflictError, NotFoundError, StorageError
from tuner.storage.database import Database

S, OTHER = "a" * 32, "b" * 32
ARGS: dict[str, JsonValue] = {"task": "x", "gpus": 1, "tags": None}


class Books:
    """A ledger with two sessions."""

    def __init__(self, made: Ledger, database: Database) -> None:
        self.ledger, self.database = made, database

    async def propose(self, call_id: str = "c1", **args: JsonValue) -> Approval:
        return await self.ledger.propose(S, "run", call_id, "launch", {**ARGS, **args}, {"plan": 1})

    async def approve(self, call_id: str = "c1", **decision: Any) -> Approval:
        approval = await self.propose(call_id)
        return await self.ledger.decide(S, approval.id, Approve(**decision), "ann")

    async def begin(self, call_id: str = "c1", **args: JsonValue) -> CallOutcome | None:
        return await self.ledger.begin(S, call_id, "launch", {**ARGS, **args})


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Books]:
    async with ledger(url) as (made, database):
        for session_id in (S, OTHER):
            await add_session(database, session_id)
        yield Books(made, database)


@pytest.fixture
async def books(tmp_path: Path) -> AsyncIterator[Books]:
    async with opened(f"sqlite:///{tmp_path / 'agent.db'}") as books:
        yield books


@pytest.fixture
async def each(store_url: str) -> AsyncIterator[Books]:
    """On SQLite and on PostgreSQL: for what locks, orders, or writes odd things."""
    async with opened(store_url) as books:
        yield books


async def won(*attempts: Any) -> list[object]:
    """What came back from those that were not refused."""
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert all(isinstance(one, ConflictError) for one in results if isinstance(one, BaseException))
    return [one for one in results if not isinstance(one, BaseException)]


async def test_a_call_is_proposed_once(each: Books) -> None:
    approvals = await asyncio.gather(*(each.propose() for _ in range(10)))
    assert len({approval.id for approval in approvals}) == 1
    assert await each.ledger.open_approvals(S) == [approvals[0]]


async def test_of_fifty_decisions_one_counts(each: Books) -> None:
    approval = await each.propose()
    decisions = [Approve(args={"task": f"t{n}"}) if n % 2 else Reject(reason=str(n)) for n in range(50)]
    [winner] = await won(*(each.ledger.decide(S, approval.id, one, f"person {n}") for n, one in enumerate(decisions)))
    assert await each.ledger.approval(approval.id) == winner


async def test_of_many_processes_one_may_run_an_approved_call(each: Books, store_url: str) -> None:
    await each.approve()
    async with ledger(store_url) as (second, _), ledger(store_url) as (third, _):
        everybody = (each.ledger, second, third)
        assert await won(*(one.begin(S, "c1", "launch", ARGS) for one in everybody for _ in range(5))) == [None]


@pytest.mark.parametrize(
    "decision", [None, Reject(), Approve(args={"task": "y"})], ids=["open", "rejected", "approved otherwise"]
)
async def test_what_is_not_approved_exactly_so_may_not_run(books: Books, decision: Any) -> None:
    approval = await books.propose()
    if decision is not None:
        await books.ledger.decide(S, approval.id, decision, "ann")
    with pytest.raises(ConflictError, match="did not run"):
        await books.begin()
    assert [entry.action for entry in await books.ledger.audit()][-1] == "refused"


async def test_nothing_runs_that_nobody_was_asked_about(books: Books) -> None:
    await books.approve()
    with pytest.raises(ConflictError, match="Nobody was asked about this call"):
        await books.begin("c2")
    with pytest.raises(ConflictError, match="Nobody was asked about this call"):
        await books.ledger.begin(OTHER, "c1", "launch", ARGS)
    with pytest.raises(ConflictError, match="is not what was approved"):
        await books.ledger.begin(S, "c1", "remove", ARGS)
    with pytest.raises(NotFoundError, match="No session"):
        await books.ledger.begin("c" * 32, "c1", "launch", ARGS)


async def test_a_verdict_lets_only_its_own_call_run(books: Books) -> None:
    await books.ledger.record_policy_decision(S, "c1", "launch", ARGS, PolicyDecision("auto", "allowed"))
    with pytest.raises(ConflictError, match="is not what was judged"):
        await books.begin(gpus=8)
    assert await books.begin() is None
    await books.ledger.record_policy_decision(S, "c2", "launch", ARGS, PolicyDecision("deny", "no."))
    with pytest.raises(ConflictError, match="was denied: no"):
        await books.begin("c2")


async def test_what_ended_is_answered_with_how_it_ended(each: Books) -> None:
    await each.approve()
    await each.begin()
    with pytest.raises(ConflictError, match=r"its outcome is unknown\. It is not run again"):
        await each.begin()
    await each.ledger.end(S, "c1", "done", "fine")
    await each.ledger.end(S, "c1", "failed", "a second end changes nothing")
    assert await each.begin() == CallOutcome("fine", failed=False)
    with pytest.raises(ConflictError, match="is not what was run"):
        await each.begin(gpus=2)


async def test_what_its_caller_forbids_may_not_run_unless_it_did_already(books: Books) -> None:
    await books.approve()
    with pytest.raises(ConflictError, match="not on Fridays"):
        await books.ledger.begin(S, "c1", "launch", ARGS, forbidden="not on Fridays")
    assert await books.begin() is None
    await books.ledger.end(S, "c1", "done", "fine")
    ended = await books.ledger.begin(S, "c1", "launch", ARGS, forbidden="not on Fridays")
    assert ended == CallOutcome("fine", failed=False)


async def test_once_runs_once_and_keeps_the_outcome(books: Books) -> None:
    await books.approve()
    runs: list[int] = []

    async def run() -> CallOutcome:
        runs.append(1)
        return CallOutcome("fine", failed=False)

    for _ in range(2):
        assert await run_once(books.ledger, S, "c1", "launch", ARGS, run) == CallOutcome("fine", failed=False)
    assert runs == [1]


async def test_an_answer_reaches_its_caller_even_if_its_end_cannot_be_recorded(books: Books) -> None:
    class Full(Ledger):
        async def end(self, session_id: str, call_id: str, outcome: Ending, content: str) -> None:
            raise StorageError("The database has no space left on its disk; free some.")

    made = Full(books.database, AgentSettings(), Toolbox())
    await made.record_policy_decision(S, "c1", "launch", ARGS, PolicyDecision("auto", "allowed"))

    async def run() -> CallOutcome:
        return CallOutcome("fine", failed=False)

    assert await run_once(made, S, "c1", "launch", ARGS, run) == CallOutcome("fine", failed=False)
    with pytest.raises(ConflictError, match="its outcome is unknown"):
        await run_once(made, S, "c1", "launch", ARGS, run)


async def test_a_call_does_not_run_while_the_database_is_locked(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'agent.db'}"
    async with ledger(url) as (made, database):
        await add_session(database, S)
        await made.record_policy_decision(S, "c1", "launch", ARGS, PolicyDecision("auto", "allowed"))
    async with ledger(f"{url}?timeout=0.05") as (made, _):
        holder = sqlite3.connect(tmp_path / "agent.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="stays locked"):
            await made.begin(S, "c1", "launch", ARGS)
        holder.close()
        assert await made.begin(S, "c1", "launch", ARGS) is None


async def test_an_edit_to_the_same_arguments_is_an_approval(books: Books) -> None:
    approval = await books.propose()
    decided = await books.ledger.decide(S, approval.id, Approve(args={"task": "x"}, digest=approval.digest), "ann")
    assert (decided.digest, decided.preview, decided.decided_by) == (approval.digest, {"plan": 1}, "ann")
    assert [entry.action for entry in await books.ledger.audit()] == ["proposed", "approved"]


async def test_an_edit_drops_the_plan_that_was_for_other_arguments(books: Books) -> None:
    decided = await books.approve(args={"task": "y"})
    assert (decided.args["task"], decided.preview) == ("y", {})


async def test_a_grant_without_a_pattern_means_exactly_the_call_stars_included(books: Books) -> None:
    await books.ledger.propose(S, "run", "c1", "launch", {**ARGS, "task": "demo-*"}, {})
    [approval] = await books.ledger.open_approvals(S)
    await books.ledger.decide(S, approval.id, Approve(for_session=True), "ann")
    assert (await books.propose("c2", task="demo-1")).state is ApprovalState.OPEN
    same = await books.propose("c3", task="demo-*")
    [grant] = await books.ledger.grants(S)
    assert (same.state, same.decided_by, grant.exact) == (ApprovalState.APPROVED, f"grant {grant.id}", True)


@pytest.mark.parametrize(
    ("tool", "session", "args", "approved"),
    [
        ("launch", S, {"task": "demo-7"}, True),
        ("launch", S, {"task": "demo-7", "gpus": 8}, True),
        ("launch", S, {"task": "demo"}, False),
        ("launch", S, {"task": "my demo-7"}, False),
        ("launch", OTHER, {"task": "demo-7"}, False),
        ("remove", S, {"task": "demo-7"}, False),
    ],
)
async def test_a_grant_means_calls_of_its_tool_and_session_that_match(
    books: Books, tool: str, session: str, args: dict[str, JsonValue], approved: bool
) -> None:
    await books.ledger.propose(S, "run", "c1", "launch", {**ARGS, "task": "demo-1"}, {})
    [first] = await books.ledger.open_approvals(S)
    await books.ledger.decide(S, first.id, Approve(for_session=True, pattern={"task": "demo-*"}), "ann")
    approval = await books.ledger.propose(session, "run", "c2", tool, {**ARGS, **args}, {})
    assert (approval.state is ApprovalState.APPROVED) == approved


@pytest.mark.parametrize("over", ["expired", "revoked", "tainted"])
async def test_a_grant_that_is_over_approves_nothing(books: Books, over: str) -> None:
    await books.approve(for_session=True)
    [grant] = await books.ledger.grants(S)
    match over:
        case "expired":
            async with books.database.writing() as connection:
                await connection.execute(update(GRANT).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
        case "revoked":
            revoked = await books.ledger.revoke(S, grant.id, "bob")
            assert await books.ledger.revoke(S, grant.id, "bob") == revoked
        case "tainted":
            await books.ledger.taint(S)
    assert (await books.propose("c2")).state is ApprovalState.OPEN


async def test_a_grant_that_is_revoked_before_its_call_begins_runs_nothing(books: Books) -> None:
    await books.approve(for_session=True)
    await books.propose("c2")
    [grant] = await books.ledger.grants(S)
    await books.ledger.revoke(S, grant.id)
    with pytest.raises(ConflictError, match="grant that approved this call is no longer in force"):
        await books.begin("c2")
    assert await books.begin("c1") is None


@pytest.mark.parametrize(
    ("pattern", "said"),
    [({"tsk": "*"}, "no such argument; there are task, gpus, tags; did you mean 'task'"), ({"task": "y*"}, "another")],
)
async def test_a_pattern_that_cannot_mean_the_call_is_refused_and_nothing_approved(
    books: Books, pattern: dict[str, JsonValue], said: str
) -> None:
    with pytest.raises(InvalidArgumentsError, match=said):
        await books.approve(for_session=True, pattern=pattern)
    assert [approval.state for approval in await books.ledger.open_approvals(S)] == [ApprovalState.OPEN]


async def test_nothing_is_granted_in_a_tainted_session_but_the_call_can_be_approved_alone(books: Books) -> None:
    await books.ledger.taint(S)
    with pytest.raises(ConflictError, match="Approve this call alone"):
        await books.approve(for_session=True)
    assert await books.ledger.grants(S) == []
    assert (await books.approve()).state is ApprovalState.APPROVED


async def test_a_grant_of_another_session_cannot_be_revoked(each: Books) -> None:
    await each.approve(for_session=True)
    [grant] = await each.ledger.grants(S)
    for session_id, grant_id in ((OTHER, grant.id), (S, "0" * 32), (S, "\0")):
        with pytest.raises(NotFoundError, match="No grant"):
            await each.ledger.revoke(session_id, grant_id)
    assert (await each.ledger.grants(S))[0].revoked_at is None


async def test_approvals_come_in_pages_by_session_and_state(each: Books) -> None:
    made = [await each.propose(f"c{n}") for n in range(5)]
    await each.ledger.decide(S, made[0].id, Reject(), "ann")
    await each.ledger.propose(OTHER, "run", "c0", "launch", ARGS, {})
    page, total = await each.ledger.approvals(session_id=S, state=ApprovalState.OPEN, limit=2, offset=1)
    assert (total, [one.call_id for one in page]) == (4, ["c3", "c2"])
    assert (await each.ledger.approvals())[1] == 6
    assert await each.ledger.approvals(session_id="nobody") == ([], 0)
    assert len(await each.ledger.open_approvals()) == 5


async def test_what_is_over_time_is_closed_by_whoever_looks_first(each: Books) -> None:
    approval = await each.propose()
    await let_time_pass(each.database)
    closed = await asyncio.gather(*(each.ledger.expire() for _ in range(5)))
    assert [one.id for some in closed for one in some] == [approval.id]
    assert (await each.ledger.approval(approval.id)).state is ApprovalState.EXPIRED
    assert [entry.action for entry in await each.ledger.audit()] == ["proposed", "expired"]


async def test_cancelling_closes_what_has_not_begun_and_leaves_the_rest(each: Books) -> None:
    for call_id in ("begun", "given"):
        await each.approve(call_id)
    await each.propose("open")
    await each.begin("begun")
    assert {one.call_id for one in await each.ledger.cancel(S)} == {"given", "open"}
    assert await each.ledger.cancel(S) == []
    with pytest.raises(ConflictError, match="is cancelled, not approved"):
        await each.begin("given")


async def test_the_audit_log_tells_everything_in_order_and_outlives_its_session(each: Books) -> None:
    approval = await each.approve(for_session=True)
    await each.begin()
    await each.ledger.end(S, "c1", "done", "fine")
    await delete_session(each.database, S)
    entries = await each.ledger.audit(AuditQuery(session_id=S))
    assert [entry.action for entry in entries] == ["proposed", "approved", "granted", "started", "finished"]
    assert [entry.who for entry in entries] == [None, "ann", "ann", None, None]
    assert {entry.approval_id for entry in entries[:3]} == {approval.id}
    assert (entries[0].detail["args"], entries[0].detail["digest"]) == (ARGS, approval.digest)
    assert [one.action for one in await each.ledger.audit(AuditQuery(after=entries[1].sequence, limit=2))] == [
        "granted",
        "started",
    ]
    assert await each.ledger.audit(AuditQuery(after=2**80)) == []


async def test_the_audit_log_holds_no_secrets(books: Books) -> None:
    secret = "hf_" + "aB3" * 10
    args: dict[str, JsonValue] = {**ARGS, "task": f"x with hunter2-hunter2 and {secret}", "tags": [f"token={secret}"]}
    await books.ledger.propose(S, "run", "c1", "launch", {**args, "env": {"HF_TOKEN": secret}}, {})
    [approval] = await books.ledger.open_approvals(S)
    await books.ledger.decide(S, approval.id, Reject(reason=f"never with {secret}"), "ann")
    written = str(await books.ledger.audit())
    assert "task" in written
    assert secret not in written
    assert "hunter2" not in written


async def test_text_that_no_database_keeps_does_no_harm(each: Books) -> None:
    odd = "a\0b\ud800"
    approval = await each.ledger.propose(S, "run", "c1", "launch", {**ARGS, "task": odd}, {})
    assert (await each.ledger.decide(S, approval.id, Approve(), odd)).args["task"] == odd
    assert await each.begin(task=odd) is None
    await each.ledger.end(S, "c1", "failed", odd)
    assert await each.begin(task=odd) == CallOutcome("a�b?", failed=True)


async def test_the_end_of_a_call_whose_session_is_gone_is_nobodys_business(each: Books) -> None:
    await each.approve()
    await each.begin()
    await delete_session(each.database, S)
    await each.ledger.end(S, "c1", "done", "fine")
    for forbidden in (each.begin(), each.propose("c2"), each.ledger.cancel(S), each.ledger.tainted(S)):
        with pytest.raises(NotFoundError, match="No session"):
            await forbidden


async def test_an_approval_of_a_tool_that_is_gone_can_still_be_read(books: Books) -> None:
    approval = await books.propose()

    class Fewer(Toolbox):
        def __post_init__(self) -> None:
            super().__post_init__()
            self.TOOLS = {}

    later = Ledger(books.database, AgentSettings(), Fewer())
    assert await later.approval(approval.id) == approval.model_copy(update={"args_schema": {}})
