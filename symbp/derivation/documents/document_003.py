"""Document 003: a then z, no bias; derivatives along paths and across them."""

from __future__ import annotations

from symbp.derivation.documents.document_003_settings import SETTINGS
from symbp.derivation.documents.document_003_tables import TABLES
from symbp.derivation.documents.records import Document, Equation

_LAYERS = "1 <= k <= K"
_INNER = "1 <= k <= K - 1"
_UNIT = f"{_LAYERS}, 1 <= i <= N[k]"
_ENTRY = f"{_UNIT}, 1 <= j <= N[k-1]"

_SUM = "a[k][i] == sum(w[k][i, j]*z[k-1][j], j, 1, N[k-1])"
_DELTA = "delta[k][i] == D({}, a[k][i]) == dsigma(a[k][i])*sum(delta[k+1][j]*w[k+1][j, i], j, 1, {})"
_COLUMN = "delta[k] == D({}, a[k]) == (W[k+1].T @ delta[k+1])*dsigma(a[k])"
_GRADIENT = "D(E, w[k][i, j]) == D(E, a[k][i])*D(a[k][i], w[k][i, j]) == delta[k][i]*z[k-1][j]"
_OUTER = "D(E, w_all[k]) == delta[k] @ z[k-1].T"
_PATHS = "1 <= i <= N"


_NAMES = "names for the entries"
_PLACES = {
    "chain": "the rule that 2.3 and 2.4 apply",
    **{f"figure {n}": f"worked example of figure {n}, a graph" for n in (1, 2, 3)},
}


def _graph(number: str, printed: str, setting: str, where: str = "") -> Equation:
    return Equation(number, printed, where, setting=setting, place=_PLACES[setting])


SECTION_2 = (
    _graph("1", "D(z, x) == D(z, y)*D(y, x)", "chain"),
    _graph("2", "y == 2*a", "figure 1"),
    _graph("3", "a == 3*x", "figure 1"),
    _graph("4", "D(y, a) == 2", "figure 1"),
    _graph("5", "D(a, x) == 3", "figure 1"),
    _graph("6", "D(y, x) == D(y, a)*D(a, x) == 2*3 == 6", "figure 1"),
    _graph("7", "y == 2*a1 + a2", "figure 2"),
    _graph("8", "a1 == 3*x", "figure 2"),
    _graph("9", "a2 == -x", "figure 2"),
    _graph("10", "D(a1 + a2, x) == D(a1, x) + D(a2, x)", "figure 2"),
    _graph("11", "D(y, x) == D(y, a1)*D(a1, x) + D(y, a2)*D(a2, x) == 2*3 + 1*(-1) == 5", "figure 2"),
    _graph("12", "y == sum(w2[j]*a[j], j, N)", "figure 3"),
    _graph("13", "a[i] == w1[i]*x", "figure 3", _PATHS),
    _graph("14", "D(y, a[i]) == w2[i]", "figure 3", _PATHS),
    _graph("15", "D(a[i], x) == w1[i]", "figure 3", _PATHS),
    _graph("17", "D(y, x) == sum(D(y, a[j])*D(a[j], x), j, 1, N)", "figure 3"),
    _graph("18", "D(y, x) == sum(w2[j]*w1[j], j, 1, N)", "figure 3"),
    _graph("19", "D(y, w2[i]) == D(sum(w2[j]*a[j], j, 1, N), w2[i]) == a[i]", "figure 3", _PATHS),
    _graph("20", "D(y, w1[i]) == D(y, a[i])*D(a[i], w1[i])", "figure 3", _PATHS),
    _graph("21", "D(y, w1[i]) == w2[i]*x", "figure 3", _PATHS),
)

