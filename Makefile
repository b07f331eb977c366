# tgrest: build, test, run. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += --jobs=$(shell nproc)
endif

VARIANT ?= release
BUILD   := build/$(VARIANT)
VENV    := build/venv

# Lowest first: a module may use those to its left only (sandbox never uses http, telegram or gateway).
MODULES := base crypto tl mtproto telegram http gateway sandbox
USES_base     := base
USES_crypto   := crypto base
USES_tl       := tl base
USES_mtproto  := mtproto tl crypto base
USES_telegram := telegram mtproto tl crypto base
USES_http     := http base
USES_gateway  := gateway http telegram mtproto tl crypto base
USES_sandbox  := sandbox mtproto tl crypto base
USES_main     := gateway sandbox http telegram mtproto tl crypto base

ifeq ($(origin CC),default)
CC := gcc
endif
FUZZ_CC   := clang
PACKAGES  := libuv json-c libsodium libcrypto zlib libqrencode
PKG_FLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LDLIBS    := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lhttp_parser -lpthread -lm
WARNINGS  := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
CPPFLAGS  := -Isrc -D_GNU_SOURCE $(PKG_FLAGS)
HARDEN    := -fstack-protector-strong -fstack-clash-protection -fPIE
CFLAGS    := -std=c17 -g $(WARNINGS) $(HARDEN) -fno-omit-frame-pointer -fno-common
LDFLAGS   := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack

ifeq ($(VARIANT),release)
CFLAGS += -O2 -D_FORTIFY_SOURCE=2
endif
ifeq ($(VARIANT),asan)
CFLAGS  += -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=address,undefined
endif
ifeq ($(VARIANT),tsan)
CFLAGS  += -O1 -fsanitize=thread
LDFLAGS += -fsanitize=thread
endif
ifeq ($(VARIANT),coverage)
CFLAGS  += -O0 --coverage
LDFLAGS += --coverage
endif
ifeq ($(VARIANT),fuzz)
CC      := $(FUZZ_CC)
CFLAGS  += -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=address,undefined
endif

# One short line a file; make V=1 shows the commands.
Q    := $(if $(V),,@)
note = $(if $(V),@:,@printf '  %-4s %s\n' $(1) $(2))

# ---- objects and libraries, one library a module ----
objects = $(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/$(1)/*.c))
libs    = $(foreach m,$(USES_$(1)),$(BUILD)/lib$(m).a)

$(BUILD)/%.o: src/%.c
	@mkdir -p $(@D)
	$(call note,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# The schema texts are part of this object.
$(BUILD)/tl/embedded.o: schema/api.tl schema/mtproto.tl
$(BUILD)/gateway/answers.o: schema/answers.json

define library
$(BUILD)/lib$(1).a: $(call objects,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	$(Q)ar rcs $$@ $$^
endef
$(foreach m,$(MODULES),$(eval $(call library,$(m))))

BINARY := $(BUILD)/tgrest
$(BINARY): $(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/*.c)) $(call libs,main)
	$(call note,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

# ---- unit tests: tests/unit/<module>/test_<what>.c, linked with what the module may use ----
UNIT_SOURCES := $(wildcard tests/unit/*/test_*.c)
UNIT_TESTS   := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SOURCES))

define unit_test
$(BUILD)/unit/$(1)/%: tests/unit/$(1)/%.c $(call libs,$(1))
	@mkdir -p $$(@D)
	$(call note,TEST,$$<)
	$(Q)$$(CC) $$(CPPFLAGS) -Itests/unit $$(CFLAGS) -MMD -MP $$(LDFLAGS) $$< $(call libs,$(1)) $$(LDLIBS) -lcmocka -o $$@
endef
$(foreach m,$(MODULES),$(eval $(call unit_test,$(m))))

# make unit            all of them;  make unit-tl  those of one module
.PHONY: unit
unit: $(UNIT_TESTS)
	@tools/run_units.sh $^
define unit_module
.PHONY: unit-$(1)
unit-$(1): $(filter $(BUILD)/unit/$(1)/%,$(UNIT_TESTS))
	@tools/run_units.sh $$^
endef
$(foreach m,$(MODULES),$(eval $(call unit_module,$(m))))

