"""How long a derivation may take, and what must not be imported for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

# CPU seconds, of which these take about a third on an idle core of 2023.
LIMIT = 5.0
LARGE = """symbp.Network(
    784, [symbp.Dense(256, "tanh"), symbp.Dense(128, "relu"), symbp.Dense(10, "softmax")], "cross_entropy"
)"""
PROGRAMS = {
    "any network, proved": "symbp.derive().prove()",
    "784-256-128-10, proved and typeset": f"d = symbp.derive({LARGE}).checked(); d.prove(); d.latex()",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_derivation_takes_less_than_five_seconds(name: str) -> None:
    program = f"import time, symbp\n{PROGRAMS[name]}\nprint(time.process_time())"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert float(done.stdout) < LIMIT


def test_pages_need_no_numba() -> None:
    program = (
        "import sys, symbp\n"
        "net = symbp.Network(2, [symbp.Dense(2, 'tanh'), symbp.Dense(1)], 'squared_error')\n"
        "for form in ('text', 'latex', 'markdown', 'html'):\n"
        "    getattr(symbp.derive(net), form)(notation='ng')\n"
        "    assert not {'numba', 'scipy', 'sklearn'} & set(sys.modules), form"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
