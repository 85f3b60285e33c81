# What CI runs and what people type. `make` shows the targets.

# An architecture as Kubernetes calls it: amd64, arm64 or arm (v7).
ARCH         := amd64
TARGET_amd64 := x86_64-unknown-linux-musl
TARGET_arm64 := aarch64-unknown-linux-musl
TARGET_arm   := armv7-unknown-linux-gnueabihf

TARGET := $(TARGET_$(ARCH))
# What is shipped, and what the suites run on.
SHIPPED := $(CURDIR)/target/dist-build
RELEASE := $(SHIPPED)/$(TARGET)/release/antrea-cni
CTL     := $(SHIPPED)/$(TARGET)/release/antrea-cnictl

.PHONY: help
help: ## Show the targets
	@grep -hE "^[a-z0-9-]+:.*##" $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

.PHONY: check
check: ## Formatting, lints, documentation, no imports in a circle, and a current fuzz/Cargo.lock
	cargo fmt --all --check
	@cargo metadata --manifest-path fuzz/Cargo.toml --locked --format-version 1 >/dev/null
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items
	cargo test --quiet --test structure

.PHONY: check-macos
check-macos: export CC_aarch64_apple_darwin = true
check-macos: export AR_aarch64_apple_darwin = true
check-macos: ## Lints of kubectl's plugin for macOS, where only a release builds it (no C compiler for it is needed)
	cargo clippy --target-dir target/macos --target aarch64-apple-darwin -p kubectl-antrea-cni -- -D warnings

DEPENDENCIES := cargo tree --locked -p antrea-cni -e normal --target $(TARGET) --prefix none --format '{p} {f}' | sed 's/ ([^)]*)//g' | LC_ALL=C sort -u

.PHONY: supply-chain
supply-chain: ## Licences, duplicates and sources of what is linked; the list of the plugin's dependencies
	command -v cargo-deny >/dev/null || cargo install --locked cargo-deny@0.20.2
	cargo deny check bans licenses sources
	cargo deny --manifest-path ctl/Cargo.toml check licenses sources
	cargo deny --manifest-path kubectl/Cargo.toml --config kubectl/deny.toml check licenses sources
	@if cargo deny fetch db >/dev/null 2>&1; then cargo deny check advisories; else \
	  echo '*** skipped: the database of advisories cannot be had here ***' >&2; fi
	@$(DEPENDENCIES) | diff -u docs/contributing/dependencies.txt - || { \
	  echo 'The dependencies of the plugin changed. Review them, then: make dependencies' >&2; exit 1; }

.PHONY: dependencies
dependencies: ## Write docs/contributing/dependencies.txt, after a review
	$(DEPENDENCIES) >docs/contributing/dependencies.txt

.PHONY: minimal-versions
minimal-versions: ## All packages with the lowest versions of what Cargo.toml names, by the oldest Rust (rust-version)
	bash dist/minimal-versions.sh

.PHONY: dist
dist: ## Release archives, Debian and RPM packages, with SBOMs, licences and SHA256SUMS, as target/dist
	ALL='$(ALL)' bash dist/build.sh target/dist

