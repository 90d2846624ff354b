"""Document 000: S-matrices and the T-product."""

from __future__ import annotations

from symbp.derivation.documents.records import Document, Equation, Family, Function, Setting

_HIDDEN = Function("g", "tanh(u) + k*u/5", layers="k", latex="g^{#1}")
_SOFTMAX = Function(
    "sigma", "exp(u[q])/sum(exp(u[s]), s, 1, N[L+1])", layers="q", index="q", latex=r"\sigma_{#1}"
)
_ANY = "1 <= k <= L + 1"
_ENTRY = "1 <= i <= N[k], 1 <= j <= M[k]"

NETWORK = Setting(
    families=(
        Family("W", ("1..N[k]", "1..M[k]"), "k", _ANY, latex=r"\mathbf{W}_{#1}"),
        Family("w", ("1..N[k]", "1..M[k]"), "k", _ANY, "W[k]", "w^{#1}"),
        Family("w_new", ("1..N[k]", "1..M[k]"), "k", _ANY, "W[k] - eta*grad(J, W[k])", "w^{#1}"),
        Family("xs", ("1..N[0]",), "p", "1 <= p <= m", latex="x^{#1}"),
        Family("ys", ("1..N[L+1]",), "p", "1 <= p <= m", latex="y^{#1}"),
        Family("os", ("1..N[k]",), "p, k", "0 <= k <= L", "xs[p] if k == 0 else g[k](cs[p, k])", "o^{#1,#2}"),
        Family("as_", ("1..N[k-1]+1",), "p, k", _ANY, "append(os[p, k-1], 1)", "a^{#1,#2}"),
        Family("cs", ("1..N[k]",), "p, k", _ANY, "W[k] @ as_[p, k]", "c^{#1,#2}"),
        Family(
            "hs",
            ("1..N[L+1]",),
            "p",
            "1 <= p <= m",
            "column(sigma[q](cs[p, L+1]), q, 1, N[L+1])",
            "h^{#1}",
        ),
        Family("J", value="-1/m*sum(sum(ys[p][q]*log(hs[p][q]), q, 1, N[L+1]), p, 1, m)", latex="J"),
        Family("eta", latex=r"\eta"),
        # A general sample.
        Family("x", ("1..N[0]",), value="xs[1]", latex="x"),
        Family("a", ("1..N[k-1]+1",), "k", _ANY, "as_[1, k]", r"\mathbf{a}_{#1}", "a^{#1}"),
        Family("c", ("1..N[k]",), "k", _ANY, "cs[1, k]", r"\mathbf{c}_{#1}", "c^{#1}"),
        Family("c_row", ("1..1", "1..N[k]"), "k", _ANY, "c[k].T", r"\mathbf{c}^{#1}"),
        # (1.8) leaves the layer out; the function is that of the output.
        Family("c_out", ("1..N[L+1]",), value="c[L+1]", latex=r"\mathbf{c}", entry="c"),
        Family("o", ("1..N[k]+1",), "k", "0 <= k <= L", "append(os[1, k], 1)", "o^{#1}"),
        Family("h", ("1..N[L+1]",), value="hs[1]", latex="h"),
        Family("out", ("1..N[L+1]",), value="h", latex=r"\sigma"),
        Family("S", ("1..N[k+1]", "1..N[k]"), "k", "1 <= k <= L", "D(c[k+1], c[k])", r"\mathbf{S}_{#1}"),
        Family(
            "T",
            ("1..N[i+1]", "1..N[j]"),
            "i, j",
            "1 <= j <= L + 1, j - 1 <= i <= L",
            "D(c[i+1], c[j])",
            r"\mathbf{T}_{#2}^{#1}",
        ),
    ),
    functions=(_HIDDEN, _SOFTMAX),
    widths=((3, 5, 2, 4), (2, 4, 3), (4, 2, 3, 5, 2)),
    small=(1, 2, 3, 2),
    depth=("L", -2),
    integers={"m": "2", "M[k]": "size(a[k])"},
    layout="row",
)

NEURON = Setting(
    families=(
        Family("inputs", ("1..N-1",)),
        Family("a", ("1..N",), value="append(inputs, 1)", latex=r"\mathbf{a}", entry="a"),
        Family("w", ("1..1", "1..N"), latex=r"\mathbf{w}", entry="w"),
        Family("o", value="g(sum(w[1, j]*inputs[j], j, 1, N - 1) + w[1, N])", latex="o"),
        Family("u", latex="x"),
    ),
    functions=(Function("g", "tanh(u) + u", latex="g"), Function("relu", record="relu", latex="g")),
    widths=((1,), (2,), (3,), (4,)),
    integers={"N": "4"},
    sizes="",
    depth=("", 0),
)

