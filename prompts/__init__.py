"""Prompts are Markdown files next to this one. Tools and their arguments are never listed there: their schemas do."""

from importlib.resources import files
from string import Template


def render(name: str, **values: str) -> str:
    """The prompt `name`.md with its `$names` filled; one that is missing is a KeyError, `$$` is a dollar."""
    return Template(files(__name__).joinpath(f"{name}.md").read_text("utf-8")).substitute(values)
