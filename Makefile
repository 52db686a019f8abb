# Both `make demo` and `make test` do all their set-up on a machine with Rust (rustup), Python 3 and a C linker.
.PHONY: help setup demo demo-ecs test bench bench-control-plane lint clean

CARGO ?= cargo
# What is pinned is pinned here, or in files of the tool: Cargo.lock, runtime/control-plane/tests/clients, and
# runtime/discovery/fake/pins.txt.
ENVOY_VERSION := 1.40.0
OLDEST_ENVOY_VERSION := 1.36.4
NODE_VERSION := 22.20.0
VENV := target/venv
export ENVOY_VERSION OLDEST_ENVOY_VERSION NODE_VERSION VENV

help: ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: ## install what is missing: wasm targets, Envoy and Node in target/venv, moto in target/venv-aws, xDS clients in target/clients
	@.ci/setup
	@.ci/aws
	@.ci/clients

demo: ## compile bent-playground, run it on real Envoys, send requests, print what each met
	@.ci/setup
	@echo "demo: building meshwright and its filters"
	@$(CARGO) run --locked --quiet -p meshwright --example demo

demo-ecs: ## serve what runs on a fake ECS: scale, replace, stop and break tasks under load, print what was lost
	@.ci/setup
	@.ci/aws
	@echo "demo-ecs: building meshwright and its filters"
	@$(CARGO) build --locked --quiet -p meshwright --bin meshwright --example demo_ecs
	@$${CARGO_TARGET_DIR:-target}/debug/examples/demo_ecs

test: setup ## every test, with real Envoys
	@.ci/test

bench: setup ## what compiling and filtering cost
	@.ci/bench

bench-control-plane: setup ## what changes, crashes and attacks on the control plane cost (15 min; ARGS="a1 a2 --quick")
	@$(CARGO) build --locked --quiet --release -p meshwright -p meshwright-trials
	@$(CARGO) build --locked --quiet --release -p meshwright-control-plane --example many_streams
	@$(CARGO) run --locked --quiet --release -p meshwright-trials -- $(ARGS)

lint: setup ## formatting and clippy, warnings refused
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

clean: ## forget everything that was built
	$(CARGO) clean
