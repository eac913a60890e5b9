# Every target does its own set-up. The only requirements are make and a
# Python 3.11+ with pip; uv is used when it is there, because it is faster.
#
#   make run          the main job: runs/belief_revision-*/report.html
#   make test         the tests
#   make slow         the slow tests
#   make doors        what comes of 15,000 wrong inputs (a quarter of an hour)
#   make mutants      whether the tests notice 200 random sabotages of the core (an hour)
#   make check        format, lint and types
#   make docs         the site of the documentation: build/site/index.html
#   make test-latest  the tests on Python 3.12 and jax 0.11, in a venv of their own
#   make lock         resolve the dependencies again (needs uv)

VENV := .venv
LATEST := .venv-latest
DOCS := .venv-docs
SETUP := sh tools/setup.sh

.PHONY: run test slow doors mutants check format docs test-latest lock clean

run: $(VENV)/.ready
	$(VENV)/bin/python -m pcmodel run belief_revision $(ARGS)

test: $(VENV)/.ready
	$(VENV)/bin/python -m pytest -q -n auto --dist loadfile $(ARGS)

slow: $(VENV)/.ready
	$(VENV)/bin/python -m pytest -q -m slow -n auto --dist loadfile $(ARGS)

# Ends with an error when anything is neither refused in a sentence nor right.
doors: $(VENV)/.ready
	$(VENV)/bin/python -m tests.doors $(ARGS)

# Goes on where it was cut; ends with an error when too few are noticed.
mutants: $(VENV)/.ready
	PYTHONPATH=tests $(VENV)/bin/python -m mutation $(ARGS)

check: $(VENV)/.ready
	$(VENV)/bin/python -m ruff format --check .
	$(VENV)/bin/python -m ruff check .
	$(VENV)/bin/python -m pyright --pythonpath $(VENV)/bin/python

format: $(VENV)/.ready
	$(VENV)/bin/python -m ruff format .
	$(VENV)/bin/python -m ruff check --fix .

# Warnings are errors. Notebooks run once and again when their text changes; NOTEBOOKS=off shows them without figures.
docs: $(DOCS)/.ready
	$(DOCS)/bin/python -m sphinx -q -W --keep-going -b html -c docs . build/site $(ARGS)

test-latest: $(LATEST)/.ready
	$(LATEST)/bin/python -m pytest -q -n auto --dist loadfile $(ARGS)

$(VENV)/.ready: requirements.lock pyproject.toml tools/setup.sh
	$(SETUP) $(VENV) requirements.lock 3.11+

$(LATEST)/.ready: requirements-latest.lock pyproject.toml tools/setup.sh
	$(SETUP) $(LATEST) requirements-latest.lock 3.12

$(DOCS)/.ready: requirements-docs.lock pyproject.toml tools/setup.sh
	$(SETUP) $(DOCS) requirements-docs.lock 3.11+

# Hashes, no addresses: the lock must work with whatever index the machine uses.
lock:
	uv export -q --no-emit-project --no-annotate --no-header --extra test \
		-o requirements.lock
	uv pip compile -q --extra test --python-version 3.12 --universal --generate-hashes \
		--no-annotate --no-header --constraint tools/latest.txt \
		-o requirements-latest.lock pyproject.toml
	uv pip compile -q --extra docs --python-version 3.11 --universal --generate-hashes \
		--no-annotate --no-header --constraint requirements.lock \
		-o requirements-docs.lock pyproject.toml

clean:
	rm -rf $(VENV) $(LATEST) $(DOCS) build .pytest_cache .ruff_cache
