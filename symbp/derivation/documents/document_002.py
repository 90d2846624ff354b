"""Document 002: W is (d + 1) x d, signals s, outputs x with x_0 = 1, theta = tanh, e = (x - y)^2."""

from __future__ import annotations

from dataclasses import replace

from symbp.derivation.documents.records import Document, Equation, Family, Function, Setting

_LAYERS = "1 <= l <= L"
_INNER = "1 <= l <= L - 1"
_POINTS = "1 <= n <= N"
_WEIGHTS = ("0..d[l-1]", "1..d[l]")

# x has its x_0 in every layer but the last, whose output, a number, is called xL here.
NETWORK = Setting(
    families=(
        Family("W", _WEIGHTS, "l", _LAYERS, latex=r"\mathbf{W}^{(#1)}"),
        Family("w", _WEIGHTS, "l", _LAYERS, "W[l]", "w^{(#1)}"),
        Family("inputs", ("1..d[0]",), "n", _POINTS, latex=r"\mathbf{x}_{#1}"),
        Family("targets", (), "n", _POINTS, latex="y_{#1}"),
        Family("eta", latex=r"\eta"),
        Family(
            "xs",
            ("0..d[l]",),
            "n, l",
            f"{_POINTS}, 0 <= l <= L - 1",
            "prepend(1, inputs[n] if l == 0 else theta(ss[n, l]))",
            r"\mathbf{x}^{(#2)}",
        ),
        Family(
            "ss", ("1..d[l]",), "n, l", f"{_POINTS}, {_LAYERS}", "W[l].T @ xs[n, l-1]", r"\mathbf{s}^{(#2)}"
        ),
        Family("h", (), "n", _POINTS, "theta(ss[n, L][1])", r"h(\mathbf{x}_{#1})"),
        Family("es", (), "n", _POINTS, "(h[n] - targets[n])**2", "e_{#1}"),
        Family("E", value="1/N*sum(es[n], n, 1, N)", latex="E"),
        Family("E_w", value="E", latex=r"E(\mathbf{w})"),
        Family("E_W", (), "l", _LAYERS, "E", r"E(\mathbf{W}^{(#1)})"),
        Family("W_t", _WEIGHTS, "l", _LAYERS, "W[l]", r"\mathbf{W}^{(#1)}(t)"),
        Family("E_mini", value="1/B*sum(es[n], n, 1, B)", latex="E"),
        *(
            Family(
                name,
                _WEIGHTS,
                "l",
                _LAYERS,
                f"matrix(w[l][i, j] - eta*D({cost}, w[l][i, j]), i, 0, d[l-1], j, 1, d[l])",
                r"\mathbf{W}^{(#1)}(t + 1)",
            )
            for name, cost in (("W_new", "E"), ("W_mini", "E_mini"), ("W_one", "es[1]"))
        ),
        # One data point.
        Family("x", ("0..d[l]",), "l", "0 <= l <= L - 1", "xs[1, l]", r"\mathbf{x}^{(#1)}", "x^{(#1)}"),
        Family("s", ("1..d[l]",), "l", _LAYERS, "ss[1, l]", r"\mathbf{s}^{(#1)}", "s^{(#1)}"),
        Family("xL", value="h[1]", latex=r"\mathbf{x}^{(L)}"),
        Family("hx", value="h[1]", latex=r"h(\mathbf{x})"),
        Family("y", value="targets[1]", latex="y"),
        Family("e", value="(xL - y)**2", latex="e"),
        Family(
            "delta", ("1..d[l]",), "l", _LAYERS, "D(e, s[l])", r"\boldsymbol{\delta}^{(#1)}", r"\delta^{(#1)}"
        ),
    ),
    functions=(
        Function("theta", record="tanh", latex=r"\theta"),
        Function("same", record="identity", latex=r"\theta"),
        Function("tanh", record="tanh", latex=r"\mathrm{tanh}"),
    ),
    widths=((3, 5, 2, 1), (2, 4, 1), (4, 2, 3, 5, 1)),
    small=(2, 3, 2, 1),
    sizes="d",
    integers={"N": "3", "B": "2"},
    facts=("d[L] == 1",),
    width="d^{(#1)}",
    entrywise=r"\otimes",
)

EXAMPLE = replace(
    NETWORK,
    widths=((1, 2, 1, 1),),
    small=(1, 2, 1, 1),
    fixed=True,
    facts=(),
    integers={"N": "1", "B": "1"},
    given={
        "W[1]": "[[0.1, 0.2], [0.3, 0.4]]",
        "W[2]": "[0.2, 1, -3]",
        "W[3]": "[1, 2]",
        "inputs[1]": "[2]",
        "targets[1]": "1",
    },
)

