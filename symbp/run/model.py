"""Trained models on disk: the weights, the trainer that they belong to, what the columns mean.

A model file is NumPy's ``.npz`` with plain arrays only. It holds the text of its
trainer, so it is complete in one file; predicting with it therefore runs that text, as
importing a Python module does. Use only models that you trust.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symbp.errors import DataError
from symbp.files import atomic_write
from symbp.run.cache import trainer_path
from symbp.run.data_npz import load_arrays
from symbp.spec import Spec

if TYPE_CHECKING:
    from symbp.run.trainer import Trainer

FORMAT = 1
# The first array of the file: its name stands in the first bytes, which tells a model from other files.
_MARK = "symbp_model"
_KEYS = (_MARK, "weights", "spec", "trainer", "feature_names", "target_names", "classes")


@dataclass(frozen=True)
class Model:
    """A trained network.

    Parameters
    ----------
    weights : ndarray, shape (n_params,)
        The flat weights.
    spec : Spec
        The declaration of the network and of its training.
    source : str
        The text of the generated trainer.
    feature_names : tuple of str
        The input columns, in order; empty if the data had no names.
    target_names : tuple of str
        The target columns; empty if the data had no names.
    classes : tuple of str
        The names of labels 0, 1, ...; empty if labels are numbers.
    """

    weights: NDArray[Any]
    spec: Spec
    source: str
    feature_names: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def save(self, path: str | Path) -> Path:
        """Write the model to `path`.

        Raises
        ------
        SymbpError
            If the file cannot be written.
        """
        arrays = {
            _MARK: np.array(FORMAT),
            "weights": self.weights,
            "spec": np.array(self.spec.to_toml()),
            "trainer": np.array(self.source),
            # The type is named because an empty tuple would become an array of floats.
            "feature_names": np.array(self.feature_names, dtype=np.str_),
            "target_names": np.array(self.target_names, dtype=np.str_),
            "classes": np.array(self.classes, dtype=np.str_),
        }
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        return atomic_write(path, buffer.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Read the model at `path`; nothing of it is executed yet.

        Raises
        ------
        DataError
            If the file is not a model, is of another format or is damaged.
        """
        arrays = load_arrays(Path(path))
        if _MARK not in arrays:
            raise DataError(f"{path}: not a model of symbp; 'symbp train' writes them")
        found = str(arrays[_MARK])
        if found != str(FORMAT):
            raise DataError(f"{path}: model format {found}, but this symbp reads {FORMAT}; train it again")
        missing = [key for key in _KEYS if key not in arrays]
        if missing:
            raise DataError(f"{path}: damaged model, no {missing[0]!r} in it; train it again")
        spec = Spec.from_text(str(arrays["spec"]), str(path))
        weights = arrays["weights"]
        if weights.shape != (spec.network.n_params,) or weights.dtype.kind != "f":
            raise DataError(f"{path}: damaged model, its weights do not fit its network; train it again")
        feature_names, target_names, classes = (
            tuple(str(name) for name in arrays[key]) for key in ("feature_names", "target_names", "classes")
        )
        return cls(weights, spec, str(arrays["trainer"]), feature_names, target_names, classes)

    def trainer(self) -> Trainer:
        """Return the model's trainer, compiled from its text.

        Raises
        ------
        TrainerError
            If the text is not an unedited trainer of this version.
        """
        from symbp.run.load import load

        return load(atomic_write(trainer_path(self.spec), self.source))
