"""The declaration: what is accepted, what follows from it, and what is refused with which words."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

from symbp.errors import ExpressionError, SpecError
from symbp.functions import ACTIVATIONS, COSTS, Activation, Cost
from symbp.network import MAX_LAYERS, Dense, Network

IRIS = Network(4, [Dense(8, "tanh"), Dense(3, "softmax")], "cross_entropy", name="iris")


def test_derived_numbers() -> None:
    assert IRIS.sizes == (4, 8, 3)
    assert IRIS.hidden == 1
    assert IRIS.shapes == ((8, 5), (3, 9))
    assert IRIS.n_params == 8 * 5 + 3 * 9
    assert [IRIS.fan_in(k) for k in (1, 2)] == [5, 9]


def test_a_layer_without_bias_has_one_column_less() -> None:
    network = Network(inputs=4, layers=[Dense(8, "tanh", False), Dense(3)], cost="squared_error")
    assert network.shapes == ((8, 4), (3, 9))
    assert [network.has_bias(k) for k in (1, 2)] == [False, True]


def test_a_perceptron_has_no_hidden_layer() -> None:
    network = Network(2, [Dense(1, "sigmoid")], "binary_cross_entropy")
    assert network.hidden == 0
    assert network.shapes == ((1, 3),)


def test_names_become_records() -> None:
    assert IRIS.layer(1).activation is ACTIVATIONS["tanh"]
    assert IRIS.cost is COSTS["cross_entropy"]
    assert isinstance(IRIS.layers, tuple)


def test_layers_are_numbered_from_one() -> None:
    assert IRIS.layer(2) is IRIS.layers[-1]
    for k in (0, 3, -1):
        with pytest.raises(IndexError, match="1 to 2"):
            IRIS.layer(k)


def test_numpy_integers_become_plain_ones() -> None:
    layer = Dense(np.int32(3))  # type: ignore[arg-type]
    assert type(layer.units) is int
    assert layer == Dense(3)


def test_frozen_equal_hashable_and_picklable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        IRIS.name = "other"  # type: ignore[misc]
    again = Network(4, [Dense(8, "tanh"), Dense(3, "softmax")], "cross_entropy", "iris")
    assert {IRIS: 1}[again] == 1
    assert pickle.loads(pickle.dumps(IRIS)) == IRIS
    assert dataclasses.replace(IRIS, inputs=5).sizes == (5, 8, 3)


@pytest.mark.parametrize("units", [0, -3, 2.5, "ten", True, None, np.float64(3), np.True_, float("nan"), [3]])
def test_units_must_be_a_whole_number(units: object) -> None:
    with pytest.raises(SpecError, match=r"^units = .*: expected a whole number of at least 1$"):
        Dense(units)  # type: ignore[arg-type]


@pytest.mark.parametrize("inputs", [0, 2.5, True, "four"])
def test_inputs_must_be_a_whole_number(inputs: object) -> None:
    with pytest.raises(SpecError, match=r"^inputs = .*: expected a whole number"):
        Network(inputs, [Dense(1)], "squared_error")  # type: ignore[arg-type]


def test_bias_must_be_true_or_false() -> None:
    with pytest.raises(SpecError, match=r"^bias = 0: expected true or false"):
        Dense(3, "tanh", 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "1st", "a b", "a/b", "../x", "a-b", "x" * 41, "é", None, "a\n"])
def test_the_name_goes_into_file_names(name: object) -> None:
    with pytest.raises(SpecError, match="expected letters, digits and _"):
        Network(1, [Dense(1)], "squared_error", name)  # type: ignore[arg-type]


def test_unknown_functions_suggest_the_nearest() -> None:
    with pytest.raises(SpecError, match="unknown activation 'tahn'; did you mean 'tanh'"):
        Dense(3, "tahn")
    with pytest.raises(SpecError, match="unknown cost 'crossentropy'; did you mean 'cross_entropy'"):
        Network(1, [Dense(2, "softmax")], "crossentropy")
    with pytest.raises(SpecError, match="known: identity, relu"):
        Dense(3, "qqqqqqqq")


def test_a_cost_is_not_an_activation() -> None:
    with pytest.raises(SpecError, match=r"expected a name or a symbp\.Activation"):
        Dense(3, COSTS["squared_error"])  # type: ignore[arg-type]


@pytest.mark.parametrize("layers", [[], None, 3, [3], ["tanh"]])
def test_layers_must_be_layers(layers: object) -> None:
    with pytest.raises(SpecError, match=r"^layer"):
        Network(1, layers, "squared_error")  # type: ignore[arg-type]


def test_limits_are_stated() -> None:
    with pytest.raises(SpecError, match=rf"10,000 of them; the limit is {MAX_LAYERS}"):
        Network(1, [Dense(1)] * 10_000, "squared_error")
    with pytest.raises(SpecError, match="units = 1000001: the limit is 1,000,000"):
        Dense(1_000_001)
    with pytest.raises(SpecError, match=r"10,000,000,000 weights; the limit is 50,000,000"):
        Network(100_000, [Dense(100_000, bias=False)], "squared_error")
    assert Network(1, [Dense(1)] * MAX_LAYERS, "squared_error").hidden == MAX_LAYERS - 1


def test_softmax_is_for_the_output_layer() -> None:
    with pytest.raises(SpecError, match=r"layer 1: activation 'softmax' in a hidden layer: .*whole layer"):
        Network(4, [Dense(3, "softmax"), Dense(3, "softmax")], "cross_entropy")


def test_softmax_over_one_unit_is_constant() -> None:
    with pytest.raises(SpecError, match="always 1; use 'sigmoid' with cost 'binary_cross_entropy'"):
        Network(4, [Dense(1, "softmax")], "cross_entropy")


@pytest.mark.parametrize(
    ("cost", "activation", "remedy"),
    [
        ("cross_entropy", "tanh", "use 'softmax' in the output layer"),
        ("cross_entropy", "identity", "use 'softmax' in the output layer"),
        ("cross_entropy", "sigmoid", "use 'softmax' in the output layer, or cost 'binary_cross_entropy'"),
        ("binary_cross_entropy", "relu", "use 'sigmoid' in the output layer"),
        ("binary_cross_entropy", "tanh", "use 'sigmoid' in the output layer"),
    ],
)
def test_cost_and_output_must_fit(cost: str, activation: str, remedy: str) -> None:
    with pytest.raises(SpecError, match=rf"cost '{cost}' needs outputs .*'{activation}'.*{remedy}"):
        Network(4, [Dense(3, activation)], cost)


def test_cross_entropy_over_one_sigmoid_suggests_the_binary_one() -> None:
    with pytest.raises(SpecError, match="single output use 'sigmoid' with cost 'binary_cross_entropy'"):
        Network(4, [Dense(1, "sigmoid")], "cross_entropy")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_squared_errors_take_any_output(activation: str) -> None:
    for cost in ("squared_error", "half_squared_error"):
        Network(4, [Dense(2, activation)], cost)


def test_binary_cross_entropy_takes_any_probabilities() -> None:
    Network(4, [Dense(3, "sigmoid")], "binary_cross_entropy")
    Network(4, [Dense(3, "softmax")], "binary_cross_entropy")


BENT = Activation("bent", "(sqrt(z**2 + 1) - 1)/2 + z")


def test_own_functions_stand_wherever_a_name_does() -> None:
    network = Network(4, [Dense(8, BENT), Dense(3)], Cost("quartic", "(h - y)**4"))
    assert network.layer(1).activation is BENT
    assert network.cost.name == "quartic"


def test_an_own_formula_is_read_at_once() -> None:
    with pytest.raises(ExpressionError, match="unknown name 'q'"):
        Dense(3, Activation("odd", "q + 1"))


def test_one_name_means_one_function() -> None:
    other = Activation("bent", "z**3")
    with pytest.raises(SpecError, match="layer 2: activation 'bent': another function has that name"):
        Network(4, [Dense(8, BENT), Dense(3, other)], "squared_error")
    with pytest.raises(SpecError, match="layer 1: activation 'bent': another function"):
        Network(4, [Dense(8, BENT)], Cost("bent", "(h - y)**4"))
    with pytest.raises(SpecError, match="layer 1: activation 'squared_error': another function"):
        Network(4, [Dense(8, Activation("squared_error", "z"))], "half_squared_error")
    # The same record twice is the same function.
    Network(4, [Dense(8, BENT), Dense(3, dataclasses.replace(BENT))], "squared_error")


def test_built_in_names_cannot_be_redefined() -> None:
    with pytest.raises(SpecError, match="'relu' is not the built-in of that name"):
        Dense(3, Activation("relu", "z"))
    assert Dense(3, ACTIVATIONS["relu"]) == Dense(3, "relu")


def test_every_message_is_one_line() -> None:
    with pytest.raises(SpecError) as caught:
        Dense(3, "a\nb")
    assert "\n" not in str(caught.value)
