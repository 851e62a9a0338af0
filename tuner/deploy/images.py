"""Container images of engines, by the tag that a task gives."""

from tuner.protocols import Engine


def reference(engine: Engine, tag: str | None, *, cpu_only: bool = False) -> str | None:
    """`repository:tag`; a tag with a slash is a whole image. None: no public image of the engine is known."""
    if tag and "/" in tag:
        return tag
    image = engine.cpu_image if cpu_only else engine.image
    return f"{image}:{tag or 'latest'}" if image else None
