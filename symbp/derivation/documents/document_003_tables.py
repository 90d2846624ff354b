"""Tables 1 and 2 of document 003, row by row."""

from __future__ import annotations

from dataclasses import replace

from symbp.derivation.documents.records import Equation

_ONE, _TWO, _IN = "1 <= i <= N[1]", "1 <= i <= N[2]", "1 <= i <= N[0]"
_PAIR_2 = "1 <= j <= N[2], 1 <= i <= N[1]"
_PAIR_1 = "1 <= j <= N[1], 1 <= i <= N[0]"

# (step, local relationship, its range, local derivative, its range, backpropagated derivative,
# its range, our steps)
_TABLE_1 = (
    (
        "1",
        ("E == 1/2*(z3 - y3)**2", ""),
        ("D(E, z3) == z3 - y3", ""),
        ("D(E, z3) == z3 - y3", ""),
        ("2.1", "2.1d", "2.1d"),
    ),
    (
        "2",
        ("z3 == sigma(a3)", ""),
        ("D(z3, a3) == dsigma(a3)", ""),
        ("D(E, a3) == D(E, z3)*D(z3, a3) == (z3 - y3)*dsigma(a3) == delta3", ""),
        ("h", "1.8d", "D.1"),
    ),
    (
        "3",
        ("a3 == sum(w3[j]*z[2][j], j, 1, N[2])", ""),
        ("D(a3, z[2][i]) == w3[i]", _TWO),
        ("D(E, z[2][i]) == D(E, a3)*D(a3, z[2][i]) == delta3*w3[i]", _TWO),
        ("2.6", "D.7", "D.9a"),
    ),
    (
        "4",
        ("z[2][i] == sigma(a[2][i])", _TWO),
        ("D(z[2][i], a[2][i]) == dsigma(a[2][i])", _TWO),
        (
            "D(E, a[2][i]) == D(E, z[2][i])*D(z[2][i], a[2][i]) == delta3*w3[i]*dsigma(a[2][i]) "
            "== delta[2][i]",
            _TWO,
        ),
        ("1.3", "1.3d", "D.5"),
    ),
    (
        "5",
        ("a[2][j] == sum(w[2][j, k]*z[1][k], k, 1, N[1])", "1 <= j <= N[2]"),
        ("D(a[2][j], z[1][i]) == w[2][j, i]", _PAIR_2),
        (
            "D(E, z[1][i]) == sum(D(E, a[2][j])*D(a[2][j], z[1][i]), j, 1, N[2]) "
            "== sum(delta[2][j]*w[2][j, i], j, 1, N[2])",
            _ONE,
        ),
        ("2.6", "D.7", "D.9a"),
    ),
    (
        "6",
        ("z[1][i] == sigma(a[1][i])", _ONE),
        ("D(z[1][i], a[1][i]) == dsigma(a[1][i])", _ONE),
        (
            "D(E, a[1][i]) == D(E, z[1][i])*D(z[1][i], a[1][i]) "
            "== dsigma(a[1][i])*sum(delta[2][j]*w[2][j, i], j, 1, N[2]) == delta[1][i]",
            _ONE,
        ),
        ("1.3", "1.3d", "D.5"),
    ),
    (
        "7",
        ("a[1][j] == sum(w[1][j, k]*x[k], k, 1, N[0])", "1 <= j <= N[1]"),
        ("D(a[1][j], z[0][i]) == w[1][j, i]", _PAIR_1),
        (
            "D(E, x[i]) == sum(D(E, a[1][j])*D(a[1][j], x[i]), j, 1, N[1]) "
            "== sum(delta[1][j]*w[1][j, i], j, 1, N[1])",
            _IN,
        ),
        ("2.6", "X.2", "X.13"),
    ),
)

_COLUMNS = ("relationship", "local", "backward")

TABLE_1 = tuple(
    Equation(f"table 1, step {step}, {column}", printed, where, label=label, setting="three layers")
    for step, *cells, labels in _TABLE_1
    for column, (printed, where), label in zip(_COLUMNS, cells, labels, strict=True)
)

# The same steps in the network of figure 4 itself, with two units in each hidden layer.
FIGURE_4 = tuple(
    replace(equation, number=equation.number.replace("table 1", "figure 4"), setting="figure 4")
    for equation in TABLE_1
    if equation.number.endswith("backward")
)

FORWARD = (
    Equation("figure 4, a(3)", "a3 == w3[1]*z[2][1] + w3[2]*z[2][2]", label="2.6", setting="figure 4"),
    Equation("figure 4, da(3)/dw_1", "D(a3, w3[1]) == z[2][1]", label="2.8", setting="figure 4"),
    Equation("figure 4, da(3)/dw_2", "D(a3, w3[2]) == z[2][2]", label="2.8", setting="figure 4"),
)

_ORDER = "columns: the matrix of the later factor stands first, transposed"


def _chain(
    step: str, left: str, chain: str, then: str, right: str, label: str = "", result: str = ""
) -> Equation:
    """A row of table 2: of the two factors in the middle, with a matrix in either layout."""
    end = f"{then} == {result}" if result else then
    return Equation(
        f"table 2, row {step}",
        tuple(f"{left} == {chain}{turned} == {end}" for turned in ("", ".T")),
        "",
        f"{left} == {right} == {end}",
        label=label,
        setting="three layers",
        because=_ORDER,
    )


TABLE_2 = (
    Equation("table 2, row 1", "D(E, z3) == z3 - y3", label="2.1d", setting="three layers"),
    Equation(
        "table 2, row 2",
        "D(E, a3) == D(E, z3)*D(z3, a3) == (z3 - y3)*dsigma(a3) == delta3",
        label="D.1",
        setting="three layers",
    ),
    Equation(
        "table 2, row 3",
        "D(E, z[2]) == D(E, a3)*D(a3, z[2]) == delta3*w3",
        label="D.9m",
        setting="three layers",
    ),
    _chain(
        "4",
        "D(E, a[2])",
        "D(E, z[2]) @ D(z[2], a[2])",
        "(delta3*w3)*dsigma(a[2])",
        "D(z[2], a[2]).T @ D(E, z[2])",
        "D.5",
        "delta[2]",
    ),
    _chain(
        "5",
        "D(E, z[1])",
        "D(E, a[2]) @ D(a[2], z[1])",
        "W[2].T @ delta[2]",
        "D(a[2], z[1]).T @ D(E, a[2])",
        "D.9m",
    ),
    _chain(
        "6",
        "D(E, a[1])",
        "D(E, z[1]) @ D(z[1], a[1])",
        "(W[2].T @ delta[2])*dsigma(a[1])",
        "D(z[1], a[1]).T @ D(E, z[1])",
        "D.5",
        "delta[1]",
    ),
    _chain(
        "7",
        "D(E, x)",
        "D(E, a[1]) @ D(a[1], x)",
        "W[1].T @ delta[1]",
        "D(a[1], x).T @ D(E, a[1])",
        "X.13m",
    ),
)

TABLES = (*TABLE_1, *FORWARD, *FIGURE_4, *TABLE_2)
