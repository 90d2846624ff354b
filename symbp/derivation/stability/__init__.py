"""Stable forms: rules that rewrite, the proof that nothing changes, and the scan that says where it matters.

proof
    Two expressions are equal, branch by branch, as rational functions of exponentials.
rules
    The rewrite system: each rule with its pattern, replacement, reason and reference.
numbers
    An expression in float32 or float64, and exactly.
scan
    Where an expression overflows, is not a number or has lost its digits.
choose
    The cheapest form without such places.
"""
