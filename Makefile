# make fit       make the environment, train XOR and ask it about the four points
# make test      make the environment and run the quick tests
# make test-all  run all tests, which also need MNIST, attack, kill, compare or take minutes
# make lint      run ruff, mypy and import-linter
# make docs      build the pages as a site in site/
# make pages     write what is generated: reference pages, tables, lists of exports
# make dist      build sdist and wheel in dist/ and check each in a new environment
# make bench     measure the numbers that need no data but MNIST; this takes hours

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
GOAL := $(or $(filter-out clean,$(MAKECMDGOALS)),fit)

.PHONY: fit test test-full test-all lint docs pages dist bench environment clean

fit: $(VENV)/installed
	$(BIN)/recipes fit xor
	$(BIN)/recipes predict xor 0,0 0,1 1,0 1,1
	@echo
	@echo "Try next:"
	@echo "  . $(BIN)/activate"
	@echo "  recipes plot xor        # draw what was learned, in plots/xor"
	@echo "  recipes show xor        # show the article, the layers and every option"
	@echo "  recipes fit xor --preset three-regressions --seed 2"
	@echo "  recipes --help"

# Workers run whole files, because a file's tests share the models that it fits. The files keep their
# order: sorted by their number of tests, the slowest would come last. With more than four workers,
# each would import TensorFlow for too few tests.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m "not full" $(SIDE_BY_SIDE)

test-full: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m full $(SIDE_BY_SIDE)

test-all: test test-full

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# MkDocs Material warns of MkDocs 2, which setup.cfg does not let in.
docs: $(VENV)/installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "open site/index.html"

pages: $(VENV)/installed-dev
	UPDATE_PAGES=1 $(BIN)/python -m pytest -q -m generated

dist: $(VENV)/installed-dev
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/python .ci/check_dist.py

bench: $(VENV)/installed-dev
	$(BIN)/python benchmarks/perceptron.py
	$(BIN)/python benchmarks/xor.py
	$(BIN)/python benchmarks/xor_seeds.py
	$(BIN)/python benchmarks/digits.py
	$(BIN)/python benchmarks/digits.py time
	$(BIN)/python benchmarks/digits.py predict
	$(BIN)/python benchmarks/moved.py
	$(BIN)/python benchmarks/strangers.py build/strangers
	$(BIN)/python -m benchmarks.reading
	$(BIN)/python benchmarks/exports.py
	$(BIN)/python -m benchmarks.hostile
	$(BIN)/python benchmarks/streams.py metrics 1000000

# pip prints nothing for minutes, so say what it does. docs/installing.md says how the sizes were
# measured.
# $(call installing,DOWNLOAD,DISK)
installing = @echo "installing TensorFlow and its dependencies into $(VENV): the first time, this" \
  "downloads $(1), fills $(2) of disk and takes some minutes" >&2

$(VENV)/installed: setup.cfg pyproject.toml constraints.txt | environment
	$(call installing,0.6 GB,2.5 GB)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-dev: setup.cfg pyproject.toml constraints.txt | environment
	$(call installing,0.8 GB,4.1 GB)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/installed

# setup.cfg says which versions of Python there are packages for. Any Python can run this check, also
# one that is too old. Its arguments are the Python's name, the module that it needs, and the advice.
define CHECK
import re, sys
name, module, advice = sys.argv[1:]
requires = re.search(r"python_requires = >=3\.(\d+), <3\.(\d+)", open("setup.cfg").read())
low, high = int(requires.group(1)), int(requires.group(2)) - 1
if not (3, low) <= sys.version_info[:2] <= (3, high):
    sys.stderr.write(
        "expected Python 3.%d to 3.%d, for which TensorFlow has packages, received Python %d.%d.%d"
        % ((low, high) + tuple(sys.version_info[:3]))
        + " (%s); %s\n" % (name, advice.replace("VERSION", "3.%d" % high))
    )
    sys.exit(2)
try:
    __import__(module)
except ImportError:
    if module == "ensurepip":
        advice = "on Debian and Ubuntu: sudo apt install python%d.%d-venv" % sys.version_info[:2]
    sys.stderr.write("expected a Python with %s, received %s without; %s\n" % (module, name, advice))
    sys.exit(2)
endef
export CHECK

# $(call check,PYTHON,MODULE,ADVICE)
check = { command -v $(firstword $(1)) >/dev/null || { \
  echo "expected Python $$(sed -n 's/^python_requires = //p' setup.cfg) as $(1), received none;" \
  "$(subst pythonVERSION,/path/to/python,$(3))" >&2; exit 2; }; } && \
  { $(1) -c "$$CHECK" "$(1)" $(2) "$(3)" || exit 2; }

environment:
	@if [ -d $(VENV) ]; then \
	  $(call check,$(BIN)/python,pip,make the environment again: make clean $(GOAL)); \
	else \
	  $(call check,$(PYTHON),ensurepip,install or name one: make PYTHON=pythonVERSION $(GOAL)); \
	  $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; \
	fi

clean:
	rm -rf $(VENV) build dist *.egg-info
