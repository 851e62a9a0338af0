"""A preset: a named part of a task file, to begin a task with."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, JsonValue

from tuner.spec.values import Frozen


class Preset(Frozen):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
    description: Annotated[str, Field(max_length=2000)] = ""
    engine: Annotated[str, Field(max_length=253)] | None = None
    """The one it is for; None: any."""
    task: dict[str, JsonValue] = {}
    """Any part of a task file but its `task_name`."""
    built_in: bool = False
    """Comes with the tuner, and cannot be changed."""
    updated_at: datetime | None = None
