# `make help` lists the targets. Everything works from a fresh clone: each target sets up what it needs.

PYTHON := .venv/bin/python
SIDE_BY_SIDE := -n auto --maxprocesses 3 --dist loadgroup
.DEFAULT_GOAL := help
.PHONY: help setup kernel vocabulary layout lint test test-fast test-kernels soak bench-kernel \
	bench-volume bench-scale bench-memory demo picture clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install Debian packages and the Python environment, as far as they are missing
	@packaging/setup.sh

kernel: setup ## compile the kernel object to build/provcap.bpf.o
	@$(MAKE) --no-print-directory -C kernel

vocabulary: kernel ## write what Python knows of the kernel object (names, layouts) where it changed
	@$(MAKE) --no-print-directory -C kernel $@

layout: kernel ## print the records of the kernel object
	@$(MAKE) --no-print-directory -C kernel $@

lint: setup ## style, format and strict types
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy --strict -p provcap
	@$(PYTHON) -m mypy --strict --explicit-package-bases kernel/tools
	@$(PYTHON) -m mypy --strict --explicit-package-bases benchmarks

test: lint kernel ## everything: lint, pure, object and browser tests, and guests on 6.12 and 6.1
	@$(PYTHON) -m pytest $(SIDE_BY_SIDE)

test-fast: setup kernel ## pure and object tests only, no browser and no guest
	@$(PYTHON) -m pytest -m "not vm and not browser"

test-kernels: setup kernel ## the tests with guests, on 6.12, 6.1 and the newest 7 of Debian
	@$(PYTHON) -m pytest $(SIDE_BY_SIDE) -m vm --kernel 6.12 --kernel 6.1 --kernel 7

soak: kernel ## a million events in guests with four CPUs: no cycle, no loose end, no memory kept
	@PROVCAP_SOAK=1000000 $(PYTHON) -m pytest tests/vm/test_stress.py -k soak

# QUICK=1: some operations, with their programs alone; CHECK=1: fails if anything has moved; both write nothing.
# PAGE=1: only the page, from what was found last
bench-kernel: kernel ## what capture costs in the kernel, in instructions of a guest (QUICK=1, CHECK=1)
	@$(MAKE) --no-print-directory -s -C benchmarks/kernel
	@$(PYTHON) -m benchmarks.kernel $(if $(QUICK),--quick) $(if $(CHECK),--check) \
		$(if $(PAGE),--page,$(if $(QUICK)$(CHECK),,--write)) $(if $(JSON),--json)

# each takes ten minutes to half an hour and writes its page in docs/reference; bench-scale fails, with its page written,
# if something grows; PAGE=1: only the page, from what was found last
bench-volume: kernel ## how much is recorded of a compile, of wget and of an idle machine
bench-scale: kernel ## whether the cost of capture grows with CPUs, live objects or time
bench-memory: kernel ## what capture takes of the kernel's memory, and the bound of each map
bench-volume bench-scale bench-memory: bench-%:
	@$(MAKE) --no-print-directory -s -C benchmarks/kernel
	@$(PYTHON) -m benchmarks.$* $(if $(PAGE),--page,--write)

demo: kernel ## record a small program in a guest and ask where its output came from
	@packaging/demo.sh

picture: setup ## draw the story of the tests for the documentation (docs/images/graph.png)
	@packaging/picture.sh

clean: ## remove what was built; fetched kernels (.cache) stay
	@rm -rf build out .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	@find provcap tests -name __pycache__ -type d -prune -exec rm -rf {} +
