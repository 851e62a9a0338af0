"""Task files: what loads, what is refused and how that is said, and that nothing else can happen."""

import json
from pathlib import Path

import pytest
import yaml

from tests.fakes.tasks import FULL
from tuner.errors import InvalidSpecError, Problem
from tuner.spec import reader, taskfile
from tuner.spec.objectives import Metric, Objective
from tuner.spec.task import TaskSpec
from tuner.spec.values import Choice, Continuous, Integer

ROOT = Path(__file__).parents[2]
OTHERS = {"demo.chat", "policy.yaml"}
"""Examples of other kinds, which have tests of their own."""
EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.is_file() and path.name not in OTHERS)


def problems(text: str) -> list[Problem]:
    with pytest.raises(InvalidSpecError) as caught:
        taskfile.parse(text)
    return caught.value.problems


def only(text: str) -> Problem:
    (problem,) = problems(text)
    return problem


def task(extra: str) -> str:
    return f"task_name: t\nmodel: m\n{extra}"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_loads_and_survives_a_round_trip(path: Path) -> None:
    spec = taskfile.load(path)
    assert taskfile.parse(taskfile.dump(spec)) == spec


def test_there_are_examples_of_the_older_formats() -> None:
    assert {path.suffix for path in EXAMPLES if path.name.startswith("legacy-")} == {".json", ".yaml"}


def test_older_spellings_mean_what_they_meant() -> None:
    spec = taskfile.load(ROOT / "examples/legacy-choice.json")
    assert spec.model.id_or_path == "qwen2-5-0-5b-instruct"
    assert spec.parameters["schedule-policy"] == Choice(values=("lpm", "fcfs"))
    assert spec.benchmark.additional_params == {"temperature": 0.0}
    assert isinstance(spec.benchmark.additional_params["temperature"], float)


def test_null_counts_as_absent_and_one_preset_is_a_list_of_one() -> None:
    spec = taskfile.load(ROOT / "examples/legacy-exported.json")
    assert spec.slo is None
    assert spec.description == ""
    assert spec.quant_config is not None
    assert spec.quant_config.presets == ("kv-cache-fp8",)


def test_a_token_in_an_older_file_is_not_kept() -> None:
    spec = taskfile.parse("task_name: t\nmodel: {id_or_path: m, hf_token: hf_secret}")
    assert "hf_secret" not in taskfile.dump(spec) + repr(spec)


def test_only_fields_that_are_numbers_lose_their_quotes() -> None:
    spec = taskfile.parse(task('benchmark: {additional_params: {seed: "7", stop: "1", user: "12", top_p: "x"}}'))
    assert spec.benchmark.additional_params == {"seed": 7, "stop": "1", "user": "12", "top_p": "x"}


def test_every_key_loads_and_what_is_written_loads_back_equal() -> None:
    spec = taskfile.parse(FULL)
    assert spec.parameters["max-num-seqs"] == (8, 16)
    assert spec.parameters["rate"] == 0.001
    assert spec.budget.max_time == 5400
    assert taskfile.parse(taskfile.dump(spec)) == spec
    assert taskfile.parse(json.dumps(yaml.safe_load(taskfile.dump(spec)))) == spec


def test_ranges_made_in_code_keep_their_type_when_written() -> None:
    spec = TaskSpec.model_validate({"task_name": "t", "model": "m", "parameters": {"a": Integer(low=1, high=4)}})
    assert taskfile.parse(taskfile.dump(spec)).parameters["a"] == Integer(low=1, high=4)


def test_only_what_was_set_is_written() -> None:
    assert yaml.safe_load(taskfile.dump(taskfile.parse(task("")))) == {
        "task_name": "t",
        "model": {"id_or_path": "m"},
    }


def test_named_objectives_are_written_by_name() -> None:
    dumped = yaml.safe_load(taskfile.dump(taskfile.parse(task("optimization: {objective: minimize_ttft}"))))
    assert dumped["optimization"] == {"objective": "minimize_ttft"}


def test_json_and_yaml_say_the_same() -> None:
    data = {"task_name": "t", "model": "m", "parameters": {"a": [1, 2.5, "x", True]}}
    assert taskfile.parse(json.dumps(data, indent="\t")) == taskfile.parse(yaml.safe_dump(data))
    assert taskfile.validate(data) == taskfile.parse(json.dumps(data))


