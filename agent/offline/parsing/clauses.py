"""The clauses of a request to tune, taken out of its text one by one: objective, SLO, load, search, budget."""

import re
from collections.abc import Mapping

from pydantic import JsonValue

from agent.offline import names
from tuner.analysis.formatting import aim, duration
from tuner.spec.objectives import Metric, Objective

SpecBlock = dict[str, JsonValue]

_STATISTIC = r"p50|p90|p95|p99|mean|average|avg|median"
_STATISTICS = {"average": "mean", "avg": "mean", "median": "p50"}
_TTFT = r"ttft|time[ -]to[ -](?:the[ -])?first[ -]token|first[ -]token(?:[ -](?:time|latency))?"
_TPOT = r"tpot|time[ -]per[ -](?:output[ -])?token"
_E2E = r"(?:e2e|end[ -]to[ -]end)(?:[ _-]latency)?|latency|latencies|response[ -]time"
_LIMITED = {_TTFT: "ttft", _TPOT: "tpot", _E2E: "latency"}
"""Blocks of `slo:`."""
_AIMS = {
    _TTFT: Metric.TTFT,
    _TPOT: Metric.TPOT,
    r"itl|time[ -]between[ -]tokens|inter[ -]token[ -]latency": Metric.ITL,
    _E2E: Metric.E2E,
    r"goodput": Metric.GOODPUT,
    r"requests?(?:/s| per second)|request rate|rps|req/s": Metric.REQUEST_RATE,
    r"total (?:throughput|tokens(?:/s| per second)?)": Metric.TOTAL_RATE,
    r"(?:(?:throughput|tokens) )?per gpu|costs?(?: per token)?|price|cheap(?:est|er|ly)?": Metric.OUTPUT_RATE_PER_GPU,
    r"(?:output )?(?:throughput|tokens?(?:/s| per second)|tok/s|token rate)": Metric.OUTPUT_RATE,
}
_UNIT = r"ms|msecs?|millis(?:econds?)?|µs|us|microseconds?|secs?|seconds?|s|mins?|minutes?|m|hours?|hrs?|h|days?|d"
_NUMBER = r"\d{1,9}(?:\.\d{1,9})?|\.\d{1,9}"
_BEFORE_SLO = (
    r"(?:\b(?:with|where|under|at|keep(?:ing)?|while|if|so that|and|but|when|given|slos?|an|a|the|of)\b[ :]*){0,8}"
)
_SLO = re.compile(
    rf"{_BEFORE_SLO}(?P<ideally>\b(?:ideally|preferably)\s+)?(?:the\s+)?"
    rf"(?:\b(?P<first>{_STATISTIC})\s+(?:of\s+)?(?:the\s+)?)?"
    rf"(?<![\w/-])(?P<metric>{'|'.join(_LIMITED)})(?![\w/-])\s*(?:at\s+)?\(?(?P<second>{_STATISTIC})?\)?\s*"
    r"(?:(?:should|must|has to|to|may)\s+)?(?:(?:be|is|stays?|staying|kept)\s+)?"
    r"(?P<than><=?|≤|:|=|at most|(?:no|not) more than|not above|(?:less|lower|smaller|faster) than|under|below|within|"
    r"beneath|of at most|max(?:imum)?(?: of)?)?\s*"
    rf"(?P<number>{_NUMBER})\s*(?:(?P<unit>{_UNIT})\b)?(?:\s*(?:at|in)\s+(?:the\s+)?(?P<third>{_STATISTIC})\b)?"
    r"(?P<soft>\s*\(?(?:soft(?:ly)?|if possible)\)?)?",
    re.IGNORECASE,
)
_SLO_REVERSED = re.compile(
    rf"{_BEFORE_SLO}(?P<ideally>\b(?:ideally|preferably)\s+)?"
    r"(?P<than><=?|≤|at most|(?:no|not) more than|less than|below|within)?"
    rf"\s*(?<![\w.])(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})\s+(?:for\s+|of\s+)?(?:the\s+)?(?:(?P<first>{_STATISTIC})\s+(?:of\s+)?)?"
    rf"(?P<metric>{'|'.join(_LIMITED)})(?![\w/-])(?:\s+(?P<second>{_STATISTIC})\b)?"
    r"(?P<soft>\s*\(?(?:soft(?:ly)?|if possible)\)?)?",
    re.IGNORECASE,
)
"""`300 ms ttft p90`."""
_TOWARDS = (
    r"(?:(?:\b(?:for|towards?|to|(?:max|min)imi[sz](?:e|ing)|improv(?:e|ing)|the|best|better|highest|higher|lowest|lower|"
    r"low|high|good|max|min|optimal|as|objective|and|of|get|reduce|increase|a|with)\b|[,:])\s*){0,8}"
)
_SCENARIO = r"D\(\s*\d+\s*,\s*\d+\s*\)|[NU]\(\s*\d+\s*,\s*\d+\s*\)\s*/\s*\(\s*\d+\s*,\s*\d+\s*\)"
_LENGTHS = (
    r"(?:\b(?:with|for|at)\s+)?\bprompts? of (\d{1,7})(?: tokens)?,? (?:and )?(?:with )?(?:answers?|outputs?) of "
    r"(\d{1,7})(?: tokens)?",
    r"(?:\b(?:with|for|at)\s+)?\b(\d{1,7}) (?:input|prompt) tokens?,? (?:and )?(\d{1,7}) (?:output|answer) tokens?",
)
_REQUESTS = r"(?:\b(?:with|and)\s+)?\b(\d{1,7}) requests?(?: (?:per|a|each|at each) (?:load )?level| each)?\b(?!/| per)"
_LEVELS = r"\d{1,6}(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s*/\s*|\s+or\s+)\d{1,6}\b(?!\s*(?:experiments?|trials?)))*"
_CONCURRENCY = (
    r"(?:\b(?:at|with|under|for|and|a|load|levels?|of)\s+){0,8}\b(?:concurrenc(?:y|ies)|load levels?|levels?)"
    rf"(?:\s+(?:levels?|of|at))?\s*[:=]?\s*({_LEVELS})",
    rf"(?:\b(?:at|with|under|for|and)\s+){{0,8}}\b({_LEVELS})\s+(?:concurrent|parallel|simultaneous)"
    r"(?:\s+(?:users|requests|clients))?",
)


