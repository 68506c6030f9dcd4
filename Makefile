# Thin on purpose: what a command needs to know stands in pyproject.toml and tools/.
# POSIX systems only; README.md has the same lines for Windows.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.seq2seq-installed
SITE_STAMP := $(VENV)/.seq2seq-site-installed

# nbgrader starts its helpers by name, so the environment's programs must be on the path.
export PATH := $(abspath $(BIN)):$(PATH)

# One thread per process: two threads on a shared core make nn.GRU many times slower.
# On the CPU: outputs are compared, so every machine must compute the same ones.
test coverage notebooks exercises: export OMP_NUM_THREADS ?= 1
test coverage notebooks exercises site: export SEQ2SEQ_DEVICE ?= cpu
# What a maintainer's machine runs is nobody's progress in the course.
test coverage notebooks exercises: export SEQ2SEQ_PROGRESS ?= off

NBVAL := --nbval --nbval-current-env --nbval-cell-timeout=300 \
         --nbval-sanitize-with=nbval_sanitize.cfg
# `--dist loadfile` keeps the cells of one notebook on one kernel.
PARALLEL := -n 2 --dist loadfile
# Only folders that exist, so that a checkout without solutions can still be tested.
NOTEBOOKS := $(wildcard chapters solutions exercises)

.DEFAULT_GOAL := help
.PHONY: help lab test notebooks exercises site grade release slides bench lint coverage mutation constraints assets

help:         ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# A notebook named as an argument would make its folder the root, out of which no link leads to the
# exercises. In a container one is root, and Jupyter wants that confirmed.
lab: $(STAMP)         ## open the course in JupyterLab (installs it the first time)
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/chapters/ch00_start_here.ipynb \
	    $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS)

test: $(STAMP)        ## run every test and every notebook; ARGS="-k masks" selects
	$(BIN)/python -m pytest $(PARALLEL) $(NBVAL) tests $(NOTEBOOKS) $(ARGS)

notebooks: $(STAMP)   ## execute every notebook anew from _src, then release the exercises
	$(BIN)/python tools/build_notebooks.py build
	$(MAKE) --no-print-directory exercises

exercises: $(STAMP)   ## release exercises/ from solutions/ with nbgrader
	$(if $(wildcard solutions/ch*),$(BIN)/python tools/build_notebooks.py release,\
	    @echo "No solutions/ch*/ here: nothing to release")

site: $(SITE_STAMP)   ## the course as pages whose explorers are alive, in build/site/html
	$(BIN)/python tools/build_site.py $(ARGS)

grade: $(STAMP)       ## grade a class: make grade CHAPTER=ch04_padding_masks (docs/teaching.md)
	$(BIN)/python tools/teach.py grade $(CHAPTER) $(ARGS)

release: $(STAMP)     ## a folder for learners, without solutions: make release TO=../course ARGS=...
	$(BIN)/python tools/teach.py release $(or $(TO),build/course) $(ARGS)

slides: $(STAMP)      ## reveal.js slides of every chapter, offline, in build/slides
	$(BIN)/python tools/teach.py slides $(ARGS)

# On the device that SEQ2SEQ_DEVICE names, or an accelerator if there is one.
bench: export OMP_NUM_THREADS ?= 1
bench: $(STAMP)       ## time the library against what one would use instead; ARGS=--write keeps it
	$(BIN)/python -m benchmarks $(ARGS)

lint: $(STAMP)        ## style, formatting, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

coverage: $(STAMP)    ## lines and branches of seq2seq_lib that tests/ reach
	$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term tests $(ARGS)

mutation: $(STAMP)    ## are the tests worth their name? breaks the library 330 times (hours)
	$(BIN)/python tools/mutate.py --sample 330 $(ARGS)

assets: $(STAMP)      ## train the small models in seq2seq_lib/course/assets anew (a minute)
	OMP_NUM_THREADS=1 $(BIN)/python tools/build_assets.py
	OMP_NUM_THREADS=1 $(BIN)/python -m seq2seq_lib.course.assets.keywords
	OMP_NUM_THREADS=1 $(BIN)/python tools/build_translator.py

constraints: $(STAMP) ## pin anew what CI runs, from the ranges in pyproject.toml
	$(BIN)/python tools/make_constraints.py $(ARGS)

# Installing needs a network, once. The stamp keeps later calls offline and instant.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "The course needs Python 3.11 or newer. Name one: make $(MAKECMDGOALS) PYTHON=python3.12"; \
	    exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -c 'import ensurepip, venv' || { \
	    echo "This Python cannot make virtual environments (no venv or no ensurepip module)."; \
	    echo "Debian and Ubuntu: apt-get install python3-venv. Or use environment.yml with conda."; \
	    exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -c constraints.txt -e ".[dev]"
	touch $@

$(SITE_STAMP): $(STAMP)
	$(BIN)/python -m pip install -c constraints.txt -e ".[site]"
	touch $@
