"""Document 001: Theta with the bias in column 0; layers are counted from the input, 1."""

from __future__ import annotations

from dataclasses import replace

from symbp.derivation.documents.records import Convention, Document, Equation, Family, Function, Setting

_THETAS = "1 <= l <= L - 1"
_SAMPLE = "1 <= p <= m"
_WEIGHTS = ("1..S[l+1]", "0..S[l]")

# a is the column of the units, ab the same with a_0 = 1 in front: the document writes a for both,
# the first up to equation (2), the second from "Adding bias term" on.
NETWORK = Setting(
    families=(
        Family("Theta", _WEIGHTS, "l", _THETAS, latex=r"\Theta^{(#1)}"),
        Family("theta", _WEIGHTS, "l", _THETAS, "Theta[l]", r"\theta^{(#1)}"),
        Family(
            "theta_inner",
            ("1..S[l+1]", "1..S[l]"),
            "l",
            _THETAS,
            "matrix(Theta[l][i, j], i, 1, S[l+1], j, 1, S[l])",
            r"\theta^{(#1)}",
        ),
        Family("inputs", ("1..S[1]",), "p", _SAMPLE, latex="x^{(#1)}"),
        Family("examples", ("0..S[1]",), "p", _SAMPLE, "prepend(1, inputs[p])", latex="x^{(#1)}"),
        Family("targets", ("1..S[L]",), "p", _SAMPLE, latex="y^{(#1)}"),
        Family("lam", latex=r"\lambda"),
        Family(
            "abs_",
            ("0..S[l]",),
            "p, l",
            f"{_SAMPLE}, {_THETAS}",
            "prepend(1, inputs[p] if l == 1 else g(zs[p, l]))",
            "a^{(#2)}",
        ),
        Family(
            "zs",
            ("1..S[l]",),
            "p, l",
            f"{_SAMPLE}, 2 <= l <= L",
            "Theta[l-1] @ abs_[p, l-1]",
            "Z^{(#2)}",
        ),
        Family("outputs", ("1..S[L]",), "p", _SAMPLE, "g(zs[p, L])", "a^{(L)}"),
        Family(
            "Js",
            (),
            "p",
            _SAMPLE,
            "1/2*sum((outputs[p][i] - targets[p][i])**2, i, 1, S[L])",
            "J_{#1}",
        ),
        Family(
            "deltas", ("1..S[l]",), "p, l", f"{_SAMPLE}, 2 <= l <= L", "D(Js[p], zs[p, l])", r"\delta^{(#2)}"
        ),
        Family(
            "Delta",
            _WEIGHTS,
            "p, l",
            f"0 <= p <= m, {_THETAS}",
            "0*Theta[l] if p == 0 else Delta[p-1, l] + D(Js[p], Theta[l])",
            r"\Delta^{#2}",
        ),
        Family("J_all", value="1/m*sum(Js[p], p, 1, m)", latex=r"J(\Theta)"),
        Family(
            "penalty",
            value="lam/2*sum(sum(sum(Theta[l][i, j]**2, j, 1, S[l]), i, 1, S[l+1]), l, 1, L - 1)",
            latex=r"\tfrac{\lambda}{2}\sum_l\sum_i\sum_{j \ne 0}(\theta_{ij}^{(l)})^2",
        ),
        Family("J_penalised", value="J_all + penalty", latex=r"J(\Theta)"),
        Family("G", _WEIGHTS, "l", _THETAS, "D(J_penalised, Theta[l])", "D^{#1}"),
        # One example.
        Family("x", ("0..S[1]",), value="abs_[1, 1]", latex="X", entry="x"),
        Family("y", ("1..S[L]",), value="targets[1]", latex="y"),
        Family("y_i", ("1..S[L]",), value="targets[1]", latex="y^{(i)}"),
        Family("z", ("1..S[l]",), "l", "2 <= l <= L", "zs[1, l]", "Z^{(#1)}"),
        Family("a", ("1..S[l]",), "l", "2 <= l <= L", "g(z[l])", "a^{(#1)}"),
        Family("ab", ("0..S[l]",), "l", _THETAS, "abs_[1, l]", "a^{(#1)}"),
        Family("yhat", ("1..S[L]",), value="a[L]", latex=r"\hat{y}"),
        Family("J", value="1/2*sum((yhat[i] - y[i])**2, i, 1, S[L])", latex="J"),
        Family("E", ("1..S[L]",), value="D(J, y)", latex="E"),
        Family("delta", ("1..S[l]",), "l", "2 <= l <= L", "D(J, z[l])", r"\delta^{(#1)}"),
    ),
    functions=(Function("g", record="sigmoid", latex="g"), Function("f", record="sigmoid", latex="f")),
    widths=((3, 5, 2, 1), (2, 4, 3, 1), (4, 2, 3, 5, 1)),
    small=(2, 3, 2, 1),
    sizes="S",
    first=1,
    depth=("L", 0),
    integers={"m": "2"},
    facts=("S[L] == 1",),
    entrywise=r"\mathbin{.*}",
)

