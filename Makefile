# magtwin: `make demo` and `make test` do everything from a fresh Debian 12; see README.md for clusters.
# Overridable: CC (an MPI C compiler), PETSC_DIR and PETSC_ARCH or PKG_CONFIG_PATH, METIS_LIBS, GMSH_LIBS, PYTHON, MPIEXEC, BUILD, PREFIX.
# `make help` lists the targets.

SHELL   := /bin/bash
BUILD   ?= build
PREFIX  ?= /usr/local
PYTHON  ?= $(firstword $(wildcard /usr/bin/python3) python3)
MPIEXEC ?= mpirun
NP      ?= 2
include make/packages.mk

# All cores build, unless -j is given.
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif

OPT     ?= -O3 -march=native -ffp-contract=off
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
CFLAGS  ?= -std=c11 -g $(OPT) $(WARN)
DEFINES := -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700
ALL_CFLAGS = $(CFLAGS) $(filter -f%,$(SANITIZE)) $(DEFINES) -Iinclude $(PKG_CFLAGS)
ALL_LIBS   = $(SANITIZE) $(PKG_LIBS) -lm

LIB_SRC  := $(filter-out src/cli/%,$(sort $(wildcard src/*/*.c)))
CLI_SRC  := $(sort $(wildcard src/cli/*.c))
UNIT_SRC := $(sort $(wildcard tests/unit/*.c))
LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/%.o)
CLI_OBJ  := $(CLI_SRC:%.c=$(BUILD)/%.o)
UNIT_EXE := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/%)

.DEFAULT_GOAL := all
.SECONDARY:
# `make V=1` shows whole command lines.
say = $(if $(V),,@echo "  $(1)" &&)
all: $(BUILD)/magtwin

$(BUILD)/%.o: %.c Makefile make/packages.mk | deps
	@mkdir -p $(@D)
	$(call say,$<)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/libmagtwin.a: $(LIB_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,$@)ar rcs $@ $(LIB_OBJ)

$(BUILD)/magtwin: $(CLI_OBJ) $(BUILD)/libmagtwin.a
	$(call say,$@)$(CC) $(CLI_OBJ) $(BUILD)/libmagtwin.a $(ALL_LIBS) -o $@

$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(BUILD)/libmagtwin.a
	@mkdir -p $(@D)
	$(call say,$@)$(CC) $< $(BUILD)/libmagtwin.a $(ALL_LIBS) $(CMOCKA_LIBS) -o $@

unit-programs: $(UNIT_EXE)

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(UNIT_SRC:%.c=$(BUILD)/%.d) $(wildcard $(BUILD)/tests/bench/*.d)

include make/targets.mk
.PHONY: all unit-programs