EPOCH = Setting(
    families=(
        Family("size", value="samples/batches", latex=r"\text{size}"),
        Family("iterations", value="samples/size", latex=r"\text{iterations}"),
    ),
    widths=((),),
    integers={"samples": "10000", "batches": "10"},
    sizes="",
    depth=("", 0),
)

_ENTRY = f"{_LAYERS}, 0 <= i <= d[l-1], 1 <= j <= d[l]"
_DESCENT = "W_new[l] == W_t[l] - eta*D(E, W[l])"
_SEED = "delta[L] == D(e, s[L]) == 2*(xL - y)*D(xL, s[L]) == 2*(xL - y)*dtheta(s[L])"
_BACK = "delta[l] {} dtheta(s[l])*rows(W[l+1] @ delta[l+1], 1, d[l])"
_DIMENSIONS = "a weight matrix with dimensions (d^(l-1) + 1) x d^(l)"


def _example(number: str, label: str, printed: str, right: str = "", because: str = "") -> Equation:
    return Equation(
        f"example, {number}", printed, right=right, setting="example", because=because, label=label
    )


def _rounded(number: str, step: str, printed: str, right: str) -> Equation:
    """A result of the example whose expression is printed with rounded numbers."""
    return Equation(
        f"example, {number}, expression",
        printed,
        right=right,
        setting="example",
        because="the result is that of more digits than are printed",
        place=f"step {step} with the example's rounded numbers put in",
    )


