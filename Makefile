# Everything runs in .venv, which is made on first use; Python 3.11 or later is all that must be there.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint generated coefficients accuracy bench clean

demo: .venv/demo-installed       ## handwritten digits: derive, prove, compile, verify, train
	$(BIN)/symbp demo --output demo

test: .venv/dev-installed        ## all tests
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

lint: .venv/dev-installed        ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

generated: .venv/dev-installed   ## rebuild the committed reference output
	$(BIN)/python -m tests.golden

coefficients: .venv/dev-installed  ## fit the polynomials of the elementary functions anew
	$(BIN)/python -m symbp.elementary.fit

accuracy: .venv/dev-installed    ## measure them anew: a few minutes
	$(BIN)/symbp accuracy --record

bench: .venv/bench-installed     ## how fast symbp trains, beside other libraries: several minutes
	$(BIN)/symbp bench

clean:                           ## remove what make and the tests made; generated/ stays
	rm -rf .venv demo dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "symbp needs Python 3.11 or later; name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

# One stamp for each set of packages; they are installed again when pyproject.toml changes.
.venv/%-installed: pyproject.toml | $(BIN)/python
	@echo "Installing symbp and what it needs into .venv: a minute or two, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@
