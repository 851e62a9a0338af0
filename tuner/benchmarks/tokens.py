"""What an answer shows of its tokens. Pieces of text are not tokens: speculation and slow readers put several into one,
hidden thinking and special tokens bring none. A time is only told where it is one of tokens."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from tuner.benchmarks.answers import SEEN_SHARE
from tuner.benchmarks.requests import Request
from tuner.spec.objectives import Metric

FASTEST_TOKEN_S = 2e-5
"""No engine writes a token of one answer in less. Text that came faster had been held back, by a proxy for one."""
UNSEEN_SHARE = 0.05
"""Where more answers than this do not show a metric, it is not known."""


def tpot(one: Request) -> float | None:
    """From the first text to the last, for each token that came after the first text; None where that is not known.

    With tokens that came one by one it is (E2E - TTFT) / (output tokens - 1).
    """
    if one.first_token_at is None or one.finished_at is None or _tpot_unseen(one):
        return None
    after = one.output_tokens - max(one.first_tokens or 1, (one.hidden_tokens or 0) + 1)
    return (one.finished_at - one.first_token_at) / after if after > 0 else None


def hidden(one: Request) -> int:
    """Tokens without text, as far as they stand out: a tokenizer does not count quite like an engine."""
    if one.hidden_tokens is not None:
        return one.hidden_tokens
    if one.text_tokens is None or one.text_tokens >= SEEN_SHARE * one.output_tokens:
        return 0
    return one.output_tokens - max(one.text_tokens, one.pieces or 0)


def _ttft_unseen(one: Request) -> str:
    if one.first_token_at is None:
        return "brought no text"
    return "hid tokens, so that the first one was not seen" if _hides(one) else ""


def _tpot_unseen(one: Request) -> str:
    if one.output_tokens < 2:
        return ""
    if one.first_token_at is None:
        return "brought no text"
    if _at_once(one):
        return "came all at once"
    return "hid tokens, nobody knows when" if _hides(one) and one.hidden_tokens is None else ""


def _itl_unseen(one: Request) -> str:
    if one.output_tokens < 2 or one.pieces is None:
        return ""
    if _at_once(one):
        return "came all at once"
    shown = one.pieces >= SEEN_SHARE * one.output_tokens
    return "" if shown else "did not bring their tokens one by one"


def _at_once(one: Request) -> bool:
    if one.first_token_at is None or one.finished_at is None:
        return False
    return one.finished_at - one.first_token_at < FASTEST_TOKEN_S * (one.output_tokens - hidden(one) - 1)


def _hides(one: Request) -> bool:
    return hidden(one) > (1 - SEEN_SHARE) * one.output_tokens


UNSEEN: Mapping[Metric, Callable[[Request], str]] = {
    Metric.TTFT: _ttft_unseen,
    Metric.TPOT: _tpot_unseen,
    Metric.ITL: _itl_unseen,
}
"""Why an answer does not show a metric, as the end of a sentence; empty where it does, or has nothing to show."""


def missing(answered: Sequence[Request]) -> dict[str, str]:
    found = {}
    for metric, unseen in UNSEEN.items():
        reasons = Counter(reason for one in answered if (reason := unseen(one)))
        if reasons.total() > UNSEEN_SHARE * len(answered):
            found[metric.value] = f"{reasons.total()} of {len(answered)} answers {reasons.most_common(1)[0][0]}."
    return found
