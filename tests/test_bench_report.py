"""What the report of a benchmark says, in every form."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from symbp.bench import plot
from symbp.bench.markdown import markdown, number
from symbp.bench.peers import PEERS
from symbp.bench.records import Report
from symbp.bench.workloads import WIDTHS, WORKLOADS, chosen, described
from symbp.errors import DataError
from symbp.files import is_own_output
from tests.bench_reports import FULL, report, result

RESULT_KEYS = {
    "workload",
    "implementation",
    "dtype",
    "threads",
    "seconds_per_step_min",
    "seconds_per_step_median",
    "gflops",
    "fraction_of_peak",
    "error",
}


def test_json():
    read = json.loads(FULL.json())
    assert next(iter(read)) == "about"
    assert all(set(each) >= RESULT_KEYS for each in read["results"])
    assert set(read["machine"]) >= {"cpu", "cores", "peak_gflops", "versions", "date"}
    assert read["protocol"]["rounds"] == 40
    assert read["left_out"][0]["error"] is None  # JSON knows no infinity
    assert read["machine"]["load_average"] == [0.5, None]
    again = Report.from_json(FULL.json())
    assert again.json() == FULL.json()
    assert again.results == FULL.results
    assert is_own_output(FULL.json().encode())


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"about": "x"}', FULL.json().replace('"gflops"', '"flops"')]
)
def test_no_report(text):
    with pytest.raises(DataError, match="not a report of symbp bench"):
        Report.from_json(text)


def test_markdown():
    text = markdown(FULL)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line[:1] == "|"]
    first = {row[0]: row[1:] for row in rows[:6]}
    assert first[""] == ["W1", "W3", "N3", "B2"]
    assert first["network, batch"][1] == "64-32-10 relu, 32"
    assert first["symbp"] == ["0.2", "wrong", "1", "2"]
    assert first["its share of the peak"] == ["25.0 %", "-", "25.0 %", "25.0 %"]
    assert first[PEERS["jax"].title] == ["0.5 [2.5]", "12.3", "-", "-"]
    assert ["NumPy", "30"] in rows
    assert "at the width before" not in text  # no two widths that are neighbours
    assert ["float32, nothing in the cache", "3.25"] in rows
    assert "- symbp WRONG (W3 float32 1): weights off" in text
    assert text.count("sklearn is not installed") == 1
    assert "100 float32 with 1 thread, 190 float32 with 2 threads, 50 float64 with 1 thread" in text
    assert "medians 100 % above minima" in text
    assert is_own_output(text.encode())


def test_outputs_have_a_table_of_their_own():
    both = Report(
        replace(FULL.machine, target="x86-64-v3"),
        FULL.protocol,
        described(chosen(["W1"], predict=True)),
        (result("W1", "symbp", 1e-6), result("P1", "symbp", 1e-7)),
    )
    text = markdown(both)
    training, outputs = (part for part in text.split("\n\n") if part[:1] == "|")
    assert "W1" in training
    assert "P1" not in training
    assert "0.1" in outputs
    assert "W1" not in outputs
    assert "Held to the instructions of x86-64-v3. " in text
    unheld = replace(result("W1", "jax", 1e-7), fraction_of_peak=1.01)
    told = "Held to the instructions of x86-64-v3, but for JAX, one call an epoch, faster than their peak. "
    assert told in markdown(replace(both, results=(*both.results, unheld)))
    assert Report.from_json(both.json()).machine.target == "x86-64-v3"
    assert "<!-- operations of a batch's outputs -->" in plot.plot(both, ".svg").decode()


def test_a_table_of_many_workloads_has_them_as_rows():
    names = [f"N{n}" for n in WIDTHS]
    many = Report(
        FULL.machine,
        FULL.protocol,
        described(chosen(names)),
        tuple(result(name, "symbp", 1e-6) for name in names),
    )
    speeds, steps = (part for part in markdown(many).split("\n\n") if part[:1] == "|")
    assert len(speeds.splitlines()) == len(names) + 2
    # The same time for more operations: less for each.
    flops = [WORKLOADS[name].flops for name in ("N45", "N46")]
    head, _, ours = steps.splitlines()
    assert ours.split("|")[head.split("|").index(" N46 to N45 ")].strip() == f"{flops[0] / flops[1]:.2f}"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0632, 3, "0.0632"),
        (1234.5, 3, "1234"),
        (99.96, 3, "100"),
        (12345678.0, 3, "12345678"),
        (1.0, 2, "1"),
    ],
)
def test_numbers(value, digits, text):
    assert number(value, digits) == text


def test_plot():
    content = plot.plot(report(result("W1", "jax", 1e-6), result("B2", "symbp", 1e-6)), ".svg")
    assert is_own_output(content[:4096])
    for text in ("measured peak", PEERS["jax"].title, PEERS["symbp"].title, "batch of 64-64-64-10", "W1"):
        assert f"<!-- {text} -->" in content.decode()
    content = plot.plot(report(result("W1", "symbp", 1e-6)), ".png")
    assert content.startswith(b"\x89PNG")
    assert is_own_output(content[:4096])
