# Thin: what a person runs. Everything else is the command `wedau` (see README.md).

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test bench docs micropython-tests check clean

demo: $(READY)
	@$(BIN)/wedau demo

test: $(READY) check
	@$(BIN)/pytest -n auto --dist loadfile

# Style, types and the direction of imports.
check: $(READY)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

# The figures of the reference forest, and the speed of the features on this machine.
bench: $(READY)
	@$(BIN)/wedau bench digits
	@$(BIN)/wedau bench features

# The generated pages, and what the documents show as printed.
docs: $(READY)
	@$(BIN)/python docs/generate

# MicroPython's own tests, all of them, on the simulated board.
micropython-tests: $(READY)
	@$(BIN)/python tests/micropython/suite.py

$(READY): pyproject.toml setup.py tools/setup.sh tools/wedau/build/debian_packages.txt $(wildcard modules/core/*.[ch] modules/core/*/*.[ch]) tools/wedau/_core.c
	@sh tools/setup.sh $(VENV)

clean:
	rm -rf $(VENV) build demo
