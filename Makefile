# Every target is one line of help; "make" alone prints them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m report
PREVIEW := --experiment preview.toml --build build/preview --site build/preview/site

.DEFAULT_GOAL := help
.PHONY: help report preview test lint serve publish bench clean

help: ## print this list
	@sed -n 's/^\([a-z]*\):.*## /\1 /p' $(MAKEFILE_LIST) | while read -r name text; do printf '  make %-9s %s\n' "$$name" "$$text"; done

report: $(VENV)/.installed ## train, analyse, draw and build the site; does only what is not done yet
	@$(RUN) all

preview: $(VENV)/.installed ## the same site from a tiny experiment, for working on the site
	@$(RUN) all $(PREVIEW)

test: $(VENV)/.installed-dev ## run all tests
	@$(BIN)/python -m pytest

lint: $(VENV)/.installed-dev ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

serve: $(VENV)/.installed ## show the site on localhost; rebuild it when templates/ or site_src/ change
	@$(RUN) serve

publish: $(VENV)/.installed ## put the built site on the gh-pages branch of origin
	@$(RUN) publish

bench: $(VENV)/.installed-dev ## compare speed, memory and size with what one would use instead
	@$(BIN)/python -m benchmarks

clean: ## remove everything that was generated: build/ and site/
	rm -rf build site

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 …'; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo 'Python cannot make virtual environments here; on Debian: apt-get install python3-venv'; exit 1; }

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo 'installing …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --constraint constraints.txt
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed tests/browser/package-lock.json
	@echo 'installing what tests and checks need …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,cluster]' --constraint constraints.txt
	@cd tests/browser && npm ci --silent --no-audit --no-fund
	@touch $@