.PHONY: kubectl-plugin
kubectl-plugin: ## kubectl's plugin for desks, as target/kubectl (PLATFORMS: linux-amd64), and its krew manifest for SOURCE
	bash dist/kubectl.sh target/kubectl $(or $(PLATFORMS),linux-amd64)
	bash dist/krew.sh target/kubectl $(or $(SOURCE),https://example.org/antrea-cni)

.PHONY: release-notes
release-notes: ## What the CHANGELOG says of this version
	@bash dist/release-notes.sh

.PHONY: check-tag
check-tag: ## Whether TAG is the one for this version
	@test '$(TAG)' = "v$$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)" || { echo 'the tag $(TAG) is not the version of Cargo.toml' >&2; exit 1; }
	@bash dist/release-notes.sh >/dev/null

.PHONY: test-dist
test-dist: ## The archives once more, in another folder: the same bytes
	bash dist/check.sh

.PHONY: fuzz
fuzz: ## Each fuzz target for SECONDS (60); needs a nightly toolchain
	bash fuzz/run.sh $(or $(SECONDS),60)

.PHONY: fuzz-build
fuzz-build: ## The fuzz targets
	bash fuzz/run.sh 0

.PHONY: test
test: ## The suite on the debug build
	cargo test

# Static, so that they run in a container as well.
TEST_PROGRAMS := $(CURDIR)/target/$(TARGET)/test-programs

.PHONY: test-programs
test-programs: ## The reference agent, and a plugin of one API as older releases had it
	cargo build --profile test-programs --target $(TARGET) -p antrea-cni-agent -p antrea-cni --bin antrea-cni-agent --example one_api_plugin

.PHONY: release
release: ## The static plugin that the archives hold, for ARCH, in target/dist-build
	bash dist/programs.sh $(ARCH) plugin

.PHONY: ctl
ctl: ## antrea-cnictl with the plugin in it, and the plugin, for ARCH
	bash dist/programs.sh $(ARCH)

.PHONY: release-windows
release-windows: ## Plugin and tool for Windows (amd64); needs mingw-w64
	bash dist/programs.sh windows

.PHONY: image
image: dist ## An image of both programs for amd64, arm64 and arm/v7 as target/image/antrea-cni.tar (buildah, no daemon)
	bash deploy/image.sh target/image

HELM := $(CURDIR)/target/deploy/helm

.PHONY: chart
chart: ## The Helm chart as target/dist/antrea-cni-VERSION.tgz; needs Go
	mkdir -p target/deploy target/dist
	cd tests/deploy && CGO_ENABLED=0 go build -o $(HELM) helm.sh/helm/v3/cmd/helm
	$(HELM) package --destination target/dist deploy/helm

.PHONY: chart-readme
chart-readme: ## deploy/helm/README.md, from the comments in values.yaml; needs Go
	cd tests/deploy && go run github.com/norwoodj/helm-docs/cmd/helm-docs --chart-search-root ../../deploy/helm --log-level error

REGISTRY :=

.PHONY: publish
publish: ## Push what `make image chart` built to REGISTRY
	bash deploy/publish.sh '$(REGISTRY)'

.PHONY: sign
sign: ## Sign what `make dist chart publish` built and pushed (cosign)
	bash deploy/sign.sh

.PHONY: test-deploy
test-deploy: image ## Manifests and image: rendered, validated, and run on a folder; needs root, Go and Debian
	bash tests/deploy/run.sh

.PHONY: bench
bench: release ## What a call costs, into docs/contributing/performance.md; needs gcc and Go
	cargo bench --bench invocation -- --write

.PHONY: perf
perf: ## Where the time of a call goes; needs perf, gcc, Go and Python
	bash benches/perf.sh

.PHONY: test-release
# The client on a simulated node is the same code again, which `make test` explored.
test-release: export EXHAUSTIVE_EVENTS = 1
test-release: export EXHAUSTIVE_SECONDS = 1
test-release: export MATRIX = whole
test-release: $(if $(BUILT),,ctl) ## The same suite on the static plugin, and what needs root (BUILT=1: as it is built)
	@size=$$(stat -c %s $(RELEASE)); echo "release binary: $$size bytes"; test $$size -le 960000
	@! ldd $(RELEASE) 2>/dev/null | grep -q '=>' || { echo '$(RELEASE) is not static' >&2; exit 1; }
	@if [ "$$(id -u)" = 0 ] && command -v python3 >/dev/null; then \
	  ANTREA_CNI_PLUGIN=$(RELEASE) ANTREA_CNICTL=$(CTL) cargo test -- --include-ignored; \
	else \
	  echo '*** skipped: tests that need root and python3 ***' >&2; \
	  ANTREA_CNI_PLUGIN=$(RELEASE) ANTREA_CNICTL=$(CTL) cargo test; \
	fi

.PHONY: test-arch
test-arch: ## The suite on the programs of ARCH=arm64 or arm, under qemu-user
	$(MAKE) --no-print-directory $(if $(filter arm64,$(ARCH)),ctl,release)
	$(MAKE) --no-print-directory release ARCH=amd64
	bash tests/arch.sh $(ARCH) $(RELEASE) $(CTL) $(SHIPPED)/$(TARGET_amd64)/release/antrea-cni

.PHONY: test-windows
test-windows: ## Lints and the suites on plugin and tool for Windows, under wine
	bash tests/wine.sh

.PHONY: quickstart
quickstart: ## The plugin against an agent of each generation
	cargo run --example quickstart

E2E       := target/e2e
SCENARIOS :=

.PHONY: e2e
e2e: ctl test-programs ## Real containerd and podman with a real network; needs root and Debian
	bash tests/e2e/setup.sh $(E2E)
	mkdir -p $(E2E)/bin && cp $(TEST_PROGRAMS)/antrea-cni-agent $(E2E)/bin/agent && cp $(CTL) $(E2E)/bin/
	cp $(TEST_PROGRAMS)/examples/one_api_plugin $(E2E)/bin/one-api
	! command -v go >/dev/null || (cd tests/interop/go && CGO_ENABLED=0 go build -o $(CURDIR)/$(E2E)/bin/cnitool github.com/containernetworking/cni/cnitool)
	$(E2E)/venv/bin/python tests/e2e/run.py $(E2E) $(RELEASE) $(SCENARIOS)

.PHONY: e2e-without
e2e-without: release ## What the recovery of an ADD and the translation are good for
	RUSTFLAGS='--cfg without_recovery' cargo build --release -p antrea-cni --bin antrea-cni --target $(TARGET) --target-dir target/without_recovery
	RUSTFLAGS='--cfg without_translation' cargo build --release -p antrea-cni --bin antrea-cni --target $(TARGET) --target-dir target/without_translation
	! $(E2E)/venv/bin/python tests/e2e/run.py $(E2E) target/without_recovery/$(TARGET)/release/antrea-cni sixty
	! $(E2E)/venv/bin/python tests/e2e/run.py $(E2E) target/without_translation/$(TARGET)/release/antrea-cni translation translation-2 cnitool

.PHONY: rolling-upgrade
rolling-upgrade: release ## More than 10,000 calls while the agent is replaced more than 100 times (PODS, AGENTS)
	ANTREA_CNI_PLUGIN=$(RELEASE) cargo run --profile test-programs --example rolling_upgrade -- \
	  --pods $(or $(PODS),3500) --agents $(or $(AGENTS),105) --seed 1 --no-compare

# The folder of the cluster, the version of Kubernetes and the number of nodes: CLUSTER, KUBERNETES, NODES (tests/cluster/env.sh).
IN_CLUSTER := bash tests/cluster/cluster.sh

.PHONY: for-cluster
for-cluster:
	@bash tests/cluster/lacks.sh >/dev/null || exit 0; $(MAKE) --no-print-directory ctl test-programs && \
	  bash dist/kubectl.sh target/kubectl linux-amd64 && \
	  mkdir -p target/deploy && cd tests/deploy && CGO_ENABLED=0 go build -o $(HELM) helm.sh/helm/v3/cmd/helm

.PHONY: cluster
cluster: for-cluster ## A real cluster, SCENARIOS in it, and nothing left; needs root, Go and Debian; its first build takes minutes
	$(IN_CLUSTER) run $(SCENARIOS)

.PHONY: cluster-build
cluster-build: ## What a cluster needs of others: the control plane and the nodes' files
	@$(IN_CLUSTER) build

.PHONY: cluster-up
cluster-up: for-cluster ## The same cluster, for a person: prints how to reach it
	@$(IN_CLUSTER) up

.PHONY: cluster-down
cluster-down: ## Ends it
	@$(IN_CLUSTER) down

.PHONY: rehearsal
rehearsal: ## An API version, a setting, a command, a subcommand and a log key, in copies of the tree: what each touches, and that all stays green
	bash tests/rehearsal/run.sh

.PHONY: exhaustive
exhaustive: ## Every schedule of up to EVENTS (4) faults, and random walks for WALK (600) seconds
	EXHAUSTIVE_EVENTS=$(or $(EVENTS),4) EXHAUSTIVE_SECONDS=$(or $(WALK),600) cargo test --profile test-programs --test exhaustive -- --nocapture

# The APIs, the client, gRPC and the outcome, or what MUTANTS names.
MUTANTS := src/api.rs src/api/** src/client.rs src/client/** src/grpc/** src/outcome.rs src/run.rs src/backoff.rs src/moment.rs src/platform/**
# Tests that wait for a deadline.
WAITING := properties::any_input rolling:: deadline::every_command deadline::a_del_that busy:: conf_dir:: error_page:: captures go_answers
MUTATE  := EXHAUSTIVE_EVENTS=2 EXHAUSTIVE_SECONDS=1 cargo mutants --output target
FILES    = $(foreach file,$(MUTANTS),--file '$(file)')
FAST    := -C=--lib -C=--test=exhaustive -C=--test=it

.PHONY: cargo-mutants
cargo-mutants:
	@command -v cargo-mutants >/dev/null || cargo install --locked cargo-mutants@27.1.0

.PHONY: mutants
mutants: cargo-mutants ## Mutation testing of MUTANTS by the fast part of the suite, a quarter of a minute each
	$(MUTATE) --jobs 2 --iterate --timeout 45 $(FILES) $(FAST) -- -- $(foreach test,$(WAITING),--skip $(test))

# These tests wait more than they work.
SLOWLY  := $(MUTATE) --jobs 6 --iterate --timeout 120

.PHONY: mutants-slow
mutants-slow: cargo-mutants ## What survived, by hostile agents and by tests that need root; needs root
	-$(SLOWLY) --file 'src/grpc/**' -C=--lib -C=--test=hostile
	-$(SLOWLY) $(FILES) -C=--lib -C=--test=it -- -- --include-ignored tests recovery:: status:: socket:: transport:: translation:: deadline::del_of deadline::an_agent deadline::a_socket
	cat target/mutants.out/missed.txt

BASE := HEAD^

.PHONY: mutants-changed
# 3 is a mutant that never ends, which is one that was caught.
mutants-changed: cargo-mutants ## Mutation testing of what changed since BASE (HEAD^), for five minutes at most
	mkdir -p target && git diff '$(BASE)' -- src >target/changed.diff
	timeout 300 env $(MUTATE) --jobs 2 --timeout 45 --in-diff target/changed.diff $(FAST) -- -- $(foreach test,$(WAITING),--skip $(test)) \
	  || case $$? in \
	    3) ! grep . target/mutants.out/missed.txt;; \
	    124) echo '*** five minutes are over: the other mutants were not run ***' >&2; ! grep . target/mutants.out/missed.txt;; \
	    *) exit 1;; \
	  esac
