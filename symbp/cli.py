"""The command line: each command reads, calls the public functions, and writes.

Nothing heavy is imported before a command runs: ``symbp --help`` answers at once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import click

from symbp.errors import DataError, SpecError, SymbpError, SymbpWarning
from symbp.files import atomic_write, check_output
from symbp.spec import Spec
from symbp.version import __version__

FORMATS = ("latex", "html", "text", "markdown", "pdf")
AUDIT_FORMATS = ("text", "latex", "html", "json")

# \b keeps Click from filling the lines of the example.
_HELP = """Derive backpropagation of a dense network, prove every step, typeset it, compile and train it.

SPEC is a TOML file that declares the network, such as

\b
[network]
name = "iris"
inputs = 4
cost = "cross_entropy"
layers = [{units = 8, activation = "tanh"}, {units = 3, activation = "softmax"}]
"""

Command = Callable[..., Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Every mistake of the user becomes one line on stderr and status 2.
    """
    try:
        with _warnings_in_one_line():
            status = cli.main(arguments, prog_name="symbp", standalone_mode=False)
        sys.stdout.flush()  # now, while a closed pipe or a full disk can still be reported
        return status if isinstance(status, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        return _fail(error.format_message())
    except SymbpError as error:
        return _fail(str(error), getattr(error, "excerpt", ()))
    except (KeyboardInterrupt, click.Abort):
        print("symbp: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of stdout has left (symbp derive ... | head). What Python would still
        # flush at exit goes nowhere, so that it does not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError:
        return _fail("not enough memory for a network or data of this size")
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}")
    except Exception as error:
        if os.environ.get("SYMBP_TRACEBACK"):
            raise
        return _fail(
            f"this is a fault of symbp, please report it: {type(error).__name__}: {error} "
            "(SYMBP_TRACEBACK=1 shows where)"
        )


def _fail(message: str, excerpt: Sequence[str] = ()) -> int:
    """Print one line, and below it the formula with a caret under the place, if there is one."""
    with contextlib.suppress(OSError):
        lines = [f"symbp: error: {' '.join(message.split())}", *(f"    {line}" for line in excerpt)]
        print("\n".join(lines), file=sys.stderr, flush=True)
    return 2


@contextlib.contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """Show symbp's own warnings as one line each; others as Python does."""
    with warnings.catch_warnings():
        warnings.simplefilter("once", SymbpWarning)
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any) -> None:
            if issubclass(category, SymbpWarning):
                print(f"symbp: warning: {' '.join(str(message).split())}", file=sys.stderr)
            else:
                usual(message, category, *place)

        warnings.showwarning = show  # type: ignore[assignment]
        yield


@click.group(help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="symbp %(version)s")
def cli() -> None:
    """Hold the commands; their docstrings are the help."""


def _output_options(command: Command) -> Command:
    """Add ``--output`` and ``--force``, which mean the same everywhere."""
    output = click.option("--output", "-o", metavar="FILE", help="Where to write.")
    force = click.option("--force", is_flag=True, help="Overwrite a file that symbp did not write.")
    return output(force(command))


def _train_options(*names: str) -> Callable[[Command], Command]:
    """Add options that go before those in the [train] table of the spec."""
    known = {
        "optimizer": click.option("--optimizer", metavar="NAME", help="The update rule, such as sgd."),
        "learning_rate": click.option("--learning-rate", type=float, metavar="RATE"),
        "batch_size": click.option("--batch-size", type=int, metavar="N", help="Samples per update."),
        "dtype": click.option("--dtype", metavar="float64|float32", help="The type of every number."),
        "epochs": click.option("--epochs", type=int, metavar="N", help="Passes over the data."),
        "seed": click.option("--seed", type=int, metavar="N", help="Of initial weights and shuffling."),
    }

    def add(command: Command) -> Command:
        for name in reversed(names):
            command = known[name](command)
        return command

    return add


