"""The conditions on layers and weights under which the generic equations hold."""

from __future__ import annotations

from typing import Any

import sympy

from symbp.algebra.nodes import Inputs, L, Width, j, k, l


def at_most(a: Any, b: Any) -> Any:
    """a <= b as it stands: SymPy would decide 1 <= k and lose it from the page."""
    return sympy.Le(a, b, evaluate=False)


def below(a: Any, b: Any) -> Any:
    """a < b as it stands."""
    return sympy.Lt(a, b, evaluate=False)


ANY_LAYER = (at_most(1, k), at_most(k, L + 1))
ANY_LAYER_L = (at_most(1, l), at_most(l, L + 1))
HIDDEN = (at_most(1, k), at_most(k, L))
LATER = (at_most(1, k), below(k, l), at_most(l, L + 1))

# The weights of regular neurons; the bias, and the index it has.
REGULAR = (*ANY_LAYER, at_most(j, Width(k - 1)))
OF_BIAS = (*ANY_LAYER, at_most(Width(k - 1) + 1, Inputs(k)))
AT_BIAS = {j: Width(k - 1) + 1}
