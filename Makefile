# `make test` does everything that CI does, including its own set-up. Tools other than the Rust toolchain are kept in
# $(CACHE), outside the checkout, so that a fresh clone can reuse them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Parallel cargo builds would only wait for each other's lock.
.NOTPARALLEL:

CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tieout
CARGO_TARGET_DIR ?= $(CACHE)/target
export CARGO_TARGET_DIR
VENV := $(CACHE)/venv
# The integration tests use this Python to read reports with DuckDB, openpyxl and pyarrow.
export TIEOUT_TEST_PYTHON := $(VENV)/bin/python
NODE_READER := $(CACHE)/html-reader
# The integration tests use these modules to open report.html in Chromium.
export TIEOUT_TEST_NODE_MODULES := $(NODE_READER)/node_modules
# The FOCUS specification's own validator of focus.csv needs Python 3.12 or newer.
FOCUS_PYTHONS := python3 python3.12 python3.13 python3.14
FOCUS_PYTHON := $(firstword $(foreach python,$(FOCUS_PYTHONS),$(shell \
	$(python) -c 'import sys; sys.version_info >= (3, 12) and print("$(python)")' 2>/dev/null)))
# The integration tests start this Spark.
SPARK_VENV := $(CACHE)/spark-venv
export TIEOUT_TEST_SPARK_HOME := $(SPARK_VENV)/spark
# And these servers of S3.
S3_VENV := $(CACHE)/s3-venv
export TIEOUT_TEST_S3 := $(S3_VENV)/bin
FOCUS_VENV := $(CACHE)/focus-venv
export TIEOUT_TEST_FOCUS_PYTHON := $(FOCUS_VENV)/bin/python
# zig and cargo-zigbuild, which build what is released.
DIST_VENV := $(CACHE)/dist-venv
BENCH_VENV := $(CACHE)/bench-venv
# The benchmark runs its comparison script with this Python.
export BENCH_PYTHON := $(BENCH_VENV)/bin/python
export BENCH_NODE_MODULES := $(NODE_READER)/node_modules
# Debian installs nginx in /usr/sbin, which is often not in PATH.
export PATH := $(CACHE)/tools/bin:$(PATH):/usr/sbin

CARGO_DEB := 3.8.0
CARGO_DENY := 0.20.2
OHA := 1.16.0
MDBOOK := 0.5.4
# The time-out for fetching the advisory database, in seconds.
ADVISORIES_WAIT := 120

# $(call need,WHAT,TEST,PACKAGES): if TEST fails, installs the Debian packages as root, else says what to install.
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

# $(call venv,FOLDER,REQUIREMENTS,MODULES[,PYTHON[,OPTIONS]]): unless FOLDER has exactly REQUIREMENTS and can import
# MODULES, makes it again, with PYTHON (python3) and pip's OPTIONS (wheels only).
define venv
@cmp -s $(2) "$(1)/requirements.txt" && "$(1)/bin/python" -c "$(patsubst %,import %;,$(3))" || { \
	rm -rf "$(1)" && $(or $(4),python3) -m venv "$(1)" && \
	"$(1)/bin/pip" install --quiet --disable-pip-version-check $(or $(5),--only-binary :all:) -r $(2) && \
	cp $(2) "$(1)/requirements.txt"; }
endef

# $(call node_modules,FOLDER,SOURCES): unless FOLDER was installed from SOURCES/package-lock.json, installs it again.
define node_modules
@cmp -s $(2)/package-lock.json "$(1)/package-lock.json" && [ -d "$(1)/node_modules" ] || { \
	rm -rf "$(1)" && mkdir -p "$(1)" && cp $(2)/package.json $(2)/package-lock.json "$(1)/" && \
	npm ci --prefix "$(1)" --ignore-scripts --no-audit --no-fund --loglevel=error || { rm -rf "$(1)"; exit 1; }; }
endef

##@ Every day
.PHONY: test
test: need-cargo fmt-check lint doc deny run-tests focus-validator ## everything that CI checks: format, lints, docs, licences, advisories, all tests

.PHONY: quick
quick: need-cargo fmt-check ## format, clippy and the unit tests without Polars, for use while you write
	cargo clippy --locked --no-default-features --lib -- -D warnings
	cargo test --locked --no-default-features --lib --quiet

.PHONY: case
case: need-cargo ## the cases in tests/cases that match NAME (NAME='input-*'); shows differences
	TIEOUT_CASES='$(or $(NAME),*)' cargo test --locked --test it cases:: -- --nocapture

