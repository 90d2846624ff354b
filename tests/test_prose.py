"""Sentences with letters and short formulas in them, in each format."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from symbp.derivation.documents.library import NAMES, audit
from symbp.notation import NOTATIONS
from symbp.render import escape, prose

SENTENCES = {
    "the last feature is a component too: i <= N_0": r"the last feature is a component too: $i \le N_{0}$",
    "x_i = i-th component where 1 <= i < N_0": r"$x_{i}$ = i-th component where $1 \le i < N_{0}$",
    "a W_k of N_k x M_k": r"a $W_{k}$ of $N_{k} \times M_{k}$",
    "neuron i of layer l + 1, from input j": "neuron $i$ of layer $l + 1$, from input $j$",
    "samples 1, ..., p; jb in place of jk": "samples 1, ..., $p$; jb in place of jk",
    "w_ij^k, delta^(2), Theta": r"$w_{ij}^{k}$, $\delta^{(2)}$, $\Theta$",
    "theta_{ij}^{(l)}, the entries": r"$\theta_{ij}^{(l)}$, the entries",
    "a - y belongs to a cost": "$a - y$ belongs to a cost",
}
# What stays as it is written.
PLAIN = (
    "X.4 again and again; D.4 row by row, with the entries of 2.12",
    "the S-matrices and the T-product, i.e. one sample's share",
    "A bar is a line; I am no letter, half_squared_error is a name",
    "a^L = [sigma(W^L[...])]: a longer formula is left alone, k = 1 in it too",
    "2.17a, k=2 is a label, and the Kronecker delta a name; dE/dw and lambda/2 are longer",
    "100 % of {braces} & $dollars$, <tags> and back\\slashes",
)


@pytest.mark.parametrize("text", SENTENCES)
def test_letters_and_short_formulas(text: str) -> None:
    assert prose.latex(text) == SENTENCES[text]
    assert prose.markdown(text).count("$") == SENTENCES[text].count("$")
    shown = prose.html(text)
    formulas = re.findall(r"<math.*?</math>", shown)
    assert len(formulas) == SENTENCES[text].count("$") // 2
    for formula in formulas:
        element = ET.fromstring(formula)
        assert "".join(element.itertext())
        assert element.get("alttext") in text


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_formula_stays(text: str) -> None:
    assert prose.latex(text) == escape.latex(text)
    assert prose.markdown(text) == escape.markdown(text)
    assert "<math" not in prose.html(text)
    assert "<tags>" not in prose.html(text)


def test_no_half_of_a_formula_in_the_audit() -> None:
    """A sentence is set as a whole: no index or exponent is left in the words around a formula."""
    said = [words for name in NAMES for v in audit(name) for words in (v.quote, v.because, v.number) if words]
    set_ = [prose.latex(words) for words in said if prose.latex(words) != escape.latex(words)]
    assert len(set_) > 40
    for sentence in set_:
        around = re.sub(r"\$[^$]*\$", "", sentence)
        assert not re.search(r"\\_|\\textasciicircum|\[|\]", around), sentence


def test_the_bias_neuron_is_the_last_input_in_no_other_notation() -> None:
    import symbp

    because = symbp.derive()["1.6b"].because
    assert len(NOTATIONS) == 5
    assert "last" not in because
