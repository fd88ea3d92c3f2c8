# `make test` does everything CI does, and its own set-up. What it needs beyond a Rust toolchain is kept in
# $(CACHE), outside the checkout, so that a fresh clone finds it ready.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Two cargo builds at once would only wait for each other's lock.
.NOTPARALLEL:

CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tieout
CARGO_TARGET_DIR ?= $(CACHE)/target
export CARGO_TARGET_DIR
VENV := $(CACHE)/venv
# The outer tests read reports with DuckDB, openpyxl and pyarrow through this Python.
export TIEOUT_TEST_PYTHON := $(VENV)/bin/python
NODE_READER := $(CACHE)/html-reader
# They open report.html in Chromium with what stands here.
export TIEOUT_TEST_NODE_MODULES := $(NODE_READER)/node_modules
# The specification of focus.csv has a validator of its own, which needs Python 3.12 or newer.
FOCUS_PYTHONS := python3 python3.12 python3.13 python3.14
FOCUS_PYTHON := $(firstword $(foreach python,$(FOCUS_PYTHONS),$(shell \
	$(python) -c 'import sys; sys.version_info >= (3, 12) and print("$(python)")' 2>/dev/null)))
FOCUS_VENV := $(CACHE)/focus-venv
export TIEOUT_TEST_FOCUS_PYTHON := $(FOCUS_VENV)/bin/python
BENCH_VENV := $(CACHE)/bench-venv
# The script that the benchmark compares with runs on this one.
export BENCH_PYTHON := $(BENCH_VENV)/bin/python
export BENCH_NODE_MODULES := $(NODE_READER)/node_modules
# Debian keeps nginx in /usr/sbin, which is not in everybody's PATH.
export PATH := $(CACHE)/tools/bin:$(PATH):/usr/sbin

CARGO_DENY := 0.20.2
OHA := 1.16.0
# Seconds the advisory database may take to fetch.
ADVISORIES_WAIT := 120

# $(call need,WHAT,TEST,PACKAGES): unless TEST holds, installs the Debian packages, or says what to install.
define need
@if ! { $(2); } >/dev/null 2>&1; then \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get -qq -o Acquire::Retries=3 update && \
		DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 -y install --no-install-recommends $(3); \
	else \
		echo "$(1) is missing; install it (Debian: apt-get install $(3)) and run make again" >&2; exit 1; \
	fi; \
fi
endef

# $(call venv,FOLDER,REQUIREMENTS,MODULES,PYTHON,HOW): unless FOLDER holds them and MODULES can be imported, makes it anew,
# by python3 from wheels if nothing else is said.
define venv
@cmp -s $(2) "$(1)/requirements.txt" && "$(1)/bin/python" -c "$(patsubst %,import %;,$(3))" || { \
	rm -rf "$(1)" && $(or $(4),python3) -m venv "$(1)" && \
	"$(1)/bin/pip" install --quiet --disable-pip-version-check $(or $(5),--only-binary :all:) -r $(2) && \
	cp $(2) "$(1)/requirements.txt"; }
endef

# $(call node_modules,FOLDER,SOURCES): unless FOLDER holds what SOURCES/package-lock.json names, installs it anew.
define node_modules
@cmp -s $(2)/package-lock.json "$(1)/package-lock.json" && [ -d "$(1)/node_modules" ] || { \
	rm -rf "$(1)" && mkdir -p "$(1)" && cp $(2)/package.json $(2)/package-lock.json "$(1)/" && \
	npm ci --prefix "$(1)" --ignore-scripts --no-audit --no-fund --loglevel=error || { rm -rf "$(1)"; exit 1; }; }
endef

##@ Every day
.PHONY: test
test: need-cargo fmt-check lint doc deny run-tests focus-validator ## everything CI checks: format, lints, docs, licences, advisories, all tests

.PHONY: quick
quick: need-cargo fmt-check ## format, clippy and the unit tests that need no Polars: while you write
	cargo clippy --locked --no-default-features --lib -- -D warnings
	cargo test --locked --no-default-features --lib --quiet

.PHONY: case
case: need-cargo ## some of tests/cases by name (NAME='input-*'), with what is otherwise
	TIEOUT_CASES='$(or $(NAME),*)' cargo test --locked --test it cases:: -- --nocapture

.PHONY: build
build: need-cargo ## the debug build
	cargo build --locked

.PHONY: fmt
fmt: ## formats the Rust sources
	cargo fmt

.PHONY: lint
lint: ## clippy over all targets, warnings are errors; and the library without Polars
	cargo clippy --locked --all-targets --all-features -- -D warnings
	cargo check --locked --no-default-features --lib

# Exit code 1: the sandbox plants discrepancies.
.PHONY: sample
sample: need-cargo ## makes reports/sample and reports/sample-zh-CN anew, from sample_data/ids.csv against the sandbox
	@for language in en zh-CN; do \
		state=$$(mktemp -d); status=0; out=reports/sample; [ $$language = en ] || out=$$out-$$language; \
		cargo run --locked -- reconcile sample_data/ids.csv --sandbox --out $$out --lang $$language \
			--format html,xlsx,focus --as-of 2026-06-01T00:00:00Z --state "$$state/state.sqlite" || status=$$?; \
		rm -rf "$$state"; [ $$status -eq 1 ] || exit 1; \
	done

