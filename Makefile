PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: install train test clean

## create the environment in .venv (again whenever the requirements change)
install: .venv/.installed

.venv/.installed: requirements.txt requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

## render and prepare the sample data, train the unimodal networks and then MSAF on it
train: install
	$(BIN)/python train.py task=ravdess fusion=msaf

## lint, types and the whole test suite
test: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2

## forget caches and the rendered sample; results and packed data stay
clean:
	rm -rf data/*/sample-* .mypy_cache .pytest_cache .ruff_cache
