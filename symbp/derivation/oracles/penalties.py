"""What a penalty is and does, at 40 digits: summed from the text of its record, over regular weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symbp.derivation.oracles.formula import difference
from symbp.derivation.oracles.model import Key
from symbp.derivation.oracles.text import evaluate_text, mp

if TYPE_CHECKING:
    from symbp.derivation.oracles.real import RealModel
    from symbp.functions import Penalty


def of_weight(penalty: Penalty, weight: Any) -> Any:
    """Return what one regular weight costs."""
    constants = {name: mp.mpf(repr(value)) for name, value in penalty.constants.items()}
    return evaluate_text(penalty.formula, {"w": weight, **constants})


def value(model: RealModel, kind: str, layer: int) -> Any:
    """Return the penalty of a layer (R), or the cost with that of all layers (Jr)."""
    if kind == "Jr":
        last = model.shape.last
        return model.cost({}) + sum(value(model, "R", n) for n in range(1, last + 1))
    assert model.penalty is not None
    rows, columns = model.shape.widths[layer], model.shape.widths[layer - 1]
    weights = [model.value("w", layer, (i, j), 1) for i in range(1, rows + 1) for j in range(1, columns + 1)]
    return sum((of_weight(model.penalty, w) for w in weights), mp.mpf(0))


def gradient_norm(model: RealModel) -> Any:
    """Return the root of the sum of squares of what is differentiated by every weight, biases too."""
    last = model.shape.last
    of = Key("J" if model.penalty is None else "Jr", last, (), 1)
    squares = [
        model.partial(of, Key("w", layer, (row, column), 1)) ** 2
        for layer in range(1, last + 1)
        for row in range(1, model.shape.widths[layer] + 1)
        for column in range(1, model.shape.inputs(layer) + 1)
    ]
    return mp.sqrt(sum(squares))


def slope(model: RealModel, wrt: Key) -> Any:
    """Return the central difference of the penalty by one weight; 0 for a bias."""
    penalty = model.penalty
    assert penalty is not None
    if wrt.indices[1] > model.shape.widths[wrt.layer - 1]:
        return mp.mpf(0)
    weight = model.value("w", wrt.layer, wrt.indices, 1)
    return difference(lambda step: of_weight(penalty, weight + step))
