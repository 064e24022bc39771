# Builds that look for what specs alone do not see, each in a folder of its own.
#   make asan       AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer over every spec (SPEC=… for some)
#   make valgrind   memcheck over the specs of the engine's layers and one scenario (VALGRIND_SPEC=… for others)
#   make fuzz       one libFuzzer target a parser, FUZZ_SECONDS each (FUZZ=… for some); with 0 only what is known, nothing is sought
#   make coverage   which lines the specs reach (SPEC=… for some); the pages are in build-coverage/html

PACKAGES_FUZZ = clang libclang-rt-14-dev llvm
PACKAGES_VALGRIND = valgrind
PACKAGES_COVERAGE = gcovr

deps-fuzz deps-valgrind deps-coverage: deps-test
	$(call install_missing,$(PACKAGES_$(shell echo $(@:deps-%=%) | tr a-z A-Z)))

LATER = $(MAKE) --no-print-directory -s
# where addresses are very random, a sanitizer's own memory may be in their way
AT_PLACE = $$(setarch -R true 2>/dev/null && echo setarch -R)
# Its search for leaks has to trace the process, which not every machine allows. $(call leaks,PROGRAM): what to add to its options
leaks = $$($(1) >/dev/null 2>&1 || { echo "leaks are not looked for: that does not work here" >&2; echo :detect_leaks=0; })
LATER_BUILD = $(LATER) -j$(shell nproc)
SPEC_MODULES = support.so $(notdir $(PRELOADS))
# warnings are the common build's affair: other compilers and flags see ghosts
PLAIN = HARDEN= CFLAGS=-w

# --- asan -------------------------------------------------------------------------------------------------------------------

ASAN_BUILD = build-asan
ASAN_FLAGS = -fsanitize=address,undefined,float-cast-overflow,float-divide-by-zero -fno-sanitize-recover=all
ASAN_MAKE = BUILD=$(ASAN_BUILD) OPT='-O1 -g -fno-omit-frame-pointer' $(PLAIN) SANITIZE='$(ASAN_FLAGS)'
# (specs load a module of their own before everything else, hence no check of the order)
asan: export ASAN_OPTIONS = detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1:verify_asan_link_order=0
asan: export UBSAN_OPTIONS = print_stacktrace=1
asan: export SOTTO_SPEC_PATIENCE = 6
# the interpreter that was built with the sanitizer is the one that everybody finds
asan: export PATH := $(CURDIR)/$(ASAN_BUILD)/bin:$(PATH)
asan: deps-test
	@$(LATER_BUILD) $(ASAN_MAKE) all $(SPEC_MODULES:%=$(ASAN_BUILD)/%) $(ASAN_BUILD)/bin/lua5.4
	@ASAN_OPTIONS="$$ASAN_OPTIONS$(call leaks,$(ASAN_BUILD)/bin/lua5.4 /dev/null)" $(AT_PLACE) $(LATER) $(ASAN_MAKE) spec

$(BUILD)/bin/lua5.4: $(BUILD)/obj/spec/sanitize/lua.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -pie -o $@ $< -llua5.4

# --- valgrind ---------------------------------------------------------------------------------------------------------------

VALGRIND_BUILD = build-valgrind
VALGRIND_SPEC ?= spec/base spec/loop spec/wire spec/net spec/pake spec/store spec/peers spec/discussion spec/scenario/export_spec.lua
# (valgrind keeps descriptors of its own beyond any limit: nothing can run out of them)
# wrappers of these names stand in RUN, which is the build that the specs see
VALGRIND_RUN = $(VALGRIND_BUILD)/run
valgrind: LUA := $(shell command -v $(LUA)) # the runner itself is not what is looked at
valgrind: export SOTTO_SPEC_PATIENCE = 30
valgrind: export PATH := $(CURDIR)/$(VALGRIND_RUN):$(PATH)
valgrind: deps-valgrind
	@$(LATER_BUILD) BUILD=$(VALGRIND_BUILD) OPT='-O1 -g' $(PLAIN) all $(SPEC_MODULES:%=$(VALGRIND_BUILD)/%)
	@mkdir -p $(VALGRIND_RUN)
	@for name in lua5.4 sottod sotto; do \
		program=$(CURDIR)/$(VALGRIND_BUILD)/$$name; [ -e $$program ] || program=$$(PATH=/usr/local/bin:/usr/bin:/bin command -v $$name); \
		{ echo '#!/bin/sh'; echo "exec valgrind $(VALGRIND_FLAGS) $$program \"\$$@\""; } >$(VALGRIND_RUN)/$$name; \
		chmod +x $(VALGRIND_RUN)/$$name; \
	done
	@ln -sf $(SPEC_MODULES:%=../%) ../sotto.so $(VALGRIND_RUN)
	@SOTTO_SPEC_BUILD=$(VALGRIND_RUN) SOTTO_SPEC_JOBS=$(SPEC_JOBS) $(LUA) spec/support/run.lua $(BUSTED) --filter-out=EMFILE \
		$(VALGRIND_SPEC)

