# Builds that look for what specs alone do not see, each in a folder of its own.
#   make asan       AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer over every spec (SPEC=… for some)
#   make fuzz       one libFuzzer target a parser, FUZZ_SECONDS each (FUZZ=… for some)

PACKAGES_HARDEN = clang libclang-rt-14-dev llvm valgrind gcovr

deps-harden: deps-test
	$(call install_missing,$(PACKAGES_HARDEN))

LATER = $(MAKE) --no-print-directory -s

# --- asan -------------------------------------------------------------------------------------------------------------------

ASAN_BUILD = build-asan
ASAN_FLAGS = -fsanitize=address,undefined,float-cast-overflow,float-divide-by-zero -fno-sanitize-recover=all
# (specs load a module of their own before everything else, hence no check of the order)
asan: export ASAN_OPTIONS = detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1:verify_asan_link_order=0
asan: export UBSAN_OPTIONS = print_stacktrace=1
asan: export SOTTO_SPEC_PATIENCE = 6
# the interpreter that was built with the sanitizer is the one that everybody finds
asan: export PATH := $(CURDIR)/$(ASAN_BUILD)/bin:$(PATH)
asan: deps-test
	@$(LATER) BUILD=$(ASAN_BUILD) OPT='-O1 -g -fno-omit-frame-pointer' HARDEN= SANITIZE='$(ASAN_FLAGS)' \
		$(ASAN_BUILD)/bin/lua5.4 spec

$(BUILD)/bin/lua5.4: $(BUILD)/obj/spec/sanitize/lua.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -pie -o $@ $< -llua5.4

# --- fuzz: spec/fuzz/NAME.c, which names what it feeds --------------------------------------------------------------------------

FUZZ_BUILD = build-fuzz
FUZZ_SECONDS ?= 60
FUZZ_JOBS ?= $(shell nproc)
FUZZ_TARGETS = frames records datagrams packets contacts control handshake member_link link
FUZZ ?= $(FUZZ_TARGETS)
FUZZ_FLAGS = -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz: export ASAN_OPTIONS = detect_stack_use_after_return=1:strict_string_checks=1
fuzz: export UBSAN_OPTIONS = print_stacktrace=1
fuzz: deps-harden
	@$(LATER) all $(BUILD)/support.so
	@SOTTO_SPEC_BUILD=$(BUILD) $(LUA) spec/fuzz/seeds.lua $(FUZZ_BUILD)/seeds
	@$(LATER) CC=clang BUILD=$(FUZZ_BUILD) OPT='-O1 -g -fno-omit-frame-pointer' HARDEN= CFLAGS=-Wno-string-conversion SANITIZE='$(FUZZ_FLAGS)' \
		$(FUZZ:%=$(FUZZ_BUILD)/%)
	@$(LUA) spec/fuzz/run.lua $(FUZZ_BUILD) $(FUZZ_SECONDS) $(FUZZ_JOBS) $(FUZZ)

$(FUZZ_TARGETS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/obj/spec/fuzz/%.o $(BUILD)/obj/spec/fuzz/fakes.o $(BUILD)/libengine.a \
		$(BINDINGS_OBJ)
	$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $< $(BUILD)/obj/spec/fuzz/fakes.o $(BINDINGS_OBJ) $(BUILD)/libengine.a \
		$(ENGINE_LIBS) -lreadline -llua5.4 -lm

.PHONY: deps-harden asan fuzz
