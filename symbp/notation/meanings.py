"""What the symbols of a page mean, in words that hold in every notation.

Braces are filled in by the notation: ``{i}`` and ``{j}`` are its letters for the two ends of
a weight, ``{layer}`` the layer of the quantity as it is shown, ``{to}`` and ``{source}`` the
layers a weight leads to and comes from, ``{p}`` the number of a sample, ``{m}`` and ``{L}``
the letters for the number of samples and of layers.
"""

from __future__ import annotations

MEANINGS: dict[str, str] = {
    "w": "weight to neuron {i} of layer {to} from {neuron_or_input} {j} of layer {source}",
    "bias": "bias of neuron {i} of layer {to}",
    "a": "input {j} of the neurons of layer {to}",
    "c": "weighted sum (pre-activation) of neuron {i} of layer {layer}",
    "o": "output of neuron {i} of layer {layer}",
    "x": "input {i} of the network",
    "h": "output {i} of the network (prediction)",
    "y": "target",
    "sigma": "output {i} of the network as a function of the weighted sums of the last layer",
    "J": "cost, averaged over the {m} samples",
    "Js": "cost of one sample",
    "Jb": "cost of the samples of a mini-batch, averaged over them",
    "Delta": "accumulator: the sum of the derivatives of the costs of samples 1, ..., {p}",
    "S": "entry of the matrix of the step from the weighted sums of layer {layer} to those of layer {next}",
    "T": "entry of the product of the S-matrices from layer {layer} up to the last",
    "delta": ("sensitivity of the cost of one sample to the weighted sum of neuron {i} of layer {layer}"),
    "L": "{count}",
    "m": "number of samples; {p} is the number of a sample",
    "eta": "learning rate",
    "Width": "number of neurons of layer {layer} (of inputs for layer {first}), bias not counted",
    "Inputs": "number of inputs of a neuron of layer {to}, bias included",
    "HasBias": "1 if layer {to} has a bias, else 0",
    "Activate": "activation function of the layer whose weighted sum it is taken of",
    "KroneckerDelta": "entry of the identity matrix: 1 if both indices are equal, else 0",
    "StepMatrix": "matrix of the step from the weighted sums of layer {layer} to those of layer {next}",
    "ChainMatrix": "product of the S-matrices from layer {lower} up to layer {upper}",
    "Identity": "identity matrix; the index is its order",
    "WeightMatrix": "matrix of the weights that lead from layer {source} to layer {to}",
    "RegularWeights": "matrix of the weights that lead from layer {source} to layer {to}, without the biases",
    "BiasColumn": "column of the biases of layer {to}",
    "InputColumn": "column of the outputs of layer {layer}, with the 1 for the bias where there is one",
    "WeightedSums": "column of the weighted sums of layer {layer}",
    "OutputColumn": "column of the outputs of layer {layer}, without that of the bias",
    "InputVector": "column of the inputs of the network",
    "DeltaColumn": "column of the sensitivities of layer {layer}",
    "PreActivationColumn": "column of the weighted sums of layer {layer}",
    "OutputRow": "row of the weighted sums of the last layer",
    "Hadamard": "product entry by entry",
    "gradient": "derivative of the cost by a weight",
    "GradientMatrix": "the derivatives by all weights of a layer",
}

FINITE_MEANS = "u; an infinite u becomes the number of the type that is next to it"

# Where no layer has a bias.
WITHOUT_BIAS: dict[str, str] = {
    "Width": "number of neurons of layer {layer} (of inputs for layer {first})",
    "Inputs": "number of inputs of a neuron of layer {to}",
    "InputColumn": "column of the outputs of layer {layer}",
    "OutputColumn": "column of the outputs of layer {layer}",
}

# 000 keeps its own words: its pages say what they always said.
SMATRIX: dict[str, str] = {
    "w": "weight from input j to neuron i of layer k",
    "a": "j-th input of layer k; the last one is 1 where there is a bias",
    "c": "weighted sum (pre-activation) of neuron i of layer k",
    "sigma": "activation function of output neuron q",
    "h": "model output (prediction)",
    "o": "output of neuron i of hidden layer k; the outputs of layer 0 are the inputs of the network",
    "delta": "sensitivity of J to the weighted sum of neuron i of layer k in one sample; it holds the 1/m",
    "x": "input i of the network",
    "J": "cost, averaged over the m samples",
    "Js": "cost of one sample",
    "Jb": "cost of the samples of a mini-batch, averaged over them",
    "Delta": "accumulator: the sum of the derivatives of the costs of samples 1, ..., p",
    "L": "number of hidden layers",
    "m": "number of samples; a superscript p is the number of a sample",
    "Width": "number of neurons of layer k (of inputs for k = 0), bias not counted",
    "Inputs": "number of inputs of a neuron of layer k, bias included",
    "HasBias": "1 if layer k has a bias, else 0",
    "Activate": "activation function of hidden layer k",
    "KroneckerDelta": "Kronecker delta: 1 if both indices are equal, else 0",
    "StepMatrix": "matrix of the step from the weighted sums of layer k to those of layer k + 1",
    "ChainMatrix": "product of the S-matrices from layer k up to layer l",
    "PreActivationColumn": "column of the weighted sums of layer k",
    "OutputRow": "row of the weighted sums of the output layer",
    "DeltaColumn": "column of the sensitivities of layer k",
    "WeightMatrix": "matrix of the weights of layer k, its biases the last column",
    "RegularWeights": "matrix of the weights of layer k, without the column of biases",
    "InputColumn": "column of the inputs of layer k, the last one 1 where there is a bias",
    "OutputColumn": "column of the outputs of layer k",
    "WeightedSums": "column of the weighted sums of layer k",
    "Identity": "identity matrix; the index is its order",
    "R": "penalty of the weights of layer k, without the biases",
    "Hadamard": "product entry by entry",
    "bias": "bias of neuron i of layer k",
    "InputVector": "column of the inputs of the network",
    "eta": "learning rate",
    "gradient": "derivative of the cost by a weight",
    "GradientMatrix": "the derivatives by all weights of a layer",
}