.PHONY: build
build: need-cargo ## the debug build
	cargo build --locked

.PHONY: fmt
fmt: ## format the Rust sources
	cargo fmt

.PHONY: lint
lint: need-protoc ## clippy on all targets, with warnings as errors; and what is built without some features
	cargo clippy --locked --all-targets --all-features -- -D warnings
	cargo check --locked --no-default-features --lib
	cargo check --locked --bins

# reconcile must exit with 1: the sandbox plants discrepancies.
.PHONY: sample
sample: need-cargo ## regenerate reports/sample and reports/sample-zh-CN from sample_data/ids.csv and the sandbox
	@for language in en zh-CN; do \
		state=$$(mktemp -d); status=0; out=reports/sample; [ $$language = en ] || out=$$out-$$language; \
		cargo run --locked -- reconcile sample_data/ids.csv --sandbox --out $$out --lang $$language \
			--format html,xlsx,focus --as-of 2026-06-01T00:00:00Z --state "$$state/state.sqlite" || status=$$?; \
		rm -rf "$$state"; [ $$status -eq 1 ] || exit 1; \
	done

.PHONY: book
book: need-mdbook ## the book, as pages to read in a browser
	mdbook build docs --dest-dir "$(CACHE)/book"
	@echo "open $(CACHE)/book/index.html"

.PHONY: pictures
pictures: need-cargo need-html-reader ## retake the pictures of report.html for docs/
	$(call need,a font with Chinese,fc-list :lang=zh-cn | grep -q .,fontconfig fonts-noto-cjk)
	cargo test --locked --test it html::pictures -- --ignored --exact

.PHONY: bench
bench: need-cargo need-nginx need-oha need-peer need-html-reader ## speed, memory, pacing and proof beside other tools, into bench/RESULTS.md (PARTS=pacing: only that part)
	bench/run.sh $(PARTS)

.PHONY: nights
nights: need-cargo ## 2,000 random nights, checked by an oracle (N=500: that many; SEED=7: repeat one sequence)
	TIEOUT_NIGHTS=$(or $(N),2000) TIEOUT_NIGHTS_SEED=$(SEED) cargo test --locked --test it simulation:: -- --nocapture

##@ To release
# The three need more than `make test` has: `dist` a release build of half an hour, `dist-again` another one, `dist-try`
# root and Debian's archive.
.PHONY: dist
dist: need-cargo need-protoc need-zigbuild need-cargo-deb need-readelf ## the program for glibc 2.17 or newer, the Debian package and their SHA-256, into dist/
	PATH="$(DIST_VENV)/bin:$(PATH)" deploy/build.sh dist

# The build keeps its own folders: a clone of the commit, and a target folder without anything built.
.PHONY: dist-again
dist-again: need-cargo need-protoc need-zigbuild need-cargo-deb need-readelf ## build the same commit again elsewhere: every byte must be as in dist/
	@folder=$$(mktemp -d -p "$(CACHE)"); trap 'rm -rf "$$folder"' EXIT; \
	git clone --quiet . "$$folder/checkout"; \
	CARGO_TARGET_DIR="$$folder/target" PATH="$(DIST_VENV)/bin:$(PATH)" "$$folder/checkout/deploy/build.sh" "$$folder/dist"; \
	cd dist && sha256sum --check "$$folder/dist/SHA256SUMS"

.PHONY: dist-try
dist-try: need-debootstrap ## as root: a bare Debian gets the package, and the container its root; both reconcile the sample, offline (SUITE=bullseye)
	deploy/try.sh dist $(SUITE)

##@ Parts of `make test`
.PHONY: fmt-check
fmt-check: ## fail if the sources are not formatted
	cargo fmt --check

.PHONY: doc
doc: need-protoc ## the library's documentation, with warnings as errors
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --all-features

.PHONY: deny
deny: need-cargo-deny ## licences, banned crates, sources; advisories if their database can be fetched
	cargo deny --locked check --hide-inclusion-graph licenses bans sources
	@if reason=$$(timeout $(ADVISORIES_WAIT) cargo deny --locked fetch db 2>&1); then \
		cargo deny --locked --offline check advisories; \
	else \
		status=$$?; [ $$status -ne 124 ] || reason="no answer within $(ADVISORIES_WAIT) s"; \
		echo "advisories SKIPPED, their database could not be fetched: $$(grep -v '^ *$$' <<<"$$reason" | tail -n 1)"; \
	fi

