"""Long products on web pages: broken between factors, and nothing lost."""

from __future__ import annotations

import re

from symbp.notation.mathml import TIMES
from symbp.render.breaking_mathml import elements, pieces, seen

F, G, H = (f"<mrow><mi>{name}</mi><mo>&#x2061;</mo><mi>x</mi></mrow>" for name in ("alpha", "beta", "gamma"))
OPEN, CLOSE = (f'<mo stretchy="false">{sign}</mo>' for sign in "()")
BRACKET = f"<mrow>{OPEN}<mrow>{F}{TIMES}{G} <mo>+</mo>{H}</mrow>{CLOSE}</mrow>"


def tokens(markup: str) -> list[str]:
    """Everything that is seen, in order; a product sign at the end of a line stands on the next, too."""
    return re.findall(r"<m[ion][^>]*>([^<&]+)<", markup)


def test_a_short_term_stays_whole() -> None:
    assert list(pieces(F + TIMES + G, 11, 20)) == [(F + TIMES + G, 11)]


def test_a_product_is_broken_between_factors() -> None:
    found = list(pieces(F + TIMES + G + TIMES + H, 17, 8))
    assert [part for part, _ in found] == [F, TIMES + G, TIMES + H]
    assert [share for _, share in found] == [6, 5, 6]


def test_as_many_factors_as_fit_stand_on_a_line() -> None:
    assert [part for part, _ in pieces(F + TIMES + G + TIMES + H, 17, 12)] == [F + TIMES + G, TIMES + H]


def test_a_bracket_that_is_too_long_is_opened() -> None:
    broken = list(pieces(BRACKET + TIMES + F, 26, 13))
    assert [share for _, share in broken] == [12, 8, 6]
    found = [part for part, _ in broken]
    assert tokens("".join(found)) == tokens(BRACKET + F)
    for part in found:  # whole elements on every line
        assert "".join(elements(part)).replace(" ", "") == part.replace(" ", "")


def test_what_has_no_break_stays_as_it_is() -> None:
    fraction = f"<mfrac>{F}{G}</mfrac>"
    assert [part for part, _ in pieces(fraction, 40, 10)] == [fraction]


def test_elements() -> None:
    assert elements(f"{F} <mo>=</mo>{G}") == [F, "<mo>=</mo>", G]
    assert seen("<mi>a</mi><mo>&#x2062;</mo> <mn>12</mn><mo>&lt;</mo>") == 4
