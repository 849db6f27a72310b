# `make` alone says what there is.

.PHONY: help run build test bench chaos fuzz soak lint supply reproducible fmt clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

run: ## the whole service, with nothing set: SQLite and the sandbox
	go run ./cmd/support

build: ## the program, without cgo, in bin/support
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w -buildid=" -o bin/support ./cmd/support

test: ## every test; installs what they need on Debian and Ubuntu
	.ci/test

bench: ## recording and reading, measured beside their floors
	.ci/bench

chaos: ## every fault to two replicas at work; writes docs/reliability.md
	.ci/chaos

fuzz: ## each fuzz target for 5 minutes; FUZZTIME=1m for less
	.ci/fuzz

soak: ## a busy day for an hour, watched for what grows; SOAK=5m for less
	.ci/soak

lint: ## form and usual mistakes
	.ci/lint

supply: ## known vulnerabilities, bill of materials, and two builds compared
	.ci/supply

reproducible: ## build it twice and compare the bytes
	.ci/reproducible

fmt: ## bring the code into form
	gofmt -w cmd internal migrations webhooks

clean: ## remove what was built
	rm -rf bin artifacts
