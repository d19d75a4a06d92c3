# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
## make demo         on loopback: find the port conflicts of simulated Windows clients, fix them by way of their site's servers, verify, report
## make test         everything a change has to pass: the parts below, in this order
## make lint         ruff, mypy, yamllint, ansible-lint, shellcheck, changelog, documentation, licences
## make unit         unit tests of the collection and of the laboratory
## make units        the unit tests of the plugins under ansible-test
## make integration  real playbooks, and clients that know nothing of the collection, against the laboratory
## make molecule     the scenarios in extensions/molecule
## make tarball      build the collection, try it with every supported ansible-core outside the checkout
## make sanity       ansible-test sanity; before a release also with CORE=2.16, 2.17 and 2.18
## make bench        no test: compare speed and bytes with the peers
## make clean        remove .venv and .build, which hold everything that is installed or made
#
# In strict mode (CI=true or SMS_HELPDESK_STRICT=1) a skipped test is a failed test.

# ansible-core 2.19 needs 3.11; 2.16, which the tarball is tried with as well, ends at 3.12.
PYTHON ?= python3
STAGES := lint unit units integration molecule tarball sanity

BIN := $(CURDIR)/.venv/bin
BUILD := $(CURDIR)/.build
REPORTS := $(BUILD)/reports
# The checkout as a collection, for everything that follows symbolic links; ansible-test does not and gets a copy.
COLLECTION := $(BUILD)/ansible_collections/sms/helpdesk
TREE := $(BUILD)/tree/ansible_collections/sms/helpdesk

export LC_ALL := C.UTF-8
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONPATH := $(CURDIR)/tests:$(CURDIR)/tests/support
unexport ANSIBLE_CONFIG ANSIBLE_COLLECTIONS_PATH

# Tests of one file share a fleet, so a file goes to one worker; where a group is named, the group does.
PYTEST = $(BIN)/python -m pytest --quiet --numprocesses 2 --dist $(or $(DIST),loadfile) --junitxml $(REPORTS)/$@/$@.xml
ANSIBLE_TEST = cd $(TREE) && $(BIN)/python $(CURDIR)/tests/support/run_ansible_test.py --report $(REPORTS)/$@

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup packages tree demo test bench clean $(STAGES)

help:
	@sed -n 's/^## //p' Makefile

demo: .venv/demo.stamp $(COLLECTION)
	@$(PYTHON) tests/support/debian_packages.py --only samba samba-vfs-modules smbclient
	@$(BIN)/python tests/support/demo.py

test: setup packages
	@$(BIN)/python tests/support/run_stages.py $(STAGES)

lint: setup
	@$(BIN)/python tests/support/lint.py

unit: setup
	@$(PYTEST) tests/unit

units: tree
	@$(ANSIBLE_TEST) units --color no --num-workers 2 tests/unit/plugins/

integration: setup packages
	@$(PYTEST) tests/integration

molecule: setup
	@$(BIN)/python tests/support/run_molecule.py

tarball: DIST := loadgroup
tarball: setup
	@$(PYTEST) tests/tarball

sanity: tree
	@$(ANSIBLE_TEST) $(if $(CORE),--core $(CORE)) sanity --color no --junit

bench: setup packages
	@$(BIN)/python tests/bench/run.py
	@$(BIN)/python tests/bench/growth.py
	@$(BIN)/python tests/bench/staging.py
	@$(BIN)/python tests/bench/reporting.py

# Set-up. Every step is quick when there is nothing to do.

setup: .venv/tests.stamp $(COLLECTION)

packages:
	@$(PYTHON) tests/support/debian_packages.py

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' || \
	  { echo "Python 3.11 or 3.12 is needed and '$(PYTHON)' is none: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) tests/support/debian_packages.py --venv
	@echo "Setting up .venv"
	@$(PYTHON) -m venv .venv

# The demonstration needs a fraction of what the tests need and is ready sooner.
.venv/demo.stamp: requirements.txt tests/lab/requirements.txt tests/requirements.txt | .venv/bin/python
	@$(BIN)/python -m pip install --quiet -r requirements.txt -r tests/lab/requirements.txt "$$(grep ^ansible-core tests/requirements.txt)"
	@touch $@

.venv/tests.stamp: .venv/demo.stamp
	@$(BIN)/python -m pip install --quiet -r requirements.txt -r tests/lab/requirements.txt -r tests/requirements.txt
	@touch $@

$(COLLECTION):
	@mkdir -p $(@D)
	@ln -sfn $(CURDIR) $@

tree: setup
	@$(BIN)/python tests/support/collection_tree.py $(TREE)

clean:
	rm -rf .build .venv