# Figure 5: three inputs, three hidden units, one output.
FIGURE = replace(NETWORK, widths=((3, 3, 1),), small=(3, 3, 1), facts=(), fixed=True)

CHAIN = Setting(
    families=(
        Family("x", latex="x"),
        Family("v", value="g(x)", latex="u"),
        Family("y", value="f(v)", latex="y"),
    ),
    functions=(Function("f", "exp(u) + u", latex="f"), Function("g", "tanh(u) - 2*u", latex="g")),
    widths=((1,), (2,)),
    sizes="",
    depth=("", 0),
)

CIRCUIT = Setting(
    families=(
        Family("a", latex="a"),
        Family("b", latex="b"),
        Family("c", latex="c"),
        Family("d", value="a + b", latex="d"),
        Family("e", value="d*c", latex="e"),
    ),
    widths=((),),
    given={"a": "-12", "b": "14", "c": "-10"},
    sizes="",
    depth=("", 0),
)

VECTOR = Setting(
    families=(
        Family("X", ("1..2",), latex="X"),
        Family("x", ("1..2",), value="X", latex="x"),
        Family("y", value="sum(X[i]**2, i, 1, 2)", latex="y"),
    ),
    widths=((1,), (2,)),
    sizes="",
    depth=("", 0),
)

SIGMOID = Setting(
    families=(
        Family("Z", latex="Z"),
        Family("z", value="Z", latex="z"),
        Family("gZ", value="g(Z)", latex="g"),
    ),
    functions=(Function("g", record="sigmoid", latex="g"),),
    widths=((1,), (2,)),
    sizes="",
    depth=("", 0),
)


_NAMES = "names for the entries"
_CIRCUIT = "worked example of figure 6, the graph of (a + b)c"
_VECTOR = "derivative of X^T X, apart from any network"


def _slope(number: str, right: str, because: str = "") -> Equation:
    return Equation(
        f"sigmoid, {number}",
        f"D(gZ, z) == dg(Z) == {right}",
        setting="sigmoid",
        named="formula",
        label="1.3d",
        because=because,
    )


def _back(letter: str) -> Equation:
    """The derivative of figure 6's e with respect to a or b."""
    return Equation(
        f"figure 6, de/d{letter}",
        f"D(e, {letter}) == D(e, d)*D(d, {letter}) == -10*D(a + b, {letter}) == -10*1 == -10",
        setting="figure 6",
        place=_CIRCUIT,
    )


_ROW = "theta[1][{i}, 0]*x[0] + theta[1][{i}, 1]*x[1] + theta[1][{i}, 2]*x[2] + theta[1][{i}, 3]*x[3]"
_OUT = "theta[2][1, 0]*ab[2][0] + theta[2][1, 1]*ab[2][1] + theta[2][1, 2]*ab[2][2] + theta[2][1, 3]*ab[2][3]"

