"""Model files hold all that a prediction needs, and nothing is executed to read one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from symbp.errors import DataError, SpecError
from symbp.network import Dense, Network
from symbp.run.model import Model
from symbp.run.predictions import predictions_csv
from symbp.run.score import predicted_classes
from symbp.run.split import held_out
from symbp.spec import Spec

SPEC = Spec(Network(2, [Dense(3, "softmax")], "cross_entropy", "iris"))
MODEL = Model(np.arange(9.0), SPEC, "raise SystemExit\n", ("a", "b"), ("kind",), ("x", "y", "z"))


def test_round_trip(tmp_path: Path) -> None:
    loaded = Model.load(MODEL.save(tmp_path / "iris_model.npz"))
    np.testing.assert_array_equal(loaded.weights, MODEL.weights)
    assert (loaded.spec, loaded.source) == (MODEL.spec, MODEL.source)
    assert loaded.feature_names == ("a", "b")
    assert (loaded.target_names, loaded.classes) == (("kind",), ("x", "y", "z"))


def test_empty_names_round_trip(tmp_path: Path) -> None:
    model = Model(np.zeros(9, np.float32), SPEC, "")
    loaded = Model.load(model.save(tmp_path / "m.npz"))
    assert loaded.weights.dtype == np.float32
    assert (loaded.feature_names, loaded.target_names, loaded.classes) == ((), (), ())


def test_a_model_is_recognised_by_its_first_bytes(tmp_path: Path) -> None:
    from symbp.files import check_output

    check_output(MODEL.save(tmp_path / "m.npz"))


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    with pytest.raises(DataError, match="no such file"):
        Model.load(path)
    np.savez(path, X=np.ones(3))
    with pytest.raises(DataError, match=r"m\.npz: not a model of symbp; 'symbp train' writes them"):
        Model.load(path)
    path.write_text("text")
    with pytest.raises(DataError, match=r"not an \.npz file"):
        Model.load(path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"symbp_model": np.array(99)}, "model format 99, but this symbp reads 1; train it again"),
        ({"trainer": None}, "no 'trainer' in it"),
        ({"weights": np.zeros(8)}, "its weights do not fit its network"),
        ({"weights": np.zeros(9, int)}, "its weights do not fit its network"),
        ({"spec": np.array("[network]")}, "no key 'inputs'"),
    ],
)
def test_damage_is_named(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    path = MODEL.save(tmp_path / "m.npz")
    arrays = {**np.load(path), **changed}
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    with pytest.raises((DataError, SpecError), match=message):
        Model.load(path)


H = np.array([[0.25, 0.5, 0.25], [0.1, 0.2, 0.7]])


def test_predictions_of_classes() -> None:
    assert predictions_csv(MODEL, H) == (
        "kind,probability_x,probability_y,probability_z\ny,0.25,0.5,0.25\nz,0.1,0.2,0.7\n"
    )
    # Labels that are numbers, no column names, and the shortest text of float32.
    assert predictions_csv(Model(MODEL.weights, SPEC, ""), H.astype(np.float32)) == (
        "class,probability_0,probability_1,probability_2\n1,0.25,0.5,0.25\n2,0.1,0.2,0.7\n"
    )


def test_predictions_of_fewer_classes_than_outputs() -> None:
    model = Model(MODEL.weights, SPEC, "", (), ("kind",), ("x", "y"))
    assert predictions_csv(model, H[1:]).splitlines()[1].startswith("2,")


def test_predictions_of_one_probability() -> None:
    spec = Spec(Network(2, [Dense(1, "sigmoid")], "binary_cross_entropy"))
    text = predictions_csv(Model(np.zeros(3), spec, ""), np.array([[0.75], [0.25]]))
    assert text == "class,probability_1\n1,0.75\n0,0.25\n"


def test_predictions_of_numbers() -> None:
    spec = Spec(Network(2, [Dense(2)], "squared_error"))
    out = np.array([[1.5, -2.0]])
    assert predictions_csv(Model(np.zeros(6), spec, ""), out) == "h_1,h_2\n1.5,-2.0\n"
    named = Model(np.zeros(6), spec, "", (), ("p", "q"))
    assert predictions_csv(named, out) == "p,q\n1.5,-2.0\n"


def test_held_out_rows() -> None:
    rest, held = held_out(100, 1 / 3, seed=0)
    assert len(held) == 33
    np.testing.assert_array_equal(np.sort(np.concatenate([rest, held])), np.arange(100))
    again = held_out(100, 1 / 3, seed=0)
    np.testing.assert_array_equal(held, again[1])
    assert not np.array_equal(held, held_out(100, 1 / 3, seed=1)[1])
    assert len(held_out(100, 0.0, seed=0)[1]) == 0


def test_predicted_classes() -> None:
    np.testing.assert_array_equal(predicted_classes(H), [1, 2])
    np.testing.assert_array_equal(predicted_classes(np.array([[0.4], [0.6]])), [0, 1])
