# make fit    make the environment, fit XOR, ask it, say what to try next
# make test   make the environment, pass the tests of what a user sees
# make test-all  all tests: also attacks, kills, old Kerases, and what needs MNIST or minutes
# make lint   ruff, mypy, and that imports run one way
# make docs   the pages, as a site in site/
# make pages  what is generated: reference pages, tables, lists of exports
# make bench  the numbers in the README that need no data but MNIST; hours

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
GOAL := $(or $(filter-out clean,$(MAKECMDGOALS)),fit)

.PHONY: fit test test-full test-all lint docs pages bench environment clean

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

# Whole files side by side: what a file fits once serves all of its tests. In their own order, since
# by number of tests the longest comes last. More than four workers would each import TensorFlow for
# too few of them.
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

bench: $(VENV)/installed-dev
	$(BIN)/python benchmarks/xor.py
	$(BIN)/python benchmarks/xor_seeds.py
	$(BIN)/python benchmarks/digits.py
	$(BIN)/python benchmarks/digits.py time
	$(BIN)/python benchmarks/digits.py predict
	$(BIN)/python benchmarks/strangers.py build/strangers
	$(BIN)/python benchmarks/exports.py
	$(BIN)/python -m benchmarks.hostile
	$(BIN)/python benchmarks/streams.py metrics 1000000

# pip is quiet for minutes. The sizes are measured in docs/installing.md.
# $(call installing,DOWNLOAD,DISK)
installing = @echo "installing TensorFlow and what belongs to it into $(VENV): the first time" \
  "$(1) to download, $(2) of disk, some minutes" >&2

$(VENV)/installed: setup.cfg pyproject.toml constraints.txt | environment
	$(call installing,0.6 GB,2.5 GB)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-dev: setup.cfg pyproject.toml constraints.txt | environment
	$(call installing,0.75 GB,3.5 GB)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/installed

# setup.cfg alone says which Pythons there are packages for. Any Python runs this, also those too
# old for us, and tells what is wrong with itself: its name, the module it has to have, the advice.
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
	  $(call check,$(BIN)/python,pip,make it anew: make clean $(GOAL)); \
	else \
	  $(call check,$(PYTHON),ensurepip,install or name one: make PYTHON=pythonVERSION $(GOAL)); \
	  $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; \
	fi

clean:
	rm -rf $(VENV) build dist *.egg-info
