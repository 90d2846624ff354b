"""Measurements: how accurate and how fast the kernels' parts are."""
