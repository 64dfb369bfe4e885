# Two commands on a fresh machine with Python 3.11 or newer and make:
#   make demo   installs everything into .venv and runs the main job
#   make test   installs the same, then checks style, types and every test
PYTHON ?= python3
BIN := .venv/bin
PLUGINS := plugins/finance plugins/legal plugins/medical plugins/tiny

.PHONY: demo test lint types unit clean

demo: .venv/installed
	$(BIN)/python examples/finance_sentiment.py --overwrite

test: lint types unit

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed
	$(BIN)/mypy

unit: .venv/installed
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses=logical --dist=loadfile

.venv/installed: pyproject.toml constraints.txt $(PLUGINS:=/pyproject.toml)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]" $(addprefix -e ,$(PLUGINS))
	touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
