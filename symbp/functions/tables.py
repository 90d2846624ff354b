"""The built-in functions. To add one, add one record: everything else follows from it."""

from __future__ import annotations

from symbp.functions.parameters import Parameter
from symbp.functions.records import Activation, Cost

_ALPHA = Parameter("alpha", 0.01, "nonnegative")

ACTIVATIONS: dict[str, Activation] = {
    record.name: record
    for record in (
        Activation("identity", "z", source="003, output layer"),
        # A branch with "<=" declares the value at its kink: relu'(0) = 0.
        Activation("relu", "0 if z <= 0 else z", initialisation="he", source="000, eq. 1.4"),
        Activation(
            "leaky_relu",
            "alpha*z if z <= 0 else z",
            initialisation="he",
            source="Maas, Hannun and Ng 2013, section 2",
            parameters=(_ALPHA,),
        ),
        Activation(
            "elu",
            "alpha*(exp(z) - 1) if z <= 0 else z",
            initialisation="he",
            source="Clevert, Unterthiner and Hochreiter 2016, arXiv:1511.07289, eq. 15",
            parameters=(Parameter("alpha", 1.0, "nonnegative"),),
        ),
        Activation(
            "selu",
            "scale*alpha*(exp(z) - 1) if z <= 0 else scale*z",
            initialisation="lecun",
            source="Klambauer et al. 2017, arXiv:1706.02515, eq. 2 and 14",
            parameters=(
                Parameter("alpha", 1.6732632423543772, "positive"),
                Parameter("scale", 1.0507009873554805, "positive"),
            ),
        ),
        Activation(
            "softplus",
            "log(1 + exp(z))",
            output="positive",
            source="Dugas et al. 2001, eq. 4",
        ),
        Activation("sigmoid", "1/(1 + exp(-z))", output="unit_interval", source="001"),
        Activation(
            "hard_sigmoid",
            "0 if z <= -3 else (1 if z >= 3 else z/6 + 1/2)",
            source="Howard et al. 2019, arXiv:1905.02244, section 5.2",
        ),
        Activation("tanh", "tanh(z)", source="002"),
        Activation(
            "scaled_tanh", "1.7159*tanh(2*z/3)", source="LeCun, Bottou, Orr and Müller 1998, section 4.4"
        ),
        Activation("softsign", "z/(1 + abs(z))", source="Bergstra et al. 2009"),
        Activation("arctan", "atan(z)", source="LeCun 1989, section 2"),
        Activation("sin", "sin(z)", source="Sitzmann et al. 2020, arXiv:2006.09661"),
        Activation("gaussian", "exp(-z**2)", output="positive", source="Hartman, Keeler and Kowalski 1990"),
        Activation(
            "swish",
            "z/(1 + exp(-z))",
            initialisation="he",
            source="Ramachandran, Zoph and Le 2017, arXiv:1710.05941 (also called SiLU)",
        ),
        Activation(
            "mish",
            "z*tanh(log(1 + exp(z)))",
            initialisation="he",
            source="Misra 2019, arXiv:1908.08681, eq. 1",
        ),
        Activation(
            "gelu",
            "z*(1 + erf(z/sqrt(2)))/2",
            initialisation="he",
            source="Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2",
        ),
        Activation(
            "gelu_tanh",
            "z*(1 + tanh(sqrt(2/pi)*(z + 0.044715*z**3)))/2",
            initialisation="he",
            source="Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2",
        ),
        Activation("exp", "exp(z)", output="positive", source="McCullagh and Nelder 1989, log link"),
        Activation("softmax", "exp(z)/sum(exp(z))", output="distribution", source="000, eq. 1.8"),
    )
}
# Other names that the literature has for the same function.
ALIASES: dict[str, str] = {"silu": "swish"}

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
        # The branch at h = y declares the derivative there: -1.
        Cost(
            "mean_absolute_error",
            "y - h if h <= y else h - y",
            source="Laplace 1774; Bishop 2006, sec. 1.5.5",
        ),
        Cost(
            "huber",
            "(h - y)**2/2 if abs(h - y) <= delta else delta*(abs(h - y) - delta/2)",
            source="Huber 1964, section 3",
            parameters=(Parameter("delta", 1.0, "positive"),),
        ),
        Cost("log_cosh", "log(cosh(h - y))", source="Green 1990"),
        # Without log(y!), which no prediction changes.
        Cost(
            "poisson",
            "h - y*log(h)",
            "positive",
            "nonnegative",
            source="McCullagh and Nelder 1989, section 6.2",
        ),
        Cost(
            "quantile",
            "q*(y - h) if h <= y else (1 - q)*(h - y)",
            source="Koenker and Bassett 1978, eq. 2.1",
            parameters=(Parameter("q", 0.5, "fraction"),),
        ),
        # Targets are -1 or 1; the branch at y h = 1 declares the derivative there: 0.
        Cost(
            "hinge", "0 if y*h >= 1 else 1 - y*h", "real", "sign", source="Cortes and Vapnik 1995, section 3"
        ),
    )
}
