"""A trainer module made by hand from the oracle: right by construction, and easy to break."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from symbp.run.trainer import Trainer
from symbp.spec import Spec, TrainOptions
from tests.oracle import Oracle


def fake_trainer(network, dtype="float64", **broken):
    """Return a Trainer over the oracle; `broken` replaces functions of its module."""
    oracle = Oracle.of(network)
    kind = np.dtype(dtype)

    def init_params(rng_or_seed=0):
        return np.random.default_rng(rng_or_seed).normal(size=network.n_params).astype(kind)

    def value_and_gradient(w, X, Y, sample_weight=None):
        J, g = oracle.cost(w, X, Y, sample_weight), oracle.gradient(w, X, Y, sample_weight)
        return float(J), g.astype(kind)

    def fit(
        w,
        X,
        Y,
        *,
        epochs,
        batch_size,
        learning_rate,
        shuffle=True,
        seed=0,
        callback=None,
        state=None,
        sample_weight=None,
    ):
        w, history = np.array(w, kind), []
        if X.shape[1] != network.inputs:
            raise ValueError(f"X has {X.shape[1]} columns; the network has {network.inputs} inputs")
        for epoch in range(1, epochs + 1):
            J, g = value_and_gradient(w, X, Y, sample_weight)
            if not np.isfinite(J):
                raise FloatingPointError(
                    f"epoch {epoch}, batch 1: the cost is {J}; learning rate {learning_rate}"
                )
            w -= learning_rate * g
            history.append(J)
            if callback is not None:
                callback(epoch, epochs, J)
        return w, history

    def predict_one(w, x, h):
        h[:] = oracle.predict(w, np.asarray(x)[None])[0]

    names = {
        "NAME": network.name,
        "SIZES": network.sizes,
        "BIASES": tuple(layer.bias for layer in network.layers),
        "N_PARAMS": network.n_params,
        "DTYPE": kind,
        "BATCH_SIZE": 32,
        "LEARNING_RATE": 0.1,
        "EPOCHS": 20,
        "SPEC": Spec(network, TrainOptions(dtype=dtype, epochs=7, seed=3)).to_toml(),
        "init_params": init_params,
        "unpack": oracle.unpack,
        "predict": lambda w, X: oracle.predict(w, X).astype(kind),
        "prepare": np.copy,
        "predict_one": predict_one,
        "value_and_gradient": value_and_gradient,
        "jacobian": lambda w, X: oracle.jacobian(w, X).astype(kind),
        "input_gradient": lambda w, X, Y, sample_weight=None: oracle.input_gradient(
            w, X, Y, sample_weight
        ).astype(kind),
        "input_jacobian": lambda w, X: oracle.input_jacobian(w, X).astype(kind),
        "fit": fit,
        "self_test": lambda *functions: None,
    }
    return Trainer(Path("fake.py"), SimpleNamespace(**{**names, **broken}), "")
