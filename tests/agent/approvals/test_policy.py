"""Rules: which calls they are about, which of them wins, and what is said of a file that is wrong."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

import tools
from agent.approvals.patterns import matches, wildcard
from agent.approvals.policy import Policy, PolicyFile, load, parse
from agent.approvals.toolbox import digest
from tests.fakes.gated import Toolbox
from tuner.errors import InvalidSpecError

EXAMPLE = Path(__file__).parents[3] / "examples" / "policy.yaml"
TOOLBOX = Toolbox()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(alphabet="ab*", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)
ALL = """
deny: [{tool: launch, args: {task: "prod*"}, reason: Not from here.}]
ask: [{tool: "re*", args: {task: special}}]
allow: [remove, {tool: launch, args: {gpus: 1}}, look]
"""


@pytest.mark.parametrize(
    ("tool", "args", "kind"),
    [
        ("launch", {"task": "production", "gpus": 1}, "deny"),
        ("launch", {"task": "x", "gpus": 1}, "auto"),
        ("launch", {"task": "x", "gpus": 2}, "ask"),
        ("launch", {"task": "x", "gpus": True}, "ask"),
        ("remove", {"task": "x"}, "auto"),
        ("remove", {"task": "special"}, "ask"),
        ("read_log", {"task": "special"}, "ask"),
    ],
)
def test_the_first_rule_decides_deny_before_ask_before_allow(tool: str, args: dict[str, JsonValue], kind: str) -> None:
    assert parse(ALL, TOOLBOX).decide(tool, args).kind == kind


def test_without_a_rule_privileged_calls_ask_and_others_run() -> None:
    assert Policy().decide("launch", {}, privileged=True).kind == "ask"
    assert Policy().decide("look", {}, privileged=False).kind == "auto"


def test_a_verdict_says_which_rule_gave_it() -> None:
    verdict = parse(ALL, TOOLBOX).decide("launch", {"task": "prod"})
    assert verdict.reason == "the policy denies launch with these arguments: Not from here."


def test_in_a_tainted_session_only_rules_that_say_so_allow() -> None:
    policy = parse("allow: [launch, {tool: remove, after_untrusted: true}]", TOOLBOX)
    assert policy.decide("launch", {}, tainted=True).kind == "ask"
    assert policy.decide("launch", {}, tainted=False).kind == "auto"
    assert policy.decide("remove", {}, tainted=True).kind == "auto"


@pytest.mark.parametrize("text", ["", "  \n", "# nothing but words\n", "deny:\nallow: []\n"])
def test_an_empty_policy_is_the_default(text: str) -> None:
    assert parse(text, TOOLBOX) == Policy()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("deny: [lanch]", "line 1, deny.0: no tool 'lanch'; there are launch, remove, look, read_log; did you mean"),
        (
            "allow:\n  - {tool: launch, args: {taks: x}}",
            "line 2, allow.0: launch has no argument 'taks'; there are task",
        ),
        ("alow: [launch]", "no such list of rules; there are allow, ask, deny; did you mean 'allow'?"),
        ("deny: launch", "deny"),
        ("deny: [{tool: launch, arguments: {}}]", "unknown key 'arguments'"),
        ("deny: [{args: {}}]", "this is missing"),
        ("[launch]", "a policy has lists of rules under deny, ask and allow"),
        ("deny: [{tool: launch, after_untrusted: true}]", "after_untrusted belongs to rules that allow"),
        ("deny: [launch", "this is no YAML"),
        ("problem: x", "no such list of rules"),
        ("deny: [!!python/object:os.system x]", "tag"),
    ],
)
def test_a_wrong_policy_is_explained_with_its_line(text: str, said: str) -> None:
    with pytest.raises(InvalidSpecError, match=re.escape(said)):
        parse(text, TOOLBOX)


@pytest.mark.parametrize("content", [b"deny: [lanch]", b"\xff\xfe\x00", b"deny: [", b"\x00"])
def test_a_file_that_cannot_be_used_asks_about_everything_even_what_it_seems_to_allow(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(content)
    policy = load(path, TOOLBOX)
    for privileged in (True, False):
        verdict = policy.decide("look", {}, privileged=privileged)
        assert verdict.kind == "ask"
        assert str(path) in verdict.reason


def test_a_folder_in_the_place_of_the_file_asks_about_everything(tmp_path: Path) -> None:
    assert "cannot be read" in load(tmp_path, TOOLBOX).decide("look", {}, privileged=False).reason


def test_a_file_that_somebody_named_must_be_there_and_the_usual_one_need_not(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    assert PolicyFile(path, TOOLBOX).read() == Policy()
    named = PolicyFile(path, TOOLBOX, required=True).read()
    assert named.problem == f"there is no file {path}; write it, or name another with AUTOTUNER_POLICY."
    assert named.decide("look", {}, privileged=False).kind == "ask"


def test_a_policy_is_read_again_when_its_file_changes_and_only_then(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    file = PolicyFile(path, TOOLBOX)
    assert file.read().decide("launch", {}).kind == "ask"
    for text, kind in (("allow: [launch]", "auto"), ("deny: [launch]", "deny"), ("deny: [", "ask")):
        path.write_text(text)
        os.utime(path, ns=(1, len(text)))
        assert file.read().decide("launch", {}).kind == kind
        assert file.read() is file.read()
    path.unlink()
    assert file.read() == Policy()


def test_the_example_is_a_policy_for_the_real_tools() -> None:
    policy = load(EXAMPLE, tools)
    assert policy.problem is None
    assert policy.deny
    assert policy.ask
    assert policy.allow


@given(pattern=st.text("ab*", max_size=8), text=st.text("ab*", max_size=10))
def test_a_star_stands_for_any_characters(pattern: str, text: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert wildcard(pattern, text) == (re.fullmatch(expression, text, re.DOTALL) is not None)


def test_many_stars_take_no_time() -> None:
    assert not wildcard("*a" * 2000 + "b", "a" * 20_000)


@given(value=JSON)
def test_a_value_without_stars_matches_itself(value: Any) -> None:
    assert "*" in str(value) or matches(value, value)


@pytest.mark.parametrize(
    ("pattern", "value", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (True, 1, False),
        (0, False, False),
        (None, 0, False),
        ("1", 1, False),
        ("*", 1, False),
        ("*", None, False),
        ({}, {"a": 1}, True),
        ({"a": "x*"}, {"a": "xy", "b": 2}, True),
        ({"a": None}, {}, False),
        (["*"], ["a", "b"], False),
        (["*", "b"], ["a", "b"], True),
        ("A", "a", False),
    ],
)
def test_patterns_and_values_are_told_apart_by_type(pattern: JsonValue, value: JsonValue, same: bool) -> None:
    assert matches(pattern, value) == same


@given(one=st.dictionaries(st.text("ab", max_size=3), JSON, max_size=4))
def test_the_order_of_arguments_does_not_change_a_digest(one: dict[str, Any]) -> None:
    assert digest("launch", one) == digest("launch", dict(reversed(list(one.items()))))


@pytest.mark.parametrize(
    ("tool", "args"),
    [
        ("remove", {"task": "x", "n": [1, 2]}),
        ("launch", {"task": "y", "n": [1, 2]}),
        ("launch", {"task": "x", "n": [2, 1]}),
        ("launch", {"task": "x", "n": [1, "2"]}),
        ("launch", {"task": "x", "n": [1, 2], "m": None}),
        ("launch", {"task": "x"}),
        ("launch", {"task": ["x"], "n": [1, 2]}),
    ],
)
def test_every_other_change_changes_a_digest(tool: str, args: dict[str, JsonValue]) -> None:
    assert digest(tool, args) != digest("launch", {"task": "x", "n": [1, 2]})
