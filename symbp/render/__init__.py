"""Rendering: finished text out of derivations and plans; templates hold the shape of it."""
