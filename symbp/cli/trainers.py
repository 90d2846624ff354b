"""Commands that compute: generate, train, predict, verify."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

import click

from symbp.cli.group import cli
from symbp.cli.options import output_options, read_spec, train_options
from symbp.errors import DataError, GradientError
from symbp.files import atomic_write, check_output
from symbp.spec import Spec
from symbp.values import counted


def _working(spec: Spec) -> str:
    layers = counted(len(spec.network.layers), "layer")
    return f"symbp: proving and compiling {spec.network.name} ({layers}) ..."


@cli.command()
@click.argument("spec")
@output_options
@train_options("optimizer", "learning_rate", "batch_size", "dtype")
@click.option("--target", metavar="NAME", help="The machine that loops suit: host, portable, x86-64-v3 ...")
@click.option("--explain", is_flag=True, help="Print how every sum is carried out, and write nothing.")
def generate(spec: str, output: str | None, force: bool, explain: bool, **options: Any) -> None:
    """Write the trainer of SPEC as one Python file.

    The file needs NumPy and Numba, and neither symbp nor SymPy.
    """
    declared = read_spec(spec, **options)
    if explain:
        from symbp.run.generate import schedule_table

        click.echo(schedule_table(declared), nl=False)
        return
    path = output or f"{declared.network.name}_trainer.py"
    check_output(path, force)

    import symbp
    from symbp.run.progress import notice

    with notice(_working(declared)):
        trainer = symbp.generate(declared, path)
    click.echo(f"wrote {path}: {trainer.n_params} weights, {trainer.dtype}, {declared.train.optimizer.name}")


@cli.command()
@click.argument("spec")
@click.option("--data", required=True, metavar="FILE", help="CSV with a header row, or .npz with X and Y.")
@click.option("--target", metavar="COLUMN", help="The target column, or several: a,b,c.  [.npz: Y]")
@output_options
@train_options("optimizer", "epochs", "batch_size", "learning_rate", "dtype", "seed")
@click.option(
    "--validation-fraction",
    "fraction",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    help="Share of the rows to hold out and report on.",
)
@click.option(
    "--threads", type=click.IntRange(1), default=1, metavar="N", help="Threads that share large batches.  [1]"
)
@click.option("--sample-weight", metavar="COLUMN", help="The column with each sample's weight in the cost.")
@click.option(
    "--class-weight",
    type=click.Choice(["balanced"]),
    help="Weigh every class by n/(k n_c), its samples alike.",
)
def train(
    spec: str,
    data: str,
    target: str | None,
    sample_weight: str | None,
    class_weight: Literal["balanced"] | None,
    output: str | None,
    force: bool,
    fraction: float,
    threads: int,
    **options: Any,
) -> None:
    """Train SPEC on a data file and write the model."""
    declared = read_spec(spec, **options)
    if sample_weight or class_weight:  # the cost that is derived and compiled then has weights
        declared = dataclasses.replace(declared, network=declared.network.with_sample_weights())
    path = output or f"{declared.network.name}_model.npz"
    check_output(path, force)
    if target is None:
        if Path(data).suffix != ".npz":
            raise click.UsageError("--target COLUMN is needed: which column of the data holds the targets?")
        target = "Y"

    import symbp
    from symbp.run.cache import kernel_spec, trainer_path
    from symbp.run.data import read_table
    from symbp.run.model import Model
    from symbp.run.progress import notice
    from symbp.run.score import score
    from symbp.run.split import held_out

    table = read_table(data, target, declared.network, sample_weight)
    assert table.Y is not None
    rest, held = held_out(len(table.X), fraction, declared.train.seed)
    if not len(rest):
        raise DataError(f"{data}: no rows are left to train on; hold out fewer")
    how = declared.train
    with notice(_working(declared)):
        trainer = symbp.generate(kernel_spec(declared), trainer_path(declared))
    X, Y = table.X[rest], table.Y[rest]
    v = None if table.weights is None else table.weights[rest]
    weights, _ = trainer.fit(
        trainer.init_params(how.seed),
        X,
        Y,
        epochs=how.epochs,
        batch_size=how.batch_size,
        learning_rate=how.learning_rate,
        shuffle=how.shuffle,
        seed=how.seed,
        clip_norm=how.clip_norm,
        progress=True,
        sample_weight=v,
        class_weight=class_weight,
        threads=threads,
    )
    model = Model(weights, declared, trainer.source, table.feature_names, table.target_names, table.classes)
    model.save(path)
    in_cost = trainer.sample_weights(Y, v, class_weight) if declared.network.weighted else None
    click.echo(f"training: {score(trainer, weights, X, Y, in_cost)} on {len(rest)} rows")
    if len(held):
        Y = table.Y[held]
        v = None if table.weights is None else table.weights[held]
        in_cost = trainer.sample_weights(Y, v, class_weight) if declared.network.weighted else None
        result = score(trainer, weights, table.X[held], Y, in_cost)
        click.echo(f"held out: {result} on {len(held)} rows")
    click.echo(f"wrote {path}")


@cli.command()
@click.argument("model")
@click.option("--data", required=True, metavar="FILE", help="CSV with a header row, or .npz with X.")
@output_options
def predict(model: str, data: str, output: str | None, force: bool) -> None:
    """Print the predictions of MODEL as CSV."""
    if output is not None:
        check_output(output, force)

    from symbp.run.data import read_features
    from symbp.run.model import Model
    from symbp.run.predictions import predictions_csv

    loaded = Model.load(model)
    X = read_features(data, loaded.feature_names, loaded.spec.network)
    text = predictions_csv(loaded, loaded.trainer().predict(loaded.weights, X))
    if output is None:
        click.echo(text, nl=False)
    else:
        click.echo(f"wrote {atomic_write(output, text)}: {len(X)} rows")


@cli.command()
@click.argument("file", metavar="SPEC|TRAINER.py")
@click.option("--gradient", metavar="FILE", help="Check the gradient that a file writes down; - is stdin.")
@click.option("--notation", metavar="NAME", help="Whose symbols it is written in.  [smatrix]")
@click.option("--samples", type=click.IntRange(1, 1000), metavar="N", help="Points of data.  [5]")
@click.option("--partial", is_flag=True, help="Accept a gradient of some of the weights only.")
def verify(file: str, gradient: str | None, notation: str | None, samples: int | None, partial: bool) -> int:
    """Compare all ways to the gradient.

    A table shows the worst error of each pair; the exit status is 1 if one is too large. With
    --gradient, lines such as "dJ/dW_k = delta_k a_k^T" are compared with the derived gradient,
    and the likeliest mistake is named; the exit status is 1 too if weights are left out. The penalty
    of SPEC is lambda (lambda_1, lambda_2), and the cost with it J~.
    """
    if gradient is not None:
        return _written_gradient(file, gradient, notation or "smatrix", samples or 5, partial)
    if notation is not None or samples is not None or partial:
        raise click.UsageError("--notation, --samples and --partial need --gradient FILE")
    spec = None if Path(file).suffix == ".py" else Spec.from_toml(file)

    import symbp
    from symbp.run.cache import kernel_spec, trainer_path

    if spec is None:
        trainer = symbp.load(file)
    else:  # the one that `train` uses; without its own checks: here the numbers judge
        trainer = symbp.generate(kernel_spec(spec), trainer_path(spec), prove=False)
    report = symbp.verify(trainer)
    click.echo(report.table())
    return 0 if report.ok else 1


def _written_gradient(file: str, gradient: str, notation: str, samples: int, partial: bool) -> int:
    """Check a gradient that is written down as text."""
    if Path(file).suffix == ".py":
        raise click.UsageError("--gradient needs the SPEC of the network, not a trainer")
    spec = Spec.from_toml(file)
    try:
        with click.open_file(gradient, encoding="utf-8") as lines:
            text = lines.read()
    except UnicodeDecodeError:
        raise GradientError(f"{gradient}: expected text in UTF-8") from None

    import symbp

    report = symbp.check_gradient(
        spec.network,
        text,
        notation=notation,
        samples=samples,
        partial=partial,
        **{name: spec.train.stated[name] for name in ("l1", "l2", "penalty")},
    )
    click.echo(report)
    return 0 if report.ok else 1
