# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
#   make demo     start a fleet of simulated Windows clients on loopback, run `detect` against it, show the outcome
#   make test     every test; make help lists the parts
#   make bench    compare speed and bytes with the peers
#
# Everything that is installed or made lies in .venv and .build; "make clean" removes both.

# ansible-core 2.19 needs 3.11; 2.16, which the tarball is tried with as well, ends at 3.12.
PYTHON ?= python3

BIN := .venv/bin
BUILD := .build
# The checkout as a collection, for everything that follows symbolic links; ansible-test does not and gets a copy.
COLLECTION := $(BUILD)/ansible_collections/sms/helpdesk
TREE := $(BUILD)/tree/ansible_collections/sms/helpdesk

export LC_ALL := C.UTF-8
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONPATH := tests:tests/support
unexport ANSIBLE_CONFIG ANSIBLE_COLLECTIONS_PATH

.DELETE_ON_ERROR:
.PHONY: help demo test bench clean setup

help:
	@sed -n 's/^#   //p; s/^## //p' Makefile

demo: .venv/demo.stamp $(COLLECTION)
	@$(BIN)/python tests/support/demo.py

setup: .venv/tests.stamp $(COLLECTION)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' || \
	  { echo "Python 3.11 or 3.12 is needed and '$(PYTHON)' is none: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "as root: apt-get install --no-install-recommends python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv

# The demonstration needs a fraction of what the tests need and is ready sooner.
.venv/demo.stamp: requirements.txt tests/lab/requirements.txt tests/requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -r requirements.txt -r tests/lab/requirements.txt "$$(grep ^ansible-core tests/requirements.txt)"
	@touch $@

.venv/tests.stamp: .venv/demo.stamp
	$(BIN)/python -m pip install --quiet -r requirements.txt -r tests/lab/requirements.txt -r tests/requirements.txt
	@touch $@

$(COLLECTION):
	@mkdir -p $(dir $@)
	@ln -sfn $(CURDIR) $@

clean:
	rm -rf $(BUILD) .venv
