"""Forms for arguments of every size: where a power of the argument leaves the type, or it is infinite.

These rules stand apart from the rewrite system: they add branches and calls, so they are tried
only where every other form overflows. Like all rules they are proved where they are used.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import sympy
from sympy import Abs, Add, Eq, Expr, Mul, Piecewise, Pow, exp, log
from sympy.codegen.cfunctions import log1p

from symbp.algebra.marks import Lowered, Raised
from symbp.algebra.named import FAR, HypotOne, HypotOneLess, LogOnePlusSquare
from symbp.derivation.stability.rules import Rule, U

_HALF = sympy.Rational(1, 2)
# A power of 10, the end of what is computed as it is written, that float32 has.
_DEGREE = 16


# What rules find ---------------------------------------------------------------------------


def hypot(e: Any) -> Expr | None:
    """(p + c X^2)^(n/2)."""
    if not isinstance(e, Pow) or not e.exp.is_Rational or e.exp.q != 2:
        return None
    found = _square_and_number(e.base)
    if found is None:
        return None
    number, x = found
    return number**e.exp * HypotOne(x) ** (2 * e.exp)


def hypot_less(e: Any) -> Expr | None:
    """c X^2/(sqrt(p + c X^2) + sqrt(p)), which stands for the difference of both."""
    if not isinstance(e, Mul):
        return None
    for factor in e.args:
        if not (isinstance(factor, Pow) and factor.exp == -1 and isinstance(factor.base, Add)):
            continue
        roots = [t for t in factor.base.args if isinstance(t, Pow) and t.exp == _HALF and not t.is_number]
        found = _square_and_number(roots[0].base) if len(roots) == 1 else None
        if found is None or factor.base - roots[0] != sympy.sqrt(found[0]):
            continue
        number, x = found
        rest = sympy.cancel(e / factor / (roots[0].base - number))
        if not sympy.denom(rest).has(*x.free_symbols):
            return rest * sympy.sqrt(number) * HypotOneLess(x)
    return None


def log_one_plus_square(e: Any) -> Expr | None:
    """log(p + c X^2)."""
    if isinstance(e, log1p):
        found = _square_and_number(1 + e.args[0])
    else:
        found = _square_and_number(e.args[0]) if isinstance(e, log) else None
    return None if found is None else log(found[0]) + LogOnePlusSquare(found[1])


def fraction(e: Any) -> Expr | None:
    """A rational function of one quantity x: over the powers of x where these are large."""
    rational = Mul(*(f for f in Mul.make_args(e) if not f.has(sympy.Function)))
    if not rational.has(Pow) or rational.has(Piecewise):
        return None
    letter = sympy.Dummy("x", real=True)
    for x, as_letter in _quantities(rational, letter):
        plain = rational.xreplace(as_letter)
        above, below = map(sympy.expand, sympy.fraction(sympy.together(plain)))
        if below.free_symbols != {letter} or not above.free_symbols <= {letter}:
            continue
        if not all(
            part.is_polynomial(letter) and sympy.degree(part, letter) <= _DEGREE for part in (above, below)
        ):
            continue
        far = _over_powers(above, below, letter).xreplace({letter: x})
        return Piecewise((rational, Abs(x) <= FAR), (far, True)) * (e / rational)
    return None


def spread(e: Any) -> Expr | None:
    """A sum of powers times functions, term by term: what decays comes first in each product."""
    if not isinstance(e, Mul) or not e.has(sympy.Function) or e.has(Piecewise):
        return None
    sums = [f for f in e.args if _is_sum_of_powers(f)]
    if not sums:
        return None
    rest = Mul(*(f for f in e.args if f not in sums))
    return Add(*(rest * term for term in Add.make_args(sympy.expand(Mul(*sums)))))


def one_exponential(e: Any) -> Expr | None:
    """A product of exponentials as one of the sum of their arguments."""
    if not isinstance(e, Mul):
        return None
    factors = [f for f in e.args if isinstance(f, exp)]
    if len(factors) < 2:
        return None
    rest = Mul(*(f for f in e.args if f not in factors))
    return rest * exp(Add(*(f.args[0] for f in factors)))


def _is_sum_of_powers(e: Any) -> bool:
    base, power = e.as_base_exp()
    return bool(
        isinstance(base, Add) and power.is_Integer and power > 0 and base.is_polynomial(*base.free_symbols)
    )


def _square_and_number(e: Any) -> tuple[Any, Any] | None:
    """Write a sum as p (1 + X^2) with a number p > 0; quadratic polynomials by completing the square."""
    if not isinstance(e, Add):
        return None
    number, rest = e.as_coeff_Add()
    coefficient, square = rest.as_coeff_Mul()
    if number.is_positive and coefficient.is_positive and isinstance(square, Pow) and square.exp == 2:
        return number, sympy.sqrt(coefficient / number) * square.base
    letters = e.free_symbols
    if len(letters) != 1 or not e.is_polynomial(*letters) or e.has(sympy.Function):
        return None
    polynomial = sympy.Poly(e, *letters)
    if polynomial.degree() != 2:
        return None
    a, b, c = polynomial.all_coeffs()
    number = c - b**2 / (4 * a)
    if not (a.is_positive and number.is_positive):
        return None
    return number, sympy.sqrt(a / number) * (polynomial.gens[0] + b / (2 * a))


def _quantities(e: Any, letter: Any) -> list[tuple[Any, dict[Any, Any]]]:
    """Return what an expression may be a function of: its only letter, else sum or difference of two.

    With each, what makes it a plain letter.
    """
    letters = sorted(e.free_symbols, key=str)
    if len(letters) == 1:
        return [(letters[0], {letters[0]: letter})]
    if len(letters) != 2:
        return []
    a, b = letters
    return [(a - b, {a: letter + b}), (a + b, {a: letter - b})]


def _over_powers(above: Any, below: Any, x: Any) -> Any:
    """Write a fraction as x^n times one of polynomials in 1/x."""
    turned = sympy.Dummy("t")
    parts, degrees = [], []
    for part in (above, below):
        coefficients = sympy.Poly(part, x).all_coeffs()
        degrees.append(len(coefficients) - 1)
        terms = Add(*(c * turned**n for n, c in enumerate(coefficients)))
        parts.append(sympy.horner(terms, wrt=turned).xreplace({turned: 1 / x}))
    return x ** (degrees[0] - degrees[1]) * parts[0] / parts[1]


# Rules -------------------------------------------------------------------------------------

_SQUARE = "u^2 leaves the type long before the value does"

FAR_RULES: tuple[Rule, ...] = (
    Rule(
        "hypot - 1",
        Eq(U**2 / (sympy.sqrt(1 + U**2) + 1), HypotOneLess(U), evaluate=False),
        _SQUARE,
        HypotOneLess.reference,
        hypot_less,
    ),
    Rule(
        "log of 1 + square",
        Eq(log(1 + U**2), LogOnePlusSquare(U), evaluate=False),
        _SQUARE,
        LogOnePlusSquare.reference,
        log_one_plus_square,
    ),
    Rule("hypot", Eq(sympy.sqrt(1 + U**2), HypotOne(U), evaluate=False), _SQUARE, HypotOne.reference, hypot),
    Rule(
        "fraction",
        Eq(
            U / (1 + U**2),
            Piecewise((U / (1 + U**2), Abs(U) <= FAR), (1 / (U * (1 + 1 / U**2)), True)),
            evaluate=False,
        ),
        "powers of u leave the type long before their ratio does",
        "numerator and denominator over the highest power of u",
        fraction,
    ),
    Rule(
        "one exponential",
        Eq(exp(U) * exp(-exp(U)), exp(U - exp(U)), evaluate=False),
        "for large u it is infinity times 0",
        "exp(a) exp(b) = exp(a + b)",
        one_exponential,
    ),
    Rule(
        "decay first",
        Eq((1 + U**2) * exp(-(U**2)), exp(-(U**2)) + U**2 * exp(-(U**2)), evaluate=False),
        "for large u it is infinity times 0",
        "the distributive law",
        spread,
    ),
)

AT_INFINITY = Rule(
    "finite argument",
    Eq(U * exp(-(U**2)), Lowered(Raised(U)) * exp(-(U**2)), evaluate=False),
    "for infinite u it is infinity times 0",
    "the limit; both sides are the same for every number of the type",
    lambda e: next(iter(bounded(e, U)), None),
)


def far_forms(e: Any) -> Iterator[tuple[Any, tuple[Rule, ...]]]:
    """Yield the expression with one rule after the other applied, each once to each part."""
    used: tuple[Rule, ...] = ()
    for rule in FAR_RULES:
        found = _everywhere(e, rule.find)
        if found != e:
            e, used = found, (*used, rule)
            yield e, used


def _everywhere(e: Any, find: Callable[[Any], Expr | None]) -> Any:
    """Apply a rule from the outside in, once to each part."""
    if not e.args or e.is_number or isinstance(e, sympy.Sum):
        return e
    found = find(e)
    if found is not None:
        return found
    if isinstance(e, Piecewise):
        return Piecewise(*((_everywhere(value, find), test) for value, test in e.args), evaluate=False)
    arguments = [_everywhere(a, find) for a in e.args]
    return e if arguments == list(e.args) else e.func(*arguments)


def bounded(e: Any, letter: Any) -> Iterator[Any]:
    """Yield the expression with a letter kept finite: as a factor of products, then everywhere."""
    for place, limit in itertools.product(
        (_in_factors, _all), (Raised, Lowered, lambda u: Lowered(Raised(u)))
    ):
        found = place(e, letter, limit)
        if found != e:
            yield found


def _all(e: Any, letter: Any, limit: Callable[[Any], Any]) -> Any:
    return e.xreplace({letter: limit(letter)})


def _in_factors(e: Any, letter: Any, limit: Callable[[Any], Any]) -> Any:
    """Put the limited letter where a product has it, or a power of it, as a factor."""
    walk = functools.partial(_in_factors, letter=letter, limit=limit)
    if isinstance(e, Piecewise):
        return Piecewise(*((walk(value), test) for value, test in e.args), evaluate=False)
    if isinstance(e, Add):
        return Add(*map(walk, e.args))
    if not isinstance(e, Mul):
        return e
    powers = {f: f.as_base_exp() for f in e.args}
    return Mul(
        *(
            limit(letter) ** n if base == letter and n.is_positive else walk(f)
            for f, (base, n) in powers.items()
        )
    )
