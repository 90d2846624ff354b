"""Commands that measure and show: accuracy, demo."""

from __future__ import annotations

import sys

import click

from symbp.cli.group import cli


@cli.command()
@click.option("--function", "names", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@click.option("--quick", is_flag=True, help="Fewer points and repeats: seconds instead of minutes.")
@click.option("--format", "form", type=click.Choice(("text", "markdown")), default="text", show_default=True)
@click.option("--record", is_flag=True, hidden=True, help="Write the accuracy into this checkout of symbp.")
def accuracy(names: tuple[str, ...], quick: bool, form: str, record: bool) -> None:
    """Measure the elementary functions of the kernels.

    Each is compared with the exact values and timed beside those of math and NumPy.
    """
    if record and (names or quick):
        raise click.UsageError("--record takes all functions and all points")

    from symbp.bench import accuracy as measured
    from symbp.bench import table

    found = table.rows(names, quick, lambda what: click.echo(what, err=True) if sys.stderr.isatty() else None)
    click.echo((table.markdown if form == "markdown" else table.text)(found), nl=False)
    if record:
        click.echo(f"wrote {measured.record(row.accuracy for row in found)}", err=True)


@cli.command()
@click.option(
    "--output", "-o", metavar="DIR", default="symbp_demo", show_default=True, help="Where to write."
)
def demo(output: str) -> int:
    """Take handwritten digits through every stage."""
    from symbp.demo import run_demo

    return 0 if run_demo(output) else 1
