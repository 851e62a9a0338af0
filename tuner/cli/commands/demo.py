"""`autotuner demo`: what a first try needs."""

from pathlib import Path

import click

from tuner.engines.models import demo_model


@click.group()
def demo() -> None:
    """Make what a first try needs: a tiny model."""


@demo.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def model(folder: Path) -> None:
    """Write a tiny model with random weights into DIR: 29 million parameters, 59 MB, made without a network.

    It serves as fast as a trained model of its size, and answers noise. One that is there already stays.
    """
    click.echo(demo_model.make(folder))