class RequestText:
    """The text of a request, without the clauses that were taken out already."""

    def __init__(self, text: str) -> None:
        self.rest = text

    def take(self, pattern: str | re.Pattern[str]) -> re.Match[str] | None:
        """The first match, taken out; a semicolon stands where it was."""
        match = re.compile(pattern, 0 if isinstance(pattern, re.Pattern) else re.IGNORECASE).search(self.rest)
        return self._without(match) if match else None

    def one_of(self, names: Mapping[str, str], before: str, after: str = "") -> str | None:
        """The first that is named, by the pattern that it is said with."""
        for pattern, name in names.items():
            if self.take(rf"{before}(?<![\w/.-])(?:{pattern})(?![\w/-]|\.\w){after}"):
                return name
        return None

    def limit(self) -> re.Match[str] | None:
        """The next SLO: a metric and a time, with `under` between them or a unit behind."""
        for match in _SLO.finditer(self.rest):
            if match["than"] or match["unit"]:
                return self._without(match)
        return self.take(_SLO_REVERSED)

    def _without(self, match: re.Match[str]) -> re.Match[str]:
        self.rest = f"{self.rest[: match.start()]} ; {self.rest[match.end() :]}"
        return match


def slos(request: RequestText) -> tuple[SpecBlock, list[str], list[str]]:
    """The `slo` block, its bounds in words, and what is wrong with them."""
    block: SpecBlock = {}
    said, problems = [], []
    while match := request.limit():
        metric, amount, unit = match["metric"].lower(), match["number"], match["unit"]
        statistic = (match["first"] or match["second"] or match.groupdict().get("third") or "mean").lower()
        statistic = _STATISTICS.get(statistic, statistic)
        if unit is None:
            problems.append(f"{metric} under {amount} of what? Write {amount} ms or {amount} s.")
            continue
        threshold = round(float(amount) * seconds(unit), 9)
        hard = not (match["ideally"] or match["soft"])
        name = next(name for pattern, name in _LIMITED.items() if re.fullmatch(pattern, metric, re.IGNORECASE))
        bounds = block.setdefault(name, {})
        assert isinstance(bounds, dict)
        bounds[statistic] = {"threshold": threshold, "hard_fail": True} if hard else {"threshold": threshold}
        said.append(f"{statistic} {match['metric']} at most {duration(threshold)}{'' if hard else ' (soft)'}")
    return block, said, problems


def seconds(unit: str) -> float:
    """How many seconds a unit has, in whatever spelling."""
    unit = unit.lower()
    for start, size in (("ms", 1e-3), ("milli", 1e-3), ("us", 1e-6), ("µs", 1e-6), ("micro", 1e-6), ("h", 3600.0),
                        ("d", 86_400.0), ("m", 60.0)):  # fmt: skip
        if unit.startswith(start):
            return size
    return 1.0


def objectives(request: RequestText) -> list[Objective]:
    """In the order of the table; what people call cost is output tokens per GPU."""
    found: list[Objective] = []
    for pattern, metric in _AIMS.items():
        match = request.take(
            rf"{_TOWARDS}(?:\b(?P<first>{_STATISTIC})\s+)?(?<![\w/.-])(?:{pattern})(?![\w/-])(?:\s+(?P<second>{_STATISTIC})\b)?"
        )
        if match is None:
            continue
        if metric.is_rate:
            found.append(Objective(metric=metric, direction="maximize"))
        else:
            statistic = (match["first"] or match["second"] or "mean").lower()
            raw = {"metric": metric, "statistic": _STATISTICS.get(statistic, statistic), "direction": "minimize"}
            found.append(Objective.model_validate(raw))
    return found


