# make fit    make the environment, fit XOR, ask it, say what to try next
# make test   make the environment, pass the tests of what a user sees
# make test-all  all tests: also attacks, kills, old Kerases, and what needs MNIST or minutes
# make lint   ruff and mypy
# make bench  the numbers in the README that need no data but MNIST; hours

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: fit test test-full test-all lint bench clean

fit: $(VENV)/installed
	$(BIN)/recipes fit xor
	$(BIN)/recipes predict xor 0,0 0,1 1,0 1,1
	@echo
	@echo "Try next:"
	@echo "  . $(BIN)/activate"
	@echo "  recipes plot xor        # pictures of what was learned, in plots/xor"
	@echo "  recipes show xor        # the article, the net, every option"
	@echo "  recipes fit xor --preset three-regressions --seed 2"
	@echo "  recipes --help"

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m "not full"

test-full: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m full

test-all: test test-full

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/installed-dev
	$(BIN)/python benchmarks/xor.py
	$(BIN)/python benchmarks/xor_seeds.py
	$(BIN)/python benchmarks/digits.py
	$(BIN)/python benchmarks/digits.py time
	$(BIN)/python benchmarks/digits.py predict
	$(BIN)/python benchmarks/strangers.py build/strangers
	$(BIN)/python benchmarks/exports.py
	$(BIN)/python benchmarks/streams.py metrics 1000000

$(VENV)/installed: setup.cfg pyproject.toml constraints.txt | $(VENV)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-dev: setup.cfg pyproject.toml constraints.txt | $(VENV)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/installed

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "expected Python 3.11 or newer, received $$($(PYTHON) --version); name one: make PYTHON=python3.12 fit" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
