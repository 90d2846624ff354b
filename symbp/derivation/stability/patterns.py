"""What each rule of the rewrite system finds, and what it puts in its place.

Every function takes an expression and returns the rewritten one if its pattern stands at the
root, else None. None is trusted: each rewriting is proved where it is used.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Abs, Add, Expr, Mul, Piecewise, Pow, erf, exp, log, sign, tanh
from sympy.codegen.cfunctions import expm1, log1p

from symbp.algebra.named import (
    Erfc,
    LogAddExp,
    LogCosh,
    LogOneMinusExp,
    LogSoftplus,
    LogSoftplusSlope,
    SechSoftplus,
    Sigmoid,
    Softplus,
    TanhSoftplus,
)

_HALF = sympy.Rational(1, 2)


# Parts ---------------------------------------------------------------------------------


def _pair(expr: Any, kind: Any, ratio: int) -> tuple[Expr, Any, Expr] | None:
    """Find c * f + ratio * c in a sum, f an instance of `kind`: return c, f and the other terms."""
    if not isinstance(expr, Add):
        return None
    terms = list(expr.args)
    for term in terms:
        for factor in Mul.make_args(term):
            if isinstance(factor, kind):
                c = Mul(*(f for f in Mul.make_args(term) if f != factor))
                others = [t for t in terms if t != term]
                if ratio * c in others:
                    return c, factor, Add(*(t for t in others if t != ratio * c))
    return None


def _exponents(total: Any) -> tuple[Expr, Any, Any] | None:
    """Return c, a, b where a sum is c (exp(a) + exp(b)); exp(0) may stand for 1."""
    if not isinstance(total, Add) or len(total.args) != 2:
        return None
    parts = [_exponential(term) for term in total.args]
    (c, a), (d, b) = parts
    if c != d or (a == 0 and b == 0):
        return None
    return (c, b, a) if a != 0 and b == 0 else (c, a, b)


def _exponential(term: Expr) -> tuple[Expr, Expr]:
    """Write a term as c * exp(a)."""
    exponentials = [f for f in Mul.make_args(term) if isinstance(f, exp)]
    rest = Mul(*(f for f in Mul.make_args(term) if not isinstance(f, exp)))
    return rest, Add(*(f.args[0] for f in exponentials))


def _argument(e: Any) -> tuple[int, Any] | None:
    """Return n and A where an expression is log(A^n)."""
    if not isinstance(e, log):
        return None
    base, power = e.args[0].as_base_exp()
    if power.is_Integer and (power == 1 or power % 2):
        return int(power), base
    return (1, e.args[0])


# Rules ---------------------------------------------------------------------------------


def log_of_two_exponentials(e: Any) -> Expr | None:
    found = _argument(e)
    pair = _exponents(found[1]) if found else None
    if found is None or pair is None:
        return None
    n, (c, a, b) = found[0], pair
    beside = log(c) if c != 1 else sympy.S.Zero
    if not c.is_positive:
        return None
    if a == 0:
        return n * (Softplus(b) + beside)
    if a == -b:
        return n * (LogCosh(a if b.could_extract_minus_sign() else b) + log(2 * c))
    return n * (LogAddExp(a, b) + beside)


def log_of_sigmoid(e: Any) -> Expr | None:
    found = _argument(e)
    if found is None:
        return None
    factors = Mul.make_args(found[1])
    chosen = [f for f in factors if isinstance(f, Sigmoid)]
    rest = Mul(*(f for f in factors if not isinstance(f, Sigmoid)))
    if not chosen or not (rest.is_Rational and rest > 0):
        return None
    return found[0] * (log(rest) - Add(*(Softplus(-f.args[0]) for f in chosen)))


def log_of_softplus(e: Any) -> Expr | None:
    found = _argument(e)
    return found[0] * LogSoftplus(found[1].args[0]) if found and isinstance(found[1], Softplus) else None


def sigmoid_over_softplus(e: Any) -> Expr | None:
    """sigmoid(u)/softplus(u); a sum that divides by softplus(u) is spread."""
    factors = Mul.make_args(e)
    for factor in factors:
        if not isinstance(factor, Sigmoid):
            continue
        below = 1 / Softplus(factor.args[0])
        if below in factors:
            return LogSoftplusSlope(*factor.args) * Mul(*(f for f in factors if f not in (factor, below)))
        for total in factors:
            if isinstance(total, Add) and any(below in Mul.make_args(term) for term in total.args):
                rest = Mul(*(f for f in factors if f not in (factor, total)))
                return Add(*(factor * rest * term for term in total.args))
    return None


def log_of_exponential(e: Any) -> Expr | None:
    found = _argument(e)
    if found is None:
        return None
    rest, exponent = _exponential(found[1])
    return found[0] * (exponent + log(rest)) if exponent != 0 and rest.is_positive else None


def log_one_minus_exp(e: Any) -> Expr | None:
    found = _argument(e)
    if found is None:
        return None
    inner = -found[1]  # log(1 - exp(u)) comes here as log(-expm1(u))
    return found[0] * LogOneMinusExp(inner.args[0]) if isinstance(inner, expm1) else None


def log_of_one_plus(e: Any) -> Expr | None:
    found = _argument(e)
    if found is None or not isinstance(found[1], Add) or sympy.S.One not in found[1].args:
        return None
    return found[0] * log1p(found[1] - 1)


def log_cosh(e: Any) -> Expr | None:
    found = _argument(e)
    return found[0] * LogCosh(found[1].args[0]) if found and isinstance(found[1], sympy.cosh) else None


def exp_minus_one(e: Any) -> Expr | None:
    found = _pair(e, exp, -1)
    return None if found is None else found[0] * expm1(found[1].args[0]) + found[2]


def quotient_of_exponentials(e: Any) -> Expr | None:
    """exp(k u)/(1 + exp(u))^n as powers of sigmoid(u) and sigmoid(-u); sums above are spread."""
    for factor in Mul.make_args(e):
        base, power = factor.as_base_exp()
        pair = _exponents(base)
        if not (power.is_Integer and power < 0) or pair is None:
            continue
        n, (c, a, b) = -int(power), pair
        above = Mul(*(f for f in Mul.make_args(e) if f != factor))
        u = sympy.expand(b - a)
        spread = [f for f in Mul.make_args(above) if isinstance(f, Add) and _adds_exponentials(f)]
        beside = Mul(*(f for f in Mul.make_args(above) if f not in spread))
        terms = Add.make_args(sympy.expand(Mul(*spread))) if spread else (sympy.S.One,)
        return Add(*(_as_sigmoids(beside * term, u, n, a) for term in terms)) / c**n
    return None


def _adds_exponentials(total: Add) -> bool:
    """Whether a term of a sum has an exponential as a factor (one inside another function is none)."""
    return any(isinstance(f, exp) for term in total.args for f in Mul.make_args(term))


def _as_sigmoids(term: Expr, u: Expr, n: int, a: Expr) -> Expr:
    """Write term / (exp(a) (1 + exp(u)))^n as sigmoid(u)^k sigmoid(-u)^(n-k), exp(k u) being above."""
    rest, exponent = _exponential(term)
    exponent = sympy.expand(exponent - n * a)
    leading = _ratio(exponent, u)
    k = min(max(int(leading), 0), n) if leading is not None else 0
    return rest * exp(sympy.expand(exponent - k * u)) * Sigmoid(u) ** k * Sigmoid(-u) ** (n - k)


def _ratio(exponent: Expr, u: Expr) -> Any:
    """Return k where the exponent is k u with a whole number k, or k u + other terms."""
    term = min(Add.make_args(u), key=sympy.default_sort_key)
    coefficient, core = term.as_coeff_Mul()
    found = sympy.expand(exponent).coeff(core) / coefficient if core != 1 else sympy.S.Zero
    return sympy.floor(found) if found.is_Rational else None


def tanh_of_exponentials(e: Any) -> Expr | None:
    """(exp(a) - exp(b))/(exp(a) + exp(b))."""
    for factor in Mul.make_args(e):
        pair = _exponents(1 / factor) if isinstance(factor, Pow) and factor.exp == -1 else None
        if pair is None:
            continue
        c, a, b = pair
        for above in Mul.make_args(e):
            if isinstance(above, Add) and len(above.args) == 2:
                coefficient = above.coeff(exp(a)) if a != 0 else above.as_coeff_Add()[0]
                if coefficient != 0 and sympy.expand(above - coefficient * (exp(a) - exp(b))) == 0:
                    rest = Mul(*(f for f in Mul.make_args(e) if f not in (factor, above)))
                    return coefficient / c * rest * tanh((a - b) / 2)
    return None


def exp_times_sigmoid(e: Any) -> Expr | None:
    """exp(u) sigmoid(-u)."""
    rest, exponent = _exponential(e)
    if exponent == 0:
        return None
    for factor in Mul.make_args(rest):
        base, n = factor.as_base_exp()
        if isinstance(base, Sigmoid) and n.is_Integer and n > 0:
            u = -base.args[0]
            leading = _ratio(exponent, u)
            k = min(max(int(leading), 0), int(n)) if leading is not None else 0
            if k:
                others = Mul(*(f for f in Mul.make_args(rest) if f != factor))
                return others * exp(sympy.expand(exponent - k * u)) * Sigmoid(u) ** k * base ** (n - k)
    return None


def one_minus_sigmoid(e: Any) -> Expr | None:
    if not isinstance(e, Add):
        return None
    for term in e.args:
        coefficient, rest = term.as_coeff_Mul()
        if isinstance(rest, Sigmoid) and -coefficient in e.args:
            others = Add(*(t for t in e.args if t not in (term, -coefficient)))
            return others - coefficient * Sigmoid(-rest.args[0])
    return None


def target_apart(e: Any) -> Expr | None:
    """sigmoid(u) - p for one letter p."""
    if not isinstance(e, Add) or len(e.args) != 2:
        return None
    chosen = [t for t in e.args if isinstance(t, Sigmoid)]
    p = -Add(*(t for t in e.args if t not in chosen))
    if len(chosen) != 1 or not p.is_Symbol:
        return None
    (u,) = chosen[0].args
    return (1 - p) * Sigmoid(u) - p * Sigmoid(-u)


def one_plus_tanh(e: Any) -> Expr | None:
    for ratio in (1, -1):
        found = _pair(e, tanh, ratio)
        if found is not None:
            c, f, rest = found
            return 2 * ratio * c * Sigmoid(2 * ratio * f.args[0]) + rest
    return None


def one_minus_tanh_squared(e: Any) -> Expr | None:
    found = _one_minus_square(e, tanh)
    if found is None:
        return None
    c, f, rest = found
    return 4 * c * Sigmoid(2 * f.args[0]) * Sigmoid(-2 * f.args[0]) + rest


def one_minus_tanh_softplus_squared(e: Any) -> Expr | None:
    found = _one_minus_square(e, TanhSoftplus)
    return None if found is None else found[0] * SechSoftplus(found[1].args[0]) ** 2 + found[2]


def _one_minus_square(e: Any, kind: Any) -> tuple[Expr, Any, Expr] | None:
    """Find c - c f^2 in a sum, f an instance of `kind`: return c, f and the other terms."""
    if not isinstance(e, Add):
        return None
    for term in e.args:
        for factor in Mul.make_args(term):
            if isinstance(factor, Pow) and factor.exp == 2 and isinstance(factor.base, kind):
                c = -Mul(*(f for f in Mul.make_args(term) if f != factor))
                if c in e.args:
                    return c, factor.base, Add(*(t for t in e.args if t not in (term, c)))
    return None


def tanh_of_softplus(e: Any) -> Expr | None:
    found = isinstance(e, tanh) and isinstance(e.args[0], Softplus)
    return TanhSoftplus(e.args[0].args[0]) if found else None


def sinh_over_cosh(e: Any) -> Expr | None:
    factors = list(Mul.make_args(e))
    for factor in factors:
        if isinstance(factor, sympy.sinh) and 1 / sympy.cosh(factor.args[0]) in factors:
            rest = [f for f in factors if f not in (factor, 1 / sympy.cosh(factor.args[0]))]
            return Mul(tanh(factor.args[0]), *rest)
    return None


def erfc(e: Any) -> Expr | None:
    for ratio in (1, -1):
        found = _pair(e, erf, ratio)
        if found is not None:
            c, f, rest = found
            return ratio * c * Erfc(-ratio * f.args[0]) + rest
    return None


def conjugate(e: Any) -> Expr | None:
    """c sqrt(A) - c b with b > 0 and no number left in A - b^2."""
    if not isinstance(e, Add):
        return None
    for term in e.args:
        c, root = term.as_coeff_Mul()
        if not (isinstance(root, Pow) and root.exp == _HALF) or root.base.is_number:
            continue
        for other in e.args:
            b = -other / c
            inner = root.base - b**2 if b.is_positive else None
            if inner is None or len(Add.make_args(inner)) >= len(Add.make_args(root.base)):
                continue
            rest = Add(*(t for t in e.args if t not in (term, other)))
            return c * inner / (root + b) + rest
    return None


def one_minus_cos(e: Any) -> Expr | None:
    found = _pair(e, sympy.cos, -1)
    return None if found is None else -2 * found[0] * sympy.sin(found[1].args[0] / 2) ** 2 + found[2]


def sign_times(e: Any) -> Expr | None:
    factors = list(Mul.make_args(e))
    for factor in factors:
        if isinstance(factor, sign) and factor.args[0] in factors:
            rest = [f for f in factors if f not in (factor, factor.args[0])]
            return Mul(Abs(factor.args[0]), *rest)
    return None


def common_denominator(e: Any) -> Expr | None:
    """a/B + c/B^2 over one denominator, where terms above it cancel."""
    if not isinstance(e, Add) or e.has(sympy.core.relational.Relational):
        return None
    letters: dict[Any, Any] = {}

    def letter(x: Any) -> Any:
        return letters.setdefault(x, sympy.Dummy(f"x{len(letters)}", real=True))

    plain = e.replace(lambda x: isinstance(x, sympy.Function), letter)
    plain, root, inside = _with_letter_for_root(plain)
    if not any(p.exp.is_negative for p in plain.atoms(Pow)) or not plain.is_rational_function():
        return None
    together = sympy.factor(plain)
    if root is not None:
        above, below = sympy.fraction(together)
        above = sympy.factor(sympy.rem(sympy.expand(above), root**2 - inside, root))
        together, plain = (x.xreplace({root: sympy.sqrt(inside)}) for x in (above / below, plain))
    if isinstance(together, Add) or sympy.count_ops(together) >= sympy.count_ops(plain):
        return None
    for x, dummy in reversed(letters.items()):
        together = together.xreplace({dummy: x})
    return together


def _with_letter_for_root(e: Any) -> tuple[Any, Any, Any]:
    """Write the square root of the one polynomial whose root an expression has as a letter."""
    powers = [p for p in e.atoms(Pow) if p.exp.is_Rational and p.exp.q == 2 and not p.is_number]
    if len({p.base for p in powers}) != 1 or not powers[0].base.is_polynomial():
        return e, None, None
    root, inside = sympy.Dummy("root", positive=True), powers[0].base
    return e.xreplace({p: root ** (2 * p.exp) for p in powers}), root, inside


def nan_passes(e: Any) -> Expr | None:
    """Put a branch that shows the argument last: a NaN fails every comparison before it."""
    if not isinstance(e, Piecewise) or e.args[-1][1] != True:  # noqa: E712 - a SymPy boolean
        return None
    *before, (last, _) = e.args
    letters = {x for _, condition in before for x in condition.free_symbols}
    if last.free_symbols & letters:
        return None
    for position, (value, condition) in enumerate(before):
        if value.free_symbols & letters and not isinstance(condition, (sympy.And, sympy.Or)):
            opposite = sympy.to_nnf(sympy.Not(condition))
            middle = [(v, sympy.And(opposite, c)) for v, c in before[position + 1 :]]
            end = (
                last,
                sympy.And(opposite, *(sympy.to_nnf(sympy.Not(c)) for _, c in before[position + 1 :])),
            )
            return Piecewise(*before[:position], *middle, end, (value, True), evaluate=False)
    return None
