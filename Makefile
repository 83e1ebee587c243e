# Everything a contributor runs. The work is done by tests/run.py and tests/tools; this is the list.
.DEFAULT_GOAL := help
.PHONY: help venv test test-unit test-house test-lint test-sanity test-molecule test-lab \
        test-lab-full test-judge judge judge-fuzz demo demo-down bench build clean

PYTHON := .venv/bin/python
IN_TREE := PYTHONPATH=tests:files/agent:plugins/module_utils

help: ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

demo: venv ## the main job on a two-NUMA-node virtual machine, start to end
	$(IN_TREE) $(PYTHON) -m demo.demo up

demo-down: venv ## remove every trace of the demo
	$(IN_TREE) $(PYTHON) -m demo.demo down

test: venv ## everything that must pass; the last line is "N passed, N failed"
	@$(PYTHON) tests/run.py

test-unit: venv ## model, agent (also on Python 3.9) and plugins; also under ansible-test units
test-house: venv ## the rules of the house: who may import whom, sizes, names, purity
test-lint: venv ## format, lint, strict types, YAML, roles, docs, changelog, licences
test-sanity: venv ## ansible-test sanity
test-molecule: venv ## the roles on a lab guest: converge, idempotence, verify with testinfra
test-lab: venv ## the agent in real guests, under real container runtimes
test-judge: venv ## real kubelets, and what the filters say (needs root and Go)
test-unit test-house test-lint test-sanity test-molecule test-lab test-judge:
	@$(PYTHON) tests/run.py $(@:test-%=%)

test-lab-full: venv ## test-lab with all scenarios of the lab, which takes longer
	@HOMENODE_LAB_FULL=1 $(PYTHON) tests/run.py lab

judge: venv ## build the kubelets that tests/judge asks, if they are not there
	$(IN_TREE) $(PYTHON) -m judge build

judge-fuzz: venv ## 2,000 configurations by chance, heard by real kubelets
	$(IN_TREE) HOMENODE_JUDGE_CASES=2000 $(PYTHON) -m pytest -q tests/judge/test_fuzz.py

bench: venv ## the figures, as JSON lines
	$(IN_TREE) $(PYTHON) tests/bench/bench.py

build: venv ## build/homenode.pyz (the agent) and dist/*.tar.gz (the collection)
	@$(PYTHON) tests/build.py

venv: ## .venv with the pinned tools (made by itself whenever it is needed)
	@tests/tools/venv.sh

clean: ## remove what the other targets made here, .venv too
	rm -rf build dist .venv .ansible .cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
