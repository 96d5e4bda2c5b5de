# What one does with this project; `make` alone lists it. ARGS goes on to the command: make test ARGS="-k kiosk".
PYTHON ?= python3
ARGS ?=
SCANS ?= 1000000
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-rig soak check bench lock fmt wheel clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## everything for working on it: environment, packages, fonts, Chromium, PostgreSQL, scanner driver, QEMU
	@$(PYTHON) scripts/setup.py all

demo: ## server, kiosk and board on this machine, with the example town 見本市
	@$(PYTHON) scripts/setup.py demo
	@$(BIN)/madoguchi demo $(ARGS)

test: ## all tests but the rig's
	@$(PYTHON) scripts/setup.py test
	@$(BIN)/python -m scripts.tests $(ARGS)

test-rig: ## scanner and printer on a real kernel: Debian's, under QEMU
	@$(PYTHON) scripts/setup.py all
	@$(BIN)/python -m pytest -m rig tests/rig $(ARGS)

soak: ## a million scans by chance, none of which may be taken for another; SCANS=… for as many
	@$(PYTHON) scripts/setup.py test
	@$(BIN)/python -m tests.kiosk.generated_scans $(SCANS)

check: ## style, types, who imports whom, and the tests of what we agreed on
	@$(PYTHON) scripts/setup.py test
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy --strict
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest tests/architecture tests/migrations -q

bench: ## measurements: booking rush, call to board, scan to paper
	@$(PYTHON) scripts/setup.py test
	@$(BIN)/python -m bench $(ARGS)

fmt: ## put the code into shape
	@$(PYTHON) scripts/setup.py test
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

lock: ## make the locks again; ARGS=--upgrade takes newer versions
	@$(PYTHON) scripts/setup.py demo
	@$(BIN)/python -m scripts.lock $(ARGS)

wheel: ## one file to install elsewhere, with fonts and browser parts in it
	@$(PYTHON) scripts/setup.py demo
	@$(BIN)/python -m hatchling build -t wheel

clean: ## take away all that set-up, checks and the demo have made
	rm -rf .venv node_modules build dist demo-data test-results
	rm -rf server/static/vendor display/static/vendor kiosk/screen/static/vendor kiosk/fonts server/fonts
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
