"""The messages of a conversation as its model sees them, in the graph's checkpoints; every call has its result."""

import secrets
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage, ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Interrupt

from tuner.errors import NotFoundError, StorageError

Graph = CompiledStateGraph[Any, Any, Any, Any]


@dataclass(frozen=True)
class MessageHistory:
    """Every method raises StorageError where the conversations cannot be read or written."""

    graph: Graph
    saver: BaseCheckpointSaver[Any]

    async def messages(self, thread: str) -> list[AnyMessage]:
        async with storage_errors():
            state = await self.graph.aget_state(config(thread))
        return list(state.values.get("messages", ()))

    async def interrupts(self, thread: str) -> Sequence[Interrupt]:
        """What the graph waits for; empty also where other work was cut off in the middle."""
        async with storage_errors():
            state = await self.graph.aget_state(config(thread))
        cut_off = any(not task.interrupts and task.result is None for task in state.tasks)
        return () if cut_off else state.interrupts

    async def complete_calls(
        self, thread: str, answer: Callable[[ToolCall], Awaitable[ToolMessage]]
    ) -> list[ToolMessage]:
        """Answers every call that has no result, after which nothing waits in the graph any more.

        Returns:
            The answers that were put in.
        """
        before = await self.messages(thread)
        added = [await answer(call) for call in unanswered(before)]
        if added:
            everything = [RemoveMessage(REMOVE_ALL_MESSAGES), *ordered([*before, *added])]
            async with storage_errors():
                await self.graph.aupdate_state(config(thread), {"messages": everything}, as_node="tools")
        return added

    async def add_answer(self, thread: str, message_id: str, text: str) -> None:
        """Adds what the model had said when it was cut off, where it is not there yet."""
        if any(one.id == message_id for one in await self.messages(thread)):
            return
        async with storage_errors():
            said = {"messages": [AIMessage(text, id=message_id)]}
            await self.graph.aupdate_state(config(thread), said, as_node="model")

    async def branch(self, thread: str, message_id: str) -> str:
        """A new thread with what came before a user message.

        Raises:
            NotFoundError: the thread has no such message.
        """
        messages = await self.messages(thread)
        place = next((n for n, one in enumerate(messages) if one.id == message_id and is_user_message(one)), None)
        if place is None:
            raise NotFoundError(
                f"There is no user message {message_id!r:.100} in this conversation; it may have been replaced already."
            )
        new = secrets.token_hex(16)
        if place:
            async with storage_errors():
                await self.graph.aupdate_state(config(new), {"messages": messages[:place]}, as_node="model")
        return new

    async def prune(self, thread: str) -> None:
        """Keeps the newest checkpoint only."""
        async with storage_errors():
            await self.saver.aprune([thread])

    async def delete(self, thread: str) -> None:
        async with storage_errors():
            await self.saver.adelete_thread(thread)


def config(thread: str, **configurable: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread, **configurable}}


def is_user_message(message: AnyMessage) -> bool:
    """Whether a person wrote it, not the service in its own name."""
    return isinstance(message, HumanMessage) and "note" not in message.additional_kwargs


def unanswered(messages: Sequence[AnyMessage]) -> list[ToolCall]:
    results = {one.tool_call_id for one in messages if isinstance(one, ToolMessage)}
    return [
        call for one in messages if isinstance(one, AIMessage) for call in one.tool_calls if call["id"] not in results
    ]


def ordered(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The same conversation with every result right behind the message that made the call."""
    results = {one.tool_call_id: one for one in messages if isinstance(one, ToolMessage)}
    made: list[AnyMessage] = []
    for message in messages:
        if not isinstance(message, ToolMessage):
            made.append(message)
        calls = message.tool_calls if isinstance(message, AIMessage) else ()
        made += [results[call_id] for call in calls if (call_id := str(call["id"])) in results]
    return made


@asynccontextmanager
async def storage_errors() -> AsyncIterator[None]:
    """A failure of the database below the graph becomes a StorageError."""
    try:
        yield
    except (sqlite3.Error, psycopg.Error) as error:
        raise StorageError(
            f"The conversations cannot be read or written ({error}). End what holds their database, and try again."
        ) from error
