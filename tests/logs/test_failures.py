"""Why servers fail. The vLLM lines are from real runs of version 0.32 on a CPU."""

from pathlib import Path

import pytest

from tuner.domain import Failure
from tuner.engines.vllm import VLLM
from tuner.errors import FailureKind
from tuner.logs import failures
from tuner.logs.cleaning import LINE_LENGTH
from tuner.logs.tail import tail

KV_MEMORY = """\
(EngineCore pid=9227) INFO 11-21 07:05:16 [core.py:107] Initializing a V1 LLM engine
(Worker pid=9275) ERROR 11-21 07:05:18 [multiproc_executor.py:1063]     raise ValueError(
(Worker pid=9275) ERROR 11-21 07:05:18 [multiproc_executor.py:1063] ValueError: Available memory on node 0 (5.95/7.46 \
GiB) on kv cache allocation is less than requested memory for kv (4000.0 GiB). Decrease --kv-cache-memory-bytes
(Worker pid=9275) ERROR 11-21 07:05:18 [multiproc_executor.py:1063] Traceback (most recent call last):
(EngineCore pid=9227) ERROR 11-21 07:05:18 [core.py:1510] EngineCore failed to start.
Traceback (most recent call last):
    raise RuntimeError(
RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {'EngineCore': 1}
  warnings.warn('resource_tracker: There appear to be %d '
"""
BAD_WEIGHTS = """\
(APIServer pid=1) WARNING 11-21 07:04:35 [system_utils.py:255] this can cause errors like `OSError: [Errno 24] Too many`
(Worker pid=9803) ERROR 11-21 07:06:22 [multiproc_executor.py:953]          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
(Worker pid=9803) ERROR 11-21 07:06:22 [multiproc_executor.py:953] safetensors._safetensors_rust.SafetensorError: \
Error while deserializing header: incomplete metadata, file not fully covered
(EngineCore pid=9763) INFO 11-21 07:06:22 [multiproc_executor.py:479] [shutdown] waiting
RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {'EngineCore': 1}
"""
SMALL_BATCH = """\
    s.__pydantic_validator__.validate_python(ArgsKwargs(args, kwargs), self_instance=s)
pydantic_core._pydantic_core.ValidationError: 1 validation error for SchedulerConfig
  Value error, max_num_batched_tokens (4) must be greater than or equal to max_num_seqs (32). [type=value_error]
    For further information visit the documentation
"""
ZERO = """\
pydantic_core._pydantic_core.ValidationError: 2 validation errors for SchedulerConfig
max_num_seqs
  Input should be greater than or equal to 1 [type=greater_than_equal, input_value=0, input_type=int]
"""
NO_MODEL = """\
pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig
  Value error, Invalid repository ID or local directory specified: '/models/empty'.
Please verify the following requirements:
"""
BAD_TOKENIZER = """\
    obj, end = self.scan_once(s, idx)
               ^^^^^^^^^^^^^^^^^^^^^^
json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 2 column 1 (char 2)
"""


def why(text: str, exit_code: int | None = 1, out_of_memory: bool = False) -> Failure:
    lines = text.splitlines()
    return failures.classify(VLLM.failures, exit_code=exit_code, out_of_memory=out_of_memory, lines=lines)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (KV_MEMORY, FailureKind.OUT_OF_MEMORY, "Exited with code 1: ValueError: Available memory on node 0"),
        (BAD_WEIGHTS, FailureKind.CRASHED, "SafetensorError: Error while deserializing header"),
        (SMALL_BATCH, FailureKind.INVALID_FLAG, "max_num_batched_tokens (4) must be greater than"),
        (ZERO, FailureKind.INVALID_FLAG, "2 validation errors for SchedulerConfig"),
        (NO_MODEL, FailureKind.CRASHED, "Invalid repository ID or local directory specified: '/models/empty'"),
        (BAD_TOKENIZER, FailureKind.CRASHED, "JSONDecodeError: Expecting property name"),
        ("x.py: error: argument --max-num-seqs: invalid int value: 'abc'", FailureKind.INVALID_FLAG, "invalid int"),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate", FailureKind.OUT_OF_MEMORY, "CUDA out"),
        ("OSError: [Errno 98] Address already in use", FailureKind.INFRASTRUCTURE, "already in use"),
        ("OSError: [Errno 28] No space left on device", FailureKind.INFRASTRUCTURE, "No space"),
        ("something nobody knows", FailureKind.CRASHED, "Exited with code 1."),
        ("", FailureKind.CRASHED, "Exited with code 1."),
    ],
)
def test_a_failure_gets_its_class_and_the_line_that_decided(text: str, kind: FailureKind, words: str) -> None:
    failure = why(text)
    assert failure.kind is kind
    assert words in failure.message


def test_the_lines_begin_with_the_cause_and_end_where_a_traceback_begins() -> None:
    (line,) = why(KV_MEMORY).lines
    assert "Available memory" in line
    assert why(ZERO).lines == tuple(ZERO.splitlines())


def test_the_word_of_the_operating_system_comes_first() -> None:
    failure = why(SMALL_BATCH, exit_code=-9, out_of_memory=True)
    assert failure.kind is FailureKind.OUT_OF_MEMORY
    assert "operating system" in failure.message


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [(-9, "Killed by SIGKILL"), (137, "Killed by SIGKILL"), (-40, "Killed by signal 40"), (3, "Exited with code 3")],
)
def test_the_message_says_how_it_ended(exit_code: int, words: str) -> None:
    assert why("", exit_code=exit_code).message == f"{words}."


def test_what_is_shown_is_short_and_harmless() -> None:
    noise = "\n".join(f"\x1b[31mline {i}\x1b[0m \x07\x00" + "x" * 10_000 for i in range(50))
    lines = why(noise).lines
    assert len(lines) == failures.LINES
    assert all(len(line) <= LINE_LENGTH for line in lines)
    assert not any(ord(char) < 32 for line in lines for char in line)
    assert lines[-1].startswith("line 49 ")


def test_only_the_tail_of_an_enormous_log_is_read(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    with log.open("wb") as file:
        file.truncate(20 * 2**30)  # a hole: 20 GiB in length, nothing on disk
        file.seek(0, 2)
        file.write(b"\nfirst\nlast \xff\n")
    assert tail(log)[-2:] == ["first", "last \ufffd"]


def test_a_short_log_is_read_from_its_first_line(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_text("one\ntwo\nthree")
    assert tail(log) == ["one", "two", "three"]
    assert tail(log, lines=2) == ["two", "three"]
    assert tail(log, max_bytes=9) == ["three"]


def test_a_missing_log_has_no_lines(tmp_path: Path) -> None:
    assert tail(tmp_path / "none") == []
