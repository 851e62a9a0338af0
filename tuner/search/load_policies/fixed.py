"""Every requested level, whatever the others gave."""

from collections.abc import Sequence

from tuner.domain import Level, LoadPoint
from tuner.spec.task import TaskSpec


class Fixed:
    """One scenario after the other, in rising concurrency."""

    def next(self, task: TaskSpec, points: Sequence[LoadPoint]) -> Level | None:
        done = {(point.scenario, point.concurrency) for point in points}
        for scenario in task.benchmark.traffic_scenarios:
            for concurrency in sorted(task.benchmark.num_concurrency):
                if (scenario, concurrency) not in done:
                    return Level(scenario, concurrency)
        return None
