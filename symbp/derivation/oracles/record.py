"""Equations that come from a record of functions: they say what the record says, kinks included."""

from __future__ import annotations

import itertools
from typing import Any

import sympy

from symbp.algebra.nodes import Node, m, with_numbers
from symbp.derivation import local
from symbp.derivation.components import RULE as COMPONENT
from symbp.derivation.kinks import chosen_branch, switches
from symbp.derivation.oracles.formula import difference, evaluate, number
from symbp.derivation.penalty import stated_of_penalty
from symbp.derivation.records import Check, Derivation, Step
from symbp.derivation.stated import stated_cost, stated_hidden, stated_output, stated_parameters


def check_record(derivation: Derivation, step: Step) -> Check | None:
    """Compare a definition with the formula of its record, as expressions."""
    # A component is not what the record says but an instance of it: numbers check that.
    stated = None if step.rule == COMPONENT else _stated(derivation, step.label)
    if stated is None:
        return None
    passed = bool(step.statement.rhs == stated)
    detail = "what the record states" if passed else f"the record states {stated}"
    return Check(step.label, "record", passed, detail)


def _stated(derivation: Derivation, label: str) -> Any:
    network = derivation.network
    if derivation.training.penalty is not None and label.startswith(("2.1p", "2.1rf")):
        return stated_of_penalty(derivation.training.penalty, network, label)
    if network is None:
        return None
    if label in (parameters := stated_parameters(network)):
        return parameters[label][1]
    if label == "1.8":
        return stated_output(network)
    if label == "2.1":
        return stated_cost(network)
    if label.startswith("1.3, k="):
        return stated_hidden(network, int(label.removeprefix("1.3, k=")))
    return None


def check_kinks(derivation: Derivation, step: Step) -> Check | None:
    """Compare a derivative with the formula's branches: on each, and *at* each place where they switch.

    The branch that holds at such a place declares the derivative there. Random networks need not
    visit every branch.
    """
    found = _slope(derivation, step)
    if found is None:
        return None
    formula, variable, others, slope = found
    places = switches(formula, variable)
    if not places:
        return None
    strange = {x for x in slope.free_symbols if x not in {variable, _OUTPUT, *others}}
    if strange:
        return Check(step.label, "kink", False, f"{', '.join(sorted(map(str, strange)))} is no letter of g'")
    for at in _visited([place.subs(others) for place in places]):
        branch = chosen_branch(formula, {variable: at, **others})
        names = {symbol.name: _real(value) for symbol, value in {variable: at, **others}.items()}
        try:
            expected = _slope_at(branch, names, variable.name)
            names["output"] = evaluate(branch, names)
            names[_NOTHING.name] = number(0)
            exact = {variable: at, **others}
            stated = evaluate(_decided(slope, {**exact, _OUTPUT: branch.subs(exact)}), names)
        except ZeroDivisionError:
            expected = stated = number("inf")
        if not abs(stated) < number("inf"):
            return Check(
                step.label, "kink", False, f"there is no finite derivative at {variable} = {at}{_REMEDY}"
            )
        if not abs(stated - expected) <= number(10) ** -20:
            return Check(
                step.label, "kink", False, f"at {variable} = {at} the branch has slope {float(expected):.6g}"
            )
    detail = f"every branch, and the declared value at {variable} = {', '.join(map(str, places))}"
    return Check(step.label, "kink", True, detail)


def _decided(slope: Any, numbers: dict[Any, Any]) -> Any:
    """Decide at exact numbers which branch holds, and what is 0: rounded, 1/3 may lie beside a kink there."""

    def branch(cases: sympy.Piecewise) -> Any:
        for value, test in cases.args:
            holds = test.subs(numbers)
            if holds != False:  # noqa: E712 - a symbol of SymPy
                return value if holds == True else cases  # noqa: E712
        return cases

    def sign(u: Any) -> Any:
        return _NOTHING if u.subs(numbers) == 0 else sympy.sign(u)  # a letter: 0/0 stays what it is

    return slope.replace(lambda e: isinstance(e, sympy.Piecewise), branch).replace(sympy.sign, sign)


def _slope_at(branch: Any, names: dict[str, Any], variable: str) -> Any:
    return difference(lambda step: evaluate(branch, {**names, variable: names[variable] + step}))


_REMEDY = "; give the formula another branch there with 'a if ... else b'"


def _visited(places: list[Any]) -> list[Any]:
    """Return the places, a point between each two, and one beyond each end."""
    ordered = sorted(places)
    between = [(a + b) / 2 for a, b in itertools.pairwise(ordered)]
    return [ordered[0] - 1, *ordered, *between, ordered[-1] + 1]


def _slope(derivation: Derivation, step: Step) -> tuple[Any, Any, dict[Any, Any], Any] | None:
    """Return formula, variable, numbers for the other letters, and the slope that a step states."""
    network = derivation.network
    if network is None:
        return None
    statement = with_numbers(step.statement.rhs)
    if step.label == "2.1d":
        target = sympy.S.One if network.cost.targets == "sign" else sympy.Rational(1, 3)
        # Of a sample with weight 1, where the cost has weights.
        letters = {"h": _H, "v": sympy.S.One}
        names = {node: letters.get(node.kind, _Y) for node in statement.atoms(Node)}
        return network.cost.expression(), _H, {_Y: target}, (statement * m).xreplace(names)
    head, _, layer = step.label.partition(", k=")
    if head in ("1.8d", "1.8r"):
        activation = network.layers[-1].activation
    elif head in ("1.3d", "1.3r"):
        activation = network.layer(int(layer)).activation
    else:
        return None
    if activation.of_layer:
        return None
    names = {node: local.Z if node.kind == "c" else _OUTPUT for node in statement.atoms(Node)}
    one_neuron = statement.replace(sympy.KroneckerDelta, lambda *_: sympy.S.One)
    return activation.expression(), local.Z, {}, one_neuron.xreplace(names)


def _real(value: Any) -> Any:
    """Return a number in closed form with the working precision."""
    return evaluate(sympy.sympify(value), {})


_OUTPUT = sympy.Symbol("output", real=True)
_NOTHING = sympy.Symbol("exactly 0", real=True)
_H, _Y = sympy.symbols("h y", real=True)