VALGRIND_FLAGS = -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
	--child-silent-after-fork=yes --num-callers=30

# --- coverage ---------------------------------------------------------------------------------------------------------------

COVERAGE_BUILD = build-coverage
COVERAGE_MAKE = BUILD=$(COVERAGE_BUILD) OPT='-O0 -g' $(PLAIN) SANITIZE='--coverage -fprofile-abs-path'
coverage: deps-coverage
	@$(LATER_BUILD) $(COVERAGE_MAKE) all $(SPEC_MODULES:%=$(COVERAGE_BUILD)/%)
	@find $(COVERAGE_BUILD) -name '*.gcda' -delete
	@$(LATER) $(COVERAGE_MAKE) spec || echo "coverage: a spec has failed"
	@mkdir -p $(COVERAGE_BUILD)/html
	@gcovr --root . --filter engine/ --filter bindings/ --exclude-unreachable-branches --gcov-ignore-parse-errors \
		--html-details $(COVERAGE_BUILD)/html/index.html --json-summary $(COVERAGE_BUILD)/summary.json $(COVERAGE_BUILD)/obj
	@LUA_CPATH='./$(COVERAGE_BUILD)/?.so' $(LUA) spec/sanitize/coverage.lua $(COVERAGE_BUILD)/summary.json

# --- fuzz: spec/fuzz/NAME.c, which names what it feeds --------------------------------------------------------------------------

FUZZ_BUILD = build-fuzz
FUZZ_SECONDS ?= 60
FUZZ_JOBS ?= $(shell nproc)
FUZZ_TARGETS = frames records datagrams packets contacts control handshake member_link link
FUZZ ?= $(FUZZ_TARGETS)
FUZZ_FLAGS = -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz: export ASAN_OPTIONS = detect_stack_use_after_return=1:strict_string_checks=1
fuzz: export UBSAN_OPTIONS = print_stacktrace=1
fuzz: deps-fuzz
	@$(LATER_BUILD) all $(BUILD)/support.so
	@SOTTO_SPEC_BUILD=$(BUILD) $(LUA) spec/fuzz/seeds.lua $(FUZZ_BUILD)/seeds
	@$(LATER_BUILD) CC=clang BUILD=$(FUZZ_BUILD) OPT='-O1 -g -fno-omit-frame-pointer' $(PLAIN) SANITIZE='$(FUZZ_FLAGS)' \
		$(FUZZ:%=$(FUZZ_BUILD)/%)
	@ASAN_OPTIONS="$$ASAN_OPTIONS$(call leaks,$(FUZZ_BUILD)/$(firstword $(FUZZ)) -runs=1)" \
		$(AT_PLACE) $(LUA) spec/fuzz/run.lua $(FUZZ_BUILD) $(FUZZ_SECONDS) $(FUZZ_JOBS) $(FUZZ)

$(FUZZ_TARGETS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/obj/spec/fuzz/%.o $(BUILD)/obj/spec/fuzz/fakes.o $(BUILD)/libengine.a \
		$(BINDINGS_OBJ)
	$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $< $(BUILD)/obj/spec/fuzz/fakes.o $(BINDINGS_OBJ) $(BUILD)/libengine.a \
		$(ENGINE_LIBS) -lreadline -lseccomp -llua5.4 -lm

.PHONY: deps-fuzz deps-valgrind deps-coverage asan valgrind coverage fuzz
