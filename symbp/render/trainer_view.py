"""Program -> the finished lines that the trainer's template puts in place."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from symbp.algebra.named import LETTERS, NAMED, Named
from symbp.elementary.records import FORMATS
from symbp.functions import INITIALISATIONS
from symbp.notation import get
from symbp.notation.text import TextWriter
from symbp.plan.program import (
    Abreast,
    Array,
    Fused,
    Kernel,
    Origin,
    Program,
    Statement,
    equations_of,
    with_origin,
)
from symbp.plan.step import (
    BY_SAMPLES,
    STEP,
    WORTHWHILE,
    is_fused,
    products_of_sample,
    samples_together,
)
from symbp.plan.tiles import ANSWER, CHUNK, OF_ONE, RESIDENT, SPARE
from symbp.render import elementary, selftest, selftest_update
from symbp.render.called import called
from symbp.render.kernel_functions import KernelFunctions
from symbp.render.numba_printer import KernelPrinter, statement_groups
from symbp.render.places import ALIGNED, Places
from symbp.render.repeats import Calls, Shared, call_lines, share_layers
from symbp.render.resident_printer import resident
from symbp.render.selftest import TestVector
from symbp.render.tile_printer import update_function
from symbp.render.training_view import TrainingView
from symbp.render.value_printer import ValuePrinter
from symbp.render.vector_printer import VectorPrinter
from symbp.spec import Spec
from symbp.target import PORTABLE, Target

WIDTH = 96
PART = 24  # statements to a function
# Multiplications of a step up to which its kernels become part of the loop over the steps: handing
# arguments over would take a good part of the time.
COMPACT = 200_000
# Kernels whose statements run inside a loop over the samples are functions of one sample.
FUNCTIONS = {
    name: f"_{name}{'_of_sample' if name.endswith('jacobian') else ''}"
    for name in (
        *("forward", "sensitivities", "gradient", "jacobian", "input_gradient", "input_jacobian"),
        *STEP,
        *OF_ONE,
    )
}


class TrainerView:
    """Everything the template needs, as text and plain numbers.

    Parameters
    ----------
    program : Program
    spec : Spec
    vector : TestVector
    notation : str
        The notation of the formulas in the comments.
    target : Target
        The machine that the program was laid out for.
    """

    def __init__(
        self,
        program: Program,
        spec: Spec,
        vector: TestVector,
        notation: str = "smatrix",
        target: Target = PORTABLE,
    ) -> None:
        self.program = program
        self.spec = spec
        self.vector = vector
        self.dtype = spec.train.dtype
        self.target = target
        self.lanes = target.lanes(self.dtype)
        self.functions = KernelFunctions(spec.train.elementary, self.lanes, spec.train.batch_size == 1)
        self.training = TrainingView(program, spec.train)
        self.writer = TextWriter(get(notation), spec.network.sizes)
        self._places = Places(program.workspace, bool(self.lanes))

    def data(self) -> Mapping[str, Any]:
        """Return the template's data."""
        network, train = self.spec.network, self.spec.train
        kernels = {k.name: self.kernel(k) for k in self.program.kernels if k.name != RESIDENT}
        step_in_registers = resident(self.program, self.dtype, self.functions, self.comment)
        statements = (s for kernel in self.program.kernels for s in kernel.statements)
        abreast = [s for s in statements if isinstance(s, Abreast)]
        products = products_of_sample(self.program)
        named = self.named()  # first: it notes the elementary functions that it calls
        update_row = self.update_row()
        functions = elementary.functions(self.functions.used, self.dtype, bool(self.lanes))
        return {
            "name": network.name,
            "title": " - ".join(map(str, network.sizes)),
            "functions": ", ".join(layer.activation.signature for layer in network.layers),
            "cost": network.cost.signature,
            "sizes": network.sizes,
            "biases": network.biases,
            "n_params": network.n_params,
            "dtype": self.dtype,
            "batch_size": train.batch_size,
            "learning_rate": train.learning_rate,
            "epochs": train.epochs,
            "optimizer": train.optimizer.name,
            "targets": network.cost.targets,
            "weighted": network.weighted,
            "training": self.training,
            "spec": _inside_triple_quotes(self.spec.to_toml()),
            "layers": self.layers(),
            "initialisations": self.initialisations(),
            "kernels": kernels,
            "target": self.target,
            "lanes": self.lanes,
            "abreast": bool(abreast) or step_in_registers is not None,
            "resident": step_in_registers,
            "called": called(kernels, step_in_registers, update_row, functions, named),
            "compact": products * train.batch_size <= COMPACT,
            "spare": SPARE,
            "of_one": -(-(1 + SPARE) // ALIGNED) * ALIGNED if self.lanes else 1,
            "aligned": ALIGNED,
            "data": "X, Y, V" if network.weighted else "X, Y",
            "update_row": update_row,
            "chunk": CHUNK,
            "whole": max(CHUNK, self.target.numbers(self.dtype) // self._places.per_row),
            "together": samples_together(self.program),
            "products": products,
            "worthwhile": WORTHWHILE,
            "arguments": self.arguments(),
            "answer_view": self._places.view(self.program.kernel("forward").array("H")),
            "output_view": self._places.plain_view(self.program.kernel("forward").array("H")),
            "per_row": self._places.per_row,
            "fixed": self._places.fixed,
            "named": named,
            "elementary": functions,
            "tables": elementary.tables(self.functions.used, self.dtype),
            "functions_of": train.elementary,
            "integer": FORMATS[self.dtype].integer,
            "zero": ValuePrinter(self.dtype).number(0),
            "vector": self.vector,
            "patterns": selftest,
            "update": selftest_update,
        }

    def layers(self) -> list[dict[str, Any]]:
        """Where each layer lies in the flat vector and how it starts."""
        layers = []
        for layer in self.program.layers:
            initial = INITIALISATIONS[layer.initialisation]
            regular = layer.columns - int(layer.bias)
            layers.append(
                {
                    "rows": layer.rows,
                    "columns": layer.columns,
                    "regular": regular,
                    "first": layer.offset,
                    "last": layer.offset + layer.rows * layer.columns,
                    "distribution": initial.distribution,
                    "scale": initial.scale(regular, layer.rows),
                    "initialisation": f"{initial.name} {initial.distribution}: {initial.source}",
                    "divisor": selftest.divisor(layer.columns),
                }
            )
        return layers

    def initialisations(self) -> list[str]:
        """One sentence for each way of starting, with its source."""
        lines = []
        for name, record in INITIALISATIONS.items():
            numbers = [n for n, layer in enumerate(self.program.layers, 1) if layer.initialisation == name]
            if numbers:
                shown = (
                    ", ".join(map(str, numbers)) if len(numbers) <= 8 else f"{numbers[0]} ... {numbers[-1]}"
                )
                square = "variance" if record.distribution == "normal" else "square of the limit"
                how = f"{record.distribution}, {square} {record.squared_scale}"
                lines.append(f"Layer {shown}: {name}, {how} ({record.source})")
        return lines

    def kernel(self, kernel: Kernel) -> dict[str, list[dict[str, Any]]]:
        """Return the functions for equal layers and the parts of one kernel.

        Each has views of the flat vectors and blocks of lines.
        """
        printer = KernelPrinter(kernel, self.dtype, functions=self.functions, lanes=self.lanes)
        groups = [statements for _, statements in statement_groups(kernel.statements)]
        functions, rest = share_layers(groups, kernel, self._places.first)
        parts = []
        for part in split(rest, kernel):
            used = [array for array in kernel.arrays if array.name in _names(part)]
            blocks = [
                self.calls(item, kernel.name) if isinstance(item, Calls) else self.block(item, printer)
                for item in part
            ]
            parts.append(
                {
                    "views": self.views(used, kernel),
                    "blocks": blocks,
                    "has_cost": any(array.name == "cost" for array in used),
                    "begins_cost": any(array.name == "cost" and array.role == "local" for array in used),
                }
            )
        return {"shared": [self.shared(function, kernel) for function in functions], "parts": parts}

    def views(
        self, arrays: Iterable[Array], kernel: Kernel, first: Mapping[str, str] = MappingProxyType({})
    ) -> list[str]:
        """Return the lines that make views of the flat vectors."""
        part, lanes = kernel.name in BY_SAMPLES, self.lanes if kernel.name == ANSWER else 0
        return [self._places.view(a, first.get(a.name), part, lanes) for a in arrays if _is_viewed(a)]

    def block(self, group: list[Statement], printer: KernelPrinter) -> list[str]:
        """Return the lines of one equation, under its comment."""
        return [*self.comment(group[0].origin), *(line for x in group for line in printer.lines(x))]

    def shared(self, function: Shared, kernel: Kernel) -> dict[str, Any]:
        """Return one function for many layers."""
        first = {name: f"{name.lower()}_at" for name in function.moved}
        renamed = Kernel(kernel.name, function.arrays, (), kernel.sample_loop)
        printer = KernelPrinter(renamed, self.dtype, first, self.functions, self.lanes)
        where = numbers(tuple(sorted(function.layers)))
        return {
            "name": self._function_name(kernel.name, function),
            "arguments": self.arguments()[kernel.name],
            "places": ", ".join(first.values()),
            "layers": where,
            "has_cost": False,
            "begins_cost": False,
            "views": self.views(function.arrays, kernel, first),
            "blocks": [
                self.block([_labelled(x, where) for x in group], printer) for group in function.groups
            ],
        }

    def calls(self, calls: Calls, kernel: str) -> list[str]:
        """Return the lines that call a shared function, under the labels of what it computes."""
        first = (group[0] for group in calls.function.groups)
        origins = (x.origin for statement in first for x in equations_of(statement))
        labels = dict.fromkeys(origin.label for origin in origins)
        where = numbers(tuple(sorted(calls.layers)))
        name = self._function_name(kernel, calls.function)
        comment = f"# {', '.join(f'({label}, k={where})' for label in labels)}"
        return [comment, *call_lines(calls, name, self.arguments()[kernel])]

    def arguments(self) -> dict[str, str]:
        """Return the arguments of every kernel's functions."""
        data = "X, Y, V" if self.spec.network.weighted else "X, Y"
        return {
            "forward": "w, X, rows, start, count, work",
            "sensitivities": f"w, {data}, rows, start, count, m, work",
            "gradient": f"w, {data}, rows, start, count, m, gradient, work",
            "jacobian": "w, X, row, start, p, work, jacobian",
            "input_gradient": f"w, {data}, rows, start, count, m, work, input_gradient",
            "input_jacobian": "w, X, row, start, p, work, input_jacobian",
            "prepare": "w, work",
            "answer": "w, X, work",
            **self.training.step_arguments(data),
        }

    @staticmethod
    def _function_name(kernel: str, function: Shared) -> str:
        return f"{FUNCTIONS[kernel]}_layer_{function.number}"

    def comment(self, origin: Origin) -> list[str]:
        """Return the equation and the parameters put into it, with their labels, as comment lines."""
        lines: list[str] = []
        for part in (origin, *origin.put_in):
            formula = part.formula if isinstance(part.formula, str) else self.writer.equation(part.formula)
            lines += textwrap.wrap(
                f"({part.label})  {formula}",
                WIDTH,
                initial_indent="# ",
                subsequent_indent="#     ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        return lines

    def update_row(self) -> dict[str, Any] | None:
        """Return the function that applies the update rule to a row of a block; None without fused steps."""
        if not is_fused(self.program):
            return None
        kernel = self.program.kernel("descend")
        fused = next(s for s in kernel.statements if isinstance(s, Fused) and s.update and len(s.loops) == 2)
        # The weights of any layer, in whichever way they are kept.
        names = {a.name: re.sub(r"\d+", "", a.name, count=1) for a in kernel.arrays if a.role == "work"}
        names = {name: "V" if own == "W" else own for name, own in names.items()}
        arguments, assignments = update_function(fused, kernel, self.dtype, self.functions, names)
        lines = [line for origin, code in assignments for line in (*self.comment(origin), *code)]
        return {"arguments": arguments, "lines": lines}

    def named(self) -> list[dict[str, str]]:
        """Return the named functions that kernels call: their heads, definitions and stable forms."""
        called = {
            type(e)
            for kernel in self.program.kernels
            for statement in kernel.statements
            for e in statement.value.atoms(Named)
        }
        kind_of_values = VectorPrinter if self.lanes else ValuePrinter
        printer = kind_of_values(self.dtype, (), functions=self.functions)
        helpers = []
        for kind in (kind for kind in NAMED if kind in called and not self.functions.emits(kind)):
            function = kind(*LETTERS[: next(iter(kind.nargs))])
            helpers.append(
                {
                    "head": f"{kind.title}({', '.join(str(a) for a in function.args)})",
                    "definition": self.writer.expression(function.defining()),
                    "remark": kind.remark or "computed without overflow and cancellation",
                    "value": printer.doprint(function.stable()),
                }
            )
        return helpers


_VIEWED = ("weights", "gradient", "work")


def _is_viewed(array: Array) -> bool:
    # In the update, states are vectors that the template makes views of.
    return array.role in _VIEWED or (array.role == "state" and len(array.axes) == 2)


Item = list[Statement] | Calls


def split(items: list[Item], kernel: Kernel) -> list[list[Item]]:
    """Split the statements of a deep network into parts that compile on their own.

    LLVM's time grows faster than the length of a function. Scalars are local to a function,
    so a part does not end while one of its own is still in use.
    """
    scalars = {array.name for array in kernel.arrays if array.role == "local"}
    parts: list[list[Item]] = [[]]
    for position, item in enumerate(items):
        parts[-1].append(item)
        shared = _names(parts[-1]) & _names(items[position + 1 :]) & scalars
        long = sum(1 if isinstance(x, Calls) else len(x) for x in parts[-1]) >= PART
        if long and not shared and position + 1 < len(items):
            parts.append([])
    return parts


def _names(items: list[Item]) -> set[str]:
    """Return the names of all arrays that statements read or write; a shared function has its own."""
    groups = (item for item in items if not isinstance(item, Calls))
    accesses = (a for group in groups for statement in group for a in statement.accesses())
    return {access.array for access in accesses}


def _labelled(statement: Statement, where: str) -> Statement:
    """Say behind the label of every equation for which layers it is."""

    def labelled(step: Any) -> Any:
        return with_origin(step, replace(step.origin, label=f"{step.origin.label}, k={where}"))

    if isinstance(statement, Fused):
        parts = tuple(map(labelled, statement.parts))
        return replace(statement, reduce=labelled(statement.reduce), parts=parts)
    if isinstance(statement, Abreast):
        return replace(statement, parts=tuple(map(labelled, statement.parts)))
    return labelled(statement)  # type: ignore[no-any-return]


def numbers(layers: tuple[int, ...]) -> str:
    """Return layers as they stand in a label: 2...19, or 3, 5, 9."""
    consecutive = len(layers) > 2 and layers == tuple(range(layers[0], layers[-1] + 1))
    return f"{layers[0]}...{layers[-1]}" if consecutive else ", ".join(map(str, layers))


def _inside_triple_quotes(text: str) -> str:
    """Escape text that will stand between triple quotes: names and formulas are the user's."""
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return escaped.encode("ascii", "backslashreplace").decode()
