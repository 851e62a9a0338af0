"""`tune the demo model for throughput with ttft p90 under 0.5 s over max-num-seqs 4, 16, 64` → a task."""

import re
from dataclasses import dataclass, field

from agent.offline import names
from agent.offline.parsing import clauses, params
from agent.offline.parsing.clauses import RequestText, SpecBlock
from tuner.engines.models.model_paths import DEMO
from tuner.spec.objectives import Metric, Objective

_OVER = re.compile(
    r"(?:(?:[,;]|\b(?:and|by|while)\b)\s*){0,8}\b(?:over|var(?:y|ying)|try(?:ing)?|sweep(?:ing)?|chang(?:e|ing)|across|"
    r"explor(?:e|ing)|test(?:ing)?|flags?|parameters?|set(?:ting)?|fix(?:ed|ing)?)\b(?![/-])",
    re.IGNORECASE,
)
_FILLER = {
    "the", "a", "an", "my", "our", "model", "models", "please", "server", "serving", "engine", "of", "on",
    "for", "this", "machine", "here", "locally", "settings", "and", "with", "using", "in", "to", "at", "it",
    "so", "that", "task", "new", "by", "as", "is", "be", "only", "search", "hugging", "face", "hub", "run",
    "then", "me", "some", "cpu", "where", "but", "under", "fast", "faster", "now", "first", "its", "all",
    "best", "well", "own", "-", "–",
}  # fmt: skip
_NO_START = (
    r"(?:,|\bbut\b|\band\b)?\s*\b(?:(?:do not|don['’]?t|without) start(?:ing)?(?: it)?(?: yet)?|(?:only )?as a draft|"
    r"(?:just|only) write it down)\b"
)
_SHORT = {
    Metric.E2E: "latency",
    Metric.OUTPUT_RATE: "throughput",
    Metric.TOTAL_RATE: "total throughput",
    Metric.REQUEST_RATE: "requests",
    Metric.GOODPUT: "goodput",
    Metric.OUTPUT_RATE_PER_GPU: "throughput per GPU",
}

DEMO_FLAGS: SpecBlock = {"dtype": "bfloat16", "max-model-len": 2048, "enforce-eager": True}
"""What makes the demo model start fast and safely on vLLM, on a processor too: as in examples/demo.yaml."""
DEMO_SEARCH: SpecBlock = {"max-num-seqs": [4, 16, 64], "max-num-batched-tokens": [128, 512, 2048]}
DEMO_LOAD: SpecBlock = {
    "traffic_scenarios": ["D(128,32)"],
    "num_concurrency": [4, 16],
    "max_time_per_iteration": 1,
    "max_requests_per_iteration": 128,
}
DEMO_TIMEOUT_S = 300


@dataclass
class TuningRequest:
    """A request to tune, as a task to write down, or as what is missing to do so."""

    task: SpecBlock = field(default_factory=dict)
    presets: list[str] = field(default_factory=list)
    start: bool = True
    said: list[str] = field(default_factory=list)
    """The task in words, part by part."""
    taken: list[str] = field(default_factory=list)
    """What was not said and is assumed."""
    problems: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """Words that mean nothing here."""


