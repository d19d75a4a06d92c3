# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# make demo    start a simulated fleet, audit it, show the outcome
# make test    everything a change has to pass
# make bench   speed and bytes against the peers
# The parts of `make test` are targets of their own, see CONTRIBUTING.md.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BUILD := $(CURDIR)/.build
VENV := $(CURDIR)/.venv
BIN := $(VENV)/bin
LAB := $(BUILD)/lab
DEMO_FLEET := tests/lab/fleets/demo.yml
# ansible-test wants a checkout below ansible_collections/sms/helpdesk and a home directory to keep its environments in.
MIRROR := $(BUILD)/mirror/ansible_collections/sms/helpdesk
HOME_OF_TESTS := $(BUILD)/home

export PATH := $(BIN):$(PATH)
export PYTHONPATH := $(CURDIR)/tests
export ANSIBLE_COLLECTIONS_PATH := $(BUILD)/collections
export ANSIBLE_HOME := $(BUILD)/ansible
export ANSIBLE_LOCALHOST_WARNING := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

PYTEST := $(BIN)/python -m pytest -q -p no:cacheprovider -n 2 --dist loadfile

.PHONY: help demo test bench setup packages lint unit integration sanity molecule tarball clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

$(BUILD)/venv.stamp: requirements.txt tests/requirements.txt
	@echo "Setting up $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or later is needed, this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet -r tests/requirements.txt
	@mkdir -p $(BUILD)/collections/ansible_collections/sms
	@ln -sfn $(CURDIR) $(BUILD)/collections/ansible_collections/sms/helpdesk
	@touch $@

setup: $(BUILD)/venv.stamp

packages:
	@tests/tools/debian_packages.sh tests/debian-packages.txt

demo: setup
	@python -m lab stop --directory $(LAB) >/dev/null 2>&1 || true
	@python -m lab start --fleet $(DEMO_FLEET) --directory $(LAB)
	@ansible-playbook -i $(LAB)/inventory.yml sms.helpdesk.detect || status=$$?; \
	  python -m lab stop --directory $(LAB); exit $${status:-0}

test: setup packages
	@tests/tools/stages.sh lint unit integration molecule sanity tarball

lint: setup
	ruff check .
	ruff format --check .
	mypy plugins/plugin_utils
	yamllint --strict .
	ansible-lint --offline --strict
	antsibull-changelog lint
	antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck .
	reuse lint --quiet

unit: setup
	$(PYTEST) tests/unit

integration: setup packages
	$(PYTEST) tests/integration

molecule: setup
	cd extensions && molecule test --all

mirror: setup
	@rm -rf $(MIRROR) && mkdir -p $(MIRROR)
	@git ls-files --cached --others --exclude-standard -z | (while IFS= read -r -d '' file; do test -e "$$file" && printf '%s\0' "$$file"; done; true) \
	  | tar --null --no-recursion -cf - -T - | tar -xf - -C $(MIRROR)

sanity: mirror
	@python tests/tools/pip_bootstrap.py --place $(HOME_OF_TESTS) >/dev/null
	cd $(MIRROR) && HOME=$(HOME_OF_TESTS) PIP_CACHE_DIR=$(BUILD)/pip-cache ansible-test sanity --venv --color no -v --python $$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
	cd $(MIRROR) && HOME=$(HOME_OF_TESTS) PIP_CACHE_DIR=$(BUILD)/pip-cache ansible-test units --venv --color no -v --python $$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')

tarball: setup
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/tarball

bench: setup
	@$(BIN)/python -m bench

clean:
	rm -rf $(BUILD) $(VENV)
