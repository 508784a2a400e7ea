# Every target sets up what it needs: `make demo` and `make test` work in a fresh clone.
# Another Python than the system's: make setup PYTHON=python3.13

PYTHON ?= python3
VENV ?= .venv
# More than one test process, e.g. `make test JOBS=4`; `make test ARGS="-k config"` narrows it down.
JOBS ?= auto
ARGS ?=

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ML_STAMP := $(VENV)/.installed-ml
# Another build of it, e.g. for a GPU: make ml TORCH="torch==2.13.0 --index-url …"
TORCH ?= torch==2.13.0

export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help setup ml demo test bench splash-test check lint format types imports docs record pins clean

help:  ## show the targets
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

setup: $(STAMP)  ## create the virtual environment and install what is pinned

# The stamp is removed by nothing but `make clean`, so an installation is repeated only for new pins.
$(STAMP): requirements-dev.txt
	@command -v $(PYTHON) >/dev/null || \
	    { echo "make: no '$(PYTHON)' found: install Python 3.11 or newer, or name one: make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "make: Python 3.11 or newer is needed, '$(PYTHON)' is" \
	        "$$($(PYTHON) --version 2>&1): name another: make PYTHON=python3.13" >&2; exit 1; }
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	    $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

ml: $(ML_STAMP)  ## install what learns from a harvest as well: torch, implicit, gensim, …

# torch first and without hashes: its wheels differ by machine.
$(ML_STAMP): $(STAMP) requirements-ml.txt
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-ml.txt
	@touch $@

demo: setup  ## harvest a seed of the sandbox, then show what lies in the database
	$(BIN)/python -m sgr_spiders.sandbox.demo

# Compiled first, as each test of a crawl starts Python anew, and some machines are told to keep no bytecode.
test: setup  ## run the tests
	@$(BIN)/python -m compileall -q sgr_spiders pipelines configs tests
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

bench: setup  ## run the benchmarks; ARGS="memory" for some of them
	$(BIN)/python -m tests.benchmarks $(ARGS)

# Not part of `make test`: it installs a browser engine (about 400 MB), from Debian's packages.
splash-test: setup  ## the tests that need a real Splash, on Debian 12; as root it installs what is missing
	tests/splash/with_splash $(BIN)/python -m pytest -m splash $(ARGS)

check: lint types imports docs  ## everything the tests do not look at

lint: setup  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup  ## let ruff repair what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup  ## mypy, strict
	$(BIN)/mypy

imports: setup  ## imports go downwards only
	$(BIN)/lint-imports

docs: setup  ## generated parts of the documents are up to date
	$(BIN)/cog -I . --check --diff -r *.md docs/*.md

record: setup  ## record the contract tests anew; ARGS="--live --track-id N": from the live API, with your own keys
	$(BIN)/python -m tests.contract.record $(ARGS)

pins: setup  ## pin anew what pyproject.toml asks for
	$(BIN)/python -m pip install --quiet uv
	.ci/pins $(BIN)/uv

clean:  ## remove what the other targets made; data/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
