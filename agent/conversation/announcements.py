"""Tells a session, once, that a task which was started in it has ended."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable

import prompts
from agent.storage.sessions import SessionStore
from tools.answers import sentence, slo_line
from tuner.analysis.formatting import described, duration, percent
from tuner.analysis.gains import change
from tuner.analysis.result import Result, Standing
from tuner.analysis.verdict import Outcome
from tuner.errors import ConflictError, NotFoundError, StorageError
from tuner.report.rows import held
from tuner.service import Tuner

log = logging.getLogger(__name__)

LOOK_S = 2.0
"""How often to look for tasks that other processes started, and for sessions that were busy."""
ADVICE = {
    Outcome.NOTHING_COMPLETED: "look at the log of a failed experiment, and remove what makes it fail",
    Outcome.INFEASIBLE: "relax the SLO, lower the load, or vary what the missed bound depends on",
    Outcome.DEFAULTS_BEST: "vary other parameters; these do not help here",
    Outcome.NO_BASELINE: "run it again with the baseline, so that a gain can be shown",
    Outcome.BASELINE_FAILED: "find out from its log why the engine's defaults fail",
    Outcome.UNCONFIRMED: "measure the best and the defaults again (optimization.confirm, by default 8)",
    Outcome.FAILED_AGAIN: "measure again, and leave out configurations near the limit of memory",
    Outcome.SLO_MISSED_AGAIN: "take a configuration with more room below the SLO, or measure longer",
    Outcome.SLO_TOO_CLOSE: "take a configuration with more room below the SLO, or allow more rounds",
    Outcome.NO_DIFFERENCE: "vary other parameters, or measure longer and on a machine with nothing else on it",
    Outcome.OVERLAP: "measure longer (more requests a level) or more often, on a machine with nothing else on it",
    Outcome.WORSE_AGAIN: "keep the engine's defaults, or vary other parameters",
    Outcome.PROVEN: "export the configuration, or search finer around it",
}
UNMEASURED = "mend what the error names, if there is one, and resume the task"


class Announcer:
    """Follows the tasks that sessions have started, and makes the sessions report their ends."""

    def __init__(self, tuner: Tuner, store: SessionStore, report: Callable[[str, str, str], Awaitable[object]]) -> None:
        """
        Args:
            tell: makes a session (by id) report the end of a task (by id), with a note; ConflictError: not now.
        """
        self._tuner, self._store, self._report_to = tuner, store, report
        self._changed = asyncio.Event()
        self._followed: dict[str, asyncio.Task[None]] = {}
        self._ended: set[str] = set()

    def wake(self) -> None:
        """Something may have changed: a task is watched, a session is free."""
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self._changed.clear()
                try:
                    await self._check()
                except StorageError as error:
                    log.warning("The tasks that sessions wait for cannot be read: %s", error)
                try:
                    async with asyncio.timeout(LOOK_S):
                        await self._changed.wait()
                except TimeoutError:
                    continue
        finally:
            followers = list(self._followed.values())
            for follower in followers:
                follower.cancel()
            await asyncio.gather(*followers, return_exceptions=True)

    async def _check(self) -> None:
        watched = await self._store.watched()
        self._ended &= {task_id for _, task_id in watched}
        for session_id, task_id in watched:
            if task_id in self._ended:
                await self._report(session_id, task_id)
            elif task_id not in self._followed:
                follower = asyncio.create_task(self._follow(task_id), name=f"end of task {task_id}")
                self._followed[task_id] = follower

    async def _follow(self, task_id: str) -> None:
        try:
            async for _ in self._tuner.follow(task_id):
                pass
            self._ended.add(task_id)
        except NotFoundError:
            await self._store.unwatch(task_id)
        except StorageError as error:
            log.warning("Task %s cannot be followed, and is looked at again: %s", task_id, error)
        finally:
            del self._followed[task_id]
            self._changed.set()

    async def _report(self, session_id: str, task_id: str) -> None:
        try:
            if not (await self._tuner.task(task_id)).state.ended:
                self._ended.discard(task_id)  # it was resumed
                return
            await self._report_to(session_id, task_id, note(await self._tuner.result(task_id)))
        except ConflictError as error:
            log.debug("The end of task %s is not told now: %s", task_id, error)
        except NotFoundError:
            await self._store.unwatch(task_id)


def note(result: Result) -> str:
    """Tells the model of the end of a task, in the service's own name."""
    return prompts.render(
        "task_ended", task_id=result.task_id, task_name=result.task_name, state=result.state.value, facts=facts(result)
    )


def facts(result: Result) -> str:
    """Best against baseline, SLOs, failures by class, and what to try next, as a list.

    In our own words alone: an engine's, in the service's name, would be obeyed. The tools quote them, marked.
    """
    lines = [f"Verdict: {sentence(result)}"]
    if result.error:
        lines.append("The task itself failed; explain_result quotes its error.")
    if result.simulated and result.experiments:
        lines.append("Measured on the simulated engine: the numbers say nothing about real hardware.")
    lines += [_configuration("Baseline", result, result.baseline)] if result.baseline is not None else []
    best = "Winner" if result.verdict.proven or result.winner == result.baseline else "Best measured, not proven"
    lines += [_configuration(best, result, result.winner)] if result.winner is not None else []
    lines += [_configuration("Nearest to the SLO", result, result.nearest)] if result.nearest is not None else []
    for gain in result.verdict.gains:
        how = "fresh measurements" if gain.fresh else "the search itself, not confirmed"
        counts = f"{len(gain.winner)} against {len(gain.baseline)} from {how}"
        lines.append(f"In {gain.objective.metric.value}: {change(gain)}, {counts}")
    lines += [f"SLO of {slo_line(one)}" for one in result.verdict.slos]
    if result.noise is not None:
        lines.append(f"Noise from run to run: {percent(result.noise)}")
    failed = [one for one in result.experiments if one.failure is not None]
    kinds = Counter(one.failure.kind.value for one in failed if one.failure is not None)
    listed = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    lines.append(
        f"Experiments: {len(result.experiments)}, of them failed: {len(failed)}{f' ({listed})' if failed else ''}"
    )
    if failed and failed[0].failure is not None:
        kind = failed[0].failure.kind.value
        lines.append(f"First failure: experiment {failed[0].number}, {kind}; get_experiment quotes why.")
    lines.append(f"To try next: {ADVICE[result.verdict.outcome] if result.experiments else UNMEASURED}.")
    return "\n".join(f"- {line}" for line in lines)


def _configuration(what: str, result: Result, number: int) -> str:
    standing = result.standing(number)
    pairs = zip(result.objectives, standing.scores, strict=False)
    values = ", ".join(described(objective, score.value) for objective, score in pairs)
    settings = ", ".join(f"{name}={value}" for name, value in standing.params.flat.items()) or "the engine's defaults"
    failure = result.experiment(number).failure
    reason = f"; {standing.reason if failure is None else failure.kind.value}" if standing.reason else ""
    return f"{what}: experiment {number}, {settings}: {values or 'no values'}{_bounds(standing)}{reason}"


def _bounds(standing: Standing) -> str:
    return "".join(
        f"; {bound.name} {duration(bound.actual_s)}, limit {duration(bound.threshold_s)}, {held(bound)}"
        for bound in standing.bounds
    )
