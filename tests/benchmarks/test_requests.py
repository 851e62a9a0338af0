"""The raw file: what is written is read, and what is read is documented."""

from dataclasses import fields
from pathlib import Path

from tuner.benchmarks.requests import Level, Request, read, write

DOCS = Path(__file__).parents[2] / "docs" / "measuring.md"


def test_a_level_is_read_as_it_was_written(tmp_path: Path) -> None:
    level = Level("one", 10.5, "tail", 2, 20, 0.001, 0.2, 0.5)
    sent = [
        Request(1.0, 1.5, 3.25, 10, 4, 4, chunk_at=(1.5, 2.0, 3.25), first_tokens=2.0, text_tokens=3, hidden_tokens=1),
        Request(2.0, None, 2.5, 10, 0, None, "500: no", chunk_at=()),
        Request(3.0, 3.5, None, 10, 0, None, chunk_at=(3.5,), scheduled_at=2.9),
    ]
    write(tmp_path / "requests.jsonl", level, sent)
    assert read(tmp_path / "requests.jsonl") == (level, sent)


def test_a_file_of_an_older_version_has_no_level_and_gaps_instead_of_times(tmp_path: Path) -> None:
    line = '{"started_at": 1, "first_token_at": 2, "finished_at": 4, "input_tokens": 5, "output_tokens": 3, '
    (tmp_path / "requests.jsonl").write_text(line + '"wanted_tokens": 3, "error": null, "itl": [0.5, 1.5]}\n')
    level, (request,) = read(tmp_path / "requests.jsonl")
    assert level is None
    assert request.chunk_at == (2, 2.5, 4)


def test_every_name_is_documented() -> None:
    text = DOCS.read_text()
    assert [one.name for kind in (Level, Request) for one in fields(kind) if f"`{one.name}`" not in text] == []
