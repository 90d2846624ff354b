"""The equations that kernels compute, with the derivatives of this network's functions put in.

``D.5, k=1`` speaks of g'^1; ``D.5f, k=1`` has the right side of 1.3d in its place, or of its
stable form 1.3ds. A Jacobian of the outputs (1.8d, 1.8ds) brings Kronecker deltas, which
collapse, and factors that leave sums.
"""

from __future__ import annotations

from typing import Any

from symbp.algebra import rules
from symbp.algebra.nodes import ActivateDerivative, Partial, i, q, r
from symbp.derivation.records import Builder, equation
from symbp.derivation.stable import label_of_form

RULE = "functions put in"
# The instances in which g' or the derivative of the output activation may stand.
_HEADS = ("2.12", "2.17a", "2.17b", "D.5", "X.9")


def resolved_label(label: str) -> str:
    """Return the label of an instance once functions are put in: D.5f, k=1 for D.5, k=1."""
    head, comma, layer = label.partition(", k=")
    return f"{head}f{comma}{layer}"


def put_in_functions(b: Builder) -> None:
    """Add a resolved equation for every instance that holds a derivative of a function."""
    for label in [x for x in b.steps if x.partition(", k=")[0] in _HEADS and ", k=" in x]:
        value, used = _resolved(b, b[label].rhs)
        if used:
            b.add(
                resolved_label(label),
                RULE,
                equation(b[label].lhs, value),
                f"{label} with the derivatives of this network's functions",
                (label, *used),
                b.steps[label].assumes,
                defines=b.steps[label].defines,
                functions=True,
            )


def _resolved(b: Builder, value: Any) -> tuple[Any, tuple[str, ...]]:
    used: list[str] = []
    of_outputs = label_of_form(b, "1.8d")
    hidden = rules.Hidden()

    def slope(layer: Any, argument: Any) -> Any:
        used.append(label_of_form(b, f"1.3d, k={layer}"))
        return hidden.hide(b[used[-1]].rhs).xreplace({i: argument.indices[0]})

    def jacobian(partial: Partial) -> Any:
        used.append(of_outputs)
        return hidden.hide(b[of_outputs].rhs).xreplace({q: partial.of.indices[0], r: partial.wrt.indices[0]})

    value = value.replace(ActivateDerivative, slope)
    value = value.replace(lambda e: isinstance(e, Partial) and e.of.kind == "sigma", jacobian)
    if of_outputs in used:
        value = rules.hoist(rules.collapse(value))
    return hidden.show(value), tuple(dict.fromkeys(used))
