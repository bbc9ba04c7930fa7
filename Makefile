# make demo    the tutorial's story, from nothing
# make test    the whole test suite, from nothing
# make quick   what of it needs no training of its own, no page, export, service, document or other process
# make coverage  the lines that the whole suite runs, in its processes too
# make check   style and types
# make docs    the documentation as a site, in site/
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test quick coverage check docs clean

# What `headstart[hub]` has, without the package for text that installs the large TensorFlow beside the small one.
HUB := keras-hub kagglehub kagglesdk sentencepiece tokenizers regex absl-py

SLOW := backbones or browser or docs or export or process or service or training

demo: $(VENV)/demo
	$(BIN)/headstart demo

test: $(VENV)/dev
	$(BIN)/python -m pytest -n 2 --dist worksteal

quick: $(VENV)/dev
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not ($(SLOW))"

coverage: $(VENV)/dev
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -n 2 --dist worksteal
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	@if command -v npx > /dev/null; then npx --yes --package typescript@7.0.2 -- tsc -p jsconfig.json; \
		else echo "The types of the pages are not checked: npx is missing."; fi

# Any warning is an error. The variable silences a notice of the theme about versions of MkDocs to come.
docs: $(VENV)/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# A stamp for each set of extras: installed again when pyproject.toml changes.
$(VENV)/demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -e '.[tune,demo,studio]'
	touch $@

$(VENV)/dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -e '.[dev]'
	$(BIN)/python -m pip install --no-deps $(HUB)
	touch $@

$(VENV)/docs: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -e '.[docs]'
	touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "headstart needs Python 3.11, 3.12 or 3.13. Name one: make demo PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

clean:
	rm -rf $(VENV) build dist site .pytest_cache .ruff_cache .hypothesis .coverage*