def test_every_error_is_told_at_once_with_its_line() -> None:
    text = """\
task_name: a/b
modell: m
parameters:
  --max_num_seqs: [1, null]
  c: {type: integer, low: 5, high: 1}
optimization:
  strategy: grid
  max_iterations: -3
  seed: true
slo:
  ttft: {threshhold: 3}
"""
    assert [(problem.line, problem.where) for problem in problems(text)] == [
        (1, "task_name"),
        (1, "model"),
        (2, "modell"),
        (4, "parameters.--max_num_seqs.1"),
        (5, "parameters.c"),
        (7, "optimization.strategy"),
        (8, "optimization.max_iterations"),
        (9, "optimization.seed"),
        (11, "slo.ttft.threshhold"),
    ]


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("optimisation: {}", "optimisation", "unknown key 'optimisation'; did you mean 'optimization'?"),
        ("benchmark: {num_concurency: 3}", "benchmark.num_concurency", "did you mean 'num_concurrency'?"),
        ("slo: {latency: {p90: {threshold: 1, wieght: 1}}}", "slo.latency.p90.wieght", "did you mean 'weight'?"),
        ("parameters: {a: {type: integer, lo: 1, low: 1, high: 2}}", "parameters.a.lo", "did you mean 'low'?"),
        ("parameters: {a: {type: intger}}", "parameters.a", "no type 'intger'; give type: choice"),
        ("parameters: {a: {low: 1, high: 2}}", "parameters.a", "this block has no type"),
        ("parameters: {a: []}", "parameters.a", "at least 1"),
        ("parameters: {a: null}", "parameters.a", "not null"),
        ("parameters: {a: {type: continuous, low: -1.0e+308, high: 1.0e+308}}", "parameters.a", "too wide"),
        ("parameters: {a_b: 1, --a-b: 2}", "parameters", "stands here twice"),
        ("deployment_mode: lokal", "deployment_mode", "there are local, docker, ome; did you mean 'local'?"),
        ("optimization: {strategy: bayesain}", "optimization.strategy", "did you mean 'bayesian'?"),
        ("optimization: {max_iterations: 0}", "optimization.max_iterations", "must be at least 1, not 0"),
        ("optimization: {max_iterations: 1.5}", "optimization.max_iterations", "must be a whole number, not 1.5"),
        ("optimization: [1]", "optimization", "must be a block of keys, not a list"),
        ("description: 3", "description", "must be text"),
        ("parallel_config: {tp: [1, x]}", "parallel_config.tp.1", "must be a whole number, not 'x'"),
        ("benchmark: {traffic_scenarios: [D(1)]}", "benchmark.traffic_scenarios.0", "write D(in,out)"),
        ("environment: {1A: 3}", "environment.1A", "no name of a flag or variable"),
    ],
)
def test_errors_are_plain_sentences_at_the_place_the_author_wrote(text: str, where: str, message: str) -> None:
    problem = only(task(text))
    assert problem.where == where
    assert message in problem.message
    assert problem.line == 3


def test_no_error_speaks_of_the_library_that_found_it() -> None:
    text = FULL.replace("[8, 16]", "[{}]").replace("awq", "[1]").replace("seed: 7", "seed: x").replace("5}", "-5}")
    said = "\n".join(map(str, problems(text)))
    assert said.count("\n") == 3
    assert not any(word in said for word in ("pydantic", "http", "Input should", "constrained", "union"))


@pytest.mark.parametrize("name", ["../x", "x" * 300, "a\nb", " a", "", ".hidden", "a\\b", "--help"])
def test_task_names_that_are_no_file_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidSpecError, match="task_name"):
        taskfile.validate({"task_name": name, "model": "m"})


@pytest.mark.parametrize("name", ["a b", "größe", "🚀", "x" * 100])
def test_other_task_names_are_taken(name: str) -> None:
    assert taskfile.validate({"task_name": name, "model": "m"}).task_name == name


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("task_name: a\ntask_name: b", 2, "it is on line 1 already"),
        ('{"task_name": "a",\n"task_name": "b"}', 2, "it is on line 1 already"),
        ('{\n\t"task_name": "a",\n\t"task_name": "b"}', 3, "it is on line 2 already"),
        ("a: 1\n---\nb: 2", 2, "a second document starts here"),
        ("a:\n  x: !!python/object:os.system ls", 2, "the tag 'python/object:os.system' is not taken"),
        ("a: !mine {b: 1}", 1, "the tag '!mine' is not taken"),
        ("a: !!set {b: null}", 1, "is not taken"),
        ("a: !!int x", 1, "'x' is no int"),
        ("a: !!bool 7", 1, "'7' is no bool"),
        ("\nyes: 1", 2, "the key 'yes' is no text but bool"),
        ("? [1]\n: 2", 1, "a key must be text"),
        ("<<: {a: 1}", 1, "'<<' is not taken"),
        ("a: *b", 1, "there is no anchor &b"),
        ("a: &a [*a]", 1, "there is no anchor &a"),
        ("a: 2026-11-01", 1, "for a date; put it in quotes"),
        ("a: 1:30", 1, "base sixty"),
        ("a: 0755", 1, "octal"),
        ("a: .nan", 1, "nan is no number"),
        ("a: [-.inf]", 1, "-inf is no number"),
        ('{"a": NaN}', 1, "nan is no number"),
        ('{"a": 1e999}', 1, "inf is no number"),
        (f"a: {2**63}", 1, "more than 64 bits"),
        (f'{{"a": {"9" * 5000}}}', 1, "no int that can be read"),
        ('a: "\\0"', 1, "NUL"),
        ('{"a": "\\ud800"}', 1, "surrogate"),
        ("a: b: c", 1, "this is no YAML"),
        ("a: [1\nb: 2", 2, "this is no YAML"),
        ('{"a": 1\n"b": 2}', 2, "this is no JSON: Expecting ',' delimiter"),
    ],
)
def test_hostile_or_ambiguous_text_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    (problem, *_) = problems(text)
    assert message in problem.message
    assert problem.line == line


