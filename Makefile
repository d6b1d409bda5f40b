# Everything here starts from nothing but Python >= 3.11 with pip: the first call makes a virtual environment, later ones reuse it.
#
#   make demo         fit a first model and save a picture of it
#   make test         the whole suite: on the oldest supported Python and JAX, then the core of it on the newest
#   make test-long    the same with longer statistics
#   make faults       every fault that users commit, and what vipl says about it
#   make lint         ruff and basedpyright
#   make docs         the documentation, into docs/_build/html; warnings are errors
#   make clean        remove all that the above have made
#
# Overridable: PYTHON, NEWEST_PYTHON (interpreters), WORKERS (pytest processes), ARGS (more pytest arguments).

PYTHON ?= $(shell .ci/find-python oldest)
NEWEST_PYTHON ?= $(shell .ci/find-python newest)
WORKERS ?= 2
ARGS ?=

# One XLA thread per worker: workers that each take every core only get in each other's way. No accelerator is needed or used.
export JAX_PLATFORMS ?= cpu
PYTEST_ENV = NPROC=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
PYTEST = -m pytest -n $(WORKERS) --dist worksteal --durations 10

# What the newest pair must pass besides: the interpreters and the transformation, whose ground is JAX itself, the
# distributions, a fit, the laws, and every import. The rest of tests/unit holds numbers that no version changes.
NEWEST_TESTS = $(addprefix tests/,$(addprefix unit/,core transform distributions objectives infer) laws architecture)

# XLA's plain emitters, each program in one piece, compile in half the time, and compiling is most of what the suite does. For
# the oldest pair only: its jaxlib is pinned, and an option that a jaxlib does not know ends the process. The newest has XLA as it is.
QUICK_XLA = --xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1

.PHONY: demo test test-oldest test-newest test-long faults lint docs clean
.NOTPARALLEL:

demo: .venv/.stamp-examples
	.venv/bin/python -m vipl

test: .venv/.stamp-test .venv-newest/.stamp-test
	@status=0; $(MAKE) --no-print-directory test-newest || status=1; \
	$(MAKE) --no-print-directory test-oldest || status=1; exit $$status

test-oldest: export XLA_FLAGS ?= $(QUICK_XLA)
test-oldest: .venv/.stamp-test
	$(PYTEST_ENV) .venv/bin/python $(PYTEST) $(ARGS)

# Few cells of the estimators' matrix on the newest pair: each estimator with each distribution, and each context.
test-newest: export VIPL_CELLS = few
test-newest: .venv-newest/.stamp-test
	$(PYTEST_ENV) .venv-newest/bin/python $(PYTEST) $(wildcard $(NEWEST_TESTS)) $(ARGS)

test-long: export VIPL_LONG = 1
test-long: test

faults: .venv/.stamp-test
	$(PYTEST_ENV) .venv/bin/python -m tests.faults

lint: .venv/.stamp-test .venv/.stamp-lint
	.venv/bin/ruff check .
	.venv/bin/basedpyright --pythonpath .venv/bin/python

docs: .venv/.stamp-docs
	.venv/bin/python -m sphinx -W --keep-going -b html docs docs/_build/html

clean:
	rm -rf .venv .venv-newest docs/_build build dist .pytest_cache .ruff_cache
	find vipl tests docs -name __pycache__ -type d -prune -exec rm -rf {} +

# .venv is held at the oldest supported versions, .venv-newest takes the newest served. A stamp is one extra, installed.
.venv/.stamp-%: pyproject.toml .ci/oldest.txt | .venv/bin/python
	.venv/bin/python -m pip install -q -c .ci/oldest.txt -e ".[$*]"
	@touch $@

.venv-newest/.stamp-%: pyproject.toml | .venv-newest/bin/python
	.venv-newest/bin/python -m pip install -q --upgrade -e ".[$*]"
	@touch $@

.venv/bin/python:
	"$(PYTHON)" -m venv .venv

.venv-newest/bin/python:
	"$(NEWEST_PYTHON)" -m venv .venv-newest
