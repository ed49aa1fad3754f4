# Thin: what a person runs. Everything else is the command `wedau` (see README.md).

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHON_READY := $(VENV)/.python-ready
BENCH_READY := $(VENV)/.bench-ready
RELEASE := build/release
BOARDS = $(shell $(BIN)/wedau boards --json | $(BIN)/python -c \
	'import json, sys; print(*(board["board"] for board in json.load(sys.stdin)))')

.PHONY: demo test bench docs micropython-tests fuzz check clean
.PHONY: firmware wheel mip page sign check-boards list-boards

demo: $(READY)
	@$(BIN)/wedau demo

test: $(READY) check
	@$(BIN)/pytest -n auto --dist loadfile

# Style, types and the direction of imports.
check: $(READY)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

# The figures of the reference forest, what other tools make of it, and the speed of the features on
# this machine.
bench: $(BENCH_READY)
	@$(BIN)/wedau bench digits
	@$(BIN)/wedau bench alternatives
	@$(BIN)/wedau bench features

# The generated pages, and what the documents show as printed.
docs: $(READY)
	@$(BIN)/python docs/generate

# MicroPython's own tests, all of them, on the simulated board.
micropython-tests: $(READY)
	@$(BIN)/python tests/micropython/suite.py

# The parsers of what comes from outside, each with 10 million inputs; takes an hour. make fuzz
# EXECUTIONS=100000: fewer.
EXECUTIONS := 10000000
fuzz: $(READY)
	@$(BIN)/python tests/ota/fuzz --executions $(EXECUTIONS)
	@WEDAU_FUZZ_EXECUTIONS=$(EXECUTIONS) $(BIN)/pytest -q --timeout 0 -k fuzzer tests/core

# What a release is made of, in this order: docs/howto/release.md.

wheel: $(PYTHON_READY)
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir $(RELEASE) .

mip: $(READY)
	@$(BIN)/wedau build-engine $(RELEASE)/mip

# make firmware BOARD=NAME; all boards without it. Needs ESP-IDF.
firmware: $(PYTHON_READY)
	@set -e; for board in $(or $(BOARD),$(BOARDS)); do \
		$(BIN)/wedau firmware build --board "$$board"; done

# ESP Web Tools comes from npm, by the hashes of firmware/web/package-lock.json.
page: $(PYTHON_READY)
	@mkdir -p build/npm $(RELEASE)
	@cp firmware/web/package.json firmware/web/package-lock.json build/npm
	@npm ci --prefix build/npm --ignore-scripts --no-audit --no-fund --silent
	@for made in build/firmware/*/web-manifest.json; do [ ! -e "$$made" ] || { \
		rm -rf "$(RELEASE)/$$(basename "$${made%/*}")" && cp -R "$${made%/*}" $(RELEASE); }; done
	@$(BIN)/wedau release page $(RELEASE)

# KEY: file of the private key; without it WEDAU_RELEASE_PRIVATE_KEY holds its text.
sign: $(PYTHON_READY)
	@$(BIN)/wedau release sign $(RELEASE) $(if $(KEY),--key "$(KEY)")

check-boards: $(PYTHON_READY)
	@$(BIN)/wedau boards --check

# For a workflow: boards=["NAME", ...]
list-boards: $(PYTHON_READY)
	@$(BIN)/wedau boards --json | $(BIN)/python -c 'import json, sys; \
		print("boards=" + json.dumps([board["board"] for board in json.load(sys.stdin)]))'

# Python's part alone, from a wheel in $(RELEASE) if there is one: no compiler, no simulated board.
$(PYTHON_READY): pyproject.toml tools/setup.sh
	@sh tools/setup.sh $(VENV) python-only $(firstword $(wildcard $(RELEASE)/wedau-*.whl))

$(READY): pyproject.toml setup.py tools/setup.sh tools/wedau/build/debian_packages.txt $(wildcard modules/core/*.[ch] modules/core/*/*.[ch]) tools/wedau/_core.c
	@sh tools/setup.sh $(VENV)

# The tools that are measured beside ours.
$(BENCH_READY): $(READY)
	@$(BIN)/python -m pip install --quiet -e '.[bench]'
	@touch $@

clean:
	rm -rf $(VENV) build demo