# Figure 1.2: each layer but the last is drawn with its bias neuron.
FIGURE = Setting(
    families=(Family("W", ("1..N[k]", "1..N[k-1]+1"), "k", "1 <= k <= 3", latex=r"\mathbf{W}_{#1}"),),
    widths=((3, 4, 3, 1),),
    depth=("L", -2),
    fixed=True,
)

_LATER = f"1 <= k <= L, k < l <= L + 1, 1 <= r <= N[l], {_ENTRY}"
_COLUMNS = f"1 <= k <= L, k < l <= L + 1, {_ENTRY}"
_W = "w[k][i, j]"
_NAMES = "names for the entries"


def _drawn(layer: str, quote: str, number: int, neurons: int) -> Equation:
    """A layer of figure 1.2 that is drawn with its bias neuron."""
    return Equation(
        f"figure 1.2, {layer} layer",
        "",
        setting="figure",
        label="1.7",
        because=f"the bias neuron is counted: N_{number} = {neurons - 1}",
        quote=quote,
        claim=f"N[{number}] + 1 == {neurons}",
    )


EQUATIONS = (
    Equation("1.1", "a == column(a[j], j, 1, N)", setting="neuron", place=_NAMES),
    Equation("1.2", "w == row(w[j], j, 1, N)", setting="neuron", place=_NAMES),
    Equation("1.3", "o == g(w @ a)", setting="neuron", label="1.3"),
    Equation("1.4", "relu(u) == positive(u)", setting="neuron", named="formula", label="1.3"),
    Equation("1.3, a_N", "a[N] == 1", setting="neuron", label="1.6b"),
    Equation(
        "section 1.7, x_i",
        "",
        right="x == column(x[i], i, 1, N[0])",
        because="the last feature is a component too: i <= N_0",
        quote="x_i = i-th component of x where 1 <= i < N_0",
        claim="x == column(x[i], i, 1, N[0] - 1)",
        place=_NAMES,
    ),
    Equation("section 1.7, o_i^0", "o[0][i] == x[i]", "1 <= i <= N[0]", place="the name o^0 of the inputs"),
    Equation(
        "section 1.7, bias neuron",
        "o[k][N[k] + 1] == 1",
        "0 <= k <= L",
        label="1.6b",
        because="printed for k = 0 and any k",
    ),
    Equation(
        "section 1.7, W_k",
        "",
        _ANY,
        quote="W_k = N_k x M_k weight matrix ... where [W_k]_ij = w_ij^k",
        claim="W[k] == matrix(w[k][i, j], i, 1, N[k], j, 1, M[k])",
        place=_NAMES,
    ),
    Equation("section 1.7, c_k", "c[k] == W[k] @ a[k]", _ANY, label="2.6"),
    Equation("section 1.7, o_i^k", "o[k][i] == g[k](c[k][i])", "1 <= k <= L, 1 <= i <= N[k]", label="1.3"),
    Equation("section 1.7, h_i", "h[i] == sigma[i](c[L+1])", "1 <= i <= N[L+1]", label="h"),
    Equation(
        "1.5", "1 <= N[k]", "0 <= k <= L + 1", place="a condition on the sizes, which every Network meets"
    ),
    Equation("1.6", "o[k-1][i] == a[k][i]", f"{_ANY}, 1 <= i <= M[k]", label="1.6, 1.6b"),
    Equation("1.7", "N[k-1] + 1 == M[k]", _ANY, label="1.7"),
    Equation(
        "1.8",
        "sigma[i](c_out) == exp(c_out[i])/sum(exp(c_out[j]), j, 1, N)",
        "1 <= i <= N[L+1]",
        "sigma[i](c_out) == exp(c_out[i])/sum(exp(c_out[j]), j, 1, N[L+1])",
        named="formula",
        label="1.8",
        because="N is not the width of the output layer, whose function this is",
    ),
    _drawn(
        "first",
        "it has four neurons, the first three being input neurons and the last being a bias neuron",
        0,
        4,
    ),
    _drawn("second", "the first hidden layer has five neurons", 1, 5),
    _drawn("third", "the second hidden layer has four neurons", 2, 4),
    Equation(
        "figure 1.2, last layer",
        "",
        setting="figure",
        quote="the last layer is the output layer (only one neuron)",
        claim="N[3] == 1",
        place="the size of a layer in a drawing",
    ),
    Equation(
        "2.1",
        "J == -(1/m*sum(sum(ys[i][j]*log(hs[i][j]), j, 1, N[L+1]), i, 1, m))",
        label="2.1",
    ),
    Equation("2.2", f"w_new[k][i, j] << {_W} - eta*D(J, {_W})", f"{_ANY}, {_ENTRY}", label="2.2"),
    Equation(
        "2.3",
        f"D(J, {_W}) == sum(sum(D(J, hs[p][q])*D(hs[p][q], {_W}), q, 1, N[L+1]), p, 1, m)",
        f"{_ANY}, {_ENTRY}",
        label="2.3",
    ),
    Equation(
        "2.4",
        f"D(h[q], {_W}) == D(out[q], {_W}) == sum(D(out[q], c[L+1][r])*D(c[L+1][r], {_W}), r, 1, N[L+1]) "
        f"== D(out[q], c_row[L+1]) @ D(c[L+1], {_W})",
        f"1 <= q <= N[L+1], {_ANY}, {_ENTRY}",
        label="2.4",
    ),
    Equation(
        "2.5",
        "D(out[q], c_row[L+1]) == row(D(out[q], c[L+1][r]), r, 1, N[L+1])",
        "1 <= q <= N[L+1]",
        label="2.5",
    ),
    Equation(
        "2.6",
        "c[l][r] == sum(w[l][r, s]*a[l][s], s, 1, N[l-1] + 1)",
        "1 <= l <= L + 1, 1 <= r <= N[l]",
        label="2.6",
    ),
    Equation(
        "2.7",
        f"D(c[l][r], {_W}) "
        f"== sum(D(w[l][r, s], {_W})*a[l][s] + w[l][r, s]*D(a[l][s], {_W}), s, 1, N[l-1] + 1)",
        f"1 <= k <= L + 1, 1 <= l <= L + 1, 1 <= r <= N[l], {_ENTRY}",
        label="2.7",
    ),
    Equation(
        "2.7, l < k",
        f"D(c[l][r], {_W}) == 0",
        f"2 <= k <= L + 1, 1 <= l < k, 1 <= r <= N[l], {_ENTRY}",
        label="2.7z",
    ),
    Equation(
        "2.8",
        f"D(c[k][r], {_W}) == sum(kronecker(r, i)*kronecker(s, j)*a[k][s], s, 1, N[k-1] + 1) "
        "== kronecker(r, i)*a[k][j]",
        f"{_ANY}, 1 <= r <= N[k], {_ENTRY}",
        label="2.8",
    ),
    Equation(
        "2.9",
        "kronecker(i, j) == (1 if i == j else 0)",
        "1 <= i <= 3, 1 <= j <= 3",
        place="the meaning of the sign in 2.8 and 2.10",
    ),
    Equation(
        "2.10",
        f"D(c[k], {_W}) == a[k][j]*column(kronecker(r, i), r, 1, N[k])",
        f"{_ANY}, {_ENTRY}",
        label="2.10",
    ),
    Equation(
        "2.11",
        f"D(c[l][r], {_W}) == sum(w[l][r, s]*D(a[l][s], {_W}), s, 1, N[l-1] + 1) "
        f"== sum(w[l][r, s]*D(o[l-1][s], {_W}), s, 1, N[l-1]) "
        f"== sum(w[l][r, s]*dg[l-1](c[l-1][s])*D(c[l-1][s], {_W}), s, 1, N[l-1])",
        _LATER,
        label="2.11",
    ),
    Equation(
        "2.12",
        "S[l-1][r, s] == w[l][r, s]*dg[l-1](c[l-1][s])",
        "2 <= l <= L + 1, 1 <= r <= N[l], 1 <= s <= N[l-1]",
        label="2.12",
    ),
    Equation("2.13", f"D(c[l], {_W}) == S[l-1] @ D(c[l-1], {_W})", _COLUMNS, label="2.13"),
    Equation("2.14", f"D(c[l], {_W}) == descend(S[n], n, l - 1, k) @ D(c[k], {_W})", _COLUMNS, label="2.14"),
    Equation(
        "2.15",
        f"D(c[l], {_W}) == T[l-1, k] @ D(c[k], {_W})",
        f"{_ANY}, k <= l <= L + 1, {_ENTRY}",
        label="2.15",
    ),
    Equation(
        "2.16, i < j",
        "T[i, j] == 1",
        "1 <= j <= L + 1, 0 <= i < j",
        "T[j-1, j] == identity(N[j])",
        "1 <= j <= L + 1",
        label="2.16z",
        because="the identity of order N_j, not the number 1; and below i = j - 1 there is no such matrix",
    ),
    Equation("2.16, j <= i", "T[i, j] == descend(S[n], n, i, j)", "1 <= j <= L, j <= i <= L", label="2.16"),
    Equation(
        "2.17",
        f"D(h[q], {_W}) == D(out[q], c_row[L+1]) @ T[L, k] @ D(c[k], {_W})",
        f"1 <= q <= N[L+1], {_ANY}, {_ENTRY}",
        label="2.17",
    ),
)

DOCUMENT = Document(
    "000",
    "Backpropagation: S-matrices and the T-product",
    {"network": NETWORK, "neuron": NEURON, "figure": FIGURE},
    EQUATIONS,
)
