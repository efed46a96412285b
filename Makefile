# Everything a newcomer, a maintainer and CI call. Needs python3 (3.11 or newer) with venv, and make.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Off this index comes the CPU build of torch; without it pip falls back to the gigabytes of the GPU
# build, which works too. Unreachable is fine: pip then looks where it is configured to.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
TORCH := $(shell grep -m1 '^torch==' requirements.lock)

.DEFAULT_GOAL := help
.PHONY: help setup run ask test test-long pictures test-fast fast-rag fast-rest eval bench check audit format lock clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: storage/CURRENT  ## Install everything, fetch the weights, index seeds/

run: setup  ## Open the chat page on http://127.0.0.1:7860
	$(BIN)/rawi serve

ask: setup  ## Answer one question: make ask Q="…"
	@$(BIN)/rawi ask -- "$$Q"

test: setup check  ## Run all checks and tests, with the real weights
	$(BIN)/python -m pytest -m "not weights and not long" -n logical --dist loadfile
	$(BIN)/python -m pytest -m "weights and not long"

test-long: setup  ## Change folders for long, and compare the index with a new one
	$(BIN)/python -m pytest -m long

pictures: setup  ## Take the pictures of the page anew, state by state
	PICTURES=$(CURDIR)/docs/pictures $(BIN)/python -m pytest -m "" tests/ui

test-fast: $(VENV)/.installed  ## Run what needs no weights and starts nothing, in seconds
	@$(MAKE) --no-print-directory --jobs=2 --output-sync fast-rag fast-rest

# Two processes, of which one does without Gradio: what is imported takes longer than most tests.
FAST := $(BIN)/python -m pytest -q -m "not weights and not long and not slow"

fast-rag:
	$(FAST) tests --ignore=tests/ui --ignore-glob='tests/eval/test_*.py'

fast-rest:
	$(FAST) tests/ui tests/eval --ignore=tests/eval/training

# folders/ is to report, tuning/ to tune on; the seeds have been both for long.
eval: setup  ## Measure Rawi on its three question sets and write the report
	$(BIN)/rawi eval qa eval/questions.jsonl --out eval/reports/latest --baseline --baseline-limit 30 --fresh
	set -e; for set in folders tuning; do \
	  where="--corpus eval/$$set/corpus --storage eval/reports/storage-$$set"; \
	  $(BIN)/rawi index $$where; \
	  $(BIN)/rawi eval qa eval/$$set/questions.jsonl $$where --out eval/reports/$$set --fresh; \
	done
	$(BIN)/rawi eval report eval/reports/latest eval/reports/folders eval/reports/tuning

bench: setup  ## Measure speed and growth beside the plain baselines
	$(BIN)/rawi eval bench --out eval/reports/bench

check: $(VENV)/.installed audit  ## Lint, type-check, look for known vulnerabilities
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Asked of the registry itself, where one answers: a mirror of packages alone knows of none.
audit: $(VENV)/.installed  ## Look the pinned versions up among known vulnerabilities
	@if $(BIN)/python -c "from urllib.request import urlopen; \
	    urlopen('https://pypi.org/pypi/pip/json', timeout=5)" 2>/dev/null; then \
	  set -o pipefail; $(BIN)/pip-audit --requirement requirements.lock --no-deps --disable-pip \
	    --progress-spinner off --aliases off --desc off 2>&1 | sed '/not found on PyPI/d'; \
	else echo "audit: no registry answers here"; fi

format: $(VENV)/.installed  ## Put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## Remove what setup made, but for the weights in the user's cache
	rm -rf $(VENV) storage build *.egg-info

$(VENV)/.installed: requirements.lock pyproject.toml
	@echo "Installing into $(VENV) (one to five minutes)…"
	$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -qq --no-deps --retries 1 --timeout 15 --extra-index-url $(TORCH_INDEX) "$(TORCH)"
	$(BIN)/pip install --quiet --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

storage/CURRENT: $(VENV)/.installed config.yaml $(wildcard seeds/*)
	$(BIN)/rawi models pull
	$(BIN)/rawi index
	touch $@

# The lock holds for every Python from 3.11 on. The GPU packages that torch's own metadata pins are
# left to pip, for machines that take the GPU build after all.
lock: $(VENV)/.installed  ## Write requirements.lock anew from pyproject.toml
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras \
	  --no-annotate --no-header pyproject.toml | grep -vE '^(nvidia|cuda|triton)' > requirements.new
	(echo '# Made by "make lock". torch stands first: its CPU build is installed before the rest.'; \
	  grep '^torch==' requirements.new; grep -v '^torch==' requirements.new) > requirements.lock
	rm requirements.new
