# Everything one does here, by name. `make help` lists it.
# What a target needs beyond Go it brings itself; nothing is installed outside this folder and Go's own caches.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c

GOLANGCI_LINT_VERSION := v2.15.0

# The version a binary tells: the tag and commit it was built from, or "dev" outside a git checkout.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/grapnelhq/grapnel/internal/cli.version=$(VERSION)

# The race detector is C. Without a C compiler the tests run without it, and say so.
CC_FOUND := $(shell command -v "$$(go env CC)" 2>/dev/null)
RACE     := $(if $(CC_FOUND),-race)

FUZZTIME ?= 10s
ROUNDS   ?= 50
SEEDS    ?= 2000
FIRST    ?= 1

export CGO_ENABLED := 0

.PHONY: help check format vet lint generated tidy test postgresql pgbouncer test-crash test-fault test-pgbouncer web web-check test-browser fuzz sim sim-mutants bench build dev

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: ## run the server with the defaults of a laptop
	go run ./cmd/grapnel dev

build: ## build the static binary bin/grapnel
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/grapnel ./cmd/grapnel

check: format vet lint generated tidy ## everything that finds faults without running the code

format:
	@echo 'check: gofmt'
	@bad=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); \
	if [ -n "$$bad" ]; then echo "not formatted (gofmt -w):"; echo "$$bad"; exit 1; fi

vet:
	@echo 'check: go vet'
	@go vet ./...
	@go vet -tags crash,fault ./test/...
	@go vet -tags pgbouncer ./internal/store/postgres
	@go vet -tags noui ./internal/dash ./cmd/grapnel

lint: bin/golangci-lint-$(GOLANGCI_LINT_VERSION)
	@echo 'check: golangci-lint'
	@$< run ./...

bin/golangci-lint-$(GOLANGCI_LINT_VERSION):
	@echo 'check: building golangci-lint $(GOLANGCI_LINT_VERSION), once'
	@GOBIN='$(CURDIR)/bin' go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@mv bin/golangci-lint $@

# Generated files are committed; making them again must change nothing. What was changed before does not count.
generated:
	@echo 'check: generated files'
	@before=$$(git status --porcelain; git diff); \
	go generate ./...; \
	if [ "$$before" != "$$(git status --porcelain; git diff)" ]; then \
		git status --short; echo 'go generate changed these files: commit what it makes'; exit 1; \
	fi

tidy:
	@echo 'check: go.mod'
	@go mod tidy -diff

test: postgresql ## run all tests, with the race detector
	$(if $(RACE),,@echo 'no C compiler found: the tests run without the race detector')
	@echo 'test: the cost of a claim with 1,000,000 deliveries due, which the race detector would make too slow'
	go test -count 1 -run 'TestStoreConforms/work' ./internal/store/sqlite
	@echo 'test: a build without the pages'
	go test -count 1 -tags noui ./internal/dash
	@echo 'test: the store on PostgreSQL; with the race detector only what runs side by side, for the whole would take too long'
	go test -timeout 15m ./internal/store/postgres
	CGO_ENABLED=$(if $(RACE),1,0) go test $(RACE) -timeout 15m -run 'TestStoreConforms/(concurrency|many_nodes|claim|settle)' ./internal/store/postgres
	CGO_ENABLED=$(if $(RACE),1,0) go test $(RACE) -timeout 15m $$(go list ./... | grep -v internal/store/postgres$$)

# The tests start a server of their own from what the machine has.
postgresql:
	@if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo 'installing PostgreSQL'; apt-get update -qq; apt-get install -y -qq postgresql >/dev/null; \
		else \
			echo 'the tests need PostgreSQL (initdb and postgres): install it and try again' >&2; exit 1; \
		fi; \
	fi

test-crash: ## kill the real server under load and count what it lost (ROUNDS=50)
	ROUNDS=$(ROUNDS) go test -tags crash -timeout 60m -count 1 -v ./test/crash/...

# SHORT=-short makes each fault small, for CI.
test-fault: postgresql ## take database, network, time, disk and processes from running nodes and count what was lost (ROUNDS=50)
	ROUNDS=$(ROUNDS) go test -tags fault -timeout 60m -count 1 -v $(SHORT) ./test/fault
	ROUNDS=$$((2*$(ROUNDS))) go test -tags crash -timeout 60m -count 1 -v -run TestKillAtAnyMoment ./test/crash

test-pgbouncer: postgresql pgbouncer ## run the suite of stores on PostgreSQL behind PgBouncer in transaction mode
	go test -tags pgbouncer -timeout 30m -count 1 -run 'PgBouncer' ./internal/store/postgres

pgbouncer:
	@if ! PATH="$$PATH:/usr/sbin" command -v pgbouncer >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo 'test-pgbouncer: installing PgBouncer'; apt-get update -qq; apt-get install -y -qq pgbouncer >/dev/null; \
		else \
			echo 'test-pgbouncer: PgBouncer is not installed, and this is not root on a system with apt-get: install it and try again' >&2; exit 1; \
		fi; \
	fi

web: ## build dashboard and portal into internal/dash/dist
	UPDATE=1 go test -count 1 -run TestTheDashboardIsBuilt ./internal/api
	cd web && scripts/install.sh && npm run --silent types && npm run --silent build

web-check: ## types, linter and tests of web/, and whether what is built from it is committed
	web/scripts/check.sh

test-browser: build postgresql ## drive dashboard and portal of the built server with Chromium, on both stores
	test/browser/run.sh

fuzz: ## run each fuzz test for FUZZTIME=10s
	@git ls-files -co --exclude-standard '*_test.go' | xargs grep -Ho '^func Fuzz[A-Za-z0-9_]*' | while IFS=: read -r file name; do \
		echo "fuzz: $${file%/*} $${name#func }"; \
		go test -run '^$$' -fuzz "^$${name#func }$$" -fuzztime $(FUZZTIME) "./$${file%/*}" </dev/null; \
	done

sim: ## play SEEDS=2000 seeds of the simulation, from FIRST=1 on
	go test ./test/sim -count 1 -timeout 60m -run TestSimulation -sim.first $(FIRST) -sim.seeds $(SEEDS)

sim-mutants: ## break the server in known ways; the simulation must find each within SEEDS=100
	test/sim/mutants.sh $(if $(filter file,$(origin SEEDS)),100,$(SEEDS))

bench: build ## measure the rows of docs/performance.md
	GRAPNEL='$(CURDIR)/bin/grapnel' test/bench/rows.sh
