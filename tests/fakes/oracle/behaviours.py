"""What the oracle can play, and what a load generator has to make of it."""

import json
from dataclasses import dataclass, field
from typing import Literal

TTFT, TPOT, ITL, CHUNK_GAP, E2E = "ttft", "tpot", "itl", "chunk_gap", "e2e_latency"
BROKE = "The engine broke its leg"
"""In every error that the oracle sends."""
EVENTS, JSON, HTML = "text/event-stream", "application/json", "text/html"


@dataclass(frozen=True)
class Expect:
    """What must come out of a level. Every number that is given must be right, whatever stands here."""

    refused: str | None = None
    """The level must be refused, with a reason that this pattern finds."""
    or_refused: bool = False
    """The level may be refused instead, with any reason."""
    unknown: tuple[str, ...] = ()
    """Metrics that may be None, with the reason in `missing`. All others must be given."""


@dataclass(frozen=True)
class Fault:
    """What befalls some requests: `sends` goes out at that point, then the answer ends in the way of `then`."""

    after: int | None = 0
    """So many tokens were written; None: not even a status line was."""
    then: Literal["end", "hang", "close", "reset"] = "end"
    """`end` is the proper end of an HTTP answer; `close` and `reset` cut the connection."""
    sends: bytes = b""
    status: int = 200
    content_type: str = EVENTS
    first: int = 0
    """The first request, counted from 0, that it befalls."""
    every: int = 1
    """And each so many after that."""

    def befalls(self, number: int) -> bool:
        return number >= self.first and (number - self.first) % self.every == 0


@dataclass(frozen=True)
class Behaviour:
    """Times are those of one request by itself: its first token after `ttft_s`, each further one `tpot_s` later."""

    expect: Expect = field(default_factory=Expect)
    asked_tokens: int = 12
    """What the suite asks for in a request."""
    ttft_s: float = 0.08
    tpot_s: float = 0.015
    prefill_s: float = 0.0
    """Prompts are read one after another and each takes this: the first token waits for all that came before."""
    cold: tuple[int, float] = (0, 0.0)
    """(requests, seconds): the first so many wait so much longer for their first token."""
    pauses: tuple[tuple[int, float], ...] = ()
    """(token, seconds): so much later comes the token with this number, and all after it."""
    length: Literal["asked", "half", "log-normal", "none"] = "asked"
    free: bool = False
    """The model may stop where it likes: `ignore_eos` is false."""
    hangs: bool = False
    """Some request is never answered, so that the level needs a short time limit."""

    chunk: Literal["token", "speculation", "interval", "whole", "held"] = "token"
    """Tokens of one event: one; 1 to 4 made at once; 4 made one by one; all; one, but all events sent at the end."""
    hidden: Literal["none", "first", "spread", "all"] = "none"
    """Tokens that are made and counted but have no text: the first half, each third, all."""
    hidden_counted: bool = False
    """Hidden tokens are told as `completion_tokens_details.reasoning_tokens`."""
    thinking: Literal["reasoning_content", "reasoning"] | None = None
    """Where the text of the first half of the tokens goes."""
    tool_call: bool = False
    word: str | None = None
    """The text of every token, in place of words that the demo model's tokenizer has as one token each."""

    role_first: bool = False
    """A chunk with the role alone, half-way to the first token."""
    finish_with_last: bool = False
    """The finish reason comes with the last token, not in a chunk of its own."""
    usage: Literal["end", "with finish", "late", "cumulative", "null", "missing"] = "end"
    usage_factor: float = 1.0
    """What the usage says of the output, relative to what was made."""
    done: bool = True
    """Whether [DONE] ends the stream."""
    lingers_s: float = 0.0
    """The answer's end is held back after [DONE]."""

    wire: Literal["plain", "coalesced", "split", "split character", "no space", "crlf", "http/1.0"] = "plain"
    between: bytes = b""
    """Written before every event."""
    fault: Fault | None = None