def load(request: RequestText) -> SpecBlock:
    """The `benchmark` block."""
    block: SpecBlock = {}
    scenarios: list[JsonValue] = []
    while match := request.take(
        rf"(?:(?:\b(?:with|for|at|and|traffic|scenarios?|of|under|load)\b|,)\s*){{0,8}}({_SCENARIO})"
    ):
        scenarios.append(re.sub(r"\s", "", match[1]).upper())
    lengths = [match for pattern in _LENGTHS if (match := request.take(pattern))]
    scenarios += [f"D({match[1]},{match[2]})" for match in lengths]
    if scenarios:
        block["traffic_scenarios"] = scenarios
    if match := request.take(_REQUESTS):
        block["max_requests_per_iteration"] = int(match[1])
    for pattern in _CONCURRENCY:
        if match := request.take(pattern):
            block["num_concurrency"] = [int(number) for number in re.findall(r"\d+", match[1])]
    return block


def load_said(block: SpecBlock) -> list[str]:
    """The load in words."""
    words = {
        "traffic_scenarios": "traffic {}",
        "num_concurrency": "concurrency {}",
        "max_requests_per_iteration": "{} measured requests a load level",
    }
    said = []
    for key, sentence in words.items():
        if key in block:
            value = block[key]
            said.append(sentence.format(", ".join(map(str, value)) if isinstance(value, list) else value))
    return said


def search(request: RequestText) -> tuple[SpecBlock, list[str]]:
    """The `optimization` block, without its objective."""
    block: SpecBlock = {}
    said = []
    if match := request.take(
        r"(?:\b(?:in|with|at most|up to|max(?:imum)?(?: of)?|no more than|try(?:ing)?|only|and)\s+){0,8}\b(\d{1,6})\s+"
        r"(?:experiments?|trials?|configurations?|configs?|iterations?|candidates?|attempts?|tries)\b"
    ):
        block["max_iterations"] = int(match[1])
        said.append(f"{int(match[1])} candidates at most")
    if strategy := request.one_of(
        names.strategies(),
        r"(?:\b(?:by|with|using|use|a|the|and|strategy)\s+){0,8}",
        r"(?:\s+(?:search|sampling|strategy|optimi[sz]ation))*",
    ):
        block["strategy"] = strategy
        said.append(f"strategy {strategy}")
    if request.take(r"(?:\b(?:with|and|but)\s+){0,8}\b(?:no|without) (?:any )?confirm(?:ations?|ing)?\b"):
        block["confirm"] = 0
        said.append("nothing confirmed")
    elif match := request.take(
        r"(?:\b(?:and|with|then)\s+){0,8}\b(?:confirm(?:ed|ing|ations?)?(?: it)?\s*[:=]?\s*(\d{1,3})(?: times)?|"
        r"(\d{1,3}) confirmations?)\b"
    ):
        block["confirm"] = int(match[1] or match[2])
        said.append(f"confirmed in {block['confirm']} rounds at most")
    if request.take(r"(?:\b(?:with|and|but)\s+){0,8}\b(?:no|without) (?:a |the )?baseline\b"):
        block["baseline"] = False
        said.append("no baseline")
    if match := request.take(r"(?:\b(?:with|and)\s+){0,8}\bseed\s*[:=]?\s*(\d{1,9})\b"):
        block["seed"] = int(match[1])
        said.append(f"seed {match[1]}")
    return block, said


def budget(request: RequestText) -> tuple[SpecBlock, list[str]]:
    block: SpecBlock = {}
    said = []
    if match := request.take(
        rf"(?:\b(?:within|at most|up to|and|with|in|budget|of)\s+){{0,8}}\b({_NUMBER}) gpu[- ]?hours?\b"
    ):
        block["max_gpu_hours"] = float(match[1])
        said.append(f"{match[1]} GPU hours at most")
    if match := request.take(
        r"(?:,|\band\b|\bbut\b)?\s*\b(?:within|in(?: at most| under)?|for (?:at most|up to)|at most|up to|"
        rf"no longer than|(?:time )?(?:budget|limit)(?: of)?)\s+(an?|half an|{_NUMBER})\s*({_UNIT})\b"
    ):
        amount = {"a": 1.0, "an": 1.0, "half an": 0.5}.get(match[1].lower()) or float(match[1])
        block["max_time"] = amount * seconds(match[2])
        said.append(f"within {duration(amount * seconds(match[2]))}")
    return block, said


def constraints(request: RequestText) -> list[str]:
    """Expressions over flags: `such that max_num_batched_tokens >= max_num_seqs`."""
    side = r"[\w.-]{1,100}(?:\s*[*+/]\s*[\w.-]{1,100}){0,9}"
    found = []
    while match := request.take(
        r"(?:,|\band\b)?\s*\b(?:such that|where|constraints?:?|so that|subject to)\s+"
        rf"({side}\s*(?:[<>]=?|[=!]=)\s*{side})"
    ):
        found.append(re.sub(r"(?<=\w)-(?=[A-Za-z])", "_", match[1]))
    return found


def aims(found: list[Objective]) -> str:
    return " and ".join(aim(one) for one in found)