.PHONY: pictures
pictures: need-cargo need-html-reader ## takes the pictures of report.html for docs/ anew
	$(call need,a font with Chinese,fc-list :lang=zh-cn | grep -q .,fontconfig fonts-noto-cjk)
	cargo test --locked --test it html::pictures -- --ignored --exact

.PHONY: bench
bench: need-cargo need-nginx need-oha need-peer need-html-reader ## pacing, speed beside oha and a Python script, commits, memory, resume, proof, reports (PARTS=pacing: one of them)
	bench/run.sh $(PARTS)

.PHONY: nights
nights: need-cargo ## 2,000 random nights against a provider whose truth is known (N=500: so many; SEED=7: one sequence again)
	TIEOUT_NIGHTS=$(or $(N),2000) TIEOUT_NIGHTS_SEED=$(SEED) cargo test --locked --test it simulation:: -- --nocapture

##@ Parts of `make test`
.PHONY: fmt-check
fmt-check: ## fails if the sources are not formatted
	cargo fmt --check

.PHONY: doc
doc: ## the library's documentation, warnings are errors
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps

.PHONY: deny
deny: need-cargo-deny ## licences, banned crates, sources; advisories where their database can be had
	cargo deny --locked check --hide-inclusion-graph licenses bans sources
	@if reason=$$(timeout $(ADVISORIES_WAIT) cargo deny --locked fetch db 2>&1); then \
		cargo deny --locked --offline check advisories; \
	else \
		status=$$?; [ $$status -ne 124 ] || reason="no answer within $(ADVISORIES_WAIT) s"; \
		echo "advisories SKIPPED, their database could not be fetched: $$(grep -v '^ *$$' <<<"$$reason" | tail -n 1)"; \
	fi

.PHONY: run-tests
run-tests: need-nginx need-libreoffice need-readers need-html-reader ## all tests, the outer ones (nginx, DuckDB, openpyxl, pyarrow, LibreOffice, Chromium) included
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; status=0; \
	cargo test --locked --no-fail-fast 2>&1 | tee "$$log" || status=$$?; \
	awk '/^test result: / { passed += $$4; failed += $$6; ignored += $$8 } \
		END { printf "%d passed, %d failed, %d ignored\n", passed, failed, ignored }' "$$log"; \
	exit $$status

.PHONY: focus-validator
focus-validator: need-cargo ## reads focus.csv with the specification's own validator, where there is a Python for it
ifeq ($(FOCUS_PYTHON),)
	@echo "focus.csv NOT READ by the specification's own validator: install Python 3.12 or newer and run make again"
else
	$(call venv,$(FOCUS_VENV),tests/readers/focus/requirements.txt,focus_validator,$(FOCUS_PYTHON),--no-deps)
	cargo test --locked --test it focus::the_validator -- --ignored
endif

##@ Set-up
.PHONY: need-cargo
need-cargo:
	@command -v cargo >/dev/null || { echo "cargo is missing; install Rust from https://rustup.rs and run make again" >&2; exit 1; }
	$(call need,a C compiler,command -v cc,gcc libc6-dev)

.PHONY: need-cargo-deny
need-cargo-deny: need-cargo
	@[ "$$(cargo-deny --version 2>/dev/null)" = "cargo-deny $(CARGO_DENY)" ] || \
		env -u CARGO_TARGET_DIR cargo install --locked --version $(CARGO_DENY) --root "$(CACHE)/tools" cargo-deny

.PHONY: need-nginx
need-nginx:
	$(call need,nginx,command -v nginx,nginx)

.PHONY: need-libreoffice
need-libreoffice:
	$(call need,LibreOffice Calc,command -v soffice,libreoffice-calc-nogui)

.PHONY: need-oha
need-oha: need-cargo
	@[ "$$(oha --version 2>/dev/null)" = "oha $(OHA)" ] || \
		env -u CARGO_TARGET_DIR cargo install --locked --version $(OHA) --root "$(CACHE)/tools" \
			--no-default-features --features rustls oha

.PHONY: need-readers
need-readers: need-python
	$(call venv,$(VENV),tests/readers/requirements.txt,duckdb jsonschema openpyxl pyarrow)

.PHONY: need-html-reader
need-html-reader: need-chromium need-node
	$(call node_modules,$(NODE_READER),tests/readers/html)

.PHONY: need-chromium
need-chromium:
	$(call need,Chromium,command -v chromium chromium-browser google-chrome,chromium)

.PHONY: need-node
need-node:
	$(call need,Node.js with npm,command -v node && command -v npm,nodejs npm)

.PHONY: need-peer
need-peer: need-python
	$(call venv,$(BENCH_VENV),bench/requirements.txt,aiohttp polars uvloop)

.PHONY: need-python
need-python:
	$(call need,Python 3 with venv,python3 -c "import ensurepip",python3 python3-venv)

##@ Help
.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
