# Two commands are all a newcomer needs: `make demo` and `make test`.
# Each installs what it needs by itself; see tests/bootstrap.sh and tests/lab/README.md.
SHELL = /bin/bash
.SHELLFLAGS = -euo pipefail -c
export PYTHONPATH := $(CURDIR)
PYTHON = $$(tests/bootstrap.sh)

.PHONY: demo demo-down test lint unit e2e wheel molecule bench bench-fleet soak picture lab-down

demo: ## Docker on three bare lab hosts, from nothing to proof
	@$(PYTHON) -m tests.demo

demo-down: ## take the demo's lab down
	@$(PYTHON) -m tests.lab down --name demo

test: ## everything
	@$(PYTHON) -m tests.everything

lint: ## ruff, mypy, ansible-lint
	@$(PYTHON) -m tests.everything lint

unit: ## no sockets, seconds
	@$(PYTHON) -m tests.everything unit

e2e: ## real lab hosts
	@$(PYTHON) -m tests.everything e2e

wheel: ## what ships, installed outside the checkout
	@$(PYTHON) -m tests.everything wheel

molecule: ## the shipped playbooks, converged on a lab host
	@$(PYTHON) -m tests.everything molecule

bench: ## the comparisons that docs/performance.md rests on (about 10 minutes)
	@$(PYTHON) -m tests.bench

bench-fleet: ## a check of up to 1,000 addresses beside the ssh program (about 10 minutes)
	@$(PYTHON) -m tests.bench.fleet

soak: ## twenty rounds of install, drift, repair and uninstall (about 20 minutes)
	@$(PYTHON) -m tests.bench.soak

picture: ## docs/install.svg, from a real run (needs tmux)
	@$(PYTHON) -m tests.picture

lab-down: ## take every lab down
	@$(PYTHON) -m tests.lab down --all
