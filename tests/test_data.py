"""Data files: what is read is exact, and what is wrong is named with its row and column."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symbp.errors import DataError
from symbp.network import Dense, Network
from symbp.run.data import Table, read_features, read_table

CLASSES = Network(2, [Dense(3, "softmax")], "cross_entropy", "iris")
BINARY = Network(2, [Dense(1, "sigmoid")], "binary_cross_entropy")
REAL = Network(2, [Dense(2)], "squared_error", "robot")


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Write text to a file and read it."""

    def call(text: str, target: str | None = "y", network: Network = CLASSES) -> Table:
        path = tmp_path / "data.csv"
        path.write_text(text, encoding="utf-8")
        return read_table(path, target, network)

    return call


def message_of(call: Any, *arguments: Any) -> str:
    with pytest.raises(DataError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --------------------------------------------------------------------------- CSV


def test_numbers_are_read_exactly(read: Any) -> None:
    table = read("a,y,b\n0.1,2,1e-300\n-3,0, 4 \n")
    assert table.X.dtype == np.float64
    np.testing.assert_array_equal(table.X, [[0.1, 1e-300], [-3, 4]])
    np.testing.assert_array_equal(table.Y, [2, 0])
    assert table.Y.dtype == np.int64
    assert (table.feature_names, table.target_names, table.classes) == (("a", "b"), ("y",), ())


def test_named_classes_are_numbered_in_sorted_order(read: Any) -> None:
    table = read("a,b,y\n1,2,setosa\n1,2,virginica\n1,2,setosa\n1,2, c_3 \n")
    assert table.classes == ("c_3", "setosa", "virginica")
    np.testing.assert_array_equal(table.Y, [1, 2, 1, 0])


def test_labels_may_be_written_as_floats(read: Any) -> None:
    np.testing.assert_array_equal(read("a,b,y\n1,2,2.0\n1,2,0e0\n").Y, [2, 0])


def test_several_target_columns(read: Any) -> None:
    table = read("p,a,q,b\n1,2,3,4\n", "q, p", REAL)
    np.testing.assert_array_equal(table.Y, [[3, 1]])
    assert table.target_names == ("q", "p")
    # Rows of probabilities are targets of cross_entropy too.
    np.testing.assert_array_equal(read("a,b,p,q,r\n1,2,0.5,0.25,0.25\n", "p,q,r").Y, [[0.5, 0.25, 0.25]])


def test_a_comma_in_a_column_name(read: Any) -> None:
    table = read('a,b,"y,z"\n1,2,0\n', "y,z", BINARY)
    np.testing.assert_array_equal(table.Y, [[0]])


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators(read: Any, separator: str) -> None:
    table = read("a,b,y\n1,2,0\n".replace(",", separator))
    np.testing.assert_array_equal(table.X, [[1, 2]])


def test_byte_order_mark_and_windows_lines_and_empty_lines(read: Any) -> None:
    table = read("\ufeffa,b,y\r\n1,2,0\r\n\r\n3,4,1\r\n\r\n")
    np.testing.assert_array_equal(table.X, [[1, 2], [3, 4]])
    assert table.feature_names == ("a", "b")


def test_no_target_reads_inputs_only(read: Any) -> None:
    table = read("a,b\n1,2\n", None)
    assert table.Y is None
    np.testing.assert_array_equal(table.X, [[1, 2]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no data: line 1 should name the columns"),
        ("a,b,y\n", "a header and no rows"),
        ("a,b,y\n\n\n", "a header and no rows"),
        ("a,a,y\n1,2,0\n", "columns 1 and 2 are both named 'a'"),
        (",a,b,y\n0,1,2,0\n", "column 1 has no name"),
        ("a,b,yy\n1,2,0\n", "no column 'y'; did you mean 'yy'?"),
        ("a,b,c,y\n1,2,3,0\n", "3 input columns, but network 'iris' expects 2"),
        ("a,y\n1,0\n", "1 input column, but network 'iris' expects 2"),
        ("a,b,y\n1,2,0\n1,2\n", "row 2 (line 3): 2 cells, but line 1 names 3 columns"),
        ("a,b,y\n1,2,0\n1,2,0,0\n", "row 2 (line 3): 4 cells"),
        ("a,b,y\n1,2,0\n\n1,two,0\n", "row 2 (line 4), column 'b': 'two' is not a number"),
        ("a,b,y\n1,,0\n", "row 1 (line 2), column 'b': the cell is empty"),
        ("a,b,y\n1,1_000,0\n", "row 1 (line 2), column 'b': '1_000' is not a number"),
        ("a,b,y\n1,2,0\n1,nan,0\n", "row 2 (line 3), column 'b': nan is not a finite number"),
        ("a,b,y\n-inf,2,0\n", "row 1 (line 2), column 'a': -inf is not a finite number"),
        ("a,b,y\n1,1e999,0\n", "row 1 (line 2), column 'b': inf is not a finite number"),
        ("a,b,y\n1,2,0\n1,2,3\n", "row 2 (line 3), column 'y': label 3 is not one of 0..2"),
        ("a,b,y\n1,2,-1\n", "label -1 is not one of 0..2"),
        ("a,b,y\n1,2,1.5\n", "label 1.5 is not one of 0..2"),
        ("a,b,y\n1,2,nan\n", "label nan is not one of 0..2"),
        ("a,b,y\n1,2,1\n1,2,x\n", "row 2 (line 3), column 'y': label 'x', where other labels are numbers"),
        ("a,b,y\n1,2,x\n1,2,\n", "row 2 (line 3), column 'y': no label"),
        ("a,b,y\n" + "".join(f"1,2,{c}\n" for c in "pqrs"), "4 different labels (p, q, r, s)"),
        ('a,b,y\n1,2,"0\n' + "1,2,0\n" * 500, "a cell of more than 1000 characters"),
    ],
)
def test_what_is_wrong_is_named(read: Any, text: str, message: str) -> None:
    found = message_of(read, text)
    assert "data.csv: " in found
    assert message in found


@pytest.mark.parametrize(
    ("text", "target", "network", "message"),
    [
        ("a,b,p,q\n1,2,3,x\n", "p,q", REAL, "row 1 (line 2), column 'q': 'x' is not a number"),
        ("a,b,p,q\n1,2,3,inf\n", "p,q", REAL, "row 1 (line 2), column 'q': inf is not a finite number"),
        ("a,b,p\n1,2,3\n", "p", REAL, "1 target column; network 'robot' expects 2 (one for each output)"),
        ("a,b,p\n1,2,3\n", "p,p", REAL, "target 'p,p': the same column twice"),
        ("a,b,y\n1,2,0\n1,2,2\n", "y", BINARY, "row 2 (line 3), column 'y': target 2; cost"),
        ("a,b,p,q\n1,2,0,1\n", "p,q", CLASSES, "2 target columns; network 'iris' expects 1 (labels) or 3"),
        (
            "a,b,p,q,r\n1,2,0,1,1\n",
            "p,q,r",
            CLASSES,
            "row 1 (line 2): the targets sum to 2; a",
        ),
    ],
)
def test_wrong_targets(read: Any, text: str, target: str, network: Network, message: str) -> None:
    assert message in message_of(read, text, target, network)


def test_unreadable_files(tmp_path: Path) -> None:
    assert "no such file" in message_of(read_table, tmp_path / "absent.csv", "y", CLASSES)
    assert "no such file" in message_of(read_table, tmp_path / "absent.npz", "y", CLASSES)
    assert "cannot be read: Is a directory" in message_of(read_table, tmp_path, "y", CLASSES)
    binary = tmp_path / "picture.csv"
    binary.write_bytes(b"\x89PNG\r\n\xff\xfe" * 100)
    assert "not UTF-8 text" in message_of(read_table, binary, "y", CLASSES)


def test_features_are_found_by_name(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("id,b,a\nx7,2,1\n")
    np.testing.assert_array_equal(read_features(path, ("a", "b"), CLASSES), [[1, 2]])
    assert "no column 'c'" in message_of(read_features, path, ("a", "c"), CLASSES)
    path.write_text("p,q\n1,2\n")
    np.testing.assert_array_equal(read_features(path, (), CLASSES), [[1, 2]])


def test_large_files_are_read_in_seconds(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(20_000, 20))
    network = Network(20, [Dense(3, "softmax")], "cross_entropy")
    header = ",".join([*(f"x{i}" for i in range(20)), "y"])
    path = tmp_path / "large.csv"
    lines = (",".join([*map(repr, row), "abc"[i % 3]]) for i, row in enumerate(X.tolist()))
    path.write_text("\n".join([header, *lines]))
    start = time.perf_counter()
    table = read_table(path, "y", network)
    assert time.perf_counter() - start < 5  # takes 0.2 s; a quadratic reader takes minutes
    np.testing.assert_array_equal(table.X, X)


# --------------------------------------------------------------------------- .npz


def save(tmp_path: Path, **arrays: Any) -> Path:
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    return path


def test_arrays(tmp_path: Path) -> None:
    X = np.array([[1, 2], [3, 4]], dtype=np.float32)
    table = read_table(save(tmp_path, X=X, Y=np.array([2, 0])), "Y", CLASSES)
    assert table.X.dtype == np.float64
    np.testing.assert_array_equal(table.X, X)
    np.testing.assert_array_equal(table.Y, [2, 0])
    np.testing.assert_array_equal(read_features(tmp_path / "data.npz", ("a", "b"), CLASSES), X)
    table = read_table(save(tmp_path, X=X, kind=np.array(["dog", "cat"])), "kind", CLASSES)
    assert table.classes == ("cat", "dog")
    table = read_table(save(tmp_path, X=X, Y=X), "Y", REAL)
    np.testing.assert_array_equal(table.Y, X)


GOOD = np.ones((2, 2))
NAN = np.array([[1, 2], [3, np.nan]])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"Y": [0, 1]}, "no array 'X'; known: Y"),
        ({"X": GOOD}, "no array 'Y'"),
        ({"X": GOOD, "Y": [0, 1, 2]}, "X has 2 rows and Y has 3"),
        ({"X": NAN, "Y": [0, 1]}, "row 2, column 2: nan is not a finite number"),
        ({"X": GOOD, "Y": [0, 5]}, "row 2: label 5 is not one of 0..2"),
        ({"X": np.ones(4), "Y": [0] * 4}, "X is of type float64 and shape (4,)"),
        ({"X": np.ones((2, 2), complex), "Y": [0, 1]}, "X is of type complex128"),
        ({"X": GOOD, "Y": np.ones((2, 1, 1))}, "Y is of type float64 and shape (2, 1, 1)"),
        ({"X": np.ones((0, 2)), "Y": np.ones(0)}, "no rows of data"),
        ({"X": np.ones((2, 3)), "Y": [0, 1]}, "3 input columns, but network 'iris' expects 2"),
    ],
)
def test_wrong_arrays(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    found = message_of(read_table, save(tmp_path, **arrays), "Y", CLASSES)
    assert "data.npz: " in found
    assert message in found


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    path = save(tmp_path, X=np.array([[print]], dtype=object), Y=np.array([0]))
    assert "not an .npz file" in message_of(read_table, path, "Y", CLASSES)
    path.write_bytes(b"no zip")
    assert "not an .npz file" in message_of(read_table, path, "Y", CLASSES)
    path.write_bytes(b"")
    assert "not an .npz file" in message_of(read_table, path, "Y", CLASSES)
    with path.open("wb") as file:
        np.save(file, np.ones(3))
    assert "a single array" in message_of(read_table, path, "Y", CLASSES)
