"""The built-in functions. To add one, add one record: everything else follows from it."""

from __future__ import annotations

from symbp.functions.records import Activation, Cost

ACTIVATIONS: dict[str, Activation] = {
    record.name: record
    for record in (
        Activation("identity", "z", source="003, output layer"),
        # The branch at z <= 0 declares the value at the kink: relu'(0) = 0.
        Activation("relu", "0 if z <= 0 else z", initialisation="he", source="000, eq. 1.4"),
        Activation("tanh", "tanh(z)", source="002"),
        Activation("sigmoid", "1/(1 + exp(-z))", output="unit_interval", source="001"),
        Activation("softmax", "exp(z)/sum(exp(z))", output="distribution", source="000, eq. 1.8"),
    )
}

COSTS: dict[str, Cost] = {
    record.name: record
    for record in (
        Cost("cross_entropy", "-y*log(h)", "distribution", "distribution", source="000, eq. 2.1"),
        Cost(
            "binary_cross_entropy",
            "-y*log(h) - (1 - y)*log(1 - h)",
            "unit_interval",
            "unit_interval",
            source="004, eq. 7",
        ),
        Cost("half_squared_error", "(h - y)**2/2", source="001; 003"),
        Cost("squared_error", "(h - y)**2", source="002"),
    )
}
