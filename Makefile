# Thin: what a person runs. Everything else is the command `wedau` (see README.md).

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test bench micropython-tests check clean

demo: $(READY)
	@$(BIN)/wedau demo

test: $(READY) check
	@$(BIN)/pytest

# Style, types and the direction of imports.
check: $(READY)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

# Figures that depend on this machine's speed, and all others.
bench: $(READY)
	@$(BIN)/wedau bench digits

# MicroPython's own tests, all of them, on the simulated board.
micropython-tests: $(READY)
	@$(BIN)/python tests/micropython/suite.py

$(READY): pyproject.toml setup.py tools/setup.sh tools/wedau/build/debian_packages.txt $(wildcard modules/core/*) $(wildcard tools/wedau/_core/*)
	@sh tools/setup.sh $(VENV)

clean:
	rm -rf $(VENV) build demo