EQUATIONS = (
    Equation("X", "x == [x[0], x[1], x[2], x[3]]", setting="figure", place=_NAMES),
    Equation(
        "Theta(1)",
        "Theta[1] == matrix(theta[1][i, j], i, 1, 3, j, 0, 3)",
        setting="figure",
        place=_NAMES,
    ),
    Equation("Theta(2)", "Theta[2] == row(theta[2][1, j], j, 0, 3)", setting="figure", place=_NAMES),
    Equation("1", "z[2] == Theta[1] @ x", label="2.6"),
    Equation(
        "1, written out",
        f"z[2] == [{', '.join(_ROW.format(i=i) for i in (1, 2, 3))}]",
        setting="figure",
        label="2.6",
    ),
    Equation("2", "a[2] == g(z[2])", label="1.3"),
    Equation("2, column", "a[2] == [a[2][1], a[2][2], a[2][3]]", setting="figure", place=_NAMES),
    *(
        Equation(f"2, a_{i}", f"a[2][{i}] == g({_ROW.format(i=i)})", setting="figure", label="1.3")
        for i in (1, 2, 3)
    ),
    Equation("2, bias term", "ab[2] == [1, a[2][1], a[2][2], a[2][3]]", setting="figure", label="1.6, 1.6b"),
    Equation("3", "z[3] == Theta[2] @ ab[2]", label="2.6"),
    Equation("3, written out", f"z[3] == [{_OUT}]", setting="figure", label="2.6"),
    Equation("4", "yhat == a[3] == g(z[3])", setting="figure", label="h"),
    Equation("4, column", "yhat == a[3] == [a[3][1]]", setting="figure", label="h"),
    Equation("4, a_1", f"a[3][1] == g({_OUT})", setting="figure", label="h"),
    Equation("J", "J == 1/2*(yhat - y)**2", label="2.1"),
    Equation(
        "E",
        "E == yhat - y == (f(x @ Theta[1]) @ Theta[2] - y)**2",
        "",
        "D(J, yhat) == yhat - y == f(Theta[2] @ prepend(1, f(Theta[1] @ x))) - y",
        setting="figure",
        named="formula",
        label="2.1d",
        because="with respect to the prediction, not the target; Theta stands first, the bias goes in "
        "between, f once more at the end, and there is no square",
        quote="Rate of change of 'J' w.r.t 'y' is E",
    ),
    Equation(
        "chain rule", "D(y, x) == D(y, v)*D(v, x)", setting="chain", place="the rule that 2.3 and 2.4 apply"
    ),
    Equation("figure 6, d", "d == a + b == -12 + 14 == 2", setting="figure 6", place=_CIRCUIT),
    Equation("figure 6, e", "e == d*c == 2*(-10) == -20", setting="figure 6", place=_CIRCUIT),
    Equation("figure 6, de/dc", "D(e, c) == D(d*c, c) == d == 2", setting="figure 6", place=_CIRCUIT),
    Equation("figure 6, de/dd", "D(e, d) == D(d*c, d) == c == -10", setting="figure 6", place=_CIRCUIT),
    _back("a"),
    _back("b"),
    Equation("X^T X", "y == X.T @ X", setting="vector", place=_VECTOR),
    Equation(
        "dX^T X/dX, 1", "D(y, x) == D([[x[1], x[2]]] @ [x[1], x[2]], x)", setting="vector", place=_VECTOR
    ),
    Equation("dX^T X/dX, 2", "D(y, x) == D(x[1]**2 + x[2]**2, x)", setting="vector", place=_VECTOR),
    Equation("dX^T X/dX, 3", "D(y, x) == [D(y, x[1]), D(y, x[2])]", setting="vector", place=_VECTOR),
    Equation(
        "dX^T X/dX, 4",
        "D(y, x) == [2*x[1], 2*x[2]] == 2*[x[1], x[2]] == 2*X",
        setting="vector",
        place=_VECTOR,
    ),
    _slope(
        "1",
        "(exp(-Z)*D(1, z) - 1*D(exp(-Z), z))/(1 + exp(-Z))**2",
        "equal, for the wrong factor is multiplied by 0: the quotient rule has 1 + e^(-Z) before d(1)/dz",
    ),
    _slope("2", "exp(-Z)/(1 + exp(-Z))**2"),
    _slope("3", "exp(-Z)/(1 + exp(-Z))*(1/(1 + exp(-Z)))"),
    _slope("4", "(1 + exp(-Z) - 1)/(1 + exp(-Z))*(1/(1 + exp(-Z)))"),
    _slope("5", "(1 - 1/(1 + exp(-Z)))*(1/(1 + exp(-Z)))"),
    _slope("6", "(1 - g(Z))*g(Z)"),
    Equation(
        "delta(3), component",
        "delta[3][1] == a[3][1] - y_i",
        "",
        "delta[3][1] == (a[3][1] - y_i)*dg(z[3][1])",
        setting="figure",
        label="D.1",
        because="with this J the slope of the output unit stays; a - y belongs to the cross-entropy",
    ),
    *(
        Equation(
            f"delta(2), component {i}",
            f"delta[2][{i}] == theta[2][1, {i}]*delta[3][1]",
            "",
            f"delta[2][{i}] == theta[2][1, {i}]*delta[3][1]*dg(z[2][{i}])",
            setting="figure",
            label="D.5",
            because="the slope of the hidden unit is missing",
        )
        for i in (1, 2, 3)
    ),
    Equation(
        "g'(Z(2))",
        "dg(z[2]) == ab[2]*(1 - ab[2])",
        "",
        "dg(z[2]) == rows(ab[2]*(1 - ab[2]), 1, S[2])",
        named="slope",
        label="1.3d",
        because="without the bias component a_0",
        convention="no bias",
    ),
    Equation(
        "delta(2), vector",
        "delta[2] == (theta[2].T @ delta[3])*dg(z[2])",
        "",
        "delta[2] == (rows(theta[2].T, 1, S[2]) @ delta[3])*dg(z[2])",
        label="D.5",
        because="without the bias column of Theta, as the remark on its size has it",
        convention="no bias",
    ),
    Equation(
        "delta(2), vector with a",
        "delta[2] == (theta[2].T @ delta[3])*(ab[2]*(1 - ab[2]))",
        "",
        "delta[2] == rows((theta[2].T @ delta[3])*(ab[2]*(1 - ab[2])), 1, S[2])",
        label="D.5",
        named="slope",
        because="without the bias component: as it stands it has one entry more than delta^(2)",
        convention="no bias",
    ),
    Equation(
        "dJ/dTheta",
        "D(J, Theta[l]) == ab[l] @ delta[l+1]",
        _THETAS,
        "D(J, Theta[l]) == delta[l+1] @ ab[l].T",
        label="D.6",
        because="a column times a row, in this order",
    ),
    Equation(
        "algorithm, start",
        "Delta[0, l][i, j] == 0",
        f"{_THETAS}, 1 <= i <= S[l+1], 0 <= j <= S[l]",
        label="A.4",
    ),
    Equation("algorithm, a(1)", "abs_[i, 1] == examples[i]", "1 <= i <= m", label="1.6, 1.6b"),
    Equation(
        "algorithm, delta(L)",
        "deltas[i, L] == outputs[i] - targets[i]",
        "1 <= i <= m",
        "deltas[i, L] == (outputs[i] - targets[i])*dg(zs[i, L])",
        label="D.1",
        because="the slope of the output unit, with this J",
    ),
    Equation(
        "algorithm, Delta",
        "Delta[p, l][i, j] == Delta[p-1, l][i, j] + abs_[p, l] @ deltas[p, l+1]",
        f"{_SAMPLE}, {_THETAS}, 1 <= i <= S[l+1], 0 <= j <= S[l]",
        "Delta[p, l][i, j] == Delta[p-1, l][i, j] + abs_[p, l][j]*deltas[p, l+1][i]",
        label="A.6",
        because="the entries j of a and i of delta; i counts the examples on the page as well",
    ),
    Equation(
        "D, j not 0",
        "G[l][i, j] == 1/m*Delta[m, l][i, j] + lam*theta[l][i, j]",
        f"{_THETAS}, 1 <= i <= S[l+1], 1 <= j <= S[l]",
        label="A.8",
    ),
    Equation("D, j = 0", "G[l][i, 0] == 1/m*Delta[m, l][i, 0]", f"{_THETAS}, 1 <= i <= S[l+1]", label="A.8b"),
    Equation(
        "dJ/dtheta = D",
        "D(J_all, theta[l][i, j]) == G[l][i, j]",
        f"{_THETAS}, 1 <= i <= S[l+1], 0 <= j <= S[l]",
        "D(J_all + penalty, theta[l][i, j]) == G[l][i, j]",
        label="2.1ra, 2.1rb",
        because="D is the derivative of J with the penalty lambda/2 sum theta^2 without the biases, "
        "which is nowhere stated",
    ),
)

DOCUMENT = Document(
    "001",
    "Backpropagation with Theta and an accumulator",
    {
        "network": NETWORK,
        "figure": FIGURE,
        "chain": CHAIN,
        "figure 6": CIRCUIT,
        "vector": VECTOR,
        "sigmoid": SIGMOID,
    },
    EQUATIONS,
    conventions={
        "no bias": Convention(
            "Theta^(2) is (1X3) without bias term ... when we multiply (Theta^(2))^T delta^(3) ... will "
            "result in to (3X1) is the same dimensionality as a^(2)",
            {"theta": "theta_inner", "ab": "a"},
        )
    },
)
