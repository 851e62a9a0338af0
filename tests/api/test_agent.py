from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes.agent_app import App, agent_app, answer, interrupts, problem, text_of, types
from tests.fakes.scripted_model import Call, Say

PRESET = {"name": "quick", "task": {"parameters": {"max-num-seqs": [4, 16]}}}
SAVE = Say("I keep it.", [Call("save_preset", PRESET)])


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    async with agent_app(tmp_path_factory.mktemp("home"), [], max_steps=7) as app:
        yield app


@pytest_asyncio.fixture(loop_scope="module")
async def app(opened: App) -> AsyncIterator[App]:
    async with opened.afresh() as app:
        yield app


async def test_it_says_who_answers_and_within_which_limits(app: App) -> None:
    info = await app.get("/info")
    assert info["offline"] is False
    assert info["model"] == app.assistant.model
    assert info["max_steps"] == 7


async def test_sessions_are_made_renamed_found_and_deleted(app: App) -> None:
    made = await app.post("/sessions", {"title": "Qwen on one GPU"})
    await app.post("/sessions")
    renamed = await app.http.patch(f"/sessions/{made['id']}", json={"title": "Qwen on two GPUs"})
    assert renamed.json()["title"] == "Qwen on two GPUs"
    found = await app.get("/sessions", text="two gpus")
    assert ([one["id"] for one in found["items"]], found["total"]) == ([made["id"]], 1)
    page = await app.get("/sessions", limit=1, offset=1)
    assert (len(page["items"]), page["total"]) == (1, 3)
    assert (await app.http.delete(f"/sessions/{made['id']}")).status_code == 204
    assert (await app.http.get(f"/sessions/{made['id']}")).status_code == 404


@pytest.mark.parametrize("title", ["", "x" * 201, None])
async def test_a_session_keeps_a_title_that_can_be_shown(app: App, title: str | None) -> None:
    refused = await app.http.patch(f"/sessions/{app.session}", json={"title": title})
    assert refused.status_code == 422


@pytest.mark.parametrize("name", ["0" * 32, "of another form", "x" * 100])
async def test_what_is_not_there_is_not_found(app: App, name: str) -> None:
    session, approval = f"/sessions/{name}", f"/approvals/{name}"
    for method, path, body in (
        ("GET", session, None),
        ("PATCH", session, {"title": "x"}),
        ("DELETE", session, None),
        ("GET", f"{session}/messages", None),
        ("GET", f"{session}/transcript", None),
        ("POST", f"{session}/cancel", None),
        ("POST", f"{session}/messages/m/resend", {"text": "x"}),
        ("POST", f"/sessions/{app.session}/messages/m/resend", {"text": "x"}),
        ("GET", f"{session}/grants", None),
        ("DELETE", f"{session}/grants/g", None),
        ("DELETE", f"/sessions/{app.session}/grants/{name}", None),
        ("GET", approval, None),
        ("POST", f"{approval}/decision", {"kind": "approve"}),
    ):
        status, _ = problem(await app.http.request(method, path, json=body))
        assert (method, path, status) == (method, path, 404)


async def test_a_deleted_session_takes_its_turn_and_its_approvals_along(app: App) -> None:
    app.model.script = [SAVE]
    (asked,) = interrupts(await app.talk())
    assert (await app.http.delete(f"/sessions/{app.session}")).status_code == 204
    answered = await app.http.post(f"/approvals/{asked['id']}/decision", json={"kind": "approve"})
    assert answered.status_code == 404
    app.model.script = [Say("on " * 2000, pause_s=0.01)]
    app.session = (await app.post("/sessions"))["id"]
    async with aclosing(app.stream()) as stream:
        await anext(stream)
        assert (await app.http.delete(f"/sessions/{app.session}")).status_code == 204
        rest = [one async for one in stream]
    assert types(rest)[-1] == "RUN_FINISHED"
    assert (await app.http.get(f"/sessions/{app.session}")).status_code == 404


async def test_a_conversation_is_found_by_what_was_said_in_it(app: App) -> None:
    app.model.script = [Say("The **cheetah** answers.")]
    await app.talk("Which animal is fast?")
    for said in ("which ANIMAL", "cheetah"):
        assert [one["id"] for one in (await app.get("/sessions", text=said))["items"]] == [app.session]
    assert (await app.get("/sessions", text="tortoise"))["total"] == 0


async def test_a_conversation_can_be_taken_away_as_markdown(app: App) -> None:
    app.model.script = [Say("Let me see.", [Call("list_presets", {"limit": 3})]), Say("**Done.**")]
    await app.talk("What is there?")
    exported = await app.http.get(f"/sessions/{app.session}/transcript")
    assert exported.headers["content-type"].startswith("text/markdown")
    assert f"conversation-{app.session}.md" in exported.headers["content-disposition"]
    for part in ("What is there?", "list_presets", "**Done.**"):
        assert part in exported.text


async def test_a_call_is_approved_with_its_digest_and_the_turn_goes_on(app: App) -> None:
    app.model.script = [SAVE, Say("Kept.")]
    await app.talk()
    (waiting,) = (await app.get("/approvals", session_id=app.session, state="open"))["items"]
    assert waiting["args"].items() >= PRESET.items()
    path = f"/approvals/{waiting['id']}/decision"
    stale = await app.http.post(path, json={"kind": "approve", "digest": "0" * 64})
    assert stale.status_code == 409
    decided = await app.post(path, {"kind": "approve", "digest": waiting["digest"]})
    assert (decided["approval"]["state"], decided["approval"]["decided_by"]) == ("approved", "http")
    assert text_of([one async for one in app.read(f"/runs/{decided['run_id']}/events")]) == "Kept."
    assert (await app.http.post(path, json={"kind": "approve"})).status_code == 409
    assert (await app.tuner.preset("quick")).task == PRESET["task"]


