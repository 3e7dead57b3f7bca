# The two commands: `make run` serves Lotus Web with a demo tenant, `make test` runs the whole suite.

SHELL := /bin/sh
PYTHON ?= python3
PORT ?= 8000
WORKERS ?= auto
BIN := .venv/bin
.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z.]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: ## Serve http://127.0.0.1:8000 with the demo tenant (another port: make run PORT=8001)
	@$(PYTHON) scripts/check_port.py "$(PORT)"
	@$(MAKE) --no-print-directory .venv
	@PORT="$(PORT)" $(BIN)/python scripts/serve.py

.PHONY: test
# From the first module on, so that each is compiled once (tests/tools/bytecode.py).
test: export PYTHONDONTWRITEBYTECODE =
test: .venv/.test ## Run the whole suite with its coverage (some of it, without: make test T=tests/unit)
# In the order of the folders: long files of the browser come early and quick ones of unit/ last, so that no worker ends alone.
	@$(BIN)/python -m pytest -n "$(WORKERS)" --maxprocesses 4 --dist loadfile --no-loadscope-reorder \
		$(if $(T),$(T),-p tests.tools.coverage)

.PHONY: check
check: .venv/.dev ## Check format, types, import rules and known pitfalls; lint Python, templates, JavaScript and CSS
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/node .venv/lint/node_modules/.bin/biome lint --error-on-warnings
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/bandit -q --severity-level medium -c pyproject.toml -r lotus_web

.PHONY: fmt
fmt: .venv/.dev ## Format the code and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: bench
bench: .venv/.test ## Measure requests and jobs on 1,000 to 1,000,000 runs (some: make bench B="--sizes 1000")
	@$(BIN)/python -m tests.benchmarks $(B)

.PHONY: lock
lock: .venv/.dev ## Write requirements/*.lock anew (newer versions: make lock UPGRADE=--upgrade)
	@scripts/lock.sh $(UPGRADE)
	@$(BIN)/python scripts/lock_metadata.py

.PHONY: clean
clean: ## Remove .venv and caches; instance/ with its data stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

# What is installed, by the lock file it came from. .venv alone is what `make run` needs.
.PHONY: .venv
.venv: .venv/.core ## Prepare the environment alone
	@:

.venv/.core: requirements/core.lock pyproject.toml
	@$(PYTHON) scripts/prepare.py core
	@touch $@

.venv/.test: requirements/test.lock .venv/.core
	@$(PYTHON) scripts/prepare.py test
	@touch $@

.venv/.dev: requirements/dev.lock requirements/lint/package-lock.json .venv/.test
	@$(PYTHON) scripts/prepare.py dev
	@touch $@
