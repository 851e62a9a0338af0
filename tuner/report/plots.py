"""Pictures of a result: load curves, search history, effects of parameters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, ScalarFormatter

from tuner.analysis.effects import Effect
from tuner.analysis.formatting import NAMES, number, statistic
from tuner.analysis.result import Result
from tuner.analysis.score import front, rank
from tuner.domain import Experiment, Role
from tuner.report import rows, svg
from tuner.report.svg import BAD, BASE, BEST, INK, OTHER
from tuner.spec.objectives import Metric, Objective, Statistic

TITLE_WIDTH = 84
"""Characters that titles of panels have side by side."""
MOST_PANELS = 3
"""Scenarios and parameters beyond this are left out of a picture; the tables have them."""
CURVES = 4
"""Configurations drawn against concurrency, besides the baseline."""
MOST_CURVES = 150
"""The best ones; more would be a grey blot."""


@dataclass(frozen=True)
class Plot:
    name: str
    """For addresses and files: `throughput-against-latency`."""
    title: str
    caption: str
    draw: Callable[[Figure], None]

    @property
    def svg(self) -> str:
        """Drawn anew each time, which takes a part of a second."""
        return svg.picture(self.title, self.draw)


def plots(result: Result) -> list[Plot]:
    """What there is to draw: nothing for a task in which nothing was measured."""
    if not any(standing.place is not None for standing in result.standings):
        return []
    metric, which = _latency(result)
    drawn = [
        _plot(
            "Throughput against latency",
            "Every load level of every configuration; up and left is better. The dashed line joins the levels that no "
            f"other beats. Latency is the {statistic(metric, which)}.",
            result,
            _load_curves,
        ),
        _plot(
            f"Objective against {_load(result)}",
            f"The baseline and the {CURVES} best configurations, one line each. Bars reach from the lowest to the "
            "highest of all measurements of a configuration.",
            result,
            _by_load,
            name="objective-against-concurrency",
        ),
        _plot(
            "Search history",
            "Each experiment in the order it was measured, and the best so far; crosses failed or miss a hard SLO. "
            "Bars are 95 % intervals of fresh measurements.",
            result,
            _progress,
            name="course-of-the-search",  # as addresses have it since before the title
        ),
    ]
    if len(result.objectives) > 1:
        drawn.insert(0, _plot("Objectives against each other", "The line is the Pareto front.", result, _pareto))
    if any(gain.low is not None for one in result.standings for gain in one.against_baseline):
        drawn.insert(
            0,
            _plot(
                "Measured again, against the baseline",
                "How much better each configuration of the race is than the engine's defaults, with its 95 % interval; "
                "where that holds 0, no difference is shown.",
                result,
                _race,
            ),
        )
    if any(_drawable(effect) for effect in result.effects):
        drawn.append(
            _plot(
                "Effect of each parameter",
                "Median score of the configurations with a value, against the best one (100 %).",
                result,
                _effects,
            )
        )
    return drawn


def _plot(
    title: str, caption: str, result: Result, draw: Callable[[Figure, Result], None], name: str | None = None
) -> Plot:
    """Named by its title where no name is given."""
    return Plot(name or svg.slug(title), title, caption, lambda figure: draw(figure, result))


def _latency(result: Result) -> tuple[Metric, Statistic]:
    """What stands on the latency axis: what the tightest SLO bounds, else what is minimized, else the mean latency."""
    standing = next((s for s in result.standings if s.number in (result.winner, result.nearest)), None)
    for slo in result.slos:
        if standing is None or slo.name == standing.binding:
            return slo.metric, slo.statistic
    times = [one for one in result.objectives if not one.metric.is_rate]
    return (times[0].metric, times[0].statistic) if times else (Metric.E2E, "mean")


def _load_curves(figure: Figure, result: Result) -> None:
    metric, which = _latency(result)
    scenarios = result.spec.benchmark.traffic_scenarios[:MOST_PANELS]
    for scenario, axes in zip(scenarios, _panels(figure, len(scenarios)), strict=True):
        cloud: list[tuple[float, float]] = []
        for one in _drawn_last_is_best(result)[-MOST_CURVES:]:
            levels = [point for point in one.points if point.valid and point.scenario == scenario]
            pairs = [(point.at(metric, which, one.gpus), point.output_tokens_per_s) for point in levels]
            line = [(_scaled(metric, x), y) for x, y in pairs if x is not None]
            cloud += line
            _line(axes, line, _colour(result, one), _label(result, one), faint=_colour(result, one) == OTHER)
        best = _upper_left(cloud)
        axes.plot([x for x, _ in best], [y for _, y in best], color=INK, linestyle=(0, (4, 3)), linewidth=1)
        for slo in result.slos:
            if (slo.metric, slo.statistic) == (metric, which):
                axes.axvline(_scaled(metric, slo.threshold), color=BAD, linewidth=1, label="SLO")
        _finish(axes, _axis(metric, which), NAMES[Metric.OUTPUT_RATE], scenario if len(scenarios) > 1 else "")
        if cloud and max(x for x, _ in cloud) > 20 * max(1e-9, min(x for x, _ in cloud)):
            _logarithmic(axes)


def _by_load(figure: Figure, result: Result) -> None:
    objective = result.objectives[0]
    scenarios = result.spec.benchmark.traffic_scenarios[:MOST_PANELS]
    chosen = {s.number for s in result.standings if s.place is not None and s.place <= CURVES} | {result.baseline}
    for scenario, axes in zip(scenarios, _panels(figure, len(scenarios)), strict=True):
        for one in (one for one in _drawn_last_is_best(result) if one.number in chosen):
            levels = sorted((p for p in one.points if p.valid and p.scenario == scenario), key=lambda p: p.level.load)
            pairs = [(p.level.load, p.at(objective.metric, objective.statistic, one.gpus)) for p in levels]
            line = [(x, _scaled(objective.metric, y)) for x, y in pairs if y is not None]
            colour = _colour(result, one)
            _line(axes, line, colour, f"#{one.number}" if colour == OTHER else _label(result, one), faint=False)
            axes.vlines(
                *zip(*_ranges(result, one, objective, scenario), strict=True), color=colour, linewidth=3, alpha=0.4
            )
        asked = sorted(result.spec.benchmark.num_concurrency or result.spec.benchmark.request_rate or (0,))
        if asked[0] and asked[-1] > 4 * asked[0]:
            axes.set_xscale("log", base=2)
        axes.set_xticks(asked, [f"{one:g}" for one in asked])
        axes.xaxis.set_minor_formatter(NullFormatter())
        _finish(axes, _load(result), _aim_axis(objective), scenario if len(scenarios) > 1 else "")
        axes.set_ylim(bottom=0)


def _load(result: Result) -> str:
    """What rises from level to level."""
    return "concurrency" if result.spec.benchmark.num_concurrency else "requests/s that come"


def _progress(figure: Figure, result: Result) -> None:
    axes, objective = _panels(figure, 1)[0], result.objectives[0]
    searched = [one for one in result.experiments if one.role is not Role.CONFIRMATION]
    judged = [one for one in searched if one.scores]
    value = {one.number: _scaled(objective.metric, one.scores[0].value) for one in judged}
    groups = [
        ("o", OTHER, 5, [one for one in judged if one.feasible]),
        ("x", BAD, 5, [one for one in judged if not one.feasible]),
        ("o", BASE, 7, [one for one in judged if one.number == result.baseline]),
        ("o", BEST, 7, [one for one in judged if one.number == result.winner]),
    ]
    for mark, colour, size, members in groups:
        height = [value[one.number] for one in members]
        axes.plot([one.number for one in members], height, mark, color=colour, markersize=size)
    for standing in result.standings:
        if standing.again and standing.again[0].low is not None and standing.again[0].high is not None:
            low, high = (_scaled(objective.metric, end) for end in (standing.again[0].low, standing.again[0].high))
            axes.vlines(standing.number, low, high, _colour(result, result.experiment(standing.number)), linewidth=1.5)
    failed = [one.number for one in searched if not one.scores]
    axes.plot(failed, [0] * len(failed), "x", color=BAD, clip_on=False)
    steps: list[Experiment] = []
    for one in judged:
        if one.feasible and (not steps or rank(one, result.objectives) < rank(steps[-1], result.objectives)):
            steps.append(one)
    if steps:
        ends = [*(one.number for one in steps), searched[-1].number]
        axes.step(ends, [value[one.number] for one in [*steps, steps[-1]]], where="post", color=INK, linewidth=1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _finish(axes, "experiment", _aim_axis(objective), "")
    axes.set_ylim(bottom=0)


def _race(figure: Figure, result: Result) -> None:
    raced = [one for one in result.standings if any(gain.low is not None for gain in one.against_baseline)]
    for index, axes in enumerate(_panels(figure, len(result.objectives))):
        for place, one in enumerate(raced):
            gain = one.against_baseline[index]
            if gain.gain is None or gain.low is None or gain.high is None:
                continue
            colour = BEST if gain.shown else BAD if gain.high < 0 else OTHER
            axes.hlines(place, 100 * gain.low, 100 * gain.high, color=colour, linewidth=2.5)
            axes.plot(100 * gain.gain, place, "o", color=colour)
        axes.axvline(0, color=BASE, linewidth=1)
        axes.set_yticks(range(len(raced)), [f"#{one.number}" for one in raced])
        axes.set_ylim(len(raced) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        objective = result.objectives[index]
        _finish(axes, "% better than the baseline", "", statistic(objective.metric, objective.statistic), legend=False)


def _ranges(result: Result, one: Experiment, objective: Objective, scenario: str) -> list[tuple[float, float, float]]:
    """(load, lowest, highest) over all measurements of a configuration."""
    same = [one, *(other for other in result.experiments if other.confirms == one.number)]
    values: dict[float, list[float]] = {}
    for point in (p for other in same for p in other.points if p.valid and p.scenario == scenario):
        if (value := point.at(objective.metric, objective.statistic, one.gpus)) is not None:
            values.setdefault(point.level.load, []).append(_scaled(objective.metric, value))
    return [(load, min(found), max(found)) for load, found in values.items()]


def _pareto(figure: Figure, result: Result) -> None:
    axes, (first, second) = _panels(figure, 1)[0], result.objectives[:2]
    judged = _drawn_last_is_best(result)
    for one in judged:
        x, y = (_scaled(o.metric, s.value) for o, s in zip((first, second), one.scores[:2], strict=True))
        colour = _colour(result, one) if one.feasible else BAD
        axes.plot(x, y, "o" if one.feasible else "x", color=colour, label=_label(result, one))
    members = front(judged, result.objectives)
    if len(result.objectives) == 2:
        line = sorted(
            (_scaled(first.metric, o.scores[0].value), _scaled(second.metric, o.scores[1].value)) for o in members
        )
        axes.plot([x for x, _ in line], [y for _, y in line], color=INK, linewidth=1, zorder=0)
    _finish(axes, _aim_axis(first), _aim_axis(second), "")


def _effects(figure: Figure, result: Result) -> None:
    shown = [effect for effect in result.effects if _drawable(effect)][:MOST_PANELS]
    for effect, axes in zip(shown, _panels(figure, len(shown)), strict=True):
        values = [value for value in effect.values if value.relative is not None]
        parts = [100 * value.relative for value in values if value.relative is not None]
        names = [rows.text(value.value) for value in values]
        axes.barh(names, parts, color=[BEST if part == max(parts) else OTHER for part in parts], height=0.6)
        axes.invert_yaxis()
        axes.set_xlim(0, 100)
        axes.grid(axis="y", visible=False)
        explained = "" if effect.importance is None else f"\nexplains {100 * effect.importance:.0f} %"
        name = fill(effect.name, TITLE_WIDTH // len(shown))
        _finish(axes, "% of the best score", "", f"{name}{explained}", legend=False)


def _drawable(effect: Effect) -> bool:
    return sum(value.relative is not None for value in effect.values) > 1


def _panels(figure: Figure, count: int) -> Sequence[Axes]:
    return [figure.add_subplot(1, count, place) for place in range(1, count + 1)]


def _line(axes: Axes, line: Sequence[tuple[float, float]], colour: str, label: str, *, faint: bool) -> None:
    look = {"linewidth": 0.7, "markersize": 3, "alpha": 0.7} if faint else {}
    axes.plot([x for x, _ in line], [y for _, y in line], "-o", color=colour, label=label, **look)  # type: ignore[arg-type]


def _finish(axes: Axes, x: str, y: str, title: str, *, legend: bool = True) -> None:
    axes.set(xlabel=x, ylabel=y, title=title)
    plain = FuncFormatter(lambda value, _: number(value).removesuffix(".00").removesuffix(".0"))
    if isinstance(axes.yaxis.get_major_formatter(), ScalarFormatter) and y:
        axes.yaxis.set_major_formatter(plain)
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    if legend and handles:
        axes.legend(handles.values(), handles.keys(), loc="best")


def _logarithmic(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value).removesuffix(".00").removesuffix(".0")))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _drawn_last_is_best(result: Result) -> list[Experiment]:
    """Baseline and candidates that can be judged, so ordered that what matters is drawn over the rest."""
    worst_first = [result.experiment(one.number) for one in reversed(result.standings) if one.place is not None]
    return sorted(worst_first, key=lambda one: (one.number == result.winner, one.number == result.baseline))


def _colour(result: Result, one: Experiment) -> str:
    return BEST if one.number == result.winner else BASE if one.number == result.baseline else OTHER


def _label(result: Result, one: Experiment) -> str:
    """Others share one entry of the legend."""
    if one.number == result.winner:
        return f"best (#{one.number})" if one.number != result.baseline else "best: the defaults"
    return "baseline" if one.number == result.baseline else "others"


def _upper_left(cloud: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The levels that no other beats in throughput without being slower, from left to right."""
    best: list[tuple[float, float]] = []
    for x, y in sorted(cloud, key=lambda pair: (pair[0], -pair[1])):
        if not best or y > best[-1][1]:
            best.append((x, y))
    return best


def _scaled(metric: Metric, value: float) -> float:
    """Rates as they are, times in milliseconds."""
    return value if metric.is_rate else value * 1000


def _axis(metric: Metric, which: str) -> str:
    return statistic(metric, which) if metric.is_rate else f"{statistic(metric, which)} (ms)"


def _aim_axis(objective: Objective) -> str:
    return _axis(objective.metric, objective.statistic)
