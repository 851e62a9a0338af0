from pathlib import Path

import pytest

from tuner.benchmarks.traces import TraceError, read

LINE = '{"timestamp": 1500, "input_length": 1024, "output_length": 128, "hash_ids": [1, 2], "other": "kept out"}'


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "trace.jsonl"
    path.write_text(text)
    return path


def test_lines_come_in_the_order_of_their_times(tmp_path: Path) -> None:
    found = read(written(tmp_path, f"{LINE}\n\n{LINE.replace('1500', '7.5')}\n"))
    assert [one.timestamp for one in found] == [7.5, 1500]
    assert found[1].hash_ids == (1, 2)
    assert found[1].session_id is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty; write lines like"),
        ("timestamp,input_length\n", "line 1: 'timestamp,input_length' is not JSON"),
        (f"{LINE}\n[1]\n", "line 2: the line"),
        (LINE.replace("1024", "0"), "line 1: input_length: input should be greater than or equal to 1"),
        (LINE.replace("1500", "-1"), "timestamp: input should be greater"),
        (LINE.replace("128", "1.5"), "output_length: input should be a valid integer"),
        (LINE.replace('"timestamp": 1500, ', ""), "timestamp: field required"),
        ("x\n" * 9, "and 4 more"),
    ],
)
def test_a_file_that_is_no_trace_says_which_line_and_why(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(TraceError) as caught:
        read(written(tmp_path, text))
    assert said in str(caught.value)
    assert "trace.jsonl" in str(caught.value)


def test_a_file_that_is_not_there_or_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="cannot be read"):
        read(tmp_path / "none.jsonl")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TraceError, match="cannot be read"):
        read(tmp_path / "bytes")
