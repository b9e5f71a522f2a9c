# Every target is one line of help; "make" alone prints them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m report
PREVIEW := --experiment preview.toml --build build/preview --site build/preview/site

.DEFAULT_GOAL := help
.PHONY: help report preview examples serve publish offline verify test test-quick lint bench clean

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' $(MAKEFILE_LIST) | while read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

report: $(VENV)/.installed ## train, analyse, draw and build the site; does only what is not done yet
	@$(RUN) all

preview: $(VENV)/.installed ## the same site from a tiny experiment, for working on the site
	@$(RUN) all $(PREVIEW)

examples: $(VENV)/.installed ## run the programs in examples/ and put a report on each into the site
	@$(RUN) examples

serve: $(VENV)/.installed ## show the site on localhost; rebuild it when templates/ or site_src/ change
	@$(RUN) serve

publish: $(VENV)/.installed ## put the built site on the gh-pages branch of origin
	@$(RUN) publish

offline: $(VENV)/.installed ## pack the site as a ZIP that opens without a server
	@$(RUN) offline

verify: $(VENV)/.installed ## train again what the site was made from, and say whether the same comes out
	@$(RUN) verify

test: $(VENV)/.installed-dev $(VENV)/.installed-browser ## run all tests (needs Chromium and Node.js; Firefox and WebKit where they are)
	@command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || { echo 'make test needs Chromium as the command "chromium-headless-shell" or "chromium"; on Debian: apt-get install chromium'; exit 1; }
	@$(BIN)/python -m pytest

test-quick: $(VENV)/.installed-dev ## run the quick tests, which need no browser, in about a minute
	@$(BIN)/python -m pytest --ignore=tests/browser -m 'not slow'

lint: $(VENV)/.installed-dev ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(VENV)/.installed-dev ## compare speed, memory and size with what one would use instead
	@$(BIN)/python -m benchmarks

clean: ## remove all that is generated, build/ (with the downloaded MNIST) and site/
	rm -rf build site

# One whose Python is gone is made again: the links below would lead nowhere.
ifneq ($(wildcard $(VENV)),)
ifneq ($(shell $(BIN)/python -c 'print("here")' 2>/dev/null),here)
$(shell rm -rf $(VENV))
endif
endif

# pip comes last into a new environment: one that was interrupted half-way is made again.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 …'; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo 'Python cannot make virtual environments here; on Debian: apt-get install python3-venv'; exit 1; }

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/pip
	@echo 'installing …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --constraint constraints.txt
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo 'installing what tests and checks need …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,cluster,trainers]' --constraint constraints.txt
	@touch $@

$(VENV)/.installed-browser: tests/browser/package.json tests/browser/package-lock.json | $(BIN)/pip
	@command -v npm >/dev/null || { echo 'make test needs Node.js with npm, 18.19 or newer, to check the pages in a browser; on Debian: apt-get install nodejs npm'; exit 1; }
	@echo 'installing what checks the pages …'
	@cd tests/browser && npm ci --silent --no-audit --no-fund
	@touch $@
