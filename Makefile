# Everything that a developer or CI runs. Each target sets up what is missing first.

PYTHON := .venv/bin/python
LAPTOP ?= .laptop
UP ?=
PYTEST ?=

.DEFAULT_GOAL := help
.PHONY: help setup up down status demo test check docs docs-check format bench clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## create .venv, install the Python and npm packages that are missing
	@python="$$(.ci/find-python)" && "$$python" -m local.setup

up: setup  ## start Plumbline on this machine and leave it running (UP="--demo --hosts 2")
	@$(PYTHON) -m local up --dir $(LAPTOP) $(UP)

down: setup  ## stop what make up started; its state stays in .laptop
	@$(PYTHON) -m local down --dir $(LAPTOP)

status: setup  ## say what runs, and where it answers
	@$(PYTHON) -m local status --dir $(LAPTOP)

demo: setup  ## play the story from push to deployment, step by step, and stop again
	@$(PYTHON) -m local.demo

test: setup  ## run all tests (PYTEST="-k push" for some)
	$(PYTHON) -m pytest $(PYTEST)

check: setup docs-check  ## format, lint, types, import rules, generated docs; changes nothing
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports --no-cache

docs: setup  ## write the tables and schemas in docs/ that come from the code
	$(PYTHON) -m docs.generate

docs-check: setup
	$(PYTHON) -m docs.generate --check

format: setup  ## format, and mend what ruff can mend
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

bench: setup  ## measure; the figures are in bench/README.md
	$(PYTHON) -m bench

clean: down  ## stop the laptop and delete its state
	rm -rf $(LAPTOP) .demo
