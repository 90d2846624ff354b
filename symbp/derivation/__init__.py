"""Derivations: steps, the rules that made them, and the oracles that check them."""
