# Tools that look at the code: sanitizers and linters.

ASAN_BUILD ?= build-asan
ASAN_FLAGS := -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined

# Open MPI and PETSc keep memory to the end of the program: suppressed by name in make/lsan.supp, nothing of ours is.
test-asan:
	@$(MAKE) --no-print-directory BUILD=$(ASAN_BUILD) OPT="-O1 -march=native -ffp-contract=off" SANITIZE="$(ASAN_FLAGS) make/keep_loaded.c" all unit-programs
	@ASAN_OPTIONS=detect_leaks=1:fast_unwind_on_malloc=0 UBSAN_OPTIONS=print_stacktrace=1 \
	 LSAN_OPTIONS=suppressions=$(CURDIR)/make/lsan.supp:print_suppressions=0 \
	 $(PYTHON) tests/run.py $(ASAN_BUILD) --sanitizer

LINT_PACKAGES := clang-format clang-tidy cppcheck
LINT_C  = $(sort $(wildcard src/*/*.c tests/unit/*.c tests/bench/*.c))
LINT_H  = $(sort $(wildcard include/magtwin/*.h src/*/*.h tests/unit/*.h))
MPI_CFLAGS = $(shell $(CC) -showme:compile 2>/dev/null || $(CC) -compile_info 2>/dev/null | cut -d' ' -f2-)
TIDY_FLAGS = -std=c11 $(DEFINES) -Iinclude $(PKG_CFLAGS) $(MPI_CFLAGS)

lint-tools: | deps
	@bash make/deps.sh tools $(LINT_PACKAGES)

# Every tool runs, whatever the one before it found.
lint: lint-floors lint-format lint-cppcheck lint-tidy
	@echo "lint: nothing found"

lint-floors:
	@bash make/floors.sh

lint-format: lint-tools
	@clang-format --dry-run -Werror $(LINT_C) $(LINT_H)

lint-cppcheck: lint-tools
	@cppcheck --quiet --std=c11 --language=c --enable=warning,portability,performance --inline-suppr --error-exitcode=1 \
	  --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress=unmatchedSuppression -Iinclude \
	  --library=make/petsc.cfg $(filter src/%,$(LINT_C))

lint-tidy: lint-tools
	@printf '%s\n' $(filter src/%,$(filter-out src/base/error.c,$(LINT_C))) | xargs -P "$$(nproc)" -n 4 \
	  sh -c 'flags="$$0"; clang-tidy --quiet "$$@" -- $$flags 2>/dev/null' "$(TIDY_FLAGS) -include make/analyzer.h"
	@clang-tidy --quiet src/base/error.c -- $(TIDY_FLAGS) 2>/dev/null

format: lint-tools
	@clang-format -i $(LINT_C) $(LINT_H)
.PHONY: test-asan lint lint-tools lint-floors lint-format lint-cppcheck lint-tidy format
