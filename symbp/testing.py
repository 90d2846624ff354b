"""Assertions for test suites of code that has gradients of its own."""

from __future__ import annotations

from typing import Any

from symbp.network import Network
from symbp.run.check_gradient import check_gradient


def assert_gradient(network: Network, gradient: Any, **options: Any) -> None:
    """Fail with the worst weights and the likeliest mistake unless a gradient is right.

    Parameters
    ----------
    network : Network
    gradient : text, mapping, callable or sequence of sympy.Matrix
    **options
        Those of :func:`symbp.check_gradient`.

    Raises
    ------
    AssertionError
        If it is wrong, or weights are left out; the message is the report.
    """
    __tracebackhide__ = True  # pytest shows the caller's line
    report = check_gradient(network, gradient, **options)
    if not report.ok:
        raise AssertionError(str(report))
