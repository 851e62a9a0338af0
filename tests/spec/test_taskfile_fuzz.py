"""Whatever comes in, a TaskSpec or an InvalidSpecError comes out."""

import contextlib
import json

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.tasks import FULL
from tuner.errors import InvalidSpecError
from tuner.spec import taskfile
from tuner.spec.task import TaskSpec

HARD = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
KEYS = st.sampled_from([*TaskSpec.model_fields, "type", "values", "low", "tp", "p90", "threshold"]) | st.text(
    max_size=8
)
DATA = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4))


def survives(text: str) -> None:
    with contextlib.suppress(InvalidSpecError):
        spec = taskfile.parse(text)
        assert taskfile.parse(taskfile.dump(spec)) == spec


@HARD
@given(st.text(max_size=200))
def test_any_text_is_survived(text: str) -> None:
    survives(text)


@HARD
@given(st.text(alphabet="{}[]:,-*&!|>'\"#%@`?<\n\t 01ae.~", max_size=60))
def test_any_punctuation_is_survived(text: str) -> None:
    survives(text)


@HARD
@given(raw=st.binary(max_size=200))
def test_any_file_is_survived(raw: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(raw)
    with contextlib.suppress(InvalidSpecError):
        taskfile.load(path)


@HARD
@given(DATA)
def test_any_data_is_survived(data: object) -> None:
    with contextlib.suppress(InvalidSpecError):
        taskfile.validate(data)
    survives(json.dumps(data))
    survives(yaml.dump(data))


@HARD
@given(st.data())
def test_any_part_of_a_good_task_may_be_replaced(data: st.DataObject) -> None:
    task = yaml.safe_load(FULL)
    node = task
    while True:
        key = data.draw(st.sampled_from(list(node) if isinstance(node, dict) else range(len(node))))
        if not isinstance(node[key], dict | list) or not node[key] or data.draw(st.booleans()):
            break
        node = node[key]
    node[key] = data.draw(DATA)
    with contextlib.suppress(InvalidSpecError):
        spec = taskfile.validate(task)
        assert taskfile.parse(taskfile.dump(spec)) == spec


@HARD
@given(st.integers(0, len(FULL) - 1), st.integers(0, 30), st.text(max_size=6))
def test_any_damage_to_a_good_file_is_survived(at: int, length: int, instead: str) -> None:
    survives(FULL[:at] + instead + FULL[at + length :])
