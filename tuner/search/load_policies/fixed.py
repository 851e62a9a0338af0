"""Every requested level, whatever the others gave."""

from collections.abc import Sequence

from tuner.domain import Level, LoadPoint, levels
from tuner.spec.task import TaskSpec


class Fixed:
    """One scenario after the other, with rising load."""

    def next(self, task: TaskSpec, points: Sequence[LoadPoint]) -> Level | None:
        load, done = task.benchmark, {point.level for point in points}
        for scenario in load.traffic_scenarios:
            for level in levels(scenario, load.num_concurrency, load.request_rate):
                if level not in done:
                    return level
        return None