# ---- fuzz targets: fuzz/<module>_<what>.c, corpora in fuzz/corpus/<module>_<what>/ ----
FUZZ_SOURCES := $(wildcard fuzz/*_*.c)
FUZZ_TARGETS := $(patsubst fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ_SOURCES))
define fuzz_target
$(BUILD)/fuzz/$(1)_%: fuzz/$(1)_%.c $(call libs,$(1))
	@mkdir -p $$(@D)
	$(call note,FUZZ,$$<)
	$(Q)$$(CC) $$(CPPFLAGS) $$(CFLAGS) $$(LDFLAGS) -fsanitize=fuzzer $$< $(call libs,$(1)) $$(LDLIBS) -o $$@
endef
$(foreach m,$(MODULES),$(eval $(call fuzz_target,$(m))))

# ---- bench programs: bench/<name>.c, the client side without HTTP ----
BENCH_LIBS     := $(call libs,telegram)
BENCH_PROGRAMS := $(patsubst bench/%.c,$(BUILD)/bench/%,$(wildcard bench/*.c))
$(BUILD)/bench/%: bench/%.c $(BENCH_LIBS)
	@mkdir -p $(@D)
	@echo "  LD   $@"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP $(LDFLAGS) $< $(BENCH_LIBS) $(LDLIBS) -o $@

.PHONY: bench-programs
bench-programs: $(BENCH_PROGRAMS)

# ---- what people type ----
.PHONY: all run test api ci asan tsan coverage fuzz fuzz-smoke bench format install clean help deps

all: $(BINARY)
ifeq ($(VARIANT),release)
	@ln -sfn release/tgrest build/tgrest
endif

help:
	@sed -n 's/^# make /make /p' Makefile

# make run        install what is missing, build, start the demo (sandbox + gateway) and say what to try
run:
	@tools/install_packages.sh build run
	@$(MAKE) --no-print-directory all
	@build/tgrest demo

# make test       install what is missing, build, run the unit tests and the API tests
test:
	@tools/install_packages.sh build test
	@$(MAKE) --no-print-directory all unit
	@$(MAKE) --no-print-directory api

$(VENV)/ready: tests/requirements.txt
	@test -d $(VENV) || python3 -m venv $(VENV)
	@echo "installing the test tools into $(VENV)"
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --use-pep517 -r $<
	@touch $@

# make api        the API tests alone, over HTTP (make api T=tests/api/test_login.py O="--workers 4")
T ?= tests/api
api: $(BINARY) $(VENV)/ready
	$(VENV)/bin/pytest -q $(T) --binary $(BINARY) $(O)

# make asan       unit and API tests under AddressSanitizer and UBSan, leaks included
asan:
	@tools/install_packages.sh build test
	@$(MAKE) --no-print-directory VARIANT=asan all unit
	@$(MAKE) --no-print-directory VARIANT=asan api

# make tsan       unit tests of the modules with threads and the worker API tests under ThreadSanitizer
tsan:
	@tools/install_packages.sh build test
	@$(MAKE) --no-print-directory VARIANT=tsan all
	@$(MAKE) --no-print-directory VARIANT=tsan unit-base
	@$(MAKE) --no-print-directory VARIANT=tsan unit-http
	@$(MAKE) --no-print-directory VARIANT=tsan unit-gateway
	@$(MAKE) --no-print-directory VARIANT=tsan api T=tests/api/test_workers.py

# make coverage   line coverage of unit and API tests, build/coverage/html
coverage:
	@tools/install_packages.sh build test coverage
	@$(MAKE) --no-print-directory VARIANT=coverage all unit
	@$(MAKE) --no-print-directory VARIANT=coverage api
	@lcov --quiet --capture --directory build/coverage --output-file build/coverage/lcov.info
	@genhtml --quiet --output-directory build/coverage/html build/coverage/lcov.info
	@lcov --summary build/coverage/lcov.info

# make fuzz       every fuzz target for FUZZ_SECONDS (600); corpora grow in build/fuzz/corpus
FUZZ_SECONDS ?= 600
fuzz:
	@tools/install_packages.sh build fuzz
	@$(MAKE) --no-print-directory VARIANT=fuzz fuzz-targets
	@tools/run_fuzz.sh $(FUZZ_SECONDS) $(patsubst fuzz/%.c,build/fuzz/fuzz/%,$(FUZZ_SOURCES))

.PHONY: fuzz-targets
fuzz-targets: $(FUZZ_TARGETS)

# make fuzz-smoke the same for 10 seconds each
fuzz-smoke:
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=10

# make bench      throughput, CPU and memory, side by side with nginx and a Python wrapper
bench:
	@tools/install_packages.sh build test bench
	@$(MAKE) --no-print-directory all bench-programs
	@bench/run.sh

# make interop    software of others against us: clients, proxies, fuzzers (make interop I="js python")
.PHONY: interop
interop:
	@tools/install_packages.sh build interop
	@$(MAKE) --no-print-directory all
	@TGREST_BINARY=$(abspath $(BINARY)) tests/interop/run.sh $(I)

# make soak       random traffic, faults and dying replicas (make soak MINUTES=10 SEED=7 VARIANT=asan)
MINUTES ?= 1
.PHONY: soak
soak:
	@tools/install_packages.sh build test
	@$(MAKE) --no-print-directory all $(VENV)/ready
	$(VENV)/bin/python tests/soak/soak.py --binary $(BINARY) --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

# make ci         all of the above that tells right from wrong
ci: test
	@$(MAKE) --no-print-directory api O="-m large"
	@$(MAKE) --no-print-directory api O="--workers 1 --replicas 2"
	@$(MAKE) --no-print-directory interop
	@$(MAKE) --no-print-directory soak
	@$(MAKE) --no-print-directory fuzz-smoke
	@$(MAKE) --no-print-directory tsan
	@$(MAKE) --no-print-directory asan O="--workers 4"

# make format     clang-format over our own sources
format:
	@tools/install_packages.sh format
	clang-format -i $(wildcard src/*.[ch] src/*/*.[ch] tests/unit/*/*.[ch] fuzz/*.c bench/*.c)

# make install    PREFIX=/usr/local
PREFIX ?= /usr/local
install: all
	install -D -m 0755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/tgrest

# make clean
clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
