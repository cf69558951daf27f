# What a newcomer types. Everything lands in .venv; nothing else on the machine changes but bubblewrap.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup warm bench test proof ci lint docs clean

setup: .venv/ready
	@.ci/sandbox

.venv/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --editable . --group dev
	@$(BIN)/python -c 'import sys; from pytest_llmbench.toolchains import find; sys.exit(not (find("node") and find("go")))' \
		|| $(BIN)/pip install --quiet --editable ".[toolchains]"
	@touch $@

# What tasks need offline, fetched and built once; what cannot be had is said, and its tasks are skipped.
warm: setup
	@$(BIN)/python -m pytest_llmbench warm || echo "(tasks that need it will be skipped)"

# Every task for the reference solutions and the unmodified starters: no model needed.
bench: warm
	$(BIN)/pytest --llm-model=builtin/reference,builtin/starter -n 2 --llm-fail-under=0 -rN

# The slower ones, every mutant of every task among them, are part of `make proof`.
test: warm
	$(BIN)/pytest -n 3 --dist=worksteal --ignore=tests/hostile/slow --ignore=tests/graders --ignore=tests/shipped --ignore=tests/slow \
		--ignore=tests/browser --ignore=tests/benchmarks --ignore=tests/fuzz --ignore=tests/matrix

# Pythons that pyenv has but does not show count as present.
PYENV_BINS := $(shell ls -d $${PYENV_ROOT:-$$HOME/.pyenv}/versions/*/bin 2>/dev/null | paste -sd: -)

proof: warm
	@.ci/browser
	PATH="$$PATH:$(PYENV_BINS)" $(BIN)/python benchmarks/proof.py --skip test

# Both, and where the minutes went.
ci: warm
	@.ci/browser
	PATH="$$PATH:$(PYENV_BINS)" $(BIN)/python benchmarks/proof.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The documentation site, in build/docs.
docs: setup
	$(BIN)/pip install --quiet --group docs
	$(BIN)/python docs/generate.py
	$(BIN)/sphinx-build -W --keep-going -n -q -b html docs build/docs

clean:
	rm -rf .venv .tox .llmbench dist build