.PHONY: run-tests
run-tests: need-nginx need-strace need-systemd-analyze need-cron need-libreoffice need-readers need-html-reader need-protoc need-spark need-s3 need-promtool ## all tests, including those with nginx, strace, systemd, cron, DuckDB, openpyxl, pyarrow, LibreOffice, Chromium, Spark, S3 and promtool
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; status=0; \
	cargo test --locked --all-features --no-fail-fast 2>&1 | tee "$$log" || status=$$?; \
	awk '/^test result: / { passed += $$4; failed += $$6; ignored += $$8 } \
		END { printf "%d passed, %d failed, %d ignored\n", passed, failed, ignored }' "$$log"; \
	exit $$status

.PHONY: focus-validator
focus-validator: need-cargo ## check focus.csv with the specification's own validator, if there is a Python for it
ifeq ($(FOCUS_PYTHON),)
	@echo "focus.csv NOT CHECKED by the specification's own validator: install Python 3.12 or newer and run make again"
else
	$(call venv,$(FOCUS_VENV),tests/readers/focus/requirements.txt,focus_validator,$(FOCUS_PYTHON),--no-deps)
	cargo test --locked --all-features --test it focus::the_validator -- --ignored
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

.PHONY: need-cargo-deb
need-cargo-deb: need-cargo
	@[ "$$(cargo-deb --version 2>/dev/null)" = "cargo-deb $(CARGO_DEB)" ] || \
		env -u CARGO_TARGET_DIR cargo install --locked --version $(CARGO_DEB) --root "$(CACHE)/tools" cargo-deb

.PHONY: need-zigbuild
need-zigbuild: need-python
	$(call venv,$(DIST_VENV),deploy/requirements.txt,ziglang)

.PHONY: need-readelf
need-readelf:
	$(call need,readelf,command -v readelf,binutils)

.PHONY: need-debootstrap
need-debootstrap:
	$(call need,debootstrap and ip,command -v debootstrap && command -v ip,debootstrap iproute2)

.PHONY: need-nginx
need-nginx:
	$(call need,nginx,command -v nginx,nginx)

.PHONY: need-strace
need-strace:
	$(call need,strace,command -v strace,strace)

.PHONY: need-systemd-analyze
need-systemd-analyze:
	$(call need,systemd-analyze,command -v systemd-analyze,systemd)

.PHONY: need-cron
need-cron:
	$(call need,cron,command -v cron,cron)

.PHONY: need-libreoffice
need-libreoffice:
	$(call need,LibreOffice Calc,command -v soffice,libreoffice-calc-nogui)

.PHONY: need-mdbook
need-mdbook: need-cargo
	@[ "$$(mdbook --version 2>/dev/null)" = "mdbook v$(MDBOOK)" ] || \
		env -u CARGO_TARGET_DIR cargo install --locked --version $(MDBOOK) --root "$(CACHE)/tools" \
			--no-default-features --features search mdbook

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

.PHONY: need-protoc
need-protoc:
	$(call need,protoc,command -v protoc,protobuf-compiler)

# Spark comes with Python: its folder is that of the package.
.PHONY: need-spark
need-spark: need-python
	$(call need,Java,java -version,default-jre-headless)
	$(call venv,$(SPARK_VENV),tests/readers/spark/requirements.txt,pyspark,,--prefer-binary)
	@ln -sfn "$$("$(SPARK_VENV)/bin/python" -c 'import os, pyspark; print(os.path.dirname(pyspark.__file__))')" $(SPARK_VENV)/spark

.PHONY: need-s3
need-s3: need-python
	$(call venv,$(S3_VENV),tests/readers/s3/requirements.txt,moto)

# Taken out of Debian's package instead of installed with it, which would start a Prometheus.
.PHONY: need-promtool
need-promtool:
	@command -v promtool >/dev/null || { \
		folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; cd "$$folder"; \
		{ [ "$$(id -u)" != 0 ] || apt-get -qq -o Acquire::Retries=3 update; } && apt-get -qq download prometheus && \
		dpkg-deb -x prometheus_*.deb . && mkdir -p "$(CACHE)/tools/bin" && cp usr/bin/promtool "$(CACHE)/tools/bin/" || \
		{ echo "promtool is missing; install it (it comes with Prometheus) and run make again" >&2; exit 1; }; }

.PHONY: need-python
need-python:
	$(call need,Python 3 with venv,python3 -c "import ensurepip",python3 python3-venv)

##@ Help
.PHONY: help
help: ## show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
