"""Commands that measure and show: accuracy, bench, demo."""

from __future__ import annotations

import sys
from typing import Any

import click

from symbp.cli.group import cli
from symbp.cli.options import Name


@cli.command()
@click.option("--function", "names", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@click.option("--quick", is_flag=True, help="Fewer points and repeats: seconds instead of minutes.")
@click.option("--format", "form", type=Name(("text", "markdown")), default="text", show_default=True)
@click.option("--activations", is_flag=True, help="Whole activations and their derivatives instead.")
@click.option("--record", is_flag=True, hidden=True, help="Write the accuracy into this checkout of symbp.")
def accuracy(names: tuple[str, ...], quick: bool, form: str, activations: bool, record: bool) -> None:
    """Measure the elementary functions of the kernels.

    Each is compared with the exact values and timed beside those of math and NumPy.
    """
    if activations:
        _activations(names, form, record)
        return
    if record and (names or quick):
        raise click.UsageError("--record takes all functions and all points")

    from symbp.bench import accuracy as measured
    from symbp.bench import table, units

    found = table.rows(names, quick, lambda what: click.echo(what, err=True) if sys.stderr.isatty() else None)
    click.echo((table.markdown if form == "markdown" else table.text)(found), nl=False)
    if record:
        click.echo(f"wrote {measured.record(row.accuracy for row in found)}", err=True)
        click.echo(f"wrote {table.record(found)}", err=True)
        click.echo(f"wrote {units.record(units.every())}", err=True)


def _activations(names: tuple[str, ...], form: str, record: bool) -> None:
    from symbp.bench import units

    if names or form != "text":
        raise click.UsageError("--activations goes without --function and --format")
    found = units.every(lambda what: click.echo(what, err=True) if sys.stderr.isatty() else None)
    click.echo(units.text(found), nl=False)
    if record:
        click.echo(f"wrote {units.record(found)}", err=True)


@cli.command()
@click.option("--workload", "workloads", multiple=True, metavar="NAME", help="Such as W1,W3.  [W1 to W6]")
@click.option("--sweep", is_flag=True, help="Many widths (N1 to N1000) and batches (B1 to B1024).")
@click.option("--dtype", "dtypes", multiple=True, metavar="TYPE", help="float32, float64.  [both]")
@click.option("--threads", multiple=True, metavar="N", help="Such as 1,2.  [1,2]")
@click.option(
    "--peer", "--peers", "peers", multiple=True, metavar="NAME", help="Only these, such as symbp,jax,numpy."
)
@click.option("--predict", is_flag=True, help="Outputs instead of training: one sample, and many (P1 to P6).")
@click.option(
    "--target", metavar="NAME", default="host", help="Hold all to its instructions, such as x86-64-v3 (AVX2)."
)
@click.option("--quick", is_flag=True, help="One thread, float32, few rounds: two minutes.")
@click.option("--output", "-o", "--json", "output", metavar="FILE", help="Write all figures as JSON.")
@click.option("--markdown", metavar="FILE", help="Write the tables, which are printed in any case.")
@click.option("--plot", "drawing", metavar="FILE", help="Draw speed against size, as .png or .svg.")
@click.option("--force", is_flag=True, help="Overwrite files that symbp did not write.")
def bench(**options: Any) -> int:
    """Measure how fast symbp trains and predicts, beside other libraries.

    Every implementation that is installed takes the same steps; its weights, or its outputs, are
    compared with float64 before its time counts. The exit status is 1 if those of symbp are wrong.
    """
    from symbp.bench import command

    return command.bench(**options)


@cli.command()
@click.option(
    "--output", "-o", metavar="DIR", default="symbp_demo", show_default=True, help="Where to write."
)
def demo(output: str) -> int:
    """Take handwritten digits through every stage."""
    from symbp.demo import run_demo

    return 0 if run_demo(output) else 1
