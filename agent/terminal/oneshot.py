"""`autotuner chat --message`: one turn, its answer on standard output, and an exit code."""

import json
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

from agent.approvals.records.audit import AuditQuery
from agent.domain import Approve
from agent.events.types import RunFailed, RunFinished, TextDelta
from agent.service import Assistant
from agent.terminal import approvals
from agent.terminal.screen import render
from agent.terminal.view import AssistantBlock, CallBlock, UserBlock, View

DONE, FAILED, DENIED = 0, 1, 3


@dataclass
class OneShot:
    """Approvals are given all (`approve_all`), or the assistant was opened so that it denies what would ask."""

    assistant: Assistant
    session_id: str
    answers: Console
    rest: Console
    """For what is no answer: calls, approvals, troubles."""
    approve_all: bool
    as_json: bool
    view: View = field(default_factory=View)
    _text: list[str] = field(default_factory=list)

    async def run(self, text: str) -> int:
        """
        Raises:
            InvalidInputError: the text cannot be sent.
            ConflictError: a turn runs in the session, or waits for decisions.
        """
        seen = await self._audited()
        run_id: str | None = await self.assistant.send(self.session_id, text)
        last: RunFinished | RunFailed | None = None
        while run_id is not None:
            last = await self._heard(run_id)
            run_id = await self._approve() if self.approve_all else None
        denied = await self._denied(seen)
        if self.as_json:
            self._print_json(last, denied)
        if not isinstance(last, RunFinished) or last.outcome == "cancelled":
            return FAILED
        return DENIED if denied or last.outcome == "approvals" else DONE

    async def _heard(self, run_id: str) -> RunFinished | RunFailed | None:
        async for event in self.assistant.run_events(run_id):
            if isinstance(event.payload, TextDelta):
                self._text.append(event.payload.text)
            for block in self.view.apply(event):
                if isinstance(block, AssistantBlock) and not self.as_json:
                    render.show(self.answers, block)
                elif not isinstance(block, UserBlock | AssistantBlock):
                    render.show(self.rest, block)
        return self.view.ended.get(run_id)

    async def _approve(self) -> str | None:
        run_id = None
        for approval in await self.assistant.ledger.open_approvals(self.session_id):
            text = approvals.described(approval.tool, approval.args, approval.preview)
            render.print_on(self.rest, render.card(self.rest, f"{approval.tool} runs (--yes)", text))
            decided = {approval.id: Approve(digest=approval.digest)}
            run_id = await self.assistant.decide(self.session_id, decided, who="--yes")
        return run_id

    async def _audited(self) -> int:
        last = 0
        while page := await self.assistant.ledger.audit(AuditQuery(session_id=self.session_id, after=last, limit=1000)):
            last = page[-1].sequence
        return last

    async def _denied(self, after: int) -> list[str]:
        entries = await self.assistant.ledger.audit(AuditQuery(session_id=self.session_id, after=after, limit=1000))
        denied = [one.tool or "" for one in entries if one.action == "denied"]
        for tool in denied:
            how = (
                "the policy denies it" if self.approve_all else "nobody is here to approve it: --yes does, or a policy"
            )
            self.rest.print(Text(f"{tool} did not run: {how}.", style="red"), soft_wrap=True)
        return denied

    def _print_json(self, last: RunFinished | RunFailed | None, denied: list[str]) -> None:
        failed = isinstance(last, RunFailed)
        written = {
            "session_id": self.session_id,
            "model": self.assistant.model,
            "outcome": last.outcome if isinstance(last, RunFinished) else "failed",
            "error": last.message if isinstance(last, RunFailed) else None,
            "answer": "".join(self._text),
            "calls": [_call(call) for call in self.view.calls],
            "denied": denied,
            "tasks": self.view.tasks,
            "input_tokens": self.view.input_tokens,
            "output_tokens": self.view.output_tokens,
        }
        if not failed:
            del written["error"]
        self.answers.print(json.dumps(written, indent=2), markup=False, highlight=False, soft_wrap=True)


def _call(call: CallBlock) -> dict[str, object]:
    return {"tool": call.tool, "args": call.args, "answer": call.answer, "failed": call.failed}