def read(text: str) -> TuningRequest:
    """A request without its verb."""
    request, tuning = RequestText(text), TuningRequest()
    bounds, bounds_said, tuning.problems = clauses.slos(request)
    tuning.presets = _presets(request)
    tuning.start = request.take(_NO_START) is None
    name = request.take(r"\b(?:called|named|name it|call it)\s+(?:\"([^\"]{1,100})\"|'([^']{1,100})'|([\w.-]{1,100}))")
    search, search_said = clauses.search(request)
    budget, budget_said = clauses.budget(request)
    load = clauses.load(request)
    constraints = clauses.constraints(request)
    aims = clauses.objectives(request)
    engine = request.one_of(
        names.engines(), r"(?:\b(?:on|with|using|in|the|engine)\s+){0,8}", r"(?:\s+(?:engine|server))?"
    )
    head, flags = _parted(request.rest)
    model = _model(head, tuning)
    tuning.problems += flags.problems
    tuning.unknown += flags.unknown
    tuning.said = [f"the model {model}"] if model else []
    tuning.said += [f"the preset {' and '.join(tuning.presets)}"] if tuning.presets else []
    tuning.said += [f"on {engine}"] if engine else []

    if not tuning.presets:
        _complete(tuning, model, engine or names.USUAL_ENGINE, flags, load)
        if not aims:
            aims = [Objective(metric=Metric.OUTPUT_RATE, direction="maximize")]
            tuning.taken.append("the objective, output tokens/s")
        if not engine:
            engine = names.USUAL_ENGINE
            tuning.taken.append(f"the engine {engine}")
    if model == DEMO and engine == "vllm":
        search.setdefault("timeout_per_iteration", DEMO_TIMEOUT_S)
    if model == DEMO and not constraints and {"max-num-seqs", "max-num-batched-tokens"} <= flags.parameters.keys():
        constraints = ["max_num_batched_tokens >= max_num_seqs"]
    if aims:
        search["objective"] = [one.model_dump(mode="json") for one in aims]
        tuning.said.append(f"to {clauses.aims(aims)}")
    label = (model or " ".join(tuning.presets)).rstrip("/").rpartition("/")[2]
    title = " ".join([label, *[_SHORT.get(one.metric, str(one.metric)) for one in aims]])
    task: SpecBlock = {"task_name": next(filter(None, name.groups()), title) if name else _plain(title)}
    parts: SpecBlock = {
        "base_runtime": engine,
        "model": model,
        **flags.blocks,
        "constraints": list(constraints),
        "optimization": search,
        "benchmark": load,
        "slo": bounds,
        "budget": budget,
    }
    tuning.task = task | {key: part for key, part in parts.items() if part}
    tuning.said += [*bounds_said, *flags.said, *constraints, *clauses.load_said(load), *search_said, *budget_said]
    return tuning


def _complete(tuning: TuningRequest, model: str | None, engine: str, flags: params.FlagValues, load: SpecBlock) -> None:
    """What a request leaves open: known for the demo model, asked for otherwise."""
    if model is None:
        tuning.problems.append("Which model shall I tune? The demo model, an id of the hub (org/name), or a folder.")
    elif model == DEMO and engine in ("vllm", "simulated"):
        if not flags.blocks:
            flags.parameters.update(DEMO_SEARCH)
            tuning.taken.append("the flags to vary, max-num-seqs and max-num-batched-tokens")
        if engine == "vllm":
            flags.parameters.update({name: value for name, value in DEMO_FLAGS.items() if name not in flags.parameters})
        for key, value in DEMO_LOAD.items():
            load.setdefault(key, value)
    elif not flags.blocks and not flags.problems:
        tuning.problems.append(
            f"Which flags shall I vary? For example: over max-num-seqs 64, 128, 256. `flags of {engine} about batch` "
            "lists what there is."
        )


def _presets(request: RequestText) -> list[str]:
    match = request.take(
        r"(?:\b(?:use|using|with|from|the|and|by)\s+){0,8}\bpresets?\s+"
        r"([\w.-]{1,100}(?:(?:\s*,\s*|\s+and\s+)[\w.-]{1,100}(?=\s|,|$)){0,9})"
    )
    return re.split(r"\s*,\s*|\s+and\s+", match[1]) if match else []


def _parted(text: str) -> tuple[str, params.FlagValues]:
    """What stands before the flags, and the flags."""
    if match := _OVER.search(text):
        return text[: match.start()], params.read(text[match.end() :])
    if (place := params.first_flag(text)) is not None:
        return text[:place], params.read(text[place:])
    return text, params.FlagValues()


def _model(head: str, tuning: TuningRequest) -> str | None:
    words = [quoted or plain for quoted, plain in re.findall(r"[\"']([^\"']{1,4000})[\"']|([^\s;,\"']+)", head)]
    words = [
        stripped for word in words if (stripped := word.rstrip(".!?:").strip("`()")) and stripped.lower() not in _FILLER
    ]
    place = next((i for i, word in enumerate(words) if "/" in word or word.startswith(("~", "."))), 0)
    model = words.pop(place) if words else None
    tuning.unknown += [word[:60] for word in words]
    return DEMO if model is not None and model.lower() == DEMO else model


def _plain(title: str) -> str:
    """A task's name holds no slashes, control characters, or leading dots and dashes."""
    return "".join(c for c in title if c.isprintable() and c not in "/\\").lstrip(".- ")[:100].strip() or "task"
