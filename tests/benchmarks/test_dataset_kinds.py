"""Every kind of file that people have their prompts in is read right, or refused with what was found in it."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest

from tuner.benchmarks import rows
from tuner.benchmarks.datasets import Choices, Dataset, Limits, fetch
from tuner.errors import InvalidSpecError

ROWS = [{"prompt": "eins, zwei", "id": 1}, {"prompt": 'with "quotes"\nand lines', "id": 2}]
TEXTS = {"eins, zwei", 'with "quotes"\nand lines'}
SHARED = [
    {"from": "system", "value": "be brief"},
    {"from": "human", "value": "first"},
    {"from": "gpt", "value": "answer"},
    {"from": "human", "value": "and then?"},
]
BATCH = {
    "custom_id": "1",
    "method": "POST",
    "url": "/v1/chat/completions",
    "body": {"model": "m", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "asked"}]},
}
PARTS = [{"type": "text", "text": "look:"}, {"type": "image_url", "image_url": {"url": "data:"}}]


async def fetched(tmp_path: Path, content: str | bytes, choices: Choices | None = None, name: str = "data") -> Dataset:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return await fetch(str(path), tmp_path / "cache", choices or Choices(), limits=Limits(line_bytes=100_000))


def texts(dataset: Dataset) -> set[str]:
    return set(json.loads(dataset.prompts.read_text()))


async def refused(tmp_path: Path, content: str | bytes) -> str:
    with pytest.raises(InvalidSpecError) as caught:
        await fetched(tmp_path, content)
    return str(caught.value)


LAYOUTS = {
    "objects by line": "\n".join(map(json.dumps, ROWS)),
    "objects over many lines": "\n".join(json.dumps(row, indent=2) for row in ROWS),
    "a list in one line": json.dumps(ROWS),
    "a list with a byte order mark": "\ufeff" + json.dumps(ROWS),
    "a list over many lines": json.dumps(ROWS, indent=4),
    "a list, one entry a line": "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
    "a list of texts": json.dumps(sorted(TEXTS), indent=1),
    "rows inside of an object": json.dumps({"version": "1", "data": ROWS}),
    "columns": json.dumps({"prompt": [row["prompt"] for row in ROWS], "id": [1, 2]}, indent=1),
    "columns as pandas writes them": json.dumps({"prompt": {str(i): row["prompt"] for i, row in enumerate(ROWS)}}),
    "tabs": 'id\tprompt\n1\teins, zwei\n2\t"with ""quotes""\nand lines"\n',
    "semicolons": 'id;prompt\n1;eins, zwei\n2;"with ""quotes""\nand lines"\n',
    "commas in quotes": 'id,prompt\n1,"eins, zwei"\n\n2,"with ""quotes""\nand lines"\n',
}


@pytest.mark.parametrize("content", LAYOUTS.values(), ids=LAYOUTS)
async def test_a_layout_is_read_right(tmp_path: Path, content: str) -> None:
    assert texts(await fetched(tmp_path, content)) == TEXTS


@pytest.mark.parametrize("content", LAYOUTS.values(), ids=LAYOUTS)
async def test_a_layout_is_read_right_from_an_archive(tmp_path: Path, content: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("folder/prompts.json", content)
    assert texts(await fetched(tmp_path, gzip.compress(content.encode()))) == TEXTS
    assert texts(await fetched(tmp_path, packed.getvalue(), name="packed")) == TEXTS


async def test_a_description_beside_the_data_is_no_data(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("dataset_info.json", "{}")
        archive.writestr("train.jsonl", LAYOUTS["objects by line"])
    assert texts(await fetched(tmp_path, packed.getvalue())) == TEXTS


async def test_a_list_in_one_line_may_be_longer_than_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "CHUNK", 1000)
    many = [{"prompt": f"{number} {'é' * (number % 700)}"} for number in range(700)]
    content = json.dumps(many, ensure_ascii=False)
    assert len(content) > 200_000
    assert texts(await fetched(tmp_path, content)) == {row["prompt"] for row in many}


KINDS: dict[str, tuple[object, str, list[str]]] = {
    "ShareGPT": (
        {"id": "a", "conversations": SHARED},
        "first",
        ["have a system prompt, which is not sent", "only the first message of the user is sent"],
    ),
    "ShareGPT that begins with an answer": ({"conversations": SHARED[2:]}, "and then?", []),
    "recorded conversations": ({"conversation": [{"role": "user", "content": "hi"}]}, "hi", []),
    "a batch of OpenAI": (BATCH, "asked", ["have a system prompt"]),
    "a batch of completions": ({**BATCH, "body": {"prompt": "go on"}}, "go on", []),
    "messages in the field prompt": ({"prompt": [{"role": "user", "content": "hi"}]}, "hi", []),
    "messages with developer's orders": (
        {"messages": [{"role": "developer", "content": "x"}, {"role": "user", "content": "hi"}]},
        "hi",
        ["have a system prompt"],
    ),
    "several turns": (
        {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]},
        "b",
        ["only the last message of the user is sent"],
    ),
    "an image beside text": (
        {"messages": [{"role": "user", "content": PARTS}]},
        "look:",
        ["have parts that are no text (image_url), which are not sent"],
    ),
    "text in parts": (
        {"messages": [{"role": "user", "content": [{"type": "input_text", "text": "a"}, "b"]}]},
        "a\nb",
        [],
    ),
}


@pytest.mark.parametrize(("row", "text", "notes"), KINDS.values(), ids=KINDS)
async def test_a_kind_of_row_is_read_right_and_what_is_not_sent_is_said(
    tmp_path: Path, row: object, text: str, notes: list[str]
) -> None:
    for name, content in (("line", json.dumps(row)), ("list", json.dumps([row], indent=2))):
        dataset = await fetched(tmp_path, content, name=name)
        assert texts(dataset) == {text}
        assert len(dataset.notes) == len(notes)
        assert all(any(note in said and said.startswith("1 of 1 rows") for said in dataset.notes) for note in notes)
        assert (await fetched(tmp_path, content, name=name)).notes == dataset.notes, "kept with the files"


async def test_rows_without_text_are_counted(tmp_path: Path) -> None:
    image_only = {"messages": [{"role": "user", "content": PARTS[1:]}]}
    content = "\n".join(map(json.dumps, [{"prompt": "a"}, {"prompt": " "}, image_only]))
    notes = (await fetched(tmp_path, content)).notes
    assert notes[0] == "2 of 3 rows of the dataset have no text to send and are left out."
    assert "1 of 3 rows of the dataset have parts that are no text (image_url)" in notes[1]
    assert "left out" in await refused(tmp_path, json.dumps(image_only))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,prompt\n1,Hello, world\n", "Line 2 of the dataset has 3 fields, and its header names 2: put a prompt"),
        ("prompt\nHello, world\n", "Line 2 of the dataset has 2 fields, and its header names 1"),
        ("id,prompt\n1,Hello\nworld\n", "Line 3 of the dataset has 1 field, and its header names 2"),
        ("prompt,prompt\na,b\n", "names a column twice: 'prompt'"),
        ("question,answer\na,b\n", "has no 'prompt' or 'messages'.* it has 'question', 'answer'"),
        ("What is the capital of France?\nand of Spain?\n", "it has a first line that names no columns"),
        ("API_KEY=abc\nOTHER=def\n", "it has a first line that names no columns"),
        (json.dumps([{"text": "a"}], indent=1), "Line 2 of the dataset has no 'prompt'.* it has 'text'"),
        (json.dumps([["a", "b"]]), "is no JSON object but a list"),
        ("[1, 2]", "is no JSON object but a number"),
        ('[\n{"prompt": "a"}\n{"prompt": "b"}\n]', "Line 3 of the dataset is no JSON: there must be a comma"),
        ('[\n{"prompt": "a"},\n', "Line 3 of the dataset is no JSON: its list does not end"),
        ('{\n"prompt": "a",\n"x": oops}\n', "Line 3 of the dataset is no JSON: Expecting value"),
        ('[\n{"prompt": "' + "x" * 300_000 + '"}]', "begins on line 2 of the dataset is longer than 100,000 bytes"),
        ("[" * 50_000, "nested too deeply"),
        (b'[{"prompt": "\xff"}]', "not UTF-8"),
        (json.dumps({**BATCH, "body": {"model": "m", "input": "x"}}), "neither messages nor a prompt; it has 'model'"),
        (json.dumps({"messages": [{"role": "user"}, "a"]}), "a message in it is text, not an object with role and"),
        (json.dumps({"prompt": [[1, 2, 3]]}), "it is a list, not text"),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_right_is_refused_with_what_was_found(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    with pytest.raises(InvalidSpecError, match=said):
        await fetched(tmp_path, content)


# Order and parts


async def test_the_order_is_shuffled_by_the_seed(tmp_path: Path) -> None:
    content = "".join(json.dumps({"prompt": f"prompt {number}"}) + "\n" for number in range(100))
    made = []
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / folder).mkdir()
        made.append((await fetched(tmp_path / folder, content, Choices(seed=seed))).prompts.read_text())
    first, again, other = made
    assert first == again != other
    assert sorted(json.loads(first)) == sorted(json.loads(other)) != json.loads(first)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
async def test_a_part_of_the_distinct_prompts_is_set_aside(tmp_path: Path, part: float) -> None:
    """Equal prompts are never in both parts."""
    content = "".join(json.dumps({"prompt": f"prompt {number % 200}"}) + "\n" for number in range(500))
    whole = await fetched(tmp_path, content)
    split = await fetched(tmp_path, content, Choices(holdout=part))
    assert whole.held_out is None
    assert split.held_out is not None
    aside = json.loads(split.held_out.read_text())
    assert set(aside) | texts(split) == texts(whole)
    assert not set(aside) & texts(split)
    assert len(set(aside)) == split.held_out_distinct == round(part * 200)
    assert len(aside) + split.count == 500
    assert split.distinct == 200 - split.held_out_distinct


@pytest.mark.parametrize(("prompts", "part", "kept"), [(19, 0.5, 9), (100, 0.05, 95), (100, 0.95, 5)])
async def test_parts_too_small_to_say_anything_are_refused(
    tmp_path: Path, prompts: int, part: float, kept: int
) -> None:
    content = "".join(json.dumps({"prompt": f"prompt {number}"}) + "\n" for number in range(prompts))
    with pytest.raises(InvalidSpecError) as caught:
        await fetched(tmp_path, content, Choices(holdout=part))
    (problem,) = caught.value.problems
    assert problem.where == "benchmark.dataset_holdout"
    assert f"{prompts} distinct prompts leaves {kept} to tune on" in problem.message


async def test_a_file_that_vanished_from_the_cache_is_made_again(tmp_path: Path) -> None:
    first = await fetched(tmp_path, LAYOUTS["columns"])
    first.prompts.unlink()
    assert texts(await fetched(tmp_path, LAYOUTS["columns"])) == TEXTS