def _read_spec(path: str, **given: Any) -> Spec:
    """Return the spec, with the options that were given on the command line."""
    spec = Spec.from_toml(path)
    given = {key: value for key, value in given.items() if value is not None}
    if "optimizer" in given:
        # The learning rate of the spec belongs to the optimizer of the spec.
        given.setdefault("learning_rate", None)
    return dataclasses.replace(spec, train=dataclasses.replace(spec.train, **given))


@cli.command()
@click.argument("spec")
@click.option("--notation", default="smatrix", show_default=True, help="Whose symbols to write it in.")
@click.option("--translate", metavar="NOTATION", help="Add a table from there to another notation.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="Default: by the ending of --output, else text."
)
@click.option("--components", is_flag=True, help="Write out every index and sum; small networks only.")
@click.option("--prove", is_flag=True, help="Print the checks of every step instead of the derivation.")
@click.option(
    "--mutants", is_flag=True, help="With --prove: break every equation; report which faults are seen."
)
@click.option("--numbers", metavar="TEXT", help="Work an example through: 'x = 2; y = 1; seed = 3'.")
@click.option("--digits", type=click.IntRange(1, 40), metavar="N", help="Decimals of --numbers.")
@_output_options
def derive(
    spec: str,
    notation: str,
    translate: str | None,
    form: str | None,
    components: bool,
    prove: bool,
    mutants: bool,
    numbers: str | None,
    digits: int | None,
    output: str | None,
    force: bool,
) -> int:
    """Print the derivation of SPEC, every step proved."""
    declared = Spec.from_toml(spec)
    if mutants and not prove:
        raise click.UsageError("--mutants needs --prove")
    if numbers is not None and (prove or components):
        raise click.UsageError("--numbers works one example; leave --prove and --components out")
    if numbers is not None and translate is not None:
        raise click.UsageError("--numbers works one example; leave --translate out")
    if digits is not None and numbers is None:
        raise click.UsageError("--digits needs --numbers")
    if prove:
        if output is not None or form is not None:
            raise click.UsageError("--prove prints a table; leave --output and --format out")
        return _prove(declared, components, mutants)
    form = form or _format_of(output)
    if form == "pdf" and output is None:
        raise click.UsageError("--format pdf needs --output FILE")
    if output is not None:
        check_output(output, force)

    import symbp
    from symbp.notation import get

    for name in (notation, translate or notation):
        get(name)  # says so now if there is none of that name
    derivation = symbp.derive(declared.network, **declared.train.stated)
    if numbers is not None:
        write = _worked_example(derivation, numbers, notation, digits)
    else:
        write = _derivation(derivation.components() if components else derivation, notation, translate)
    if form == "pdf":
        from symbp.pdf import compile_pdf

        content: str | bytes = compile_pdf(write("latex"))
    else:
        content = write(form)
    if output is None:
        click.echo(content, nl=False)
    else:
        click.echo(f"wrote {atomic_write(output, content)}")
    return 0


def _derivation(derivation: Any, notation: str, translate: str | None) -> Callable[[str], str]:
    """Return what writes a derivation, every step proved, in a format."""
    checked = derivation.checked()
    checked.prove()
    return lambda form: str(getattr(checked, form)(notation=notation, translate=translate))


def _worked_example(derivation: Any, numbers: str, notation: str, digits: int | None) -> Callable[[str], str]:
    """Return what writes the network worked through with numbers in a format."""
    from symbp.derivation.given import read
    from symbp.derivation.numbers import work
    from symbp.render.example import FORMATS as pages

    given = read(numbers, derivation.network)
    derivation.prove()
    example = work(derivation, given)
    return lambda form: pages[form](example, notation, digits)


def _prove(declared: Spec, components: bool, mutants: bool) -> int:
    """Print every step with its oracles, and what they see of deliberate faults."""
    import symbp

    derivation = symbp.derive(declared.network, **declared.train.stated)
    derivation = (derivation.components() if components else derivation).checked()
    checks = derivation.prove()
    width = max(map(len, derivation.labels))
    for step in derivation.steps:
        click.echo(f"{step.label:<{width}}  {', '.join(check.method for check in step.checks)}")
    click.echo(f"{len(derivation.steps)} steps, {len(checks)} checks passed")
    if not mutants:
        return 0
    from symbp.derivation.oracles.kills import try_faults

    report = try_faults(derivation)
    click.echo("\n" + report.table(), nl=False)
    return 0 if report.ok else 1


