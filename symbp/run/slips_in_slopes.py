"""g' written down with a slip: (1 - o)^2 for o (1 - o), 1 - o for 1 - o^2, and the like."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import sympy

from symbp.derivation.local import O, Z, derivative_in_output

# Powers that a factor of g' is tried with, and how many factors there are at most.
POWERS = (0, 1, 2)
FACTORS = 3


def slips(activation: Any) -> dict[Any, str]:
    """Return what may be written for g', each with the mistake in words; the likeliest come first.

    Parameters
    ----------
    activation : sympy.Expr
        The function of z.

    Returns
    -------
    dict
        A wrong g' in z and the output o -> the mistake, with {place} for the layer or layers.
    """
    right = derivative_in_output(activation)
    found = {
        right.replace(
            lambda e: e.is_Pow and e.exp == 2, lambda e: e.base
        ): "a square is missing in g' of {place}"
    }
    terms = sympy.Add.make_args(sympy.expand(right))
    if len(terms) > 1:
        found |= {sympy.expand(right) - 2 * term: "a sign is wrong in g' of {place}" for term in terms}
    if right.is_polynomial(O) and right.has(O) and not right.has(Z):
        known = {sympy.expand(right), *map(sympy.expand, found)}
        for slip in _others(right):
            form = sympy.expand(slip)
            if form not in known and form.has(O, Z):
                known.add(form)
                wrong = f"g' of {{place}} is written {written(slip)}"
                found[slip] = f"{wrong}, and not {written(right)} with o for the output"
    return {slip: words for slip, words in found.items() if sympy.expand(slip - right) != 0}


def _others(right: Any) -> Iterator[Any]:
    """Yield a formula with other powers of its factors, without one term, with z for o in one place."""
    number, powers = _factors(right)
    factors = [factor for factor, power in powers for _ in range(power)]
    if len(factors) <= FACTORS and number == 1:
        for chosen in product(POWERS, repeat=len(factors)):  # one more, one less, or one for another
            yield number * sympy.Mul(*(f**p for f, p in zip(factors, chosen, strict=True)))
    for n, factor in enumerate(factors):
        rest = number * sympy.Mul(*factors[:n], *factors[n + 1 :])
        yield rest * factor.subs(O, Z)
        for term in factor.args if factor.is_Add else ():
            yield rest * (factor - 2 * term)
            yield rest * (factor - term)
    yield right.subs(O, Z)
    yield from (sympy.expand(right) - term for term in sympy.Add.make_args(sympy.expand(right)))


def _factors(expr: Any) -> tuple[Any, list[tuple[Any, int]]]:
    """Return a number, and factors with their powers that are positive at 0: o (1 - o), not -o (o - 1)."""
    number, factors = sympy.factor_list(expr)
    found = []
    for factor, power in factors:
        sign = -1 if factor.subs({O: 0, Z: 0}) < 0 else 1
        number *= sign**power
        found.append((sign * factor, int(power)))
    return number, sorted(found, key=lambda pair: (pair[0].is_Add, str(pair[0])))


def written(expr: Any) -> str:
    """Return a formula as it is written down: o (1 - o), (1 - o)^2, 1 - o^2."""
    number, factors = _factors(expr)
    terms = sympy.Add.make_args(sympy.expand(expr))
    alone = number == 1 and len(factors) == 1 and factors[0][1] == 1
    if alone or (len(terms) == 2 and any(term.is_number for term in terms)):
        return _sum(sympy.expand(expr))
    printed = []
    for factor, power in factors:
        base = f"({_sum(factor)})" if factor.is_Add else _sum(factor)
        printed.append(f"{base}^{power}" if power > 1 else base)
    sign = {1: "", -1: "-"}.get(number, f"{number} ")
    return sign + " ".join(printed)


def _sum(expr: Any) -> str:
    """Return a sum with its constant term first and every term with its sign."""
    terms = sorted(sympy.Add.make_args(expr), key=lambda term: (term.could_extract_minus_sign(), str(term)))
    signed = "".join(f" - {-term}" if term.could_extract_minus_sign() else f" + {term}" for term in terms[1:])
    return f"{terms[0]}{signed}".replace("**", "^").replace("*", " ").replace("_o", "o")