SECTION_3 = (
    Equation(
        "3.1, a_1",
        "a[1][1] == x[1]*w[1][1, 1] + x[2]*w[2][1, 2]",
        "",
        "a[1][1] == x[1]*w[1][1, 1] + x[2]*w[1][1, 2]",
        label="2.6",
        setting="figure 4",
        because="both weights lead into layer 1",
    ),
    Equation("22", "z[k][i] == sigma(a[k][i])", _UNIT, label="1.3, h"),
    Equation(
        "23",
        "z[k][1] == sigma(a[k][i]) == sigma(x[1]*w[1][1, 1] + x[2]*w[2][1, 2])",
        "1 <= k <= 3, 1 <= i <= N[k]",
        "z[1][1] == sigma(a[1][1]) == sigma(x[1]*w[1][1, 1] + x[2]*w[1][1, 2])",
        label="1.3",
        setting="figure 4",
        because="layer 1 and unit 1 on every side; both weights lead into layer 1",
    ),
    Equation("24", _SUM, _UNIT, label="2.6"),
    Equation("25", "z[k][i] == sigma(a[k][i])", _UNIT, label="1.3, h"),
    Equation("26, x", "x == column(x[i], i, 1, N[0])", place=_NAMES),
    Equation("26, a", "a[k] == column(a[k][i], i, 1, N[k])", _LAYERS, place=_NAMES),
    Equation("26, z", "z[k] == column(z[k][i], i, 1, N[k])", _LAYERS, place=_NAMES),
    Equation(
        "26, W",
        "W[k] == matrix(w[k][i, j], i, 1, N[k+1], j, 1, N[k])",
        _INNER,
        "W[k] == matrix(w[k][i, j], i, 1, N[k], j, 1, N[k-1])",
        _LAYERS,
        place=_NAMES,
        because="the weights into layer k have a row for each of its units, a column for each unit before",
    ),
    Equation("27", _SUM, _UNIT, label="2.6"),
    Equation("28", "a[k] == W[k] @ z[k-1]", _LAYERS, label="2.6"),
    Equation("29", "z[k][i] == sigma(a[k][i])", _UNIT, label="1.3, h"),
    Equation("30", "z[k] == sigma(a[k])", _LAYERS, label="1.3, h"),
    Equation(
        "31",
        "",
        _ENTRY,
        label="2.2",
        quote="w_i <- w_i - lambda dE_n/dw_i, with respect to each parameter in the model (the weights)",
        claim="w_new[k][i, j] << w[k][i, j] - lam*D(E, w[k][i, j])",
    ),
    Equation(
        "32",
        "D(a[k][i], w[k-1][i, j]) == z[k-1][j]",
        "2 <= k <= K, 1 <= i <= N[k], 1 <= j <= N[k-1]",
        "D(a[k][i], w[k][i, j]) == z[k-1][j]",
        _ENTRY,
        label="2.8",
        because="the weights into layer k have the superscript k",
    ),
    *TABLES,
    Equation(
        "33",
        "[r[1], r[2], r[3]]*[t[1], t[2], t[3]] == [r[1]*t[1], r[2]*t[2], r[3]*t[3]]",
        setting="three numbers",
        place="the meaning of the product entry by entry in D.5m",
    ),
)

SECTION_4 = (
    Equation("34", _SUM, _UNIT, label="2.6"),
    Equation("35", "a[k] == W[k] @ z[k-1]", _LAYERS, label="2.6"),
    Equation("36", "z[k][i] == sigma(a[k][i])", _UNIT, label="1.3, h"),
    Equation("37", "z[k] == sigma(a[k])", _LAYERS, label="1.3, h"),
    Equation(
        "38",
        _DELTA.format("E_plain", "N[k]"),
        f"{_INNER}, 1 <= i <= N[k]",
        _DELTA.format("E_plain", "N[k+1]"),
        label="D.5",
        because="the sum runs over the units of the next layer",
    ),
    Equation("39", _COLUMN.format("E_plain"), _INNER, label="D.5"),
    Equation("40", _GRADIENT, _ENTRY, label="A.3"),
    Equation("41", _OUTER, _LAYERS, label="A.3m"),
)

SECTION_5 = (
    Equation("5.1, a_i", _SUM, _UNIT, label="2.6"),
    Equation("5.1, z_i", "z[k][i] == sigma(a[k][i])", _UNIT, label="1.3, h"),
    Equation("5.1, a", "a[k] == W[k] @ z[k-1]", _LAYERS, label="2.6"),
    Equation("5.1, z", "z[k] == sigma(a[k])", _LAYERS, label="1.3, h"),
    Equation(
        "5.2, delta(K)",
        "delta[K][i] == D(E, a[K][i]) == (z[3][i] - y[i])*dsigma(a[3][i])",
        "1 <= i <= N[K]",
        "delta[K][i] == D(E, a[K][i]) == (z[K][i] - y[i])*dsigma(a[K][i])",
        label="D.1",
        because="the last layer is K, not always 3",
    ),
    Equation(
        "5.2, loop",
        "",
        f"{_INNER}, 1 <= i <= N[k], 1 <= j <= N[k-1]",
        "D(E, w[k][i, j]) == delta[k][i]*z[k-1][j]",
        _ENTRY,
        label="A.3",
        because="from k = K on: each weight has its gradient, those into the last layer too",
        quote="calculate the gradients with respect to each weight along the way (for k = K - 1, ...1)",
        claim="D(E, w[k][i, j]) == delta[k][i]*z[k-1][j]",
        every="w",
    ),
    Equation("5.2, delta", _DELTA.format("E", "N[k+1]"), f"{_INNER}, 1 <= i <= N[k]", label="D.5"),
    Equation("5.2, dE/dw", _GRADIENT, _ENTRY, label="A.3"),
    Equation("5.2, delta, matrix", _COLUMN.format("E"), _INNER, label="D.5"),
    Equation("5.2, dE/dw, matrix", _OUTER, _LAYERS, label="A.3m"),
)

DOCUMENT = Document(
    "003",
    "Backpropagation along paths of a network without biases",
    SETTINGS,
    (*SECTION_2, *SECTION_3, *SECTION_4, *SECTION_5),
    {"16": "(16) numbers an empty line: nothing is stated there."},
)
