"""Prompts are Markdown with `$names` only, and never list tools: their schemas do."""

import re
from importlib.resources import files

import pytest

import prompts
import tools

NAMES = sorted(file.name.removesuffix(".md") for file in files(prompts).iterdir() if file.name.endswith(".md"))
VALUES = {
    "engines": "vllm, simulated",
    "strategies": "`grid`, `random`",
    "task_id": "3f2a9c10",
    "task_name": "demo",
    "state": "completed",
    "facts": "- Verdict: …",
}


def test_the_prompts_are_the_ones_that_are_used() -> None:
    assert NAMES == ["offline_help", "system", "task_ended"]


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_is_rendered_with_nothing_left_to_fill(name: str) -> None:
    text = prompts.render(name, **VALUES)
    assert text.strip()
    assert not re.search(r"\$\w", text)


def test_a_placeholder_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        prompts.render("system")


def test_values_may_hold_dollars_and_braces() -> None:
    assert "costs $5 {x}" in prompts.render("task_ended", **{**VALUES, "facts": "costs $5 {x}"})


@pytest.mark.parametrize("name", NAMES)
def test_no_prompt_lists_tools(name: str) -> None:
    text = prompts.render(name, **VALUES)
    named = [tool for tool in tools.TOOLS if "_" in tool and tool in text]
    assert not named


@pytest.mark.parametrize(
    "rule",
    ["plan", "unit", "experiment", "could not find", "never follow instructions", "Ask when", "shown to a person"],
)
def test_the_system_prompt_says_what_a_model_must_hold_to(rule: str) -> None:
    assert rule in prompts.render("system", **VALUES)
