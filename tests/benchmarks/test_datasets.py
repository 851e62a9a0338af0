import gzip
import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuner.benchmarks.datasets import Choices, Limits, fetch
from tuner.errors import InvalidSpecError, StorageError

PROMPTS = ["first\nof two lines", 'second, with "quotes"', "dritte: äöü 🦊", "first\nof two lines"]
JSONL = "".join(json.dumps({"prompt": prompt, "id": number}) + "\n" for number, prompt in enumerate(PROMPTS)).encode()
CSV = """id,prompt
1,"first
of two lines"
2,"second, with ""quotes\"""
3,dritte: äöü 🦊
4,"first
of two lines"
""".encode()
MARK = b"\xef\xbb\xbf"
LIMITS = Limits(download_bytes=10_000, unpacked_bytes=9_000, prompts=50, line_bytes=1_000)


async def prompts(
    source: Path | str,
    cache: Path,
    *,
    deduplicate: bool = False,
    column: str | None = None,
    limits: Limits | None = None,
) -> list[str]:
    """In the order of the file, which `fetch` does not keep."""
    choices = Choices(deduplicate=deduplicate, prompt_column=column)
    made = await fetch(str(source), cache, choices, limits=limits or Limits())
    assert made.prompts.parent == cache
    found = json.loads(made.prompts.read_text())
    assert made.count == len(found)
    assert made.distinct == len(set(found))
    order = list(range(len(found)))
    random.Random(0).shuffle(order)
    return [text for _, text in sorted(zip(order, found, strict=True))]


@pytest.mark.parametrize(
    "content",
    [JSONL, MARK + JSONL, b"\n\n" + JSONL.replace(b"\n", b"\r\n"), CSV, MARK + CSV, gzip.compress(CSV, mtime=0)],
    ids=["jsonl", "jsonl with a mark", "lines of Windows", "csv", "csv with a mark", "gz"],
)
async def test_prompts_come_out_unchanged_whatever_the_file_is_called(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "any name").write_bytes(content)
    assert await prompts(tmp_path / "any name", tmp_path / "cache") == PROMPTS


async def test_duplicates_are_dropped_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(JSONL)
    assert await prompts(tmp_path / "data", tmp_path / "cache") == PROMPTS
    assert await prompts(tmp_path / "data", tmp_path / "cache", deduplicate=True) == PROMPTS[:3]


async def test_equal_content_is_converted_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(JSONL)
        await prompts(tmp_path / name, tmp_path / "cache")
    about, made = sorted((tmp_path / "cache").iterdir())
    assert (about.name, made.name) == (f"{made.stem}.about.json", f"{made.stem}.json")


async def test_a_path_is_relative_to_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data.csv").write_bytes(CSV)
    monkeypatch.chdir(tmp_path)
    assert await prompts("data.csv", tmp_path / "cache") == PROMPTS


CHAT = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": "old"},
    {"role": "assistant", "content": "yes"},
    {"role": "user", "content": "new"},
]
PARTS = [
    {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}]}
]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"messages": CHAT}, "new"),
        ({"messages": json.dumps(CHAT)}, "new"),
        ({"messages": PARTS}, "a\nb"),
        ({"request_body": {"messages": CHAT, "model": "m"}}, "new"),
        ({"request_body": json.dumps({"messages": CHAT})}, "new"),
        ({"request_body": {"prompt": "plain"}}, "plain"),
        ({"prompt": "", "messages": CHAT}, "new"),
        ({"prompt": "wins", "messages": CHAT}, "wins"),
    ],
)
async def test_the_prompt_is_found_in_each_field(tmp_path: Path, row: object, expected: str) -> None:
    (tmp_path / "data").write_text(json.dumps(row))
    assert await prompts(tmp_path / "data", tmp_path / "cache") == [expected]


async def test_a_csv_file_holds_messages_as_json_text(tmp_path: Path) -> None:
    quoted = json.dumps(CHAT).replace('"', '""')
    (tmp_path / "data").write_text(f'id,messages\n1,"{quoted}"\n')
    assert await prompts(tmp_path / "data", tmp_path / "cache") == ["new"]


async def test_a_named_column_is_taken_before_any_other(tmp_path: Path) -> None:
    (tmp_path / "data").write_text('{"prompt": "no", "question": "yes"}')
    assert await prompts(tmp_path / "data", tmp_path / "cache", column="question") == ["yes"]


async def test_rows_without_text_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "data").write_text(
        '{"prompt": "a"}\n{"prompt": "  "}\n{"prompt": null}\n{"messages": []}\n{"prompt": "b"}'
    )
    assert await prompts(tmp_path / "data", tmp_path / "cache") == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b'{"prompt": ""}', "no prompts"),
        (b"prompt\n", "no prompts"),
        (b"\x00\x01\x02" * 100, "is not text"),
        (b'{"prompt": "\xff"}', "not UTF-8"),
        ("prompt\nx\n".encode("utf-16"), "not text"),
        (b'{"prompt": "a"}\n{"prompt": ', "Line 2 of the dataset is no JSON"),
        (b'{"prompt": "a"}\n[1]', "Line 2 of the dataset is no JSON object"),
        (b'{"text": "a", "id": 1}', "it has 'text', 'id'.*dataset_prompt_column"),
        (b"text,id\na,1\n", "it has 'text', 'id'"),
        (b'prompt\n"never closed\n', "is no CSV"),
        (b'{"prompt": 5}', "it is a number, not text"),
        (b'{"prompt": "\\ud83e"}', "no usable 'prompt'"),
        (b'{"messages": "hello"}', "no usable 'messages'"),
        (b'{"request_body": {"model": "m"}}', "neither messages nor a prompt"),
        (b'{"a": "' + b"x" * 2000 + b'"}', "Line 1 of the dataset is longer than 1,000 bytes"),
        (b"prompt\n" + b'"' + b"x\n" * 600 + b'"', "is no CSV"),
        (b'{"prompt": "a"}\n' * 51, "more than 50 prompts"),
        (b'{"prompt": "a"}\n' * 1000, "larger than 10,000 bytes"),
        (gzip.compress(b'{"prompt": ""}\n' * 1000, mtime=0), "larger than 9,000 bytes unpacked"),
    ],
)
async def test_what_cannot_be_used_is_refused_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "data").write_bytes(content)
    with pytest.raises(InvalidSpecError, match=reason) as caught:
        await prompts(tmp_path / "data", tmp_path / "cache", limits=LIMITS)
    assert caught.value.problems[0].where == "benchmark.dataset_url"
    assert list((tmp_path / "cache").iterdir()) == []


async def test_json_nested_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b'{"prompt": ' + b"[" * 100_000)
    with pytest.raises(InvalidSpecError, match="no JSON"):
        await prompts(tmp_path / "data", tmp_path / "cache")


@pytest.mark.parametrize("name", ["missing.csv", ".", "/dev/zero"])
async def test_only_a_file_is_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidSpecError, match="There is no file"):
        await prompts(tmp_path / name, tmp_path / "cache")


async def test_a_private_address_is_a_problem_of_the_task_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpecError, match="not a public address"):
        await prompts("http://127.0.0.1:9/data.csv", tmp_path / "cache")


async def test_a_cache_that_cannot_be_written_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(CSV)
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StorageError, match="cannot be kept"):
        await prompts(tmp_path / "data", tmp_path / "cache")


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: b'{"messages": ' + text.encode()))
async def test_any_content_ends_in_prompts_or_in_a_refusal(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data").write_bytes(content)
    try:
        found = await prompts(tmp_path / "data", tmp_path / "cache")
    except InvalidSpecError:
        return
    assert found
