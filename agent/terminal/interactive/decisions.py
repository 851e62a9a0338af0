"""The question about one privileged call: run it, do not, edit it, allow it for the session."""

from typing import TYPE_CHECKING

from pydantic import JsonValue

from agent.domain import Approval, ApprovalState, Approve, Decision, Reject
from agent.errors import InvalidInputError
from agent.terminal import approvals
from agent.terminal.interactive import slash
from agent.terminal.screen import editor, render
from agent.terminal.screen.wording import as_yaml
from agent.terminal.view import ErrorBlock, NoteBlock
from tuner.errors import ConflictError, NotFoundError, TunerError

if TYPE_CHECKING:
    from agent.terminal.interactive.chat import Chat

WHO = "terminal"
"""In the audit log."""


class ApprovalDialog:
    """Asks a person about one approval, and decides as they say."""

    def __init__(self, chat: "Chat", approval: Approval) -> None:
        self._chat, self._approval = chat, approval
        self._args: dict[str, JsonValue] | None = None
        """As they were edited."""

    async def run(self) -> None:
        """Until it is decided, here or elsewhere."""
        chat, approval = self._chat, self._approval
        chat.deciding = approval.id
        try:
            await self._show(approval.preview)
            while (await chat.assistant.ledger.approval(approval.id)).state is ApprovalState.OPEN:
                try:
                    if (decision := await self._decision()) is not None:
                        decided = {approval.id: decision}
                        chat.awaited = await chat.assistant.decide(chat.session_id, decided, who=WHO)
                except (ConflictError, NotFoundError) as error:  # decided elsewhere, or over
                    await chat.fail(str(error))
                    return
                except TunerError as error:
                    await chat.fail(str(error))
        finally:
            chat.deciding = None

    async def _decision(self) -> Decision | None:
        """None: nothing is decided by what was typed."""
        chat = self._chat
        if chat.approve_all:
            await chat.tell(NoteBlock("Approved by --yes."))
            return self._approve()
        typed = await chat.ask(f"{approvals.QUESTION} {render.PROMPT}", message=False)
        if typed is None or not typed.strip():
            return None
        word, _, rest = typed.strip().partition(" ")
        match word.lower():
            case "y" | "yes" | "approve":
                return self._approve()
            case "n" | "no" | "reject":
                return await self._reject(rest.strip())
            case "e" | "edit":
                await self._edit()
            case "a" | "allow":
                return await self._allow(rest.strip())
            case _ if typed.startswith("/"):
                await slash.run(chat, typed)
            case _:
                await chat.fail(f"{self._approval.tool} waits for a decision, and {typed!r:.60} is none.")
        return None

    def _approve(self) -> Approve:
        return Approve(args=self._args, digest=self._approval.digest)

    async def _reject(self, reason: str) -> Decision | None:
        if not reason and self._chat.script is None:
            why = await self._chat.ask(f"Why not? (Enter: without a reason) {render.PROMPT}", message=False)
            if why is None:
                return None
            reason = why.strip()
        if len(reason) > 2000:
            raise InvalidInputError(f"The reason has {len(reason):,} characters, and 2,000 are the limit. Shorten it.")
        return Reject(reason=reason)

    async def _allow(self, pattern: str) -> Decision | None:
        if not pattern and self._chat.script is None:
            asked = "Which later calls too? YAML such as {task: demo-*}; Enter: exactly these arguments"
            typed = await self._chat.ask(f"{asked} {render.PROMPT}", message=False)
            if typed is None:
                return None
            pattern = typed.strip()
        return self._approve().model_copy(
            update={"for_session": True, "pattern": approvals.read(pattern) if pattern else None}
        )

    async def _edit(self) -> None:
        chat, tool = self._chat, self._approval.tool
        before = self._approval.args if self._args is None else self._args
        text = f"{as_yaml(before)}\n"
        while True:
            edited = await editor.edit(chat.screen, text, chat.editor)
            if edited is None or not edited.strip():
                await chat.tell(NoteBlock("Nothing was changed."))
                return
            try:
                args = await chat.assistant.ledger.toolbox.canonical(tool, approvals.read(edited))
                break
            except TunerError as error:
                await chat.tell(ErrorBlock(str(error)))
            again = await chat.ask(f"Enter: edit it again · n: leave it as it was {render.PROMPT}", message=False)
            if again is None or again.strip():
                return
            text = edited
        if args == before:
            await chat.tell(NoteBlock("Nothing was changed."))
            return
        self._args = args
        await self._show(await chat.assistant.ledger.toolbox.preview(tool, args, chat.context))

    async def _show(self, preview: dict[str, JsonValue]) -> None:
        args = self._approval.args if self._args is None else self._args
        text = approvals.described(self._approval.tool, args, preview)
        title = approvals.title(self._approval) + (" (edited)" if self._args is not None else "")
        await self._chat.screen.show(lambda console: render.print_on(console, render.card(console, title, text)))
