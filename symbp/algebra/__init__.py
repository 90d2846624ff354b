"""Layered index symbols, the index calculus on them, and the typed matrices S and T."""
