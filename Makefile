# tgrest: build, test, run. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

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
PACKAGES  := libuv json-c libsodium libcrypto zlib
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

# ---- objects and libraries, one library a module ----
objects = $(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/$(1)/*.c))
libs    = $(foreach m,$(USES_$(1)),$(BUILD)/lib$(m).a)

$(BUILD)/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# The schema texts are part of this object.
$(BUILD)/tl/embedded.o: schema/api.tl schema/mtproto.tl

define library
$(BUILD)/lib$(1).a: $(call objects,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach m,$(MODULES),$(eval $(call library,$(m))))

BINARY := $(BUILD)/tgrest
$(BINARY): $(BUILD)/main.o $(call libs,main)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

# ---- unit tests: tests/unit/<module>/test_<what>.c, linked with what the module may use ----
UNIT_SOURCES := $(wildcard tests/unit/*/test_*.c)
UNIT_TESTS   := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SOURCES))

define unit_test
$(BUILD)/unit/$(1)/%: tests/unit/$(1)/%.c $(call libs,$(1))
	@mkdir -p $$(@D)
	$$(CC) $$(CPPFLAGS) -Itests/unit $$(CFLAGS) -MMD -MP $$(LDFLAGS) $$< $(call libs,$(1)) $$(LDLIBS) -lcmocka -o $$@
endef
$(foreach m,$(MODULES),$(eval $(call unit_test,$(m))))

# make unit            all of them;  make unit-tl  those of one module
.PHONY: unit
unit: $(UNIT_TESTS)
	@set -e; for t in $^; do $$t; done
define unit_module
.PHONY: unit-$(1)
unit-$(1): $(filter $(BUILD)/unit/$(1)/%,$(UNIT_TESTS))
	@set -e; for t in $$^; do $$$$t; done
endef
$(foreach m,$(MODULES),$(eval $(call unit_module,$(m))))

# ---- fuzz targets: fuzz/<module>_<what>.c, corpora in fuzz/corpus/<module>_<what>/ ----
FUZZ_SOURCES := $(wildcard fuzz/*_*.c)
FUZZ_TARGETS := $(patsubst fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ_SOURCES))
define fuzz_target
$(BUILD)/fuzz/$(1)_%: fuzz/$(1)_%.c $(call libs,$(1))
	@mkdir -p $$(@D)
	$$(CC) $$(CPPFLAGS) $$(CFLAGS) $$(LDFLAGS) -fsanitize=fuzzer $$< $(call libs,$(1)) $$(LDLIBS) -o $$@
endef
$(foreach m,$(MODULES),$(eval $(call fuzz_target,$(m))))

.PHONY: all clean
all: build/tgrest
build/tgrest: $(BUILD)/tgrest
	@ln -sf $(VARIANT)/tgrest $@

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