def _format_of(output: str | None) -> str:
    endings = {".tex": "latex", ".html": "html", ".htm": "html", ".md": "markdown", ".pdf": "pdf"}
    return endings.get(Path(output or "").suffix, "text")


def _working(spec: Spec) -> str:
    layers = len(spec.network.layers)
    return f"symbp: proving and compiling {spec.network.name} ({layers} layer{'s' * (layers > 1)}) ..."


@cli.command()
@click.argument("spec")
@_output_options
@_train_options("optimizer", "learning_rate", "batch_size", "dtype")
@click.option("--target", metavar="NAME", help="The machine that loops suit: host, portable, x86-64-v3 ...")
@click.option("--explain", is_flag=True, help="Print how every sum is carried out, and write nothing.")
def generate(spec: str, output: str | None, force: bool, explain: bool, **options: Any) -> None:
    """Write the trainer of SPEC as one Python file.

    The file needs NumPy and Numba, and neither symbp nor SymPy.
    """
    declared = _read_spec(spec, **options)
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
@_output_options
@_train_options("optimizer", "epochs", "batch_size", "learning_rate", "dtype", "seed")
@click.option(
    "--validation-fraction",
    "fraction",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    help="Share of the rows to hold out and report on.",
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
    **options: Any,
) -> None:
    """Train SPEC on a data file and write the model."""
    declared = _read_spec(spec, **options)
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
@_output_options
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
def verify(file: str) -> int:
    """Compare all ways to the gradient.

    A table shows the worst error of each pair; the exit status is 1 if one is too large.
    """
    spec = None if Path(file).suffix == ".py" else Spec.from_toml(file)

    import symbp

    if spec is None:
        report = symbp.verify(symbp.load(file))
    else:
        report = symbp.verify(symbp.derive(spec.network, **spec.train.stated))
    click.echo(report.table())
    return 0 if report.ok else 1


@cli.command()
@click.argument("name", required=False)
@click.option(
    "--format", "form", type=click.Choice(("text", "markdown", "latex")), default="text", show_default=True
)
def functions(name: str | None, form: str) -> None:
    """Print the table of activations and costs, or the entry NAME.

    Formula, derivative as derived, its relation to the output, range, kinks with the declared
    derivative, parameters and source.
    """
    from symbp.functions import ACTIVATIONS, ALIASES, COSTS, Activation, Cost
    from symbp.functions.names import nearest

    records: list[Activation | Cost] = [*ACTIVATIONS.values(), *COSTS.values()]
    if name is not None:
        wanted = ALIASES.get(name, name)
        records = [record for record in records if record.name == wanted]
        if not records:
            raise SpecError(f"unknown function {name!r}{nearest(name, [*ACTIVATIONS, *ALIASES, *COSTS])}")

    from symbp.render.functions_page import functions_page

    click.echo(functions_page(records, form), nl=False)


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
@click.argument("document", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(AUDIT_FORMATS),
    help="Default: by the ending of --output, else text.",
)
@_output_options
def audit(document: str | None, form: str | None, output: str | None, force: bool) -> None:
    """Check DOCUMENT (000 to 004) of the sources equation by equation; all of them by default."""
    if output is not None:
        check_output(output, force)
    endings = {".tex": "latex", ".html": "html", ".json": "json"}
    form = form or endings.get(Path(output or "").suffix, "text")

    from symbp.render.audit import page

    content = page(document, form)
    if output is None:
        click.echo(content, nl=False)
    else:
        click.echo(f"wrote {atomic_write(output, content)}")


@cli.command()
@click.option(
    "--output", "-o", metavar="DIR", default="symbp_demo", show_default=True, help="Where to write."
)
def demo(output: str) -> int:
    """Take handwritten digits through every stage."""
    from symbp.demo import run_demo

    return 0 if run_demo(output) else 1