async def test_the_turn_goes_on_when_the_last_open_approval_is_decided(app: App) -> None:
    other = Call("save_preset", {**PRESET, "name": "other"})
    app.model.script = [Say("Both.", [*SAVE.calls, other]), Say("Well.")]
    one, two = interrupts(await app.talk())
    first = await app.post(f"/approvals/{one['id']}/decision", {"kind": "reject", "reason": "Too early."})
    assert (first["approval"]["state"], first["run_id"]) == ("rejected", None)
    second = await app.post(f"/approvals/{two['id']}/decision", {"kind": "approve"})
    assert text_of([told async for told in app.read(f"/runs/{second['run_id']}/events")]) == "Well."


@pytest.mark.parametrize(
    "body",
    [None, {}, {"kind": "maybe"}, {"kind": "approve", "args": "x"}, {"kind": "reject", "reason": "x" * 2001}],
)
async def test_what_is_no_decision_decides_nothing(app: App, body: object) -> None:
    app.model.script = [SAVE]
    (asked,) = interrupts(await app.talk())
    assert (await app.http.post(f"/approvals/{asked['id']}/decision", json=body)).status_code == 422
    assert (await app.get(f"/approvals/{asked['id']}"))["state"] == "open"


async def test_what_was_allowed_for_the_session_is_listed_used_and_revoked(app: App) -> None:
    again = Say("Once more.", [Call("save_preset", {**PRESET, "replace": True})])
    app.model.script = [again, Say("Kept."), again, Say("Kept again."), again]
    (asked,) = interrupts(await app.talk())
    await app.talk(resume=[answer(asked, approved=True, forSession=True)])
    (grant,) = await app.get(f"/sessions/{app.session}/grants")
    assert (grant["tool"], grant["revoked_at"]) == ("save_preset", None)
    assert text_of(await app.talk()) == "Once more.Kept again."
    assert (await app.http.delete(f"/sessions/{app.session}/grants/{grant['id']}")).status_code == 204
    assert len(interrupts(await app.talk())) == 1


async def test_a_message_can_be_said_anew(app: App) -> None:
    app.model.script = [Say("One."), Say("Two.")]
    await app.talk("First?")
    asked = (await app.get(f"/sessions/{app.session}/messages"))["messages"][0]
    sent = await app.http.post(f"/sessions/{app.session}/messages/{asked['id']}/resend", json={"text": "Second?"})
    assert sent.status_code == 202
    told = [one async for one in app.read(f"/runs/{sent.json()['run_id']}/events")]
    assert "history_cut" in [one.event["name"] for one in told if one.type == "CUSTOM"]
    held = (await app.get(f"/sessions/{app.session}/messages"))["messages"]
    assert [message["content"] for message in held] == ["Second?", "Two."]


async def test_the_audit_log_says_what_happened_in_order_and_page_by_page(app: App) -> None:
    app.model.script = [SAVE, Say("Kept.")]
    (asked,) = interrupts(await app.talk())
    await app.talk(resume=[answer(asked, approved=True)])
    entries = await app.get("/audit", session_id=app.session)
    assert [entry["action"] for entry in entries] == ["proposed", "approved", "started", "finished"]
    assert [entry["who"] for entry in entries if entry["action"] == "approved"] == ["http"]
    rest = await app.get("/audit", session_id=app.session, after=entries[1]["sequence"], limit=1)
    assert rest == entries[2:3]


async def test_the_audit_log_is_searched_from_its_end(app: App) -> None:
    app.model.script = [SAVE, Say("Kept.")]
    (asked,) = interrupts(await app.talk())
    await app.talk(resume=[answer(asked, approved=True)])

    async def found(**wanted: object) -> list[str]:
        return [entry["action"] for entry in await app.get("/audit", session_id=app.session, **wanted)]

    assert await found(newest_first=True) == ["finished", "started", "approved", "proposed"]
    (last,) = await app.get("/audit", session_id=app.session, newest_first=True, limit=1)
    assert await found(newest_first=True, after=last["sequence"], limit=2) == ["started", "approved"]
    assert await found(action="approved") == ["approved"]
    assert await found(tool="save_preset", action="started") == ["started"]
    assert await found(tool="delete_preset") == []
    assert await found(search="HTTP") == ["approved"], "who decided"
    assert await found(search=" QUICK ", action="proposed") == ["proposed"], "in any case"
    assert await found(search="100%_") == [], "no wildcards"
    refused = await app.http.get("/audit", params={"action": "nope"})
    assert refused.status_code == 422


async def test_a_policy_that_cannot_be_read_says_so_and_asks_for_everything(tmp_path: Path) -> None:
    policy = tmp_path / "rules.yaml"
    policy.write_text("allow:\n  - tool: save_preset\n")
    async with agent_app(tmp_path / "home", [SAVE, Say("Kept."), SAVE], policy=policy) as app:
        told = await app.get("/policy")
        assert [rule["tool"] for rule in told["rules"]["allow"]] == ["save_preset"]
        assert told["problem"] is None
        assert text_of(await app.talk()) == "I keep it.Kept."
        policy.write_text("alow:\n  - tool: save_preset\n")
        assert "alow" in (await app.get("/policy"))["problem"]
        assert len(interrupts(await app.talk())) == 1
