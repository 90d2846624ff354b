"""A small typed language for printed equations: named arrays of a network, indices, derivatives."""
