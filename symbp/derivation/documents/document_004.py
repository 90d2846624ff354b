"""Document 004: z then a, biases apart; vectors by vectors in rows."""

from __future__ import annotations

from dataclasses import replace

from symbp.derivation.documents.records import Document, Equation, Family, Function, Setting

_LAYERS = "1 <= l <= L"

# One output unit: the cost (7) is that of a number. The derivative of C with respect to a
# column is a row, as the products (10), (11), (20) with (22) need it; in a step of descent it
# has the shape of what it is subtracted from.
NETWORK = Setting(
    families=(
        Family("x", ("1..N[0]",), latex="x"),
        Family("y", latex="y"),
        Family("alpha", latex=r"\alpha"),
        Family("W", ("1..N[l]", "1..N[l-1]"), "l", _LAYERS, latex="W^{#1}"),
        Family("w", ("1..N[l]", "1..N[l-1]"), "l", _LAYERS, "W[l]", "w^{#1}"),
        Family("b", ("1..N[l]",), "l", _LAYERS, latex="b^{#1}"),
        Family("z", ("1..N[l]",), "l", _LAYERS, "W[l] @ a[l-1] + b[l]", "z^{#1}"),
        Family("a", ("1..N[l]",), "l", "0 <= l <= L", "x if l == 0 else sigma(z[l])", "a^{#1}"),
        Family("yhat", value="a[L]", latex=r"\hat{y}"),
        Family("C", value="-y*log(a[L]) - (1 - y)*log(1 - a[L])", latex="C"),
        Family(
            "W_new",
            ("1..N[l]", "1..N[l-1]"),
            "l",
            _LAYERS,
            "matrix(w[l][i, j] - alpha*D(C, w[l][i, j]), i, 1, N[l], j, 1, N[l-1])",
            "W^{#1}",
        ),
        Family(
            "b_new",
            ("1..N[l]",),
            "l",
            _LAYERS,
            "column(b[l][i] - alpha*D(C, b[l][i]), i, 1, N[l])",
            "b^{#1}",
        ),
        Family("u", latex="x"),
    ),
    functions=(Function("sigma", record="sigmoid", latex=r"\sigma"),),
    widths=((3, 5, 2, 1), (2, 4, 1), (4, 2, 3, 5, 1)),
    small=(2, 3, 2, 1),
    facts=("N[L] == 1",),
    layout="row",
)

THREE = replace(NETWORK, widths=((3, 5, 2, 1), (2, 4, 3, 1)), facts=("L == 3", "N[3] == 1"))

_PREVIOUS = "1 <= l <= L - 1"

