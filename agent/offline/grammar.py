"""Parses a request in plain words into the next step: a text, and the tool to call."""

import re

from agent.offline.markdown import cell, paragraphs
from agent.offline.messages import ConversationState
from agent.offline.parsing import tuning
from agent.offline.rules import HELLO, RULES, TUNE, VERBS, RuleMatch
from agent.offline.script import CallRefusedError, HistoryMismatchError, Script, ScriptStep, rejection, replay, reply
from agent.offline.scripts import tasks
from agent.offline.scripts.tasks import NoSubjectError
from tuner.spec.problems import nearest

MOST = 4_000
"""Characters of a message that a request is looked for in."""
NOTE = "(Note from the tuner"
EXAMPLES = (tasks.TUNE_EXAMPLE, "status", "compare the best with the baseline")

_POLITE = re.compile(
    r"(?:(?:please|pls|hey|hi|hello|ok(?:ay)?|now|then|and|so|well|yes|can you|could you|would you|will you|"
    r"i want(?: you)? to|i(?: would|['’]d) like(?: you)? to|let['’]?s|let us|just|kindly|also|me)\b[\s,!.:]*)+",
    re.IGNORECASE,
)


def answer(state: ConversationState) -> ScriptStep:
    """Never raises, whatever was said."""
    try:
        return replay(_script(state), state.answers)
    except CallRefusedError as refused:
        return ScriptStep(_refused(refused))
    except NoSubjectError as nothing:
        return ScriptStep(str(nothing))
    except HistoryMismatchError:
        return ScriptStep("This turn was interrupted, and I cannot tell how far it came. Please say it again.")


def _script(state: ConversationState) -> Script:
    text = state.text.strip()
    if text.startswith(NOTE):
        return reply(_ended(text))
    if not text:
        return reply(f"You said nothing. {HELLO}")
    request = re.sub(r"\s+", " ", text[:MOST]).strip()
    for words in dict.fromkeys((_POLITE.sub("", request, count=1) if _POLITE.match(request) else request, request)):
        for rule in RULES:
            if match := rule.pattern.fullmatch(words):
                return rule.script(RuleMatch(match, state))
    if (joined := _continued(state.previous_text, request)) is not None:
        return tasks.tune(joined)
    return reply(_unknown(request))


def _continued(before: str, request: str) -> str | None:
    """What was said before with what was missing in it: `tune org/model`, then `over max-num-seqs 4, 16`."""
    match = TUNE.pattern.fullmatch(re.sub(r"\s+", " ", before[:MOST]).strip())
    if match is None or not tuning.read(match["request"]).problems:
        return None
    for joined in (f"{match['request']} ; {request}", f"{request} {match['request']}"):
        tuned = tuning.read(joined)
        if not tuned.problems and not tuned.unknown:
            return joined
    return None


def _ended(note: str) -> str:
    """The facts of a note, without what it asks of a language model."""
    first, *rest = note.split("\n\n")
    head = first.partition(")")[2].strip().replace(", which was started in this conversation,", "")
    return paragraphs(head, *(part for part in rest if not part.startswith("Report this")))


def _refused(refused: CallRefusedError) -> str:
    tool, why = refused.answer.tool, refused.answer.text.strip()[:2_000]
    if rejected := rejection(why):
        return f"{rejected} Nothing was done. Tell me what you would like instead, or say `help`."
    return paragraphs(
        f"`{tool}` did not work:", why or "It gave no reason.", "Correct it and say it again, or say `help`."
    )


def _unknown(request: str) -> str:
    words = request.split()
    meant = nearest(re.sub(r"\W", "", words[0]), VERBS) if len(words) <= 4 else ""
    return paragraphs(
        f"I am the offline model and did not understand “{cell(request)}”{meant}. I know a small grammar; for example:",
        "\n".join(f"- {example}" for example in EXAMPLES),
        "Say `help` for all of it.",
    )
