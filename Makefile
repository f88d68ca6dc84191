# Each target is one step of ci; `make` alone lists them.
SWIFT_FLAGS := --disable-automatic-resolution
.DEFAULT_GOAL := help
.PHONY: help setup build test check check-long chaos fuzz sanitize bench demo docs format dist image image-push

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what the project builds and tests with (a second run does nothing)
	@ci/setup

build: setup ## Build the release program, .build/release/gadwall
	@swift build -c release --product gadwall $(SWIFT_FLAGS)

dist: setup ## Pack a release for Debian 12 and Ubuntu 22.04 and later, dist/gadwall-VERSION-linux-MACHINE.tar.gz
	@ci/dist

image: dist ## Build the container image, dist/gadwall-VERSION-image.tar, without a daemon
	@ci/image

image-push: ## Push the image, IMAGE=host/name:tag, and print the digest to name it by
	@ci/image-push "$(IMAGE)"

test: setup ## Build and run every test
	@ci/test

check: setup ## Format, warnings, declared imports, deploy/, documentation; no tests
	@ci/check

check-long: build ## What takes longer than a few minutes: large inputs, every fault at every step, an installation, fuzzing
	@ci/check-long

chaos: setup ## Power cuts at many random places (GADWALL_CHAOS_PAIRS, _ROUNDS, _SEED)
	@GADWALL_CHAOS_PAIRS=$${GADWALL_CHAOS_PAIRS:-200} GADWALL_CHAOS_ROUNDS=$${GADWALL_CHAOS_ROUNDS:-20} ci/test --filter "KillPointTests|TwoMachinesTests|TwoMachinesOnS3Tests|S3FaultTests"

fuzz: setup ## Hand every reader what libFuzzer comes up with (FUZZ_SECONDS each, default 60)
	@ci/fuzz $${FUZZ_SECONDS:-60}

sanitize: setup ## Every test under AddressSanitizer, then under ThreadSanitizer
	@ci/sanitize address && ci/sanitize thread

bench: build ## Measure side by side and print ratios (Benchmarks/); ONLY=scanner|stage|fleet|commit|growth|s3|query|bacalhau|age
	@Benchmarks/run $(ONLY)

demo: build ## A fleet on this machine, from its first log line to the proof
	@.build/release/gadwall demo

docs: setup ## Write docs/commands.md anew from the program's own help
	@swift build -q $(SWIFT_FLAGS) && .build/debug/gadwall help --markdown > docs/commands.md

format: ## Rewrite the sources in the committed format
	@swift format format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks Fuzzing
