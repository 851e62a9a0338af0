"""What came over the wire, read as an answer of OpenAI's chat protocol. Pure, standard library only: load generators'
own interpreters run it too, by its path.

Read after a level has ended, from pieces that were only stamped when they came: reading takes time, and time spent
while requests are under way is measured as theirs.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

SEEN_SHARE = 0.9
"""An answer with at least so many pieces for its tokens was seen token by token; with so much text, it hid none."""
ERROR_CHARACTERS = 2000
LAST_CHUNK = b"\r\n0\r\n\r\n"
Piece = tuple[float, bytes]
"""When it came, and what."""


@dataclass(frozen=True)
class Head:
    """What an answer of HTTP begins with."""

    status: int
    size: int
    """Bytes of the head itself."""
    chunked: bool
    length: int | None
    """Bytes of the body; None: it does not say."""


def head(pieces: Sequence[Piece]) -> Head | None:
    """None: it has not come to its end."""
    data = b"".join(piece for _, piece in pieces)
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = data[:end].split(b"\r\n")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    words, length = first.split(), fields.get(b"content-length", b"")
    return Head(
        status=int(words[1]) if len(words) > 1 and words[1].isdigit() else 0,
        size=end + 4,
        chunked=b"chunked" in fields.get(b"transfer-encoding", b"").lower(),
        length=int(length) if length.isdigit() else None,
    )


def body(pieces: Sequence[Piece], found: Head) -> tuple[list[Piece], bool]:
    """The body's pieces, and whether all of it came."""
    data = b"".join(piece for _, piece in pieces)
    if not found.chunked:
        whole = found.length is None or len(data) - found.size >= found.length
        return _between(pieces, [(found.size, len(data))]), whole
    parts: list[tuple[int, int]] = []
    position = found.size
    while (line := data.find(b"\r\n", position)) >= 0:
        size = _hexadecimal(data[position:line].split(b";")[0])
        if size is None or size == 0:
            return _between(pieces, parts), size == 0
        parts.append((line + 2, min(line + 2 + size, len(data))))
        position = line + 2 + size + 2
    return _between(pieces, parts), False


def _hexadecimal(text: bytes) -> int | None:
    try:
        return int(text, 16)
    except ValueError:
        return None


def _between(pieces: Sequence[Piece], parts: Sequence[tuple[int, int]]) -> list[Piece]:
    """What came in these ranges of bytes, piece by piece."""
    found: list[Piece] = []
    ends = list(accumulate(len(data) for _, data in pieces))
    for start, end in parts:
        at = bisect_right(ends, start)
        while start < end:
            when, data = pieces[at]
            first = ends[at] - len(data)
            found.append((when, data[start - first : end - first]))
            start, at = ends[at], at + 1
    return found


@dataclass
class Reply:
    """An answer while it comes: its pieces as they are, and whether more will come."""

    pieces: list[Piece] = field(default_factory=list)
    chunked: bool = False
    left: int | None = None
    """Bytes to come; None: until the other side closes, or the last chunk."""

    def take(self, now: float, data: bytes) -> bool:
        """True: that was all of it."""
        fresh = not self.pieces
        self.pieces.append((now, data))
        if fresh or (self.left is None and not self.chunked):
            found = head(self.pieces)
            if found is None:
                return False  # it comes in pieces itself
            self.chunked = found.chunked
            if found.length is not None:
                self.left = found.length + found.size - sum(len(piece) for _, piece in self.pieces)
        elif self.left is not None:
            self.left -= len(data)
        return (self.left is not None and self.left <= 0) or (self.chunked and self._last())

    def _last(self) -> bool:
        return b"".join(data for _, data in self.pieces[-2:])[-len(LAST_CHUNK) :] == LAST_CHUNK


@dataclass
class Answer:
    """A streamed answer so far."""

    texts: list[tuple[float, int]] = field(default_factory=list)
    """When each piece of text came, and its characters."""
    text: list[str] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)
    """The last one that came."""
    before: int | None = None
    """Tokens counted before the first text; None: the server does not count as it goes."""
    at_first: int | None = None
    """Tokens counted with the first text."""
    thought: bool = False
    """Reasoning came as text."""
    finish: str | None = None
    done: bool = False
    events: int = 0
    error: str | None = None


def record(
    pieces: Sequence[Piece], wanted: int | None, prompt_tokens: int, count: Callable[[str], int]
) -> dict[str, Any]:
    """By the names of `requests.Request`, all but when it was sent.

    Args:
        pieces: all that came, from the first byte of the answer's head.
        wanted: tokens that it was told to write; None: it was free to stop.
        prompt_tokens: counted by the tokenizer, where the server says nothing.
        count: tokens of a text.
    """
    found = head(pieces)
    text, whole = body(pieces, found) if found else ([], False)
    answer = read(text)
    ended_at = pieces[-1][0] if pieces else None
    fields: dict[str, Any] = {"first_token_at": None, "finished_at": ended_at, "chunk_at": [], "wanted_tokens": wanted}
    fields |= {"input_tokens": _whole(answer.usage.get("prompt_tokens")) or prompt_tokens, "output_tokens": 0}
    if answer.texts:
        fields |= {"first_token_at": answer.texts[0][0], "finished_at": answer.texts[-1][0]}
        fields["chunk_at"] = [at for at, _ in answer.texts]
    if (error := _refused(found, text) or answer.error or _incomplete(answer, text, whole)) is not None:
        return fields | {"error": error[:ERROR_CHARACTERS]}
    made = _whole(answer.usage.get("completion_tokens"))
    if made is None:
        fields["estimated"] = True
        made = wanted if answer.finish == "length" and wanted else count("".join(answer.text))
    return fields | {"output_tokens": made} | _shown(answer, made, count)


