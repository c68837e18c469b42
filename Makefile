# Everything that is done here in one word. `make` alone lists the words.
STACK ?= dev
REPORT ?= build/report
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help up down check plan test e2e soak smoke bench cluster conformance platform images lock fmt lint preflight python

help: ## List these commands
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

up: preflight ## Bring the stack up, whatever is missing on this machine (STACK=dev)
	$(BIN)/strata up --stack $(STACK) --yes

down: preflight ## Take the stack down; its data stays
	$(BIN)/strata destroy --stack $(STACK) --yes

check: lint ## Lint, types and the tests that need no Docker
	$(BIN)/pytest -m "not docker and not smoke and not e2e and not soak and not cluster"

plan: preflight ## What a pull request is told: the plan, and the policies' findings (STACK=dev REPORT=build/report)
	$(BIN)/strata policy --stack $(STACK) --report $(REPORT)

test: preflight images lint ## Lint, types and all tests but those of a deployed stack
	$(BIN)/pytest -m "not smoke and not e2e and not soak and not cluster"

e2e: preflight images ## Whole `strata` commands against Docker, in stacks of their own
	$(BIN)/pytest -m e2e

soak: preflight ## Many more random faults of the engine than `make test` takes; failures name a seed
	$(BIN)/pytest -m soak -q
	STRATA_HYPOTHESIS_PROFILE=soak $(BIN)/pytest tests/engine/properties -q

smoke: preflight ## Validate the running stack, with restarts and kills (STACK=dev)
	$(BIN)/pytest tests/smoke --stack $(STACK) --disruptive

cluster: ## A real Kubernetes of three nodes on this machine (as root; tests/cluster/README.md)
	@scripts/preflight.sh --cluster
	$(BIN)/python -m tests.cluster up

conformance: ## What Strata relies on in a Kubernetes: yours, kind's, or that of `make cluster`
	@if [ -n "$$STRATA_TEST_KUBECONFIG" ] || command -v kind > /dev/null; then scripts/preflight.sh --python-only; \
	  else scripts/preflight.sh --cluster && $(BIN)/python -m tests.cluster build; fi
	$(BIN)/pytest -m cluster tests/cluster/conformance

platform: preflight images ## A stack like production on a Kubernetes, with kills, growth and refusals; and the engine's part of it
	@if [ -z "$$STRATA_TEST_KUBECONFIG" ] && ! command -v kind > /dev/null; then \
	  scripts/preflight.sh --cluster && $(BIN)/python -m tests.cluster build; fi
	$(BIN)/pytest -m cluster tests/cluster --ignore tests/cluster/conformance --ignore tests/cluster/operation

bench: preflight images ## Measure speed side by side, in a stack of its own (ARGS=--help)
	$(BIN)/python -m bench $(ARGS)

images: preflight ## Build the local images that are missing
	$(BIN)/strata images build

fmt: python ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: python ## Renew requirements.lock from pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --group dev --generate-hashes \
	  --no-emit-index-url --custom-compile-command "make lock" --output-file requirements.lock pyproject.toml

lint: python
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/zizmor --offline --strict-collection --no-progress --quiet .github

preflight:
	@scripts/preflight.sh

python:
	@scripts/preflight.sh --python-only
