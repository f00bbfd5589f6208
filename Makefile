# The front door. No logic here: targets set up the environment and call `fer`, pytest or the like.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PROFILE ?= quick
PORT := 8000
UV_VERSION := 0.13.9
export TF_CPP_MIN_LOG_LEVEL ?= 2
export TF_USE_LEGACY_KERAS := 1
# Python caches the bytecode of what it imports; compiling every library ahead takes half a minute of CPU
unexport PYTHONDONTWRITEBYTECODE
# A slow network: wait longer, try more often, and have few downloads under way that an interruption would lose
export UV_HTTP_TIMEOUT ?= 120
export UV_HTTP_RETRIES ?= 8
export UV_CONCURRENT_DOWNLOADS ?= 4
export PIP_DEFAULT_TIMEOUT ?= 60
PATIENTLY := $(PYTHON) -P packages/face_sets/face_sets/patience.py
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: help gpu lab slurm setup book test test-slow lighthouse chaos validate pdf release lab open serve strip lock clean

help: ## List the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(VENV)/.ready ## Make .venv with the locked dependencies; fetch the face detector's model, the rendered head and LiteRT.js

# A .venv whose Python is gone, or that was moved, cannot import what was installed last
WORKS := $(BIN)/python -c "import face_sets" >/dev/null 2>&1
$(VENV)/.ready: requirements.lock requirements-face-model.lock requirements-head.lock package-lock.json pyproject.toml $(shell $(WORKS) || echo FORCE)
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed ($(PYTHON) was not found); name it with PYTHON=..."; exit 1; }
	@# Without .ready an earlier set-up was cut: a package may be half there, so .venv is made anew, from uv's cache
	@{ test -e $@ && $(WORKS); } || $(PYTHON) -m venv --clear $(VENV)
	@rm -f $@
	@$(PATIENTLY) "install uv" $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@echo "Installing the locked dependencies ..."
	@$(PATIENTLY) "install the locked dependencies" $(BIN)/uv pip sync --quiet --python $(BIN)/python \
		--require-hashes requirements.lock
	@$(PATIENTLY) "install the project" $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@# LiteRT.js and the charts' programs come meanwhile; pages that want them say so where they are missing
	@$(BIN)/python -m arm_latency.litert_js & trap 'kill $$! 2>/dev/null; exit 130' INT TERM; $(BIN)/python -m face_sets.face_model && \
		{ $(BIN)/python -m rendered_faces.head_file 2>/dev/null || $(BIN)/python -m face_sets.wheels \
		requirements-head.lock $(BIN)/python -m rendered_faces.head_file; }; code=$$?; [ $$code = 0 ] || kill $$! 2>/dev/null; wait; exit $$code
	@touch $@

FORCE:

book: setup ## Run the whole study on PROFILE (quick) and render the book
	@$(BIN)/fer run --profile $(PROFILE)

test: book ## Check everything: style, types, units, notebooks, rendered pages
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@mkdir -p test-results
	@echo "All tests, and the executed notebooks again, cell by cell (nbval); those marked slow or system are for 'make test-slow' and CI:"
	@FER_IN_WORKFLOW=1 $(BIN)/python -m pytest -m "not slow and not system" -n auto --dist loadfile --no-loadscope-reorder --junit-xml=test-results/junit.xml \
		--nbval --nbval-sanitize-with tests/nbval_sanitize.cfg tests packages $${FER_RESULTS:-results}/quick/notebooks

test-slow: book ## The tests marked slow or system: those of minutes, and of whole runs, kills and faults by chance
	@$(BIN)/python -m pytest -m "slow or system"

lighthouse: ## Accessibility and speed of two rendered pages on a phone, by Lighthouse (needs Chromium)
	@$(BIN)/python -m pytest -n0 -s -m slow tests/book/test_lighthouse.py

chaos: setup ## For an hour: kills, flipped bits, full disks and memory, two at once, by chance of CHAOS_SEED; counted on a page
	@CHAOS_TABLE=1 CHAOS_SECONDS=$${CHAOS_SECONDS:-3600} CHAOS_SEED=$${CHAOS_SEED:-$$(date +%s)} $(BIN)/python -m pytest -n0 -v tests/test_chaos.py

validate: setup ## The simulation study anew, after an analysis has changed: about an hour on two cores; writes the shipped table
	@$(BIN)/fer validate

pdf: ## Print the rendered book into one PDF, by Chromium
	@$(BIN)/fer pdf

release: pdf ## Put what a release holds into release/: the PDF, models for apps, the run as an RO-Crate
	@mkdir -p release
	@cp _build/html/living_replication.pdf results/$(PROFILE)/packs/*.zip release/
	@$(BIN)/fer crate --profile $(PROFILE) --to release/$(PROFILE).crate.zip

# What some studies and machines need besides: $(call add,what,extra of pyproject.toml)
add = $(PATIENTLY) "install $(1)" $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps \
	--require-hashes -r requirements-$(2).lock

lab: setup ## Add JupyterLab to .venv
	@$(call add,JupyterLab,lab)

slurm: setup ## Add Snakemake's plugin for SLURM to .venv, for fer run --workflow-profile slurm
	@$(call add,Snakemake's plugin for SLURM,slurm)

open: lab ## Show the book on port 8000 and JupyterLab on port 8888, to other machines too (for containers)
	@trap 'kill 0' EXIT; $(BIN)/python -m http.server --directory _build/html 8000 & \
		$(BIN)/jupyter lab --ip 0.0.0.0 --port 8888 --no-browser

serve: ## Show the book on http://127.0.0.1:8000, or another PORT
	@test -f _build/html/index.html || { echo "The book is not built yet: run 'make book' first."; exit 1; }
	@! (exec 3<>/dev/tcp/127.0.0.1/$(PORT)) 2>/dev/null || { echo "Port $(PORT) is in use: 'make serve PORT=8001', say."; exit 1; }
	@echo "The book is at http://127.0.0.1:$(PORT) (Ctrl-C ends)"
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

strip: ## Strip outputs from the notebook sources
	@$(BIN)/nbstripout notebooks/*.ipynb

gpu: setup ## Add NVIDIA's libraries to .venv, for studies with device: gpu (about 3 GB)
	@$(call add,NVIDIA's libraries,gpu)
	@TF_CPP_MIN_LOG_LEVEL=0 $(BIN)/python -c "import tensorflow as tf; cards = tf.config.list_physical_devices('GPU'); \
		print('GPUs:', cards); raise SystemExit(0 if cards else 'TensorFlow sees no GPU: look at nvidia-smi')"

COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11
lock: ## Resolve the dependencies anew into requirements.lock; JupyterLab's, SLURM's and a GPU's beside it
	@$(COMPILE) --extra check pyproject.toml -o requirements.lock
	@locked=$$(sed -nE 's/^([A-Za-z0-9._-]+)==.*/--no-emit-package \1/p' requirements.lock); \
		for extra in lab slurm gpu; do \
			$(COMPILE) --extra $$extra -c requirements.lock $$locked pyproject.toml -o requirements-$$extra.lock || exit 1; \
		done

clean: ## Remove results of the quick profile and the rendered book (not the environment)
	@rm -rf results/quick _build book/stages