EQUATIONS = (
    Equation(
        "1",
        "a[l] == sigma(z[l]) == W[l] @ a[l-1] + b[l]",
        _LAYERS,
        "a[l] == sigma(z[l]) == sigma(W[l] @ a[l-1] + b[l])",
        label="1.3, h",
        because="the weighted sum is z, not a",
    ),
    Equation(
        "2",
        "a[1] == sigma(z[1]) == W[1] @ x + b[1]",
        "",
        "a[1] == sigma(z[1]) == sigma(W[1] @ x + b[1])",
        label="1.3",
        because="the weighted sum is z, not a",
    ),
    Equation(
        "3",
        "",
        right="a[L] == sigma(W[L] @ sigma(W[2] @ sigma(W[1] @ x + b[1]) + b[2]) + b[L])",
        quote="a^L = [sigma(W^L[...[sigma(W^2[sigma(W^1 x_+ b^1)])])]",
        claim="a[L] == sigma(W[L] @ sigma(W[2] @ sigma(W[1] @ x + b[1])))",
        label="h",
        setting="three",
        because="every layer has its bias; stated for L = 3, and with the brackets closed",
    ),
    Equation(
        "4",
        "z[l][k] == sum(w[l][k, j]*a[l-1][j], j) + b[l][k]",
        f"{_LAYERS}, 1 <= k <= N[l]",
        label="2.6b",
    ),
    Equation("5", "a[l][k] == sigma(z[l][k])", f"{_LAYERS}, 1 <= k <= N[l]", label="1.3, h"),
    Equation(
        "6",
        "z[l+1][m] == sum(w[l+1][m, k]*a[l][k], k) + b[l][m]",
        f"{_PREVIOUS}, 1 <= m <= N[l+1]",
        "z[l+1][m] == sum(w[l+1][m, k]*a[l][k], k) + b[l+1][m]",
        label="2.6b",
        because="the bias belongs to the layer of the weighted sum",
    ),
    Equation("7", "C == -(y*log(yhat) + (1 - y)*log(1 - yhat))", label="2.1"),
    Equation("8", "W_new[l] == W[l] - alpha*grad(C, W[l])", _LAYERS, label="2.2m"),
    Equation("9", "b_new[l] == b[l] - alpha*grad(C, b[l])", _LAYERS, label="2.2m"),
    Equation(
        "10",
        "D(C, W[l]) == D(C, z[l]) @ D(z[l], W[l]) == D(C, a[l]) @ D(a[l], z[l]) @ D(z[l], W[l])",
        _LAYERS,
        label="D.2",
    ),
    Equation(
        "11",
        "D(C, W[l-1]) == D(C, a[l]) @ D(a[l], z[l]) @ D(z[l], a[l-1]) @ D(a[l-1], z[l-1]) "
        "@ D(z[l-1], W[l-1])",
        "2 <= l <= L",
        label="D.2",
    ),
    Equation(
        "12",
        "D(C, W[l]) == D(C, z[l]) @ D(z[l], w[l])",
        _LAYERS,
        label="D.2",
        because="the page writes w for W on the right",
    ),
    Equation("13", "D(C, b[l]) == D(C, z[l]) @ D(z[l], b[l])", _LAYERS, label="D.6b"),
    Equation(
        "14",
        "D(C, z[L]), D(C, z[l]), D(z[l], W[l]), D(z[l], b[l])",
        _LAYERS,
        label="D.3",
        because="(14) is a list; that these are enough for the weights is (12)",
        quote="Which means that we need four fundamental partial derivatives required for backpropagation",
        claim="D(C, b[l]) == D(C, z[L]) @ D(z[L], z[l]) @ D(z[l], b[l]) == D(C, z[l]) @ D(z[l], b[l])",
    ),
    Equation("15", "sigma(u) == 1/(1 + exp(-u))", named="formula", label="1.3"),
    Equation("16", "D(C, z[L]) == D(C, a[L]) @ D(a[L], z[L]) == D(C, a[L])*dsigma(z[L])", label="D.1"),
    Equation(
        "17",
        "D(C, a[L]) == D(-(y*log(a[L]) + (1 - y)*log(1 - a[L])), a[L]) == -(y/a[L] - (1 - y)/(1 - a[L]))",
        label="2.1d",
    ),
    Equation(
        "18", "dsigma(z[L]) == sigma(z[L])*(1 - sigma(z[L])) == a[L]*(1 - a[L])", named="slope", label="1.8d"
    ),
    Equation(
        "19",
        "D(C, z[L]) == -(y/a[L] - (1 - y)/(1 - a[L]))*a[L]*(1 - a[L]) == a[L] - y",
        label="D.1",
        named="slope",
    ),
    Equation("20", "D(C, z[l]) == D(C, z[l+1]) @ D(z[l+1], a[l]) @ D(a[l], z[l])", _PREVIOUS, label="D.4"),
    Equation("21", "z[l+1] == W[l+1] @ a[l] + b[l+1]", _PREVIOUS, label="2.6b"),
    Equation("22", "D(z[l+1], a[l]) == D(W[l+1] @ a[l] + b[l+1], a[l]) == W[l+1]", _PREVIOUS, label="D.7"),
    Equation(
        "23",
        "D(a[l], z[l]) == dsigma(z[l])",
        _LAYERS,
        "D(a[l], z[l]) == diag(dsigma(z[l]))",
        label="1.3d, 1.8d",
        because="beside (22), a matrix: the slopes stand on its diagonal",
    ),
    Equation(
        "24",
        (
            "D(C, z[l]) == D(C, z[l+1]) @ W[l+1] @ dsigma(z[l])",
            "D(C, z[l]) == (D(C, z[l+1]) @ W[l+1])*dsigma(z[l])",
        ),
        _PREVIOUS,
        "D(C, z[l]) == D(C, z[l+1]) @ W[l+1] @ diag(dsigma(z[l])) "
        "== ((W[l+1].T @ D(C, z[l+1]).T)*dsigma(z[l])).T",
        label="D.5",
        because="with columns: W transposed, and the slopes entry by entry",
    ),
    Equation("25", "z[l] == W[l] @ a[l-1] + b[l]", _LAYERS, label="2.6b"),
    Equation(
        "26",
        (
            "d(z[l])/W[l] == D(W[l] @ a[l-1] + b[l], W[l]) == a[l-1]",
            "D(z[l], W[l]) == D(W[l] @ a[l-1] + b[l], W[l]) == a[l-1]",
        ),
        _LAYERS,
        "D(z[l][k], W[l][i, j]) == kronecker(k, i)*a[l-1][j]",
        f"{_LAYERS}, 1 <= k <= N[l], 1 <= i <= N[l], 1 <= j <= N[l-1]",
        label="2.8",
        because="the d before W^l is missing; and three indices: the unit matrix times a",
    ),
    Equation("27", "z[l] == W[l] @ a[l-1] + b[l]", _LAYERS, label="2.6b"),
    Equation(
        "28",
        (
            "d(z[l])/b[l] == D(W[l] @ a[l-1] + b[l], b[l]) == 1",
            "D(z[l], b[l]) == D(W[l] @ a[l-1] + b[l], b[l]) == 1",
        ),
        _LAYERS,
        "D(z[l], b[l]) == identity(N[l])",
        label="2.10",
        because="the d before b^l is missing; and the identity, not the number 1",
    ),
    Equation(
        "29",
        (
            "D(C, W[l]) == D(C, z[l]) @ D(z[l], W[l]) == D(C, z[l+1]) @ W[l+1] @ dsigma(z[l]) @ a[l-1]",
            "D(C, W[l]) == D(C, z[l]) @ D(z[l], W[l]) == ((D(C, z[l+1]) @ W[l+1])*dsigma(z[l])) @ a[l-1]",
        ),
        _PREVIOUS,
        "grad(C, W[l]) == ((W[l+1].T @ grad(C, z[l+1]))*dsigma(z[l])) @ a[l-1].T",
        label="D.6a",
        because="a column times a row",
    ),
    Equation(
        "30",
        (
            "D(C, b[l]) == D(C, z[l]) @ D(z[l], b[l]) == D(C, z[l+1]) @ W[l+1] @ dsigma(z[l])",
            "D(C, b[l]) == D(C, z[l]) @ D(z[l], b[l]) == (D(C, z[l+1]) @ W[l+1])*dsigma(z[l])",
        ),
        _PREVIOUS,
        "grad(C, b[l]) == (W[l+1].T @ grad(C, z[l+1]))*dsigma(z[l])",
        label="D.6b",
        because="as in (24)",
    ),
)

DOCUMENT = Document(
    "004", "Backpropagation with separate biases", {"network": NETWORK, "three": THREE}, EQUATIONS
)
