"""Tiny networks for the tests of the benchmark."""

from __future__ import annotations

from symbp.bench.workloads import Workload

ODD = Workload("odd", (5, 7, 3, 4), "relu", 5)
TWO = Workload("two", (3, 6, 2), "tanh", 3)  # two outputs: scikit-learn has one for them
LONE = Workload("lone", (4, 3), "relu", 1)  # no hidden layer