def _event(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _error(code: object = 500) -> bytes:
    return json.dumps({"error": {"message": BROKE, "type": "server_error", "code": code}}).encode()


_CHUNKED = Expect(unknown=(ITL,))
_AT_ONCE = Expect(unknown=(TPOT, ITL, CHUNK_GAP), or_refused=True)
_HIDDEN = Expect(unknown=(TTFT, TPOT, ITL))
_NO_TEXT = Expect(unknown=(TTFT, TPOT, ITL, CHUNK_GAP, E2E), or_refused=True)
_CONTRADICTION = Expect(unknown=(TPOT, ITL), or_refused=True)
_BROKEN = Expect(refused=BROKE)
_CUT = Expect(refused=r"(?i)cut|ended|broke off|closed|reset|incomplete|without|connection|bytes read|\d of \d+ tokens")
_SILENT = Expect(refused=r"(?i)answer|finish")
_NO_STREAM = Expect(refused=r".")

BEHAVIOURS: dict[str, Behaviour] = {
    # Speed.
    "steady": Behaviour(),
    "fast": Behaviour(ttft_s=0.03, tpot_s=0.004, asked_tokens=30),
    "slow": Behaviour(ttft_s=0.3, tpot_s=0.04),
    "burst-sensitive": Behaviour(prefill_s=0.02),
    "cold-start": Behaviour(cold=(8, 0.15)),
    "slow-second-token": Behaviour(pauses=((1, 0.1),)),
    "pause-midway": Behaviour(pauses=((6, 0.12),)),
    "one-token": Behaviour(asked_tokens=1, expect=Expect(unknown=(TPOT, ITL, CHUNK_GAP))),
    "log-normal-lengths": Behaviour(length="log-normal", asked_tokens=24, free=True),
    # Chunks that are not tokens.
    "speculation": Behaviour(chunk="speculation", asked_tokens=32, expect=_CHUNKED),
    "stream-interval": Behaviour(chunk="interval", asked_tokens=32, expect=_CHUNKED),
    "one-chunk": Behaviour(chunk="whole", expect=_AT_ONCE),
    "buffered": Behaviour(chunk="held", expect=_AT_ONCE),
    # Tokens that are not text.
    "hidden-first": Behaviour(hidden="first", asked_tokens=16, expect=_HIDDEN),
    "hidden-spread": Behaviour(hidden="spread", asked_tokens=16, expect=_HIDDEN),
    "hidden-all": Behaviour(hidden="all", expect=_NO_TEXT),
    "thinking-hidden": Behaviour(hidden="first", hidden_counted=True, asked_tokens=16, expect=_HIDDEN),
    "thinking-reasoning-content": Behaviour(thinking="reasoning_content"),
    "thinking-reasoning": Behaviour(thinking="reasoning"),
    "tool-call": Behaviour(tool_call=True),
    # Usage.
    "usage-missing": Behaviour(usage="missing"),
    "usage-null": Behaviour(usage="null"),
    "usage-late": Behaviour(usage="late"),
    "usage-cumulative": Behaviour(usage="cumulative"),
    "usage-with-finish": Behaviour(usage="with finish"),
    "usage-says-less": Behaviour(usage_factor=0.5, expect=_CONTRADICTION),
    "usage-says-more": Behaviour(usage_factor=2, expect=_CONTRADICTION),
    # Shape of the stream.
    "role-first": Behaviour(role_first=True),
    "finish-with-last": Behaviour(finish_with_last=True),
    "no-done": Behaviour(done=False),
    "lingering": Behaviour(lingers_s=0.2),
    "coalesced-lines": Behaviour(wire="coalesced", asked_tokens=30, expect=_CHUNKED),
    "split-lines": Behaviour(wire="split"),
    "split-character": Behaviour(wire="split character", word=" größe"),
    "no-space": Behaviour(wire="no space"),
    "crlf": Behaviour(wire="crlf"),
    "comments": Behaviour(between=b": keep-alive\n\n"),
    "pings": Behaviour(between=b"event: ping\ndata: {}\n\n"),
    "empty-data": Behaviour(between=b"data:\n\n"),
    "http-1.0": Behaviour(wire="http/1.0"),
    # Lengths.
    "early-stop": Behaviour(length="half", expect=Expect(refused=r"6 of 12 tokens")),
    "early-stop-allowed": Behaviour(length="half", free=True),
    "empty": Behaviour(length="none", expect=Expect(refused="(?i)empty|no text|without text")),
    # Errors inside a stream that began with 200.
    "error-object": Behaviour(fault=Fault(sends=_event(json.loads(_error()))), expect=_BROKEN),
    "error-text": Behaviour(fault=Fault(sends=_event({"error": BROKE})), expect=_BROKEN),
    "error-event": Behaviour(
        fault=Fault(sends=b"event: error\n" + _event({"message": BROKE, "code": 500})), expect=_BROKEN
    ),
    "error-code-is-text": Behaviour(fault=Fault(sends=_event(json.loads(_error("engine_dead")))), expect=_BROKEN),
    "error-object-kind": Behaviour(
        fault=Fault(sends=_event({"object": "error", "message": BROKE, "type": "BadRequestError", "code": 400})),
        expect=_BROKEN,
    ),
    "error-midway": Behaviour(fault=Fault(after=6, sends=_event(json.loads(_error()))), expect=_BROKEN),
    "error-seldom": Behaviour(fault=Fault(after=6, sends=_event(json.loads(_error())), first=20, every=40)),
    # Refusals.
    "429-all": Behaviour(fault=Fault(status=429, content_type=JSON, sends=_error(429)), expect=Expect(refused="429")),
    "429-some": Behaviour(
        fault=Fault(status=429, content_type=JSON, sends=_error(429), every=3), expect=Expect(refused="429")
    ),
    "429-seldom": Behaviour(fault=Fault(status=429, content_type=JSON, sends=_error(429), first=20, every=40)),
    "500-some": Behaviour(
        fault=Fault(status=500, content_type=JSON, sends=_error(500), every=3), expect=Expect(refused="500")
    ),
    "200-error-body": Behaviour(fault=Fault(content_type=JSON, sends=_error()), expect=_BROKEN),
    "200-html": Behaviour(
        fault=Fault(content_type=HTML, sends=b"<html><body>Please log in</body></html>\n"), expect=_NO_STREAM
    ),
    # Streams that are cut.
    "ended-midway": Behaviour(fault=Fault(after=6), expect=_CUT),
    "closed-midway": Behaviour(fault=Fault(after=6, then="close"), expect=_CUT),
    "reset-midway": Behaviour(fault=Fault(after=6, then="reset"), expect=_CUT),
    "closed-at-once": Behaviour(fault=Fault(after=None, then="close"), expect=_CUT),
    # Requests that are never answered.
    "hangs-after-a-while": Behaviour(fault=Fault(after=None, then="hang", first=4), hangs=True, expect=_SILENT),
    "never-answers-some": Behaviour(fault=Fault(after=None, then="hang", first=2, every=5), hangs=True, expect=_SILENT),
    "never-answers-one": Behaviour(fault=Fault(after=None, then="hang", first=20, every=1000), hangs=True),
    "headers-then-silence": Behaviour(fault=Fault(then="hang", first=2, every=5), hangs=True, expect=_SILENT),
    "stalls-midway": Behaviour(fault=Fault(after=6, then="hang", first=2, every=5), hangs=True, expect=_SILENT),
}