def test_on_off_yes_and_no_are_booleans() -> None:
    assert taskfile.parse(task("parameters: {a: [on, off, yes, no]}")).parameters["a"] == (True, False, True, False)


def test_quotes_keep_text_that_looks_like_something_else() -> None:
    values = ("on", "1e3", "010", "1:30", "2026-11-01", "null", "1", "~", "=", "0x1f", "a: b", " x ", "é🚀\n")
    spec = taskfile.validate({"task_name": "t", "model": "m", "parameters": {"a": list(values)}})
    assert taskfile.parse(taskfile.dump(spec)).parameters["a"] == values


def test_an_alias_repeats_what_its_anchor_holds() -> None:
    assert taskfile.parse(task("parameters: {a: &seqs [1, 2], b: *seqs}")).parameters["b"] == (1, 2)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 500_000,
        '{"a":' * 150_000,
        "a: " + "[" * 500_000,
        "- " * 400_000,
        "\n".join(f"k{i}: &k{i} [{', '.join([f'*k{i - 1}' if i else '1'] * 9)}]" for i in range(12)),
    ],
    ids=["lists", "objects", "nested value", "sequences", "billion laughs"],
)
def test_a_bomb_is_refused_before_it_unfolds(text: str) -> None:
    (problem, *_) = problems(text)
    assert "nested deeper than 32" in problem.message or "more than 100,000 values" in problem.message


@pytest.mark.parametrize("depth", [40, 2000])
def test_data_that_is_nested_too_deep_is_refused_too(depth: int) -> None:
    data: object = 1
    for _ in range(depth):
        data = [data]
    with pytest.raises(InvalidSpecError, match="nested deeper than 32"):
        taskfile.validate({"task_name": "t", "model": "m", "parameters": {"a": data}})


@pytest.mark.parametrize("text", ["", "  \n", "# nothing\n", "[]", "- 1", "just text", "null", "7"])
def test_what_holds_no_task_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidSpecError, match=r"demo\.yaml: (nothing is in it|a task is a block of keys)"):
        taskfile.parse(text, name="demo.yaml")


def test_long_lists_of_errors_are_cut() -> None:
    assert len(problems(task(f"parameters: {{a: [{'null, ' * 2000}1]}}"))) == reader.MAX_PROBLEMS + 1


def test_files_that_cannot_be_read_are_problems(tmp_path: Path) -> None:
    big = tmp_path / "big.yaml"
    big.write_text("#" * 10_000_000)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"task_name: x\nmodel: \xe9\n")
    said = {}
    for path in (tmp_path / "none.yaml", tmp_path, big, latin, tmp_path / "a\0b"):
        with pytest.raises(InvalidSpecError) as caught:
            taskfile.load(path)
        said[path.name] = str(caught.value)
    assert "No such file" in said["none.yaml"]
    assert "Is a directory" in said[tmp_path.name]
    assert "1,000,000 bytes" in said["big.yaml"]
    assert said["latin.yaml"].startswith("line 2: ")
    assert "UTF-8" in said["latin.yaml"]


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        ("D(0,5)", "D(0,5) asks for 0 tokens"),
        ("N(9,0)/(0,1)", "asks for 0 tokens"),
        ("U(9,3)/(1,2)", "minimum above its maximum"),
    ],
)
def test_traffic_that_cannot_be_sent_is_refused(scenario: str, message: str) -> None:
    assert message in only(task(f"benchmark: {{traffic_scenarios: ['{scenario}']}}")).message


