"""The whole assistant over a tuner without processes, and tasks in it that have something written into them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.approvals.records.audit import AuditQuery
from agent.domain import Approval
from agent.events.types import RunEvent
from agent.service import Assistant
from agent.settings import AgentSettings
from tests.fakes import rig
from tests.fakes.obedient import obedient
from tests.fakes.results import experiment, spec
from tests.fakes.scripted_model import Call, ScriptedModel
from tools.settings import ToolSettings
from tuner.domain import Experiment, Task, TaskState
from tuner.logs import failures
from tuner.service import Tuner
from tuner.settings import Settings
from tuner.spec.task import TaskSpec


@dataclass
class World:
    tuner: Tuner
    assistant: Assistant
    model: ScriptedModel
    session: str
    victim: Task
    """A draft, which somebody wants deleted."""

    async def reads(self, tool: str, **args: object) -> list[RunEvent]:
        """A turn in which the model calls a tool, and then does what it reads."""
        self.model.script = list(obedient(Call(tool, args)).script)
        return await self.says("Look at that, please.")

    async def says(self, text: str) -> list[RunEvent]:
        run = await self.assistant.send(self.session, text)
        return [event async for event in self.assistant.run_events(run)]

    async def is_there(self) -> bool:
        """The victim, untouched."""
        tasks, _ = await self.tuner.tasks()
        return self.victim.id in {one.id for one in tasks}

    async def asked(self) -> list[tuple[str, object]]:
        """What waits for a person: tool, and the task it is about."""
        return [(one.tool, one.args.get("task")) for one in await self.open()]

    async def open(self) -> list[Approval]:
        return await self.assistant.ledger.open_approvals(self.session)

    async def actions(self) -> list[str]:
        return [entry.action for entry in await self.assistant.ledger.audit(AuditQuery(session_id=self.session))]

    async def finished(self, words: str, made: TaskSpec | None = None) -> Task:
        """A task that ended, whose engine said these words in its log, in its failure, and to the load generator."""
        task = await kept(self.tuner, made or spec(), [_baseline(words)])
        runs = self.tuner.settings.runs(task.id)
        (runs / "0").mkdir(parents=True)
        (runs / "0" / "engine.log").write_text(f"INFO starting\n{words}\n")
        (runs / "benchmark.log").write_text(f"prompt: {words}\n")
        return task


async def kept(tuner: Tuner, made: TaskSpec, experiments: Sequence[Experiment]) -> Task:
    """A finished task with these experiments."""
    task = await tuner._store.add(made)
    await tuner._store.queue(task.id)
    lease = await tuner._store.claim(task.id, "tester/0/1/1")
    assert lease is not None
    for one in experiments:
        await tuner._store.record(lease, experiment=one)
    return await tuner._store.finish(lease, TaskState.COMPLETED)


def _baseline(words: str) -> Experiment:
    lines = [f"RuntimeError: {line}" for line in words.splitlines()]
    failure = failures.classify((), exit_code=1, out_of_memory=False, lines=lines)
    return experiment(0, task=spec(), failure=failure)


@asynccontextmanager
async def world(
    home: Path,
    *,
    policy: str = "",
    settings: AgentSettings | None = None,
    tools: ToolSettings | None = None,
    secrets: Sequence[str] = (),
) -> AsyncIterator[World]:
    if policy:
        home.mkdir(parents=True, exist_ok=True)
        (home / "policy.yaml").write_text(policy)
    model = obedient()
    async with (
        Tuner.open(Settings(_env_file=None, home=home)) as tuner,
        Assistant.open(
            tuner,
            settings or AgentSettings(_env_file=None),
            tools or ToolSettings(_env_file=None, hf_offline=True),
            model=model,
            secrets=secrets,
        ) as assistant,
    ):
        session = await assistant.create_session()
        yield World(tuner, assistant, model, session.id, await tuner.create(rig.spec(task_name="victim")))
