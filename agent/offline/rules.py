"""The grammar's rules: patterns, and the scripts that do what they ask. `prompts/offline_help.md` describes them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from agent.offline import names
from agent.offline.messages import ConversationState
from agent.offline.script import Script, reply
from agent.offline.scripts import analysis, inspection, machines, tasks


@dataclass(frozen=True)
class RuleMatch:
    """A request that matches a rule."""

    match: re.Match[str]
    state: ConversationState

    def __getitem__(self, name: str) -> str:
        return (self.match[name] or "").strip()

    def optional(self, name: str) -> str | None:
        return self[name] or None


@dataclass(frozen=True)
class GrammarRule:
    pattern: re.Pattern[str]
    script: Callable[[RuleMatch], Script]


def _rule(pattern: str, script: Callable[[RuleMatch], Script]) -> GrammarRule:
    return GrammarRule(re.compile(rf"(?:{pattern})\W*", re.IGNORECASE | re.DOTALL), script)


HELLO = (
    "I am the offline model: I understand a small grammar, and do what it says with the same tools and approvals as a "
    f"language model. Say, for example: {tasks.TUNE_EXAMPLE}. `help` lists the rest."
)
_STATES = {"draft": "created", "waiting": "queued", "active": "running", "finished": "completed", "done": "completed"}
_SHOW = (
    r"(?:(?:list|show|see|get|give|print|display|read|what|which|are|is|there|me|my|all|the|any|its|do|i|have|you|we|tell|"
    r"about)\s+){0,8}"
)
_OF = r"(?:\s+(?:of|for|from|in|on|about))?\s*"
_WORD = r"(?:\s+(?:about|with|for|like|named|called|containing|matching))?\s*[\"']?(?P<word>[^\"']*?)[\"']?"
_HAVE = (
    r"(?:\s+(?:are|is|there|here|installed|do|does|i|you|we|have|has|this|machine|status|free|info|running|now|alive))*"
)
_REPO = r"(?P<repo>[\w.-]+/[\w.-]+)"

TUNE = _rule(
    r"(?:tune|tuning|autotune|optimi[sz](?:e|ing)|speed up|(?:find|search)(?: for)?(?: me)? (?:the )?(?:best|fastest|"
    r"optimal|cheapest)(?: (?:configurations?|configs?|flags|settings|parameters|values))?(?: (?:of|for))?)\b"
    r"(?P<request>.*)",
    lambda s: tasks.tune(s["request"]),
)

TALK = (
    _rule(
        r"help.{0,40}|\?+|what (?:can|do|could) (?:you|i) (?:do|say|ask|know|understand).*|commands?|usage|examples?",
        lambda _: reply(names.help_text()),
    ),
    _rule(
        r"(?:thanks?|thank you|thx|cheers|great|nice|perfect|cool|good|well done|bye|goodbye)"
        r"(?:[ ,.!](?:[a-z]+\W*){0,6})?",
        lambda _: reply("You are welcome. Say `help` for what else I can do."),
    ),
    _rule(r"(?:hi|hello|hey|hallo|good (?:morning|day|evening|afternoon))(?: \w+)?", lambda _: reply(HELLO)),
)

WORK = (
    TUNE,
    _rule(r"(?P<request>(?:use|start (?:from|with)|with) (?:the )?presets?\s.+)", lambda s: tasks.tune(s["request"])),
    _rule(
        r"(?:create|write down|draft|new|make) (?:a |an |the )?(?:new )?(?:draft of a )?(?:tuning )?task"
        r"(?: (?:to|that))?(?: (?:tunes?|optimi[sz]es?))?(?: (?:of|for))?\s+(?P<request>.+)",
        lambda s: tasks.tune(s["request"], start=False),
    ),
    _rule(r"(?:plan|dry[- ]?run|what would)\b\s*(?P<request>.*)", lambda s: tasks.plan(s["request"], s.state)),
    _rule(r"(?:restart|start) (?:the |my |a )?workers?", lambda _: machines.restart_worker()),
    _rule(r"(?:stop|kill) (?:the )?deployment\s+(?P<id>\S+)", lambda s: machines.stop_deployment(s["id"])),
    _rule(r"(?:delete|remove) (?:the |my )?preset\s+(?P<name>[\w.-]+)", lambda s: machines.delete_preset(s["name"])),
    _rule(
        r"(?:save|keep|store)\b(?P<rest>.*?)\bas (?:a |the )?preset\s+(?P<name>[\w.-]+)",
        lambda s: tasks.save_preset(s["rest"], s["name"], s.state),
    ),
    _rule(
        r"(?:(?:create|file|open|write|publish|make) )?(?:an? |the )?(?:github )?(?:issue|bug|bug report) "
        r"(?:for|about|on|of|from)\b(?P<rest>.*)|"
        r"report\b(?P<more>.*?)(?:\b(?:as|in|on|to|with)\s+(?:an |a )?(?:github|issue|bug).*)?",
        lambda s: machines.report(s["rest"] or s["more"], s.state),
    ),
    _rule(
        r"comment on (?:github )?(?:issue )?#?(?P<number>\d{1,9})\s*[:,]?\s+(?P<body>.+)",
        lambda s: machines.comment(int(s["number"]), s["body"]),
    ),
    _rule(r"(?:cancel|stop|abort|kill|halt|interrupt)\b(?P<rest>.*)", lambda s: tasks.cancel(s["rest"], s.state)),
    _rule(r"(?:resume|continue|go on|carry on|retry)\b(?P<rest>.*)", lambda s: tasks.resume(s["rest"], s.state)),
    _rule(r"(?:delete|remove)\b(?P<rest>.*)", lambda s: tasks.delete(s["rest"], s.state)),
)

LOOKS = (
    _rule(
        rf"{_SHOW}(?P<state>created|draft|queued|waiting|running|active|completed|finished|done|failed|cancelled)?\s*"
        rf"tasks(?: (?:are )?there| exist| do (?:i|you|we) have)?{_WORD}",
        lambda s: inspection.tasks(_STATES.get(s["state"].lower(), s["state"].lower()) or None, s.optional("word")),
    ),
    _rule(
        rf"{_SHOW}(?:table of )?(?:experiments|trials|configurations)\b{_OF}(?P<rest>.*)",
        lambda s: inspection.experiments(s["rest"], s.state),
    ),
    _rule(
        rf"{_SHOW}experiment\s+#?(?P<number>\d{{1,6}})\b{_OF}(?P<rest>.*)",
        lambda s: inspection.experiment(int(s["number"]), s["rest"], s.state),
    ),
    _rule(
        r"(?:search|grep)\s+(?:(?:through|in|the|its|engine)\s+){0,8}logs?\b(?P<rest>.*?)"
        r"\bfor\s+[\"']?(?P<word>[^\"']+)[\"']?",
        lambda s: inspection.logs(f"{s['rest']} search '{s['word']}'", s.state),
    ),
    _rule(
        r"(?:(?:show|read|get|see|tail|search|grep|print|give|look at|the|me|its|of|engine(?:['’]s)?)\s+){0,8}"
        r"(?P<which>(?:load generator|benchmark|experiment \d+)(?:['’]s)?\s+)?logs?\b(?P<rest>.*)",
        lambda s: inspection.logs(f"{s['rest']} {s['which']}", s.state),
    ),
    _rule(
        r"(?:compare|comparison(?: of)?|diff(?:erence)?|what is the difference)\b(?P<rest>.*)",
        lambda s: analysis.compare(s["rest"], s.state),
    ),
    _rule(
        r"(?:(?:show|draw|make|give)\s+)?(?:me\s+)?(?:(?:a|the|its)\s+)?(?:(?P<kind>[\w-]{1,20}(?: [\w-]{1,20})?)\s+)?"
        r"(?:plot|chart|graph|curves?|picture|diagram|draw|visuali[sz]e)\b(?P<rest>.*)",
        lambda s: analysis.plot(f"{s['kind']} {s['rest']}", s.state),
    ),
    _rule(
        r"(?:explain|why|results?|summary|summari[sz]e|conclusion|best|winner|verdict|how (?:sure|certain)|"
        r"what (?:came out|did you find|now|next|should (?:i|we) (?:try|do))|"
        r"(?:show|what|which)(?:['’]s| is| was| are| were)? (?:me )?(?:the )?(?:one )?(?:best|winn\w+|results?|fastest|"
        r"verdict|next))\b(?P<rest>.*)",
        lambda s: analysis.explain(_topic(s["rest"]), s.state),
    ),
)

MACHINES = (
    _rule(rf"{_SHOW}presets?{_WORD}", lambda s: machines.presets(s.optional("word"))),
    _rule(rf"{_SHOW}engines?{_HAVE}", lambda _: machines.engines()),
    _rule(r"install (?:the )?(?:engine )?(?P<name>[\w.-]+)(?: engine)?", lambda s: machines.install(s["name"])),
    _rule(
        rf"{_SHOW}(?:flags?|parameters|options)(?:\s+(?:of|for|does|has)\s+(?P<engine>[\w.-]+)(?: have)?)?{_WORD}",
        lambda s: machines.flags(_engine(s["engine"]), s.optional("word")),
    ),
    _rule(
        rf"{_SHOW}(?P<engine>{'|'.join(names.engines())}) (?:flags?|options){_WORD}",
        lambda s: machines.flags(_engine(s["engine"]), s.optional("word")),
    ),
    _rule(rf"{_SHOW}(?:hardware|gpus?|cpus?|memory|machine){_HAVE}", lambda _: machines.hardware()),
    _rule(
        rf"{_SHOW}(?:deployments?|running (?:engines?|servers?)){_HAVE}|what(?: is|['’]s) running{_HAVE}",
        lambda _: machines.deployments(),
    ),
    _rule(rf"{_SHOW}workers?{_HAVE}", lambda _: machines.workers()),
    _rule(
        rf"(?:download|fetch|pull)\s+(?:the )?(?:model )?{_REPO}(?:\s*(?:@|\bat\b|\brevision\b|\bbranch\b)\s*"
        r"(?:revision )?(?P<revision>[\w./-]+))?(?:\s+only\s+(?P<only>.+))?",
        lambda s: machines.download(s["repo"], s.optional("revision"), re.findall(r"[^\s,]+", s["only"])),
    ),
    _rule(
        r"(?:search|find|look)(?: (?:for|the|hub|hugging ?face|hf))*(?: for)? models?"
        r"(?: (?:about|named|called|for|like|with))?\s+(?P<word>.{1,200})",
        lambda s: machines.models(s["word"]),
    ),
    _rule(
        rf"{_SHOW}(?:model )?(?:info(?:rmation)?|details?|model)\s+(?:(?:about|on|of)\s+)?{_REPO}",
        lambda s: machines.model(s["repo"]),
    ),
    _rule(rf"{_SHOW}(?:(?:downloaded|local|cached) )?(?:models?|cache){_HAVE}", lambda _: machines.cached()),
    _rule(
        r"(?:(?:search|find|look)(?: for)? )?(?:the )?(?:github )?issues(?:\s*[:,])?(?:\s+(?:about|with|for|on))?\s+"
        r"(?P<word>.{1,200})",
        lambda s: machines.issues(s["word"]),
    ),
    _rule(rf"{_SHOW}(?:github )?issue\s+#?(?P<number>\d{{1,9}})", lambda s: machines.issue(int(s["number"]))),
    _rule(
        r"(?:what(?: is|['’]s)? the )?(?:current )?(?:time|date)(?: is it| now)?|what time is it",
        lambda _: machines.now(),
    ),
    _rule(
        r"(?:wait|sleep)(?: for)?\s+(?P<s>\d{1,4}(?:\.\d{1,3})?)\s*(?:s|sec|seconds?)?",
        lambda s: machines.wait(float(s["s"])),
    ),
)

LAST = (
    _rule(
        r"(?:start|run|launch|begin|execute|queue|go ahead|do it|go|yes)\b(?P<rest>.*)",
        lambda s: tasks.start(s["rest"], s.state),
    ),
    _rule(
        r"(?:status|progress|state|show|eta|news|any news|how (?:is|are|far|does|long|did)|what about|where (?:is|are)|"
        r"is (?:it|the task)|are you)\b(?P<rest>.*)",
        lambda s: inspection.status(_topic(s["rest"]), s.state),
    ),
)
"""These take whatever follows."""

RULES = (*TALK, *WORK, *LOOKS, *MACHINES, *LAST)
"""The first that fits the whole request is taken."""

VERBS = (
    "tune", "optimize", "plan", "status", "progress", "tasks", "experiments", "logs", "compare", "explain",
    "result", "plot", "start", "cancel", "stop", "resume", "delete", "presets", "engines", "flags",
    "hardware", "deployments", "workers", "download", "search", "issues", "install", "help",
)  # fmt: skip


def _engine(name: str) -> str:
    plain = name.lower()
    return names.USUAL_ENGINE if plain in ("", "the", "it") else names.engine(plain) or name


def _topic(rest: str) -> str:
    """Which task is spoken of, in `is experiment 3 better than 0?` or `of 3f2a9c10`: none, then one."""
    rest = re.sub(r"\bexperiment \d+\b.*", "", rest, flags=re.IGNORECASE)
    words = (
        r"did|does|do|is|was|are|of|for|the|a|one|result|results|task|best|better|winner|configuration|config|next|now|try|"
        r"we|i|status|progress|going|with|on|won|win|so|that|this|it|come|out|me|you"
    )
    rest = re.sub(rf"^\W*(?:(?:{words})\b\W*)*", "", rest, flags=re.IGNORECASE)
    return rest if len(rest.split()) <= 6 else ""
