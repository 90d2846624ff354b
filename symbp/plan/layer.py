"""The place of one layer's weights."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """Where the weights of one layer lie in the flat vector, and how they start."""

    rows: int
    columns: int
    offset: int
    bias: bool
    initialisation: str
