"""The networks and graphs of document 003."""

from __future__ import annotations

from dataclasses import replace

from symbp.derivation.documents.records import Family, Function, Setting

_LAYERS = "1 <= k <= K"
_WEIGHTS = ("1..N[k]", "1..N[k-1]")
_FREE = {"sizes": "", "depth": ("", 0)}

NETWORK = Setting(
    families=(
        Family("x", ("1..N[0]",), latex=r"\mathbf{x}", entry="x"),
        Family("y", ("1..N[K]",), latex="y"),
        Family("lam", latex=r"\lambda"),
        Family("W", _WEIGHTS, "k", _LAYERS, latex=r"\mathbf{W}^{(#1)}"),
        Family("w", _WEIGHTS, "k", _LAYERS, "W[k]", "w^{(#1)}"),
        Family("w_all", _WEIGHTS, "k", _LAYERS, "W[k]", r"\mathbf{w}^{(#1)}"),
        Family("a", ("1..N[k]",), "k", _LAYERS, "W[k] @ z[k-1]", r"\mathbf{a}^{(#1)}", "a^{(#1)}"),
        Family(
            "z",
            ("1..N[k]",),
            "k",
            "0 <= k <= K",
            "x if k == 0 else sigma(a[k])",
            r"\mathbf{z}^{(#1)}",
            "z^{(#1)}",
        ),
        Family("E", value="1/2*sum((z[K][i] - y[i])**2, i, 1, N[K])", latex="E_n"),
        Family("E_plain", value="E", latex="E"),
        Family(
            "delta", ("1..N[k]",), "k", _LAYERS, "D(E, a[k])", r"\boldsymbol{\delta}^{(#1)}", r"\delta^{(#1)}"
        ),
        Family(
            "w_new",
            _WEIGHTS,
            "k",
            _LAYERS,
            "W[k] - lam*D(E, W[k])",
            "w^{(#1)}",
        ),
    ),
    functions=(Function("sigma", record="sigmoid", latex=r"\sigma"),),
    widths=((3, 5, 2, 4), (2, 4, 3), (4, 2, 3, 5, 2)),
    small=(2, 3, 1, 2),
    depth=("K", -1),
)

# Tables 1 and 2: two hidden layers of any width, one output.
# w3 is the column of the last weights, z3, a3 and delta3 are numbers.
THREE = replace(
    NETWORK,
    families=(
        *NETWORK.families,
        Family(
            "w3",
            ("1..N[2]",),
            value="column(w[3][1, j], j, 1, N[2])",
            latex=r"\mathbf{w}^{(3)}",
            entry="w^{(3)}",
        ),
        Family("z3", value="z[3][1]", latex="z^{(3)}"),
        Family("a3", value="a[3][1]", latex="a^{(3)}"),
        Family("y3", value="y[1]", latex="y"),
        Family("delta3", value="delta[3][1]", latex=r"\delta^{(3)}"),
    ),
    widths=((3, 5, 2, 1), (2, 4, 3, 1)),
    small=(2, 3, 2, 1),
    facts=("K == 3", "N[3] == 1"),
)

FIGURE_4 = replace(THREE, widths=((2, 2, 2, 1),), small=(2, 2, 2, 1), fixed=True, facts=())

CHAIN = Setting(
    families=(
        Family("x", latex="x"),
        Family("y", value="g(x)", latex="y"),
        Family("z", value="f(y)", latex="z"),
    ),
    functions=(Function("f", "exp(u) + u", latex="f"), Function("g", "tanh(u) - 2*u", latex="g")),
    widths=((1,), (2,)),
    **_FREE,  # type: ignore[arg-type]
)

FIGURE_1 = Setting(
    families=(
        Family("x", latex="x"),
        Family("a", value="3*x", latex="a"),
        Family("y", value="2*a", latex="y"),
    ),
    widths=((1,), (2,)),
    **_FREE,  # type: ignore[arg-type]
)

FIGURE_2 = Setting(
    families=(
        Family("x", latex="x"),
        Family("a1", value="3*x", latex="a_1"),
        Family("a2", value="-x", latex="a_2"),
        Family("y", value="2*a1 + a2", latex="y"),
    ),
    widths=((1,), (2,)),
    **_FREE,  # type: ignore[arg-type]
)

FIGURE_3 = Setting(
    families=(
        Family("x", latex="x"),
        Family("w1", ("1..N",), latex="w^{(1)}"),
        Family("w2", ("1..N",), latex="w^{(2)}"),
        Family("a", ("1..N",), value="w1*x", latex="a"),
        Family("y", value="(w2.T @ a)", latex="y"),
    ),
    widths=((1,), (2,)),
    integers={"N": "4"},
    **_FREE,  # type: ignore[arg-type]
)

THREE_NUMBERS = Setting(
    families=(Family("r", ("1..3",), latex="x"), Family("t", ("1..3",), latex="y")),
    widths=((1,), (2,)),
    **_FREE,  # type: ignore[arg-type]
)

SETTINGS = {
    "network": NETWORK,
    "three layers": THREE,
    "figure 4": FIGURE_4,
    "chain": CHAIN,
    "figure 1": FIGURE_1,
    "figure 2": FIGURE_2,
    "figure 3": FIGURE_3,
    "three numbers": THREE_NUMBERS,
}
