"""One more of each kind, called `dummy`, in its table: what a newcomer adds.

As a command: `python -m tests.fakes.dummies validate FILE`. As a plugin, for suites that run over the tables:
`pytest -p tests.fakes.dummies`. A kind that gets a table gets a line in `install`.
"""

import importlib
from collections.abc import Sequence

from tests.fakes.quick_benchmark import QuickBenchmark
from tuner.benchmarks import BENCHMARKS
from tuner.deploy import DEPLOYERS
from tuner.domain import Experiment, Params
from tuner.engines import ENGINES
from tuner.engines.simulated.engine import Simulated
from tuner.protocols import Search
from tuner.report.artifacts import ARTIFACTS
from tuner.report.formats import FORMATS
from tuner.report.rendering import Rendering
from tuner.search.load_policies import LOAD_POLICIES
from tuner.search.stop_rules import STOP_RULES
from tuner.search.strategies import STRATEGIES


class DummyEngine(Simulated):
    name = "dummy"


class Backwards:
    """From the last candidate to the first; nothing in a space that has no list."""

    name = "dummy"
    title = "Dummy search"
    description = "The grid from its end"
    spoken: tuple[str, ...] = ("dummy search",)
    in_order = True

    def ask(self, search: Search, history: Sequence[Experiment], pending: Sequence[Experiment]) -> Params | None:
        tried = {one.params.key for one in (*history, *pending)}
        return next((one for one in reversed(search.space.candidates or ()) if one.key not in tried), None)


def rendering(title: str) -> Rendering:
    return Rendering(
        title=title,
        description=f"The {title} of the tests",
        media_type="text/x-dummy",
        suffix="dmy",
        render=lambda result: f"{title} of {result.task_name}\n",
    )


def install() -> None:
    """Before anything else is imported that makes choices of the tables while it is imported."""
    ENGINES["dummy"] = DummyEngine()
    DEPLOYERS["dummy"] = DEPLOYERS["local"]
    BENCHMARKS["dummy"] = QuickBenchmark
    STRATEGIES["dummy"] = Backwards()
    LOAD_POLICIES["dummy"] = LOAD_POLICIES["fixed"]
    STOP_RULES["dummy"] = STOP_RULES["max_time"]
    FORMATS["dummy"] = rendering("Dummy report")
    ARTIFACTS["dummy"] = rendering("Dummy artifact")


def install_tool() -> None:
    """Apart from the rest: this loads the libraries of the agent."""
    import tools
    from tools import clock
    from tools.context import Runtime
    from tools.tool import tool

    @tool
    async def dummy_tool(runtime: Runtime) -> clock.Time:
        """A tool of the tests that gives the time. Use it never; it is here to be listed and costs nothing."""
        return clock.Time.model_validate({"utc": "2026-01-01T00:00:00Z", "local": "2026-01-01T00:00:00Z"})

    vars(clock)["READ"] = (*clock.READ, dummy_tool)
    importlib.reload(tools)


def pytest_configure() -> None:
    install()
    install_tool()


if __name__ == "__main__":
    install()
    from tuner.cli import main

    main()
