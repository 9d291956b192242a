# Every target sets itself up: a stock Linux machine with Python 3.11 and make is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Temporary files stay in the checkout.
export TMPDIR := $(CURDIR)/.recoup/tmp

.PHONY: help setup demo serve test coverage check lint types imports openapi audit lock bench experiments-validate experiments-story fuzz fuzz-http soak clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) | $(TMPDIR) ## build .venv from the hashed lock file

$(TMPDIR):
	@mkdir -p $(TMPDIR)

$(STAMP): requirements.lock pyproject.toml | $(TMPDIR)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Recoup needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) --version`. Set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (about a minute the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -qq -j 0 -x '/tests/' $(VENV)/lib || true # a library may hold a file for another Python
	@$(BIN)/python -m compileall -q -j 0 features model experiments training serving
	@$(BIN)/python -m model.warm
	@touch $(STAMP)

demo: setup ## simulate, train, register, serve and ask for five telling decisions
	@$(BIN)/recoup demo

serve: setup ## keep the decision service and the MLflow UI up (the demo's until you have trained)
	@if [ ! -e "$${RECOUP_HOME:-.recoup}/mlflow.db" ] && [ -e .recoup/demo/mlflow.db ]; then \
		echo "No model of your own yet: showing the demo's, which learnt from simulated data."; \
		export RECOUP_HOME=.recoup/demo; \
	fi; $(BIN)/recoup serve --with-mlflow

# As many processes as cores: threads of numbers in each would only wait for one another.
test: setup ## run the test suite
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --dist worksteal

coverage: setup ## run the test suite and show which lines no test reaches (twice as slow)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --dist worksteal --cov --cov-report=term:skip-covered

check: lint types imports ## everything static: lint, format, types, import direction

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup
	@$(BIN)/mypy

imports: setup
	@$(BIN)/lint-imports

openapi: setup ## write docs/openapi.json from the code
	@$(BIN)/recoup openapi

bench: setup ## measure import, features, training and decisions
	@$(BIN)/python -m benchmarks.run

experiments-validate: setup ## hold the analysis of experiments to its promises by simulation (some minutes)
	@$(BIN)/python -m benchmarks.experiments

STORY := .recoup/story
STORY_RECOUP = RECOUP_HOME=$(STORY) MLFLOW_TRACKING_URI= $(BIN)/recoup

experiments-story: setup ## from nothing to a verdict that is checked against the truth: simulate, train, rehearse (about ten minutes)
	@rm -rf $(STORY)
	@$(STORY_RECOUP) simulate --out $(STORY)/world --attempts 80000 --start 2025-05-01
	@$(STORY_RECOUP) train --history $(STORY)/world/history.parquet --out $(STORY)/model
	@$(STORY_RECOUP) experiment rehearse plan-against-next-days --definitions docs/experiments/rehearsed --model $(STORY)/model --out $(STORY)/rehearsal --track

fuzz: setup ## hold the limits against a brute-force counter on a million random histories
	@PYTHONPATH=tests $(BIN)/python -m fuzz.run

fuzz-http: setup ## ask every address for hundreds of random things, along the links too
	@HYPOTHESIS_PROFILE=random HTTP_EXAMPLES=200 $(BIN)/python -m pytest tests/serving/openapi tests/serving/webhooks

soak: setup ## ten minutes of steady work on two workers, and longer faults (nightly)
	@PYTHONPATH=tests $(BIN)/python -m soak.run 600 0.7
	@FAULT_WORK=200 $(BIN)/python -m pytest tests/serving/faults

audit: setup ## our code by Bandit's rules, and every locked version by the vulnerability database where it can be reached
	@$(BIN)/ruff check --select S --ignore S311 --output-format concise features model experiments training serving
	@$(BIN)/python .ci/audit.py requirements.lock

lock: ## renew requirements.lock (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --group dev pyproject.toml -o requirements.lock

clean: ## remove what the targets made
	rm -rf $(VENV) .recoup .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov dist build
