"""Commands that derive and typeset: derive, functions, audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from symbp.cli.group import cli
from symbp.cli.options import Name, form_of, output_options
from symbp.errors import SpecError
from symbp.files import atomic_write, check_output
from symbp.spec import Spec
from symbp.spec_tables import own_records

FORMATS = ("latex", "html", "text", "markdown", "pdf")
AUDIT_FORMATS = ("text", "latex", "html", "json")
GRAPH_FORMATS = ("text", "latex", "html", "markdown", "pdf")
_PAGES = {".txt": "text", ".tex": "latex", ".html": "html", ".htm": "html"}
ENDINGS = {**_PAGES, ".md": "markdown", ".pdf": "pdf"}
AUDIT_ENDINGS = {**_PAGES, ".json": "json"}


@cli.command()
@click.argument("spec")
@click.option("--notation", default="smatrix", show_default=True, help="Whose symbols to write it in.")
@click.option("--translate", metavar="NOTATION", help="Add a table from there to another notation.")
@click.option("--format", "form", type=Name(FORMATS), help="Default: by the ending of --output, else text.")
@click.option("--components", is_flag=True, help="Write out every index and sum; small networks only.")
@click.option("--prove", is_flag=True, help="Print the checks of every step instead of the derivation.")
@click.option(
    "--mutants", is_flag=True, help="With --prove: break every equation; report which faults are seen."
)
@click.option(
    "--numbers",
    metavar="TEXT",
    help="Work an example through: 'x = 2; y = 1; seed = 3'; weights as the notation has them.",
)
@click.option("--digits", type=click.IntRange(1, 40), metavar="N", help="Decimals of --numbers.")
@output_options
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
    form = _checked(form, output, force, ENDINGS)

    import symbp
    from symbp.notation import get

    for name in (notation, translate or notation):
        get(name)  # says so now if there is none of that name
    derivation = symbp.derive(declared.network, **declared.train.stated)
    if numbers is not None:
        write = _worked_example(derivation, numbers, notation, digits)
    else:
        write = _derivation(derivation.components() if components else derivation, notation, translate)
    _hand_over(_typeset(write, form), output)
    return 0


def _checked(form: str | None, output: str | None, force: bool, endings: Mapping[str, str]) -> str:
    """Return the format, after making sure that it can be written there."""
    if output is not None:
        check_output(output, force)
    chosen = form_of(form, output, endings)
    if chosen == "pdf" and output is None:
        raise click.UsageError("--format pdf needs --output FILE")
    return chosen


def _typeset(write: Callable[[str], str], form: str) -> str | bytes:
    """Return what `write` makes in a format; a PDF is made from the LaTeX."""
    if form != "pdf":
        return write(form)
    from symbp.pdf import compile_pdf

    return compile_pdf(write("latex"))


def _hand_over(content: str | bytes, output: str | None) -> None:
    """Print the content, or write the file."""
    if output is None:
        click.echo(content, nl=False)
    else:
        click.echo(f"wrote {atomic_write(output, content)}")


def _derivation(derivation: Any, notation: str, translate: str | None) -> Callable[[str], str]:
    """Return what writes a derivation, every step proved, in a format."""
    checked = derivation.checked()
    checked.prove()
    return lambda form: str(getattr(checked, form)(notation=notation, translate=translate))


def _worked_example(derivation: Any, numbers: str, notation: str, digits: int | None) -> Callable[[str], str]:
    """Return what writes the network worked through with numbers in a format."""
    from symbp.derivation.numbers import work
    from symbp.notation import get
    from symbp.notation.given import read
    from symbp.render.example import FORMATS as pages

    given = read(numbers, derivation.network, get(notation))
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
    from symbp.derivation.documents.definitions import faults_in, stated_apart
    from symbp.derivation.oracles.kills import try_faults

    report = try_faults(derivation)
    for equation in stated_apart(derivation.labels):
        report = report.with_equation(equation.number, "definition", *faults_in(equation))
    click.echo("\n" + report.table(), nl=False)
    return 0 if report.ok else 1


@cli.command()
@click.argument("name", required=False)
@click.option("--spec", metavar="SPEC", help="The own functions of SPEC, with what is wrong with them.")
@click.option("--format", "form", type=Name(("text", "markdown", "latex")), default="text", show_default=True)
def functions(name: str | None, spec: str | None, form: str) -> None:
    """Print the table of activations, costs, update rules, schedules and penalties, or the entry NAME.

    Formula, derivative as derived, its relation to the output, range, kinks with the declared
    derivative; assignments and states; parameters and source.
    """
    from symbp.functions import ACTIVATIONS, ALIASES, COSTS, OPTIMIZERS, PENALTIES, SCHEDULES
    from symbp.functions.names import nearest

    tables: tuple[Any, ...] = (ACTIVATIONS, COSTS, OPTIMIZERS, SCHEDULES, PENALTIES)
    built_in = [record for table in tables for record in table.values()]
    declared = None if spec is None else Spec.from_toml(spec)
    own = [] if declared is None else own_records(declared.network, declared.train)
    records = built_in if declared is None else own
    if name is not None:
        wanted = ALIASES.get(name, name)
        records = [record for record in (*own, *built_in) if record.name == wanted]
        if not records:
            known = [*ALIASES, *(record.name for record in (*own, *built_in))]
            raise SpecError(f"unknown function {name!r}{nearest(name, known)}")
    if not records:
        raise SpecError(f"{spec}: it uses no function of its own; leave --spec out for the built-in ones")

    from symbp.render.functions_page import functions_page, own_notes

    notes = {} if declared is None else own_notes(declared.network)
    click.echo(functions_page(records, form, notes), nl=False)


@cli.command()
@click.argument("document", required=False)
@click.option(
    "--format",
    "form",
    type=Name(AUDIT_FORMATS),
    help="Default: by the ending of --output, else text.",
)
@output_options
def audit(document: str | None, form: str | None, output: str | None, force: bool) -> None:
    """Check DOCUMENT (000 to 004) of the sources equation by equation; all of them by default."""
    form = _checked(form, output, force, AUDIT_ENDINGS)

    from symbp.render.audit import page

    _hand_over(page(document, form), output)


class _OfFormula(click.Command):
    """A command whose argument may begin with a minus, such as -x**2, which is no option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put a blank in front of what would be taken for an option, and is none."""
        known = {name for param in self.get_params(ctx) for name in param.opts}

        def guarded(text: str) -> str:
            looks_so = text.startswith("-") and not text.startswith(("--", *known))
            return f" {text}" if looks_so and len(text) > 1 else text

        return super().parse_args(ctx, [guarded(text) for text in args])


@cli.command(cls=_OfFormula)
@click.argument("formula")
@click.option("--at", "point", metavar="TEXT", help="Values of all inputs: 'a = 2; b = 1/3'.")
@click.option(
    "--format", "form", type=Name(GRAPH_FORMATS), help="Default: by the ending of --output, else text."
)
@output_options
def chain(formula: str, point: str | None, form: str | None, output: str | None, force: bool) -> None:
    """Print the computation graph of FORMULA: its values forward, its derivatives backward.

    FORMULA is one formula, such as '(a + b)*c', or assignments: 'y = 2*a; a = 3*x'. pi and e are the
    numbers, unless an assignment or --at gives them another value.
    """
    form = _checked(form, output, force, ENDINGS)

    import symbp
    from symbp.graph.reading import point as read_point

    graph = symbp.chain(formula, None if point is None else read_point(point))
    _hand_over(_typeset(lambda chosen: str(getattr(graph, chosen)()), form), output)
