# `make` alone says what there is.

.PHONY: help run build test bench lint fmt clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: ## the whole service, with nothing set: SQLite and the sandbox
	go run ./cmd/support

build: ## the program, without cgo, in bin/support
	CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o bin/support ./cmd/support

test: ## every test; installs what they need on Debian and Ubuntu
	.ci/test

bench: ## recording and reading, measured beside their floors
	.ci/bench

lint: ## form and usual mistakes
	.ci/lint

fmt: ## bring the code into form
	gofmt -w cmd internal migrations webhooks

clean: ## remove what was built
	rm -rf bin artifacts