@pytest.mark.parametrize(
    ("prefix", "scenarios", "message"),
    [
        ("prefix_len: 9", ["dataset"], "leave prefix_len or the scenario 'dataset' out"),
        ("prefix_ratio: 0.5", ["D(9,9)", "dataset"], "leave prefix_ratio or the scenario 'dataset' out"),
        ("prefix_ratio: 0.5", ["U(10,20)/(5,8)"], "prompts of one length, D(in,out), not U(10,20)/(5,8)"),
        ("prefix_len: 9", ["D(20,1)", "D(9,1)"], "prefix_len 9 must be below the input length of D(9,1), which is 9"),
        ("prefix_len: 10", ["U(10,20)/(5,8)"], "which is 10"),
        ("prefix_len: 70", ["N(70,5)/(5,1)"], "which is 70"),
    ],
)
def test_prefixes_that_a_scenario_cannot_have_are_refused(prefix: str, scenarios: list[str], message: str) -> None:
    problem = only(task(f"benchmark: {{{prefix}, dataset_url: x, traffic_scenarios: {scenarios}}}"))
    assert message in problem.message


def test_prefixes_shorter_than_every_prompt_are_taken() -> None:
    scenarios = ["D(20,1)", "U(10,20)/(5,8)", "N(70,5)/(5,1)"]
    spec = taskfile.parse(task(f"benchmark: {{prefix_len: 9, traffic_scenarios: {scenarios}}}"))
    assert spec.benchmark.prefix_len == 9


def test_problems_found_after_loading_get_the_lines_of_what_they_are_about(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(task("constraints: a > 1\nparameters:\n  b: 1\n  --max_num_seqs:\n    [1, 2]"))
    places = ("parameters.max-num-seqs.1", "constraints.0", "base_runtime", "")
    found = taskfile.located(InvalidSpecError([Problem("wrong", where) for where in places]), path).problems
    assert [(problem.where, problem.line) for problem in found] == [
        ("base_runtime", None),
        ("", None),
        ("constraints.0", 3),
        ("parameters.max-num-seqs.1", 7),
    ]


def test_problems_of_a_pipe_stay_without_lines() -> None:
    error = InvalidSpecError([Problem("wrong", "model")])
    assert taskfile.located(error, Path("/dev/null")) is error


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + task("").encode())
    assert taskfile.load(path).task_name == "t"


def test_objectives_in_a_wrong_direction_are_refused() -> None:
    problem = only(task("optimization: {objective: {metric: ttft, direction: maximize}}"))
    assert problem.where == "optimization.objective"
    assert "something to minimize" in problem.message


def test_defaults_stand_in_the_model_alone() -> None:
    spec = taskfile.parse(task(""))
    assert spec.optimization.strategy == "auto"
    assert spec.optimization.objective == (Objective(metric=Metric.OUTPUT_RATE, direction="maximize"),)


# Text of variables

TEXTS = (
    *("1.10", "0x10", "010", "0o10", "1_000", "1e3", "1:30", "+1", ".5", "1.", "yes", "no", "on", "Off", "2026-01-02"),
    *("1.0e+3", "0b11", "-0", "00"),
)
"""What YAML would take for something else."""


@pytest.mark.parametrize("text", TEXTS)
def test_a_variable_keeps_the_text_that_was_written(text: str) -> None:
    for written in (text, f"[{text}]", f"[x, {text}]", f"{{type: choice, values: [{text}]}}"):
        spec = taskfile.parse(task(f"environment: {{A: {written}}}"))
        domain = spec.environment["A"]
        values = domain.values if isinstance(domain, Choice) else domain if isinstance(domain, tuple) else (domain,)
        assert values[-1] == text
        assert taskfile.parse(taskfile.dump(spec)) == spec


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("-3", -3), ("0.5", 0.5), ("1.0", 1.0), ("true", True), ("FALSE", False), ('"1"', "1")],
)
def test_a_variable_that_is_written_as_its_value_is_one(text: str, value: object) -> None:
    found = taskfile.parse(task(f"environment: {{A: {text}}}")).environment["A"]
    assert (type(found), found) == (type(value), value)


def test_bounds_of_a_variable_are_numbers() -> None:
    spec = taskfile.parse(task("environment: {A: {type: integer, low: 0x1, high: 1e3, step: 1_0}}"))
    assert spec.environment["A"] == Integer(low=1, high=1000, step=10)


def test_json_keeps_the_text_of_a_variable_too() -> None:
    spec = taskfile.parse(
        '{"task_name": "t", "model": "m", "environment": {"A": 1.10, "B": [1.10, 1e3, "1.10", 2, true],'
        '"C": "🦊\\ud83e\\udd8a",'
        '"D": {"type": "choice", "values": [1.50]}, "E": {"type": "continuous", "low": 1.10, "high": 2}},'
        '"parameters": {"a": [1.10]}}'
    )
    assert spec.environment["A"] == "1.10"
    assert spec.environment["B"] == ("1.10", "1e3", "1.10", 2, True)
    assert spec.environment["C"] == "🦊🦊"
    assert spec.environment["D"] == Choice(values=("1.50",))
    assert spec.environment["E"] == Continuous(low=1.1, high=2)
    assert spec.parameters["a"] == (1.1,)
