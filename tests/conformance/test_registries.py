"""What is one file and one row of a table works everywhere, with no other edit: a dummy of each kind, tried."""

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TASK = """\
task_name: one of each
base_runtime: dummy
deployment_mode: dummy
model: demo
parameters: {max-num-seqs: [8, 16]}
optimization: {strategy: dummy, confirm: 0, baseline: false}
benchmark:
  tool: dummy
  load_policy: dummy
  traffic_scenarios: ["D(40,8)"]
  num_concurrency: [2]
  max_requests_per_iteration: 4
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the task beside it, which has run."""
    folder = tmp_path_factory.mktemp("registries")
    (folder / "task.yaml").write_text(TASK)
    tuned = run(folder, "-m", "tests.fakes.dummies", "tune", str(folder / "task.yaml"), "--yes")
    assert "max-num-seqs" in tuned
    return folder


def run(home: Path, *args: str, code: int = 0) -> str:
    """What a Python process prints that has the dummies in its tables."""
    env = {**os.environ, "AUTOTUNER_HOME": str(home / "home"), "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    done = subprocess.run([sys.executable, *args], cwd=home, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def told(home: Path, script: str) -> Any:
    """What a script leaves in `found`."""
    first = "import json\nfrom tests.fakes import dummies\ndummies.install()\n"
    return json.loads(run(home, "-c", f"{first}{script}\nprint(json.dumps(found))").splitlines()[-1])


def command(home: Path, *args: str, code: int = 0) -> str:
    return run(home, "-m", "tests.fakes.dummies", *args, code=code)


def test_a_task_of_dummies_is_validated(home: Path) -> None:
    plan = json.loads(command(home, "validate", "task.yaml", "--json"))["plan"]
    assert (plan["engine"], plan["candidates"], plan["missing"]) == ("dummy", 2, [])


def test_a_name_that_is_nearly_one_of_the_tables_is_told_with_its_line(home: Path) -> None:
    wrong = TASK.replace("strategy: dummy", "strategy: dumy").replace("mode: dummy", "mode: dumy")
    (home / "wrong.yaml").write_text(wrong)
    problems = {
        one["where"]: one for one in json.loads(command(home, "validate", "wrong.yaml", "--json", code=2))["problems"]
    }
    for where, line in (("deployment_mode", 3), ("optimization.strategy", 6)):
        assert problems[where]["line"] == line
        assert problems[where]["message"].endswith("did you mean 'dummy'?")


def test_tasks_of_dummies_are_reported_and_exported(home: Path) -> None:
    assert command(home, "report", "one of each", "--format", "dummy") == "Dummy report of one of each\n"
    assert command(home, "export", "one of each", "--as", "dummy") == "Dummy artifact of one of each\n"
    first = json.loads(command(home, "report", "one of each", "--format", "json"))["experiments"][0]
    assert first["params"]["flags"] == {"max-num-seqs": 16}, "the dummy strategy begins at the end"


def test_help_lists_the_dummies(home: Path) -> None:
    found = told(
        home,
        "from click.testing import CliRunner\nfrom tuner.cli import main\n"
        "ask = lambda *args: ' '.join(CliRunner().invoke(main, [*args, '--help']).output.split())\n"
        "found = [ask('tune'), ask('report'), ask('export')]",
    )
    tune, report, export = found
    assert "[local|dummy|docker|ome]" in tune
    assert "dummy: the Dummy report of the tests." in report
    assert "dummy: the Dummy artifact of the tests." in export


def test_the_http_interface_describes_the_dummies(home: Path) -> None:
    script = f"import runpy\nrunpy.run_path({str(ROOT / 'ui' / 'scripts' / 'openapi.py')!r})"
    made = json.loads(run(home, "-c", f"from tests.fakes import dummies\ndummies.install()\n{script}"))
    schemas = made["components"]["schemas"]
    assert "dummy" in schemas["Optimization"]["properties"]["strategy"]["enum"]
    for name in ("TaskSpec", "TaskSpecInput"):
        assert "dummy" in schemas[name]["properties"]["deployment_mode"]["enum"]
        assert "dummy" in schemas[name]["properties"]["base_runtime"]["examples"]
    assert "dummy" in schemas["BenchmarkConfig"]["properties"]["tool"]["examples"]
    for path, what in (("report", "format"), ("export", "kind")):
        operation = made["paths"][f"/api/tasks/{{task}}/{path}"]["get"]
        (choices,) = [one["schema"]["enum"] for one in operation["parameters"] if one["name"] == what]
        assert "dummy" in choices
        assert "text/x-dummy" in operation["responses"]["200"]["content"]


def test_the_catalog_lists_the_dummies(home: Path) -> None:
    found = told(
        home,
        "from api.catalog import catalog\nfrom tuner.settings import Settings\n"
        "found = catalog(Settings()).model_dump(mode='json')",
    )
    assert all("dummy" in [one["name"] for one in rows] for kind, rows in found.items() if kind != "objectives")
    titles = {kind: [one.get("title") for one in rows if one["name"] == "dummy"] for kind, rows in found.items()}
    assert titles["strategies"] == ["Dummy search"]
    assert (titles["report_formats"], titles["artifacts"]) == (["Dummy report"], ["Dummy artifact"])


def test_the_agent_has_the_dummies(home: Path) -> None:
    found = told(
        home,
        "dummies.install_tool()\nimport tools\n"
        "from agent.offline import names\nfrom agent.offline.parsing import tuning\n"
        "wish = 'the demo model on dummy for throughput over max-num-seqs 4, 16 with dummy search'\n"
        "found = {'tools': [*tools.TOOLS], 'read': [one.name for one in tools.READ], 'help': names.help_text(),\n"
        "         'task': tools.args_schema('create_task')['properties']['task']['properties'],\n"
        "         'wish': tuning.read(wish).task}",
    )
    assert "dummy_tool" in found["tools"]
    assert "dummy_tool" in found["read"]
    assert "dummy" in found["task"]["optimization"]["properties"]["strategy"]["enum"]
    assert "dummy" in found["task"]["deployment_mode"]["enum"]
    assert (found["wish"]["base_runtime"], found["wish"]["optimization"]["strategy"]) == ("dummy", "dummy")
    assert "simulated, dummy" in found["help"]
    assert "`dummy search`" in found["help"]


SUITES = {
    "engine": "tests/conformance/test_engines.py",
    "deployer": "tests/conformance/test_deployers.py",
    "load generator": "tests/conformance/test_benchmarks.py",
    "strategy": "tests/conformance/test_strategies.py",
    "load policy": "tests/conformance/test_load_policies.py",
    "stop rule": "tests/conformance/test_stop_rules.py",
    "tool": "tests/tools/test_schema.py",
    "report format": "tests/report/test_formats.py",
    "artifact": "tests/report/test_artifacts.py",
}


def test_conformance_suites_run_over_the_dummies() -> None:
    options = ("-p", "tests.fakes.dummies", "-p", "no:cacheprovider", "-q", "--collect-only")
    collected = run(ROOT, "-m", "pytest", *options, *dict.fromkeys(SUITES.values()))
    for kind, path in SUITES.items():
        name = "dummy_tool" if kind == "tool" else "dummy"
        assert re.search(rf"^{re.escape(path)}::\w+\[(?:.*-)?{name}(?:-.*)?\]$", collected, re.MULTILINE), kind


ROWS = re.findall(
    r"^\| an? ([\w ]+) \| .* \| (.*) \| `(tests/[\w/.]+)` \|$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE
)


def test_readme_says_how_to_add_each_kind() -> None:
    assert {kind for kind, _, _ in ROWS} >= set(SUITES)
    assert {kind: suite for kind, _, suite in ROWS if kind in SUITES} == SUITES


@pytest.mark.parametrize(("kind", "listed", "suite"), ROWS, ids=[kind for kind, _, _ in ROWS])
def test_readme_names_tables_and_suites_that_are_there(kind: str, listed: str, suite: str) -> None:
    (path,) = re.findall(r"`([\w/]+)/__init__\.py`", listed)
    module = import_module(path.replace("/", "."))
    tables = re.findall(r"`([A-Z_]+)`", listed)
    assert tables
    assert all(getattr(module, table) for table in tables)
    assert (ROOT / suite).is_file()
