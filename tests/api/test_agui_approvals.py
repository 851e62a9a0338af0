import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.agent_app import App, agent_app, answer, interrupts, problem, text_of
from tests.fakes.scripted_model import Call, Say

PRESET = {"name": "quick", "task": {"parameters": {"max-num-seqs": [4, 16]}}}
SAVE = Say("I keep it.", [Call("save_preset", PRESET)])
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    async with agent_app(tmp_path_factory.mktemp("home"), []) as app:
        yield app


@pytest_asyncio.fixture(loop_scope="module")
async def app(opened: App) -> AsyncIterator[App]:
    async with opened.afresh() as app:
        yield app


async def test_a_privileged_call_ends_the_run_and_shows_itself_exactly(app: App) -> None:
    app.model.script = [SAVE]
    told = await app.talk()
    (asked,) = interrupts(told)
    started = next(one.event for one in told if one.type == "TOOL_CALL_START")
    assert (asked["reason"], asked["toolCallId"]) == ("tool_call", started["toolCallId"])
    assert asked["metadata"]["tool"] == "save_preset"
    assert asked["metadata"]["args"].items() >= PRESET.items()
    assert asked["metadata"]["args"]["replace"] is False
    assert asked["metadata"]["digest"] == (await app.get(f"/approvals/{asked['id']}"))["digest"]
    assert [preset.name for preset in await app.tuner.presets() if not preset.built_in] == []


async def test_an_approved_call_runs_and_the_turn_goes_on(app: App) -> None:
    app.model.script = [SAVE, Say("Kept.")]
    (asked,) = interrupts(await app.talk())
    digest = asked["metadata"]["digest"]
    told = await app.talk(resume=[answer(asked, approved=True, digest=digest)])
    result = next(one.event for one in told if one.type == "TOOL_CALL_RESULT")
    assert result["toolCallId"] == asked["toolCallId"]
    assert text_of(told) == "Kept."
    assert (await app.tuner.preset("quick")).task == PRESET["task"]


async def test_an_edited_call_runs_as_edited(app: App) -> None:
    app.model.script = [SAVE, Say("Kept.")]
    (asked,) = interrupts(await app.talk())
    edited = {**asked["metadata"]["args"], "name": "slow"}
    await app.talk(resume=[answer(asked, approved=True, editedArgs=edited)])
    assert [preset.name for preset in await app.tuner.presets() if not preset.built_in] == ["slow"]


@pytest.mark.parametrize("refusal", [{"approved": False, "reason": "Too early."}, None])
async def test_a_rejected_call_does_not_run_and_the_model_hears_why(app: App, refusal: dict[str, Any] | None) -> None:
    app.model.script = [SAVE, Say("Then not.")]
    (asked,) = interrupts(await app.talk())
    given = answer(asked, **refusal) if refusal else {"interruptId": asked["id"], "status": "cancelled"}
    told = await app.talk(resume=[given])
    result = next(one.event for one in told if one.type == "TOOL_CALL_RESULT")
    assert result["metadata"] == {"failed": True}
    assert ("Too early." if refusal else "Cancelled.") in result["content"]
    assert text_of(told) == "Then not."
    assert [preset.name for preset in await app.tuner.presets() if not preset.built_in] == []


async def test_an_answer_that_is_not_taken_changes_nothing(app: App) -> None:
    app.model.script = [SAVE, Say("Kept.")]
    (asked,) = interrupts(await app.talk())
    refusals: list[tuple[dict[str, Any], int]] = [
        ({"approved": True, "digest": "0" * 64}, 409),
        ({"approved": True, "editedArgs": {"name": "../x", "task": {}}}, 422),
        ({"approved": True, "tool": "delete_preset"}, 422),
    ]
    for payload, status in refusals:
        refused = problem(await app.http.post("/runs", json=app.said(resume=[answer(asked, **payload)])))
        assert refused[0] == status
    assert (await app.get(f"/approvals/{asked['id']}"))["state"] == "open"
    assert text_of(await app.talk(resume=[answer(asked, approved=True)])) == "Kept."


