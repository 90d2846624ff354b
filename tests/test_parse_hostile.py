"""Hostile text: thousands of strings, none of which runs, hangs, or gets more than one clear line.

The answer to any text is an expression or an ExpressionError, in a moment.
"""

from __future__ import annotations

import random
import string
import sys
import time
from collections.abc import Iterator

import pytest
import sympy

from symbp.errors import ExpressionError
from symbp.functions.parse import MAX_NODES, parse_formula

LIMIT = 2.0  # seconds for one text, on a busy machine

# Each is the shape of an attack, or of something that is slow or large when it is believed.
BY_HAND = [
    "__import__('os').system('echo hi')",
    '__import__("os")',
    "().__class__.__bases__[0].__subclasses__()",
    "z.__class__",
    "z.free_symbols",
    "exp.__globals__",
    "exp.__call__(z)",
    "(lambda: z)()",
    "lambda: 0",
    "[z for z in z]",
    "{z for z in (1, 2)}",
    "{z: z}",
    "(z for z in z)",
    "(z := 3)",
    "z = 3",
    "z == 3",
    "z != 3",
    "not z",
    "z if not z < 1 else 0",
    "f'{z}'",
    "'z'",
    '"""z"""',
    "b'z'",
    "...",
    "None",
    "True",
    "False",
    "1j",
    "1e5j",
    "0x7f + z",
    "0b11*z",
    "0o17*z",
    "1_000*z",
    "0777*z",
    "z[0]",
    "z[::]",
    "(z,)",
    "z, z",
    "exp(*z)",
    "exp(**z)",
    "exp(z, z)",
    "exp(x=z)",
    "exp()",
    "max(z)",
    "max(z, z, z)",
    "exp(z)(z)",
    "(exp)(z)",
    "exp",
    "exp exp",
    "sum",
    "yield z",
    "await z",
    "async z",
    "import os",
    "del z",
    "pass",
    "z; z",
    "z\nimport os",
    "z\\\n+1",
    "z # comment",
    "#",
    "z\0",
    "\0",
    "z\x1b[31m",
    "z\u202e+1",
    "\uff5a",  # a full-width z, which Python reads as z
    "\u03b1*z",
    "\u0417",
    "z\u00b2",
    "z \u2212 1",
    "\ud800",
    "\U0001f600",
    "z@z",
    "z//2",
    "z%2",
    "z<<2",
    "z|z",
    "z&z",
    "z^2",
    "~z",
    "-" * 400 + "z",
    "(" * 200 + "z" + ")" * 200,
    "exp(" * 100 + "z" + ")" * 100,
    "z**" * 100 + "2",
    "((z**64)**64)**64",
    "(((z + 1)**64 + 1)**64 + 1)**64",
    "9**9**9",
    "9**9**9**9",
    "2**64**64",
    "(2**64)**64",
    "((2**64)**64)**64",
    "(((1 + 1/1000)**64)**64)**64",
    "10**-64**-64",
    "0**-1",
    "0**0*z",
    "(-1)**(1/2)",
    "(-8)**(1/3)*z",
    "z**(10**30)",
    "z**1e-30",
    "z**0.3333333333333333333333333",
    "1/0",
    "z/0",
    "z/(z - z)",
    "1/(1 - 1)*z",
    "log(0)",
    "log(-1)",
    "sqrt(-1)",
    "log(z - z)",
    "1e999",
    "1e-999",
    "9" * 400,
    "0." + "1" * 400,
    "1e300*1e300",
    "exp(1e300)",
    "exp(exp(exp(exp(z))))",
    "exp(exp(exp(100)))",
    "1 if exp(exp(exp(9))) > 1 else z",
    "sinh(sinh(sinh(sinh(z))))",
    "sin(1e299)*z",
    "cos(exp(600))*z",
    "tanh(1e299)*z",
    "erf(1e200)*z",
    "atan(1e200)*z",
    "max(" * 39 + "z" + ", z)" * 39,
    "min(max(" * 19 + "z" + ", 1), z)" * 19,
    "abs(" * 38 + "z" + ")" * 38,
    "softplus(" * 38 + "z" + ")" * 38,
    "sigmoid(" * 38 + "z" + ")" * 38,
    "z if " * 60 + "z" + " else 0" * 60,
    "z if z else 1",
    "z if True else 1",
    "z if 1 < 2 < 3 else 0",
    "z if z < 1 < z < 1 < z else 0",
    "z if (z < 1 and z > 2) or z < 3 else 0",
    "z if z < 1 and 3 else 0",
    "z if sqrt(-z**2 - 1) < 1 else 0",
    "sum(sum(z))",
    "sum(z)/sum(z)/sum(z)",
    "exp(z)/sum(exp(z))**64",
    "",
    " ",
    "\n",
    ")",
    "(",
    "z +",
    "+",
    "*z",
    "z z",
    "2z",
    "z2",
    ".",
    ",",
    "= z",
]