def read(pieces: Sequence[Piece]) -> Answer:
    """Errors inside of a stream end it, whatever shape they have."""
    answer = Answer()
    for at, name, data in _events(pieces):
        answer.events += 1
        if data == b"[DONE]":
            answer.done = True
            break
        try:
            value = json.loads(data)
        except ValueError:
            answer.error = f"an event of the stream is no JSON: {data[:200]!r}"
            break
        if (error := _error(value, name)) is not None:
            answer.error = error
            break
        _take(answer, at, value)
    return answer


def _events(pieces: Sequence[Piece]) -> Iterator[tuple[float, str, bytes]]:
    """(when its last byte came, its name, its data). A line may come in several pieces, a piece may hold several lines,
    and JSON may lie over several lines of one event."""
    body = b"".join(data for _, data in pieces)
    ends = list(accumulate(len(data) for _, data in pieces))
    position, name, held = 0, "", b""
    for line in body.splitlines(keepends=True):
        position += len(line)
        text = line.strip()
        if not text:
            if held:
                yield pieces[bisect_left(ends, position)][0], name, held
            name, held = "", b""
        elif text.startswith(b"event:"):
            name = text[6:].strip().decode(errors="replace")
        elif text.startswith(b"data:") and (data := text[5:].strip()):
            held = held + b"\n" + data if held else data
            if _whole_json(held):
                yield pieces[bisect_left(ends, position)][0], name, held
                held = b""
    if held:
        yield pieces[-1][0], name, held


def _whole_json(data: bytes) -> bool:
    """Servers that leave out the empty line after an event are read all the same."""
    if data == b"[DONE]":
        return True
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def _error(value: Any, name: str) -> str | None:
    if not isinstance(value, dict):
        return f"an event of the stream is no object: {json.dumps(value)[:200]}"
    error = value.get("error")
    if error is None and (name == "error" or value.get("object") == "error"):
        error = value
    if error is None and "choices" not in value and "usage" not in value:
        error = value.get("message") or value.get("detail")
    if error is None:
        return None
    if isinstance(error, dict):
        code, message = error.get("code"), error.get("message")
        return f"{code}: {message}" if code is not None else str(message or json.dumps(error))
    return str(error)


def _take(answer: Answer, at: float, value: dict[str, Any]) -> None:
    choice = next(iter(value.get("choices") or ()), None)
    choice = choice if isinstance(choice, dict) else {}
    delta = choice.get("delta") or choice.get("message") or {}
    usage = value.get("usage") or delta.get("usage")
    if isinstance(usage, dict):
        answer.usage = usage
    counted = _whole(usage.get("completion_tokens")) if isinstance(usage, dict) else None
    text, thought = _text(delta) or str(choice.get("text") or ""), bool(_thought(delta))
    answer.finish = choice.get("finish_reason") or answer.finish
    if not text:
        if not answer.texts and counted is not None:
            answer.before = counted
        return
    if not answer.texts and counted is not None and value.get("choices"):
        answer.at_first = counted
    answer.thought = answer.thought or thought
    answer.texts.append((at, len(text)))
    answer.text.append(text)


def _thought(delta: dict[str, Any]) -> str:
    return str(delta.get("reasoning") or delta.get("reasoning_content") or "")


def _text(delta: dict[str, Any]) -> str:
    """All that one piece brings: content, reasoning, calls of tools."""
    content = delta.get("content") or delta.get("refusal") or ""
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    calls = [call.get("function") or {} for call in delta.get("tool_calls") or () if isinstance(call, dict)]
    calls.append(delta.get("function_call") or {})
    called = "".join(str(call.get("name") or "") + str(call.get("arguments") or "") for call in calls)
    return _thought(delta) + str(content) + called


def _refused(found: Head | None, text: Sequence[Piece]) -> str | None:
    if found is None or found.status == 200:
        return None if found else "the connection was closed without an answer"
    said = b"".join(data for _, data in text).decode(errors="replace")
    return f"{found.status}: {said}"


def _incomplete(answer: Answer, text: Sequence[Piece], whole: bool) -> str | None:
    if not answer.events:
        said = b"".join(data for _, data in text).strip()
        return _plain(said) if said else "the answer was empty"
    if answer.done or (answer.finish and whole):
        return None
    return f"the stream broke off after {len(answer.texts)} pieces of text"


def _plain(said: bytes) -> str:
    """An answer that is no stream: an error, or a server that does not stream."""
    try:
        error = _error(json.loads(said), "")
    except ValueError:
        error = None
    return error or f"the answer is no stream of events: {said[:200].decode(errors='replace')}"


def _shown(answer: Answer, made: int, count: Callable[[str], int]) -> dict[str, Any]:
    """What the text shows of the tokens: the hidden ones, and how many the first piece held."""
    details = answer.usage.get("completion_tokens_details")
    reasoned = _whole(details.get("reasoning_tokens")) if isinstance(details, dict) else None
    hidden = max(reasoned or 0 if not answer.thought else 0, answer.before or 0) if answer.texts else None
    known = bool(hidden) or answer.at_first is not None
    fields: dict[str, Any] = {"hidden_tokens": hidden} if known else {}
    visible = made - (hidden or 0)
    if len(answer.texts) >= SEEN_SHARE * visible:
        return fields
    if answer.at_first is not None:
        return fields | {"first_tokens": answer.at_first}
    if not known:
        fields["text_tokens"] = count("".join(answer.text))
    if answer.texts:
        share = answer.texts[0][1] / max(1, sum(length for _, length in answer.texts))
        fields["first_tokens"] = (hidden or 0) + max(1.0, visible * share)
    return fields


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
