"""Predictions as a CSV text."""

from __future__ import annotations

import csv
import io
from typing import Any

from numpy.typing import NDArray

from symbp.run.model import Model
from symbp.run.score import is_classifier, predicted_classes


def predictions_csv(model: Model, H: NDArray[Any]) -> str:
    """Return one line for each row of the predictions `H`, shape (n, N).

    For classes: the most probable one, then the probability of each. Otherwise the
    outputs, under the names of the target columns.
    """
    outputs = H.shape[1]
    targets = model.target_names
    # astype(str) writes the shortest text that reads back as the same number.
    columns = [column.tolist() for column in H.astype(str).T]
    if is_classifier(model.spec.network):
        names = [*model.classes, *(str(q) for q in range(len(model.classes), max(outputs, 2)))]
        label = targets[0] if len(targets) == 1 else "class"
        of = names if outputs > 1 else names[1:]
        header = [label, *(f"probability_{name}" for name in of)]
        columns = [[names[q] for q in predicted_classes(H)], *columns]
    else:
        header = list(targets) if len(targets) == outputs else [f"h_{q + 1}" for q in range(outputs)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue()
