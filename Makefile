# `make demo` and `make test` need Python 3.11 or newer and make; they set up the rest in .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo test lint bench clean

help:
	@echo "make demo    set up, then make photos, convert, train, evaluate and read (about 6 minutes)"
	@echo "make test    set up, then run the tests"
	@echo "make lint    check style and formatting"
	@echo "make bench   measure speeds; see benchmarks/README.md"
	@echo "make clean   delete the demo's output (.venv stays)"

setup: .venv/installed

# The stamp is written last: an interrupted set-up is done again.
.venv/installed: setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3.11")'
	@echo "Setting up .venv (about a minute, 2.5 GB) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@

test: .venv/installed
	$(BIN)/python -m pytest

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf demo build *.egg-info .pytest_cache .ruff_cache
