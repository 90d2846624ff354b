"""Load a generated trainer, run it, and check it against independent ways to the gradient."""