VALID = [
    "1/(1 + exp(-z))",
    "0 if z <= 0 else z",
    "(sqrt(z**2 + 1) - 1)/2 + z",
    "z*tanh(log(1 + exp(z)))",
    "0 if z <= -3 else (1 if z >= 3 else z/6 + 1/2)",
    "max(0, min(z, 6)) + e**2*pi",
]
PIECES = [
    *"z()+-*/,.[]{}:;'\"\\#@!&|^~<>= \n\t\0éΩ",
    *string.digits,
    *(
        "**",
        "//",
        "<=",
        ">=",
        "==",
        ":=",
        "->",
        "if",
        "else",
        "and",
        "or",
        "not",
        "in",
        "is",
        "lambda",
        "for",
    ),
    *(
        "exp(",
        "log(",
        "sqrt(",
        "max(",
        "sum(",
        "abs(",
        "softplus(",
        "__class__",
        "import",
        "os",
        "None",
        "e",
        "pi",
    ),
    *("9e99", "1e-9", "0x1f", "64", "1j", ".5", "1_0"),
]


def _generated(count: int) -> Iterator[str]:
    """Yield random joints of pieces, damaged formulas, and random trees that nearly are formulas."""
    rng = random.Random(0)
    for n in range(count):
        if n % 3 == 0:
            yield "".join(rng.choices(PIECES, k=rng.randint(1, 14)))
        elif n % 3 == 1:
            text = list(rng.choice(VALID))
            for _ in range(rng.randint(1, 3)):
                text[rng.randrange(len(text))] = rng.choice(PIECES)
            yield "".join(text)
        else:
            yield _tree(rng, rng.randint(1, 5))


def _tree(rng: random.Random, depth: int) -> str:
    if depth == 0:
        return rng.choice(["z", "z", "2", "0", "0.5", "1e300", "64", "pi", "h", "(1 - 1)"])
    a, b, c = (_tree(rng, rng.randrange(depth)) for _ in range(3))
    shape = rng.choice(
        [
            *(
                "({a} + {b})",
                "({a} - {b})",
                "{a}*{b}",
                "{a}/{b}",
                "({a})**{b}",
                "-{a}",
                "exp({a})",
                "log({a})",
            ),
            *(
                "sqrt({a})",
                "abs({a})",
                "max({a}, {b})",
                "({a} if {b} <= {c} else {b})",
                "tanh({a})",
                "sinh({a})",
            ),
        ]
    )
    return shape.format(a=a, b=b, c=c)


_EVENTS: list[str] = []
_WATCHED = (
    "exec",
    "open",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.remove",
    "subprocess.",
    "socket.",
    "shutil.",
    "ctypes.",
)


@pytest.fixture(scope="module")
def watched() -> Iterator[list[str]]:
    """Record what Python itself reports of executed code, opened files and started programs."""
    for text in VALID:  # SymPy imports some of its parts at first use
        parse_formula(text, ("z",))
    active = True

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if active and event.startswith(_WATCHED):
            _EVENTS.append(f"{event} {arguments!r:.80}")

    sys.addaudithook(hook)  # it cannot be taken out again, so it is turned off
    yield _EVENTS
    active = False


def _answer(text: str) -> sympy.Expr | str:
    """Return the expression, or the message that refuses the text."""
    start = time.perf_counter()
    refusal = None
    try:
        result: sympy.Expr | str = parse_formula(text, ("z",))
    except ExpressionError as error:
        refusal, result = error, str(error)
    assert time.perf_counter() - start < LIMIT, text
    if refusal is not None and refusal.excerpt:
        formula, caret = refusal.excerpt
        assert caret.strip() == "^"
        assert len(caret) <= len(formula) + 1
        assert formula.isascii()
        assert formula.isprintable()
    return result


def _check(result: sympy.Expr | str) -> None:
    if isinstance(result, str):
        assert result.startswith("formula")
        assert len(result) < 1200
        assert result.isprintable()  # one line, and no control characters for the terminal
        return
    assert isinstance(result, sympy.Expr)
    assert {symbol.name for symbol in result.free_symbols} <= {"z"}
    assert not result.has(sympy.nan, sympy.zoo, sympy.oo, sympy.I)
    assert sum(1 for _ in sympy.preorder_traversal(result)) <= MAX_NODES


@pytest.mark.parametrize("text", BY_HAND, ids=lambda text: ascii(text)[:40])
def test_by_hand(text: str, watched: list[str]) -> None:
    before = len(watched)
    result = _answer(text)
    assert watched[before:] == []
    _check(result)


def test_thousands(watched: list[str]) -> None:
    before = len(watched)
    results = [_answer(text) for text in _generated(6000)]
    assert watched[before:] == []
    for result in results:
        _check(result)
    assert sum(isinstance(result, str) for result in results) > 2000
    assert sum(not isinstance(result, str) for result in results) > 500


def test_the_watch_sees_what_it_should(watched: list[str]) -> None:
    before = len(watched)
    exec("1 + 1")
    assert watched[before:]
