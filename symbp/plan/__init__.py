"""Derivation -> a small typed kernel program."""