EQUATIONS = (
    Equation(
        "gradient descent",
        "",
        _ENTRY,
        label="2.2",
        quote="w(t+1) = w(t) - eta . grad E(w(t)) = w(t) - eta . dE/dw ... the weight vector w contains all "
        "the weight matrices",
        claim="W_new[l][i, j] == w[l][i, j] - eta*D(E, w[l][i, j])",
    ),
    Equation(
        "gradient descent, W",
        "W_new[l] == W_t[l] - eta*nabla(E_W[l], W[l]) == W_t[l] - eta*D(E, W[l])",
        _LAYERS,
        label="2.2m",
    ),
    Equation("E", "E_w == 1/N*sum(es[n], n, 1, N)", label="A.1"),
    Equation("e", "e == (hx - y)**2", label="2.1"),
    Equation("dE/dW", "D(E, W[l]) == 1/N*sum(D(es[n], W[l]), n, 1, N)", _LAYERS, label="A.2"),
    Equation("delta", "delta[l] == D(e, s[l])", _LAYERS, label="D.3"),
    Equation("1", "D(e, W[l]) == x[l-1] @ delta[l].T", _LAYERS, label="A.3m"),
    Equation("1, rows of W", "", _LAYERS, label="1.7", quote=_DIMENSIONS, claim="size(W[l]) == d[l-1] + 1"),
    Equation(
        "1, columns of W",
        "",
        _LAYERS,
        place="the size of W in 2.6m",
        quote=_DIMENSIONS,
        claim="size(W[l].T) == d[l]",
    ),
    Equation(
        "tanh'",
        "dtanh(s[l]) == 1 - tanh(s[l])**2 == 1 - x[l]*x[l]",
        _INNER,
        "dtanh(s[l]) == 1 - tanh(s[l])**2 == rows(1 - x[l]*x[l], 1, d[l])",
        named="formula",
        label="1.3d",
        because="without the bias component x_0, as in step 3 of the box",
    ),
    Equation("2", _BACK.format("=="), _INNER, label="D.5"),
    Equation(
        "after 2, e",
        "e == (x[l] - y)**2 == (theta(s[l]) - y)**2",
        _INNER,
        "e == (xL - y)**2 == (theta(s[L]) - y)**2",
        label="2.1",
        because="the seed is delta^(L), from x^(L) and s^(L)",
    ),
    Equation("seed", _SEED, label="D.1"),
    Equation(
        "box, step 0",
        "",
        _LAYERS,
        label="2.6",
        quote="Run forward propagation on x to compute and save: s^(l) for l = 1, ..., L",
        claim="s[l] == W[l].T @ x[l-1]",
    ),
    Equation(
        "box, step 0, x",
        "",
        _INNER,
        label="1.3",
        quote="x^(l) for l = 0, ..., L",
        claim="rows(x[l], 1, d[l]) == theta(s[l])",
    ),
    Equation("box, step 1", "delta[L] << 2*(xL - y)*dtheta(s[L])", label="D.1"),
    Equation("box, step 1, tanh", "dtheta(s[L]) == 1 - xL**2", named="slope", label="1.8d"),
    Equation(
        "box, step 1, identity",
        "dsame(s[L]) == 1",
        named="slope",
        place="step 1.8d of a network whose output has no activation function",
    ),
    Equation(
        "box, step 3", "dtheta(s[l]) == rows(1 - x[l]*x[l], 1, d[l])", _INNER, named="slope", label="1.3d"
    ),
    Equation("box, step 4", _BACK.format("<<"), _INNER, label="D.5"),
    _example("x(0)", "1.6, 1.6b", "x[0] == [1, 2]"),
    _example("s(1)", "2.6", "s[1] == [[0.1, 0.2], [0.3, 0.4]].T @ [1, 2] == [0.7, 1]"),
    _example("s(1), formula", "2.6m", "s[1] == W[1].T @ x[0]"),
    _example("x(1)", "1.3, 1.6b", "x[1] == [1, 0.6, 0.76]"),
    _example("s(2)", "2.6", "s[2] == [-1.48]"),
    _example("x(2)", "1.3, 1.6b", "x[2] == [1, -0.90]"),
    _example("s(3)", "2.6", "s[3] == [-0.8]"),
    _example("x(3)", "1.8", "xL == -0.66", "xL == -0.665761", "rounded, -0.67; the page cuts the digits off"),
    Equation("example, seed", _SEED, setting="example", label="D.1"),
    _rounded(
        "delta(3)",
        "D.1",
        "2*(-0.66 - 1)*(1 - (-0.66)**2) == -1.855",
        "2*(-0.665761 - 1)*(1 - (-0.665761)**2) == -1.855",
    ),
    _example("delta(3)", "D.1", "delta[3] == [-1.855]"),
    _rounded(
        "delta(2)",
        "D.5",
        "(1 - 0.9**2)*2*(-1.855) == -0.69",
        "(1 - 0.901546**2)*2*(-1.854864) == -0.69",
    ),
    _example("delta(2)", "D.5", "delta[2] == [-0.69]"),
    _example("delta(1)", "D.5", "delta[1] == [-0.44, 0.88]"),
    _example("dW(1)", "A.3m", "D(e, W[1]) == x[0] @ delta[1].T == [[-0.44, 0.88], [-0.88, 1.75]]"),
    _example("dW(2)", "A.3m", "D(e, W[2]) == x[1] @ delta[2].T == [-0.69, -0.42, -0.53]"),
    _example("dW(3)", "A.3m", "D(e, W[3]) == x[2] @ delta[3].T == [-1.85, 1.67]"),
    Equation("batch, dE/dW", "D(E, W[l]) == 1/N*sum(D(es[n], W[l]), n, 1, N)", _LAYERS, label="A.2"),
    Equation("batch, update", _DESCENT, _LAYERS, label="A.11"),
    Equation(
        "remark 1, stochastic update",
        "",
        _LAYERS,
        label="A.13",
        quote="we compute the gradient for a single training example and updating the weights immediately",
        claim="W_one[l] == W_t[l] - eta*D(es[1], W[l])",
    ),
    Equation(
        "remark 2, mini-batch update",
        "",
        _LAYERS,
        label="A.12",
        quote="use a small set of training examples known as a mini-batch",
        claim="W_mini[l] == W_t[l] - eta/B*sum(D(es[n], W[l]), n, 1, B)",
    ),
    Equation(
        "remark 5, epoch",
        "",
        right="10 == iterations == batches",
        setting="epoch",
        place="what an epoch is; the steps count the mini-batches of one (A.9)",
        because="ten is the number of the mini-batches; each holds a thousand",
        quote="If we divide the training set of the size 10000 in 10 mini-batches, ... ten iterations "
        "(the size of the mini-batch) is one epoch",
        claim="10 == iterations == size",
    ),
    Equation(
        "derivation of 1",
        "D(e, w[l][i, j]) == D(s[l][j], w[l][i, j])*D(e, s[l][j]) == x[l-1][i]*delta[l][j]",
        _ENTRY,
        label="A.3",
    ),
)

DOCUMENT = Document(
    "002",
    "Backpropagation with sensitivities, after Learning from Data",
    {"network": NETWORK, "example": EXAMPLE, "epoch": EPOCH},
    EQUATIONS,
)