async def test_an_approval_of_another_session_cannot_be_answered(app: App) -> None:
    app.model.script = [SAVE]
    (asked,) = interrupts(await app.talk())
    other = (await app.assistant.create_session()).id
    for status in ("resolved", "cancelled"):
        said = app.said(threadId=other, resume=[answer(asked, status, approved=True)])
        assert problem(await app.http.post("/runs", json=said))[0] == 404
    assert (await app.get(f"/approvals/{asked['id']}"))["state"] == "open"


async def test_every_open_approval_needs_an_answer(app: App) -> None:
    other = Call("save_preset", {**PRESET, "name": "other"})
    app.model.script = [Say("Both.", [*SAVE.calls, other]), Say("Kept.")]
    one, two = interrupts(await app.talk())
    refused = problem(await app.http.post("/runs", json=app.said(resume=[answer(one, approved=True)])))
    assert refused[0] == 409
    assert two["id"] in refused[1]
    told = await app.talk(resume=[answer(one, approved=True), answer(two, approved=False)])
    assert [one.type for one in told].count("TOOL_CALL_RESULT") == 2
    assert [preset.name for preset in await app.tuner.presets() if not preset.built_in] == ["quick"]


async def test_half_of_the_answers_taken_before_is_no_obstacle(app: App) -> None:
    other = Call("save_preset", {**PRESET, "name": "other"})
    app.model.script = [Say("Both.", [*SAVE.calls, other]), Say("Kept.")]
    one, two = interrupts(await app.talk())
    await app.post(f"/approvals/{one['id']}/decision", {"kind": "approve"})
    changed = [answer(one, approved=False), answer(two, approved=True)]
    assert problem(await app.http.post("/runs", json=app.said(resume=changed)))[0] == 409
    both = [answer(one, approved=True), answer(two, approved=True)]
    assert text_of(await app.talk(resume=both)) == "Kept."
    again = problem(await app.http.post("/runs", json=app.said(resume=both)))
    assert (again[0], "decided before" in again[1]) == (409, True)


async def test_an_expired_approval_is_given_up_and_the_conversation_goes_on(tmp_path: Path) -> None:
    async with agent_app(tmp_path, [SAVE, Say("Fine.")], approval_expires_s=0.2) as app:
        (asked,) = interrupts(await app.talk())
        while (await app.get(f"/approvals/{asked['id']}"))["state"] == "open":
            await app.get("/approvals", state="open")
        late = problem(await app.http.post("/runs", json=app.said(resume=[answer(asked, approved=True)])))
        assert late[0] == 409
        told = await app.talk("And now?", resume=[{"interruptId": asked["id"], "status": "cancelled"}])
        assert text_of(told) == "Fine."
        assert [preset.name for preset in await app.tuner.presets() if not preset.built_in] == []


async def test_new_input_waits_for_open_approvals(app: App) -> None:
    app.model.script = [SAVE]
    await app.talk()
    assert problem(await app.http.post("/runs", json=app.said("And now?")))[0] == 409


async def test_fifty_answers_at_once_run_the_call_once(app: App) -> None:
    app.model.script = [SAVE, Say("Kept.")]
    (asked,) = interrupts(await app.talk())
    said = [app.said(resume=[answer(asked, approved=True)]) for _ in range(50)]
    answers = await asyncio.gather(*(app.http.post("/runs", json=one) for one in said))
    assert sorted({one.status_code for one in answers}) == [200, 409]
    assert [one.status_code for one in answers].count(200) == 1
    executed = [entry for entry in await app.get("/audit", session_id=app.session) if entry["action"] == "started"]
    assert len(executed) == 1


async def test_an_approval_is_still_open_after_a_restart_and_its_run_can_be_read(tmp_path: Path) -> None:
    async with agent_app(tmp_path, [SAVE]) as app:
        told = await app.talk()
        (asked,) = interrupts(told)
    async with agent_app(tmp_path, [Say("Kept.")]) as app:
        again = [one async for one in app.read(f"/runs/{told[0].event['runId']}/events")]
        assert interrupts(again) == [asked]
        assert text_of(await app.talk(resume=[answer(asked, approved=True)])) == "Kept."
        assert (await app.tuner.preset("quick")).task == PRESET["task"]
