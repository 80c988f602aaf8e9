PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := requirements.txt
FUZZ_EXAMPLES ?= 2000

# Tests start commands by the hundred: each would compile the project's files anew.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help venv cover-letter pictures site accuracy test fuzz cluster-test lint bench bench-driver bench-actor-group bench-nodes calibrate mutants clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/installed: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[dev]'
	touch $@

venv: $(VENV)/installed  ## Create .venv and install the project with pinned versions

cover-letter: venv  ## Run the cover letter's sweep, print its tables and the comparison
	$(BIN)/uprobe-sweep run cover-letter
	$(BIN)/uprobe-sweep tables cover-letter
	$(BIN)/uprobe-sweep compare cover-letter

pictures: venv  ## Draw the pictures of README.md and docs/ anew (half a minute)
	$(BIN)/uprobe-sweep run cover-letter
	$(BIN)/uprobe-sweep plot cover-letter --force -o docs/cover-letter.svg

site: venv  ## Build the site of docs/ in build/site, its links checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo build/site/index.html

accuracy: venv  ## Simulate afresh and hold the model against its accuracy targets (seconds)
	$(BIN)/uprobe-sweep accuracy

lint: venv  ## Check style (ruff) and types (mypy)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: venv  ## Lint, types and all tests, at the same time where they can be
	$(MAKE) --no-print-directory -j 3 --keep-going --output-sync lint test-parallel test-ray
	$(BIN)/pytest -m serial $$(grep -rl --include='*.py' 'mark\.serial' tests)

# Once, before several processes ask for it.
compiled: venv
	$(BIN)/uprobe-sweep stress -t1 -a1 --functions 2 --ms 20 > /dev/null
	$(BIN)/uprobe-sweep explain --flavour srcu --bench uprobe-nop --cpus 1 > /dev/null

test-parallel: compiled
	$(BIN)/pytest -n auto --dist worksteal -m 'not ray and not serial and not cluster'

# Beside the others, because Ray's tests wait for its processes most of the time.
test-ray: compiled
	$(BIN)/pytest -m ray $$(grep -rl --include='*.py' 'mark\.ray' tests)

fuzz: venv  ## Odd specs, command lines, machine files, journals and logs (minutes; FUZZ_EXAMPLES)
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/pytest -n auto tests/fuzz --timeout 3600

cluster-test: venv  ## Several Ray nodes on loopback: ray up and down, nodes killed (minutes)
	$(BIN)/pytest -m cluster

bench: venv  ## Speed of the engine beside SimPy, salabim, Ciw and a loop in C, and of the letter (a minute)
	$(BIN)/pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[bench]'
	$(BIN)/python benchmarks/engine_speed.py

bench-driver: venv  ## Overhead and memory of the driver over 10,000 tiny cells
	$(BIN)/python benchmarks/driver_overhead.py

bench-actor-group: venv  ## The letter with one Ray actor for each CPU, against the same in process
	$(BIN)/python benchmarks/actor_group.py

bench-nodes: venv  ## How a sweep scales to 100 nodes: modelled, and two of a real Ray (2 minutes)
	$(BIN)/python benchmarks/nodes.py --ray

calibrate: venv  ## Fit the machine files anew from the published figures (some minutes)
	$(BIN)/uprobe-sweep calibrate

mutants: venv  ## Plant every known fault in the lifetime rules; fails if one survives (seconds)
	$(BIN)/uprobe-sweep mutants

clean:  ## Remove .venv, caches and finished runs
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info results/runs
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
