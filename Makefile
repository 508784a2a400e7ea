# Every target installs what it needs: `make demo` and `make test` work in a fresh clone.
# To use another Python: make setup PYTHON=python3.13

PYTHON ?= python3
VENV ?= .venv
# Number of test processes, e.g. `make test JOBS=4`; `make test ARGS="-k config"` selects tests. Three for two
# processors, because a test of a crawl waits for half of its time.
JOBS ?= $$(( ($$(getconf _NPROCESSORS_ONLN) * 3 + 1) / 2 ))
ARGS ?=
# What `make test` repeats on PostgreSQL. Crawls take longer there than all of this; without a selection, as in `.ci/run`
# and `make postgres-test`, they are repeated, too.
ON_POSTGRES := $(addprefix tests/,storage relationships exports reports embeddings cli)

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ML_STAMP := $(VENV)/.installed-ml
# To install another build, e.g. for a GPU: make ml TORCH="torch==2.13.0 --index-url …"
TORCH ?= torch==2.13.0

export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help setup ml demo test sqlite-test postgres-test slow-test bench splash-test recbole-test lenskit-test check lint format types imports docs site record pins release clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

setup: $(STAMP)  ## create the virtual environment and install the pinned packages

# Only `make clean` removes the stamp, so installation is repeated only for new pins.
$(STAMP): requirements-dev.txt
	@command -v $(PYTHON) >/dev/null || \
	    { echo "make: no '$(PYTHON)' found: install Python 3.11 or newer, or name it: make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "make: Python 3.11 or newer is required, '$(PYTHON)' is" \
	        "$$($(PYTHON) --version 2>&1); name another: make PYTHON=python3.13" >&2; exit 1; }
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	    $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

ml: $(ML_STAMP)  ## also install the embedding packages: torch, implicit, gensim, …

# torch first and without hashes, because its wheels differ by platform.
$(ML_STAMP): $(STAMP) requirements-ml.txt
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-ml.txt
	@touch $@

demo: setup  ## harvest a seed of the sandbox, then show the database
	$(BIN)/python -m sgr_spiders.sandbox.demo

test: sqlite-test  ## run the tests
	@if [ -n "$$HARVEST_TEST_POSTGRES_URL" ]; then \
	    $(MAKE) --no-print-directory postgres-test ARGS="$(or $(ARGS),$(ON_POSTGRES))"; \
	    else echo "make: not tested on PostgreSQL; \`make postgres-test\` starts a server"; [ -z "$$CI" ]; fi

# Compiled first, because each test of a crawl starts a new Python, and some machines write no bytecode.
sqlite-test: setup  ## run the tests, with databases in SQLite files only
	@$(BIN)/python -m compileall -q sgr_spiders pipelines configs tests
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

# The tests of everything that uses a database, on the server that HARVEST_TEST_POSTGRES_URL names, or on its own.
postgres-test: setup  ## run the tests of the database on PostgreSQL, on Debian; as root, it installs the server
	tests/postgres/with_postgres $(BIN)/python -m pytest -n $(JOBS) --database=postgresql $(ARGS)

slow-test: setup  ## run the tests that take long
	$(BIN)/python -m pytest -n $(JOBS) -m slow $(ARGS)

bench: setup  ## run the benchmarks; ARGS="memory" selects one
	$(BIN)/python -m tests.benchmarks $(ARGS)

# Not part of `make test`: it installs a browser engine (about 400 MB) from Debian's packages.
splash-test: setup  ## run the tests that need a real Splash, on Debian 12; as root, it installs the packages
	tests/splash/with_splash $(BIN)/python -m pytest -m splash $(ARGS)

# Not part of `make test`: it installs a second PyTorch (about 1 GB), in build/recbole.
recbole-test: setup  ## run the tests that need a real RecBole, with Python 3.11
	tests/exports/with_recbole $(BIN)/python -m pytest -m recbole $(ARGS)

# Not part of `make test`: it installs a second PyTorch (about 1 GB), in build/lenskit.
lenskit-test: setup  ## run the tests that need a real LensKit
	tests/embeddings/with_lenskit $(BIN)/python -m pytest -m lenskit $(ARGS)

check: lint types imports docs  ## run all checks other than the tests

lint: setup  ## check rules and format with ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup  ## fix rules and format with ruff
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup  ## check types with mypy (strict)
	$(BIN)/mypy

imports: setup  ## check that imports follow the layers
	$(BIN)/lint-imports

docs: setup  ## check that the generated parts of the documents are up to date
	$(BIN)/cog -I . --check --diff -r *.md docs/*.md

# An error for each link without a target, and each page without a place in the navigation.
# Not --quiet, which hides the warnings from --strict, too.
site: setup  ## build the documents as a site into site/, and check its links
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

record: setup  ## re-record the contract tests; ARGS="--live --track-id N": from the live API with your credentials
	$(BIN)/python -m tests.contract.record $(ARGS)

pins: setup  ## update the pins of the packages in pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	.ci/pins $(BIN)/uv

# Without what earlier builds have left: a wheel takes all that it finds in build/.
release: setup  ## build the source distribution and the wheel in dist/, with checksums
	rm -rf build dist
	$(BIN)/python -c "from setuptools import build_meta; build_meta.build_sdist('dist'); build_meta.build_wheel('dist')"
	cd dist && sha256sum *.tar.gz *.whl > SHA256SUMS

clean:  ## remove the files of the other targets; data/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist site *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
