"""The assistant, as HTTP, the terminal and MCP use it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Self

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage

import prompts
import tools
from agent.approvals.ledger import Ledger
from agent.approvals.mcp_calls import McpCalls
from agent.approvals.middleware import ApprovalMiddleware
from agent.approvals.policy import PolicyFile
from agent.approvals.sequence import ApprovalSequence
from agent.approvals.toolbox import Toolbox
from agent.conversation import inputs
from agent.conversation.graph import build_graph
from agent.conversation.history import MessageHistory
from agent.conversation.runner import TurnRunner
from agent.conversation.turns import CANCELLED, TurnDependencies, complete_calls
from agent.domain import Decision, Grant, Run, RunState, Session
from agent.events import transcript
from agent.events.log import EventLog
from agent.events.stream import EventStream
from agent.events.types import BETWEEN, ApprovalDecided, HistoryCut, Payload, RunEvent, ToolResult, UserMessage
from agent.models import build
from agent.settings import AgentSettings
from agent.storage import migrations
from agent.storage.checkpoints import open_saver
from agent.storage.sessions import SessionStore
from tools.context import Context
from tools.settings import ToolSettings
from tuner.engines import ENGINES
from tuner.errors import ConflictError
from tuner.runner.supervisor import Supervisor
from tuner.service import Tuner
from tuner.storage.database import Database, whole


class Assistant:
    """Opened by `Assistant.open`. Sessions, runs and approvals that are not there are a NotFoundError; every method
    raises StorageError where the database cannot be used.
    """

    def __init__(
        self, deps: TurnDependencies, policies: PolicyFile, context: Context, model: str, offline: bool
    ) -> None:
        self.model, self.offline = model, offline
        """`model`: which one answers: `offline`, or its provider's name for it."""
        self.ledger, self.policies, self.settings = deps.ledger, policies, deps.settings
        self._deps = deps
        self._runner = TurnRunner(deps, context, model)
        self.mcp_calls = McpCalls(deps.ledger, deps.store, policies, context, deps.stream.append)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        tuner: Tuner,
        settings: AgentSettings,
        tool_settings: ToolSettings,
        *,
        supervisor: Supervisor | None = None,
        model: BaseChatModel | None = None,
        interactive: bool = True,
        toolbox: Toolbox = tools,
        secrets: Sequence[str] = (),
    ) -> AsyncIterator[Self]:
        """Turns that were cut off by the end of their process are ended; approvals that wait, wait on.

        Args:
            model: None: the one that the settings name.
            interactive: somebody can approve. If not, what would ask is denied.
            secrets: of the caller, by their value: no model and no reader sees them, as those of the settings.

        Raises:
            StorageError: the database cannot be used.
            InvalidSettingsError: the settings of the model do not fit together.
        """
        other: BaseChatModel | None = None
        if offline := model is None and settings.llm_model is None:
            model = build.build(settings)
        elif model is None:
            # In a thread: loading a provider's library takes half a second.
            model = await asyncio.to_thread(build.build, settings)
            other = build.fallback(settings)
        database = Database(tuner.settings.store_url, migrations)
        async with AsyncExitStack() as stack:
            await database.open()
            stack.push_async_callback(database.close)
            saver = await stack.enter_async_context(open_saver(tuner.settings.store_url))
            known = (*secrets, *tool_settings.secrets, *settings.secrets, *tuner.settings.secrets)
            ledger = Ledger(database, settings, toolbox, secrets=known)
            policies = PolicyFile.from_settings(settings, tuner.settings.home, toolbox)
            middleware = ApprovalMiddleware(ApprovalSequence(ledger, policies, interactive=interactive))
            prompt = prompts.render("system", engines=", ".join(ENGINES))
            graph = build_graph(model, list(toolbox.TOOLS.values()), prompt, middleware, settings, saver, other)
            stream, history = EventStream(EventLog(database)), MessageHistory(graph, saver)
            deps = TurnDependencies(SessionStore(database), ledger, stream, history, settings)
            context = Context(tuner, tool_settings, supervisor=supervisor)
            assistant = cls(deps, policies, context, build.label(settings), offline)
            await stack.enter_async_context(assistant._runner.opened())
            yield assistant

    # Sessions

    async def sessions(self, *, text: str | None = None, limit: int = 50, offset: int = 0) -> tuple[list[Session], int]:
        """A page, the last used first, and how many there are in all.

        Args:
            text: a part of the title, or of what anybody said, in any case.
        """
        return await self._deps.store.sessions(text=text, limit=limit, offset=offset)

    async def create_session(self, title: str | None = None) -> Session:
        return await self._deps.store.add_session(inputs.title(title) if title is not None else None)

    async def session(self, session_id: str) -> Session:
        return await self._deps.store.session(session_id)

    async def rename(self, session_id: str, title: str) -> Session:
        await self.session(session_id)
        return await self._deps.store.rename(session_id, inputs.title(title))

    @whole
    async def delete_session(self, session_id: str) -> None:
        """Its turn and its approvals are cancelled first; tasks that it started go on."""
        async with self._runner.lock(session_id):
            await self.session(session_id)
            thread = await self._deps.store.thread(session_id)
            await self._runner.stop(session_id)
            await self.ledger.cancel(session_id)
            await self._deps.store.delete(session_id)
            await self._deps.history.delete(thread)
            self._deps.stream.close_readers(session_id)

    async def transcript(self, session_id: str) -> str:
        """The whole conversation as Markdown."""
        session = await self.session(session_id)
        return transcript.markdown(session, [event async for event in self.events(session_id, follow=False)])

    # Turns

    async def send(self, session_id: str, text: str, *, run_id: str | None = None) -> str:
        """Begins a turn, which goes on whether or not somebody reads it. Returns the id of its run.

        Raises:
            ConflictError: a turn runs in the session, approvals are open, or the id is taken.
            InvalidInputError: the text is empty, too long or binary.
        """
        message = HumanMessage(inputs.message(text), id=inputs.message_id())
        async with self._runner.lock(session_id):
            await self._runner.check_free(session_id)
            first: list[Payload] = [UserMessage(message_id=str(message.id), text=text)]
            return await self._runner.begin(session_id, run_id, "message", message, first, title=inputs.headline(text))

    @whole
    async def resend(self, session_id: str, message_id: str, text: str, *, run_id: str | None = None) -> str:
        """Goes on from an earlier user message, written anew or the same again; what came after it is forgotten.

        Raises:
            ConflictError, InvalidInputError: as for `send`.
            NotFoundError: also where the message is none of the session's.
        """
        message = HumanMessage(inputs.message(text), id=inputs.message_id())
        store, history = self._deps.store, self._deps.history
        async with self._runner.lock(session_id):
            await self.session(session_id)
            await self._runner.check_free(session_id)
            old = await store.thread(session_id)
            new = await history.branch(old, message_id)
            written = UserMessage(message_id=str(message.id), text=text)
            first: list[Payload] = [HistoryCut(message_id=message_id), written]
            begun = await self._runner.begin(session_id, run_id, "message", message, first, thread=new)
            await history.delete(old)
            return begun

    @whole
    async def decide(
        self, session_id: str, decisions: Mapping[str, Decision], *, who: str, run_id: str | None = None
    ) -> str | None:
        """Decides on approvals, by their ids. With the last open one of the session, the turn goes on.

        Returns:
            The id of the new run; None while others are open, and where no turn waits: programs make a call again.

        Raises:
            ConflictError: the turn still runs, or an approval is decided, expired, or another than was shown. Those
                before it are decided.
            InvalidArgumentsError: of edited arguments.
        """
        async with self._runner.lock(session_id):
            session = await self.session(session_id)
            if session.running is not None:
                raise ConflictError("The turn still runs; decide when it waits for that, or cancel it.")
            decided = []
            try:
                for approval_id, decision in decisions.items():
                    decided.append(await self.ledger.decide(session_id, approval_id, decision, who))
            finally:
                payloads = [ApprovalDecided(approval=one) for one in decided]
                await self._deps.stream.append(session_id, BETWEEN, payloads)
            if not decided or await self.ledger.open_approvals(session_id):
                return None
            thread = await self._deps.store.thread(session_id)
            if any(one.run_id == BETWEEN for one in decided) and not await self._deps.history.interrupts(thread):
                return None
            return await self._runner.begin(session_id, run_id, "decisions", None, [])

    async def cancel(self, session_id: str) -> None:
        """Ends the turn, and closes the approvals that it waits for. Comes back when that is done."""
        deps = self._deps
        async with self._runner.lock(session_id):
            await self.session(session_id)
            await self._runner.stop(session_id)
            closed = await self.ledger.cancel(session_id)
            if closed:
                results = await complete_calls(deps, session_id, await deps.store.thread(session_id), CANCELLED)
                payloads: list[Payload] = [
                    ToolResult(call_id=one.tool_call_id, tool=one.name or "", content=one.text, failed=True)
                    for one in results
                ]
                payloads += [ApprovalDecided(approval=one) for one in closed]
                await deps.stream.append(session_id, BETWEEN, payloads)
        self._runner.announcer.wake()

    async def run(self, run_id: str) -> Run:
        return await self._deps.store.run(run_id)

    # Reading

    async def events(self, session_id: str, *, after: int = 0, follow: bool = True) -> AsyncGenerator[RunEvent, None]:
        """Beyond `after`, in order, none lost, none twice: from the log, then as they come, from whatever process.

        Args:
            follow: go on until the session is deleted; else end with the log.
        """
        await self.session(session_id)
        async with aclosing(self._deps.stream.follow(session_id, max(after, 0), go_on=follow)) as found:
            async for event in found:
                yield event

    async def run_events(self, run_id: str, *, after: int = 0) -> AsyncGenerator[RunEvent, None]:
        """The events of one run, until its last."""
        here = self._runner.turn(run_id)
        if here is not None:
            session_id, first = here.run.session_id, here.first
        else:
            run = await self.run(run_id)
            session_id, (first, last) = run.session_id, await self._deps.stream.log.span(run_id)
            if run.state is not RunState.RUNNING and after >= last:
                return
        async with aclosing(self._deps.stream.follow(session_id, max(after, first - 1))) as found:
            async for event in found:
                if event.run_id == run_id:
                    yield event
                    if event.ends_run:
                        return

    # Approvals

    async def grants(self, session_id: str) -> list[Grant]:
        await self.session(session_id)
        return await self.ledger.grants(session_id)
