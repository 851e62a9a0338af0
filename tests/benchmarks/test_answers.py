"""What came over the wire, read as an answer."""

import json

from tuner.benchmarks import answers


def piece(text: str, finish: str | None = None) -> bytes:
    choice = {"delta": {"content": text}, "finish_reason": finish}
    return f"data: {json.dumps({'choices': [choice]})}\n\n".encode()


def test_an_answer_ends_with_its_last_text_to_the_last_digit_of_the_clock() -> None:
    """A time that was rounded up would lie outside the span that ends there, and its tokens with it."""
    head, first_at, last_at = b"HTTP/1.1 200 OK\r\n\r\n", 100.1234567891, 100.2234567897
    pieces = [(100.0, head), (first_at, piece("one")), (last_at, piece(" two", "stop")), (100.3, b"data: [DONE]\n\n")]
    told = answers.record(pieces, None, 3, len)
    assert told["chunk_at"] == [first_at, last_at]
    assert (told["first_token_at"], told["finished_at"]) == (first_at, last_at)
