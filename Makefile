# sotto: peer-to-peer OpenPGP chat, scripted in Lua.
#   make chat   set up, build, open the chat (ARGS='--home DIR' for another identity)
#   make test   set up, build, lint, run every spec
#   make        build into build/ (V=1: every command)   make help   the rest

BUILD   ?= build
CC      ?= cc
LUA     ?= lua5.4
BUSTED  ?= busted
SANITIZE ?=
OPT     ?= -O2 -g

PACKAGES_BUILD = gcc libc6-dev make pkg-config lua5.4 liblua5.4-dev libev-dev libgpgme-dev libgcrypt20-dev libsodium-dev \
	libsqlite3-dev libjansson-dev libutf8proc-dev libreadline-dev libseccomp-dev \
	libcurl4-openssl-dev ca-certificates gnupg gpg-agent
PACKAGES_TEST  = lua-busted lua-check python3 socat binutils scdoc bash-completion iproute2 procps
PACKAGES_BENCH = libtoxcore-dev
PACKAGES_LINT  = cppcheck clang-tidy

LIBS_PC  = libsodium sqlite3 jansson libutf8proc gpgme
CFLAGS_PC := $(shell pkg-config --cflags $(LIBS_PC) readline lua5.4 2>/dev/null)
ENGINE_LIBS := $(shell pkg-config --libs $(LIBS_PC) 2>/dev/null) -lgcrypt -lev
VERSION  = 0.1.0

# a flag, where this compiler knows it
knows = $(shell $(CC) -Werror $(1) -c -x c /dev/null -o /dev/null 2>/dev/null && echo '$(1)')

WARN     := -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wformat=2 -Wimplicit-fallthrough -Wundef -Wpointer-arith -Wwrite-strings -Wold-style-definition -Wredundant-decls -Wnull-dereference \
	$(call knows,-Wformat-signedness) $(call knows,-Wduplicated-cond) $(call knows,-Wduplicated-branches) $(call knows,-Walloca)
# what a release adds; a sanitizer's build leaves it out, for it would hide what it looks for. The optimiser takes no liberties with
# what no sanitizer sees (aliasing) or only where it happens (overflow, NULL)
HARDEN   := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fno-strict-aliasing -fno-strict-overflow \
	-fno-delete-null-pointer-checks $(call knows,-fstack-clash-protection) $(call knows,-fcf-protection) \
	$(call knows,-ftrivial-auto-var-init=zero)
HARDEN_LD = -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
CPPFLAGS_ALL = -D_GNU_SOURCE -DSOTTO_VERSION='"$(VERSION)"' -Iengine -I. $(CPPFLAGS)
CFLAGS_ALL = -std=c11 -fPIC $(OPT) $(WARN) $(HARDEN) $(SANITIZE) $(CFLAGS_PC) $(CFLAGS)
LDFLAGS_ALL = $(HARDEN_LD) $(SANITIZE) $(LDFLAGS)
# libev's handler of SIGCHLD must stay where it is when Lua closes and unloads its modules
MODULE = -shared -Wl,-z,nodelete

ENGINE_SRC   := $(wildcard engine/*.c engine/*/*.c)
BINDINGS_SRC := $(wildcard bindings/*.c)
SUPPORT_SRC  := $(wildcard spec/support/*.c)
ENGINE_OBJ   := $(ENGINE_SRC:%.c=$(BUILD)/obj/%.o)
BINDINGS_OBJ := $(BINDINGS_SRC:%.c=$(BUILD)/obj/%.o)
SUPPORT_OBJ  := $(SUPPORT_SRC:%.c=$(BUILD)/obj/%.o)
HELPERS      := $(BUILD)/sotto-http
PROGRAMS     := $(patsubst bindings/main/%.c,$(BUILD)/%,$(wildcard bindings/main/*.c)) $(HELPERS)

.DELETE_ON_ERROR:
.PHONY: all chat test spec lint lint-c lint-lua layers sim mutants model bench bench-scripts bench-lan deps deps-test deps-bench deps-lint help clean

all: $(BUILD)/libengine.a $(BUILD)/sotto.so $(PROGRAMS)

help:
	@sed -n '1,4p' Makefile
	@echo '#   make lint   luacheck, layers, cppcheck, clang-tidy    make bench  what it costs, beside raw gpgme and c-toxcore'
	@echo '#   make bench-lan                                        50 cores on a LAN (CORES=n), and a flood of ten seconds'
	@echo '#   make bench-many                                       a discussion of 32 (MEMBERS=n): admissions, messages, memory'
	@echo '#   make bench-scripts                                    what scripts cost, also those that mean harm'
	@echo '#   make sim                                    100,000 schedules of the ordering (SIM_RUNS=n); make mutants: could it fail?'
	@echo '#   make model                                  the ordering of 2 to 4 members in all of its states'
	@echo '#   make install uninstall                      below PREFIX (/usr/local), with DESTDIR before it'
	@echo '#   make spec SPEC=spec/wire                    run some specs without the set-up'
	@echo '#   make asan valgrind fuzz coverage            sanitizers, memcheck, libFuzzer, what specs reach: spec/sanitize/targets.mk'
	@echo '#   make deps deps-test …                       only the packages         make clean'

# --- set-up: what is missing comes from Debian's packages --------------------------------------------------------------------

define install_missing
	@missing=$$(for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
		sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		for tool in apt-get $$sudo; do command -v $$tool >/dev/null || { \
			printf '%s\n' "There is no $$tool here to install what is missing. By the names of Debian 12:" "  $$(echo $$missing)" >&2; \
			exit 1; }; done; \
		echo "Installing with $$sudo$${sudo:+ }apt-get, once:" $$missing; \
		$$sudo apt-get update -qq && \
		$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null || \
		{ echo "Could not install:" $$missing >&2; exit 1; }; \
	fi
endef

deps:
	$(call install_missing,$(PACKAGES_BUILD))

deps-test: deps
	$(call install_missing,$(PACKAGES_TEST))

deps-bench: deps
	$(call install_missing,$(PACKAGES_BENCH))

deps-lint: deps-test
	$(call install_missing,$(PACKAGES_LINT))

# pkg-config and the compilers may have come with deps: look again in a fresh make
chat: deps
	@$(MAKE) --no-print-directory -q all || { printf 'Building, once ' && \
		$(MAKE) --no-print-directory -s -j$$(nproc) PROGRESS=1 all && echo ' done.'; }
	@exec $(BUILD)/sotto $(ARGS)

test: deps-test
	@$(MAKE) --no-print-directory all $(BUILD)/support.so
	@$(MAKE) --no-print-directory lint-lua layers
	@$(MAKE) --no-print-directory spec

# --- build ------------------------------------------------------------------------------------------------------------------

# A line for each file; with V=1 its command, with -s nothing, with PROGRESS=1 now and then a dot.
Q = $(if $(V),,@)
SILENT = $(findstring s,$(firstword -$(MAKEFLAGS)))
say = $(if $(PROGRESS),$(eval SAID += x)$(if $(filter %0 %3 %6,$(words $(SAID))),@printf .),$(if $(V)$(SILENT),,@echo '  $(1)  $(2)'))

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,cc,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(BUILD)/libengine.a: $(ENGINE_OBJ)
	@rm -f $@
	$(call say,ar,$@)
	$(Q)$(AR) rcs $@ $^

# every sotto.* C module in one shared object, for `require "sotto.json"` from a plain lua5.4
$(BUILD)/sotto.so: $(BINDINGS_OBJ) $(BUILD)/libengine.a
	$(call say,ld,$@)
	$(Q)$(CC) $(MODULE) $(LDFLAGS_ALL) -o $@ $(BINDINGS_OBJ) $(BUILD)/libengine.a $(ENGINE_LIBS) -lreadline -lseccomp

# the pure machines and the test tools, for specs only; never installed
$(BUILD)/support.so: $(SUPPORT_OBJ) $(BUILD)/libengine.a
	$(call say,ld,$@)
	$(Q)$(CC) $(MODULE) $(LDFLAGS_ALL) -o $@ $(SUPPORT_OBJ) -Wl,--whole-archive $(BUILD)/libengine.a -Wl,--no-whole-archive $(ENGINE_LIBS) -lutil

# the ordering of discussions of many, simulated: schedules by the thousand, each from its seed
SIM_WRAPS = -Wl,--wrap=envelope_decode -Wl,--wrap=statement_decode -Wl,--wrap=op_decode -Wl,--wrap=payload_decode -Wl,--wrap=hash_equal
SIM_OBJ = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard spec/sim/epoch/*.c))
$(BUILD)/sim: $(SIM_OBJ) $(BUILD)/libengine.a
	$(call say,ld,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $(SIM_WRAPS) -pie -o $@ $(SIM_OBJ) $(BUILD)/libengine.a $(ENGINE_LIBS)

# the ordering alone, in all of its states
$(BUILD)/model: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard spec/sim/model/*.c)) $(BUILD)/libengine.a
	$(call say,ld,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -pie -o $@ $^ $(ENGINE_LIBS)

# loaded into a core by specs: a kill at a moment of their choice, a disk that is read-only, another clock
PRELOADS = $(patsubst spec/support/preload/%.c,$(BUILD)/%.so,$(wildcard spec/support/preload/*.c))
$(PRELOADS): $(BUILD)/%.so: spec/support/preload/%.c
	$(call say,cc,$<)
	$(Q)$(CC) -std=c11 $(OPT) $(WARN) -D_GNU_SOURCE -fPIC -shared $(HARDEN_LD) -o $@ $< -ldl

$(filter-out $(BUILD)/sotto-host $(HELPERS),$(PROGRAMS)): $(BUILD)/%: $(BUILD)/obj/bindings/main/%.o $(BINDINGS_OBJ) $(BUILD)/libengine.a
	$(call say,ld,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -pie -Wl,-E -o $@ $< $(BINDINGS_OBJ) $(BUILD)/libengine.a $(ENGINE_LIBS) -lreadline -lseccomp -llua5.4 -lm

# there is one for each script: it has no more in it than it needs
HOST_OBJ = $(patsubst %,$(BUILD)/obj/bindings/%.o,common confine json json_write log loop loop_process loop_stream program secret signals throttle)
$(BUILD)/sotto-host: $(BUILD)/obj/bindings/main/sotto-host.o $(HOST_OBJ) $(BUILD)/libengine.a
	$(call say,ld,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -pie -o $@ $< $(HOST_OBJ) $(BUILD)/libengine.a -Wl,--as-needed $(ENGINE_LIBS) -lseccomp -llua5.4 -lm

# it alone speaks with web servers, and knows nothing of Lua, keys or messages
HTTP_OBJ = $(patsubst %,$(BUILD)/obj/helpers/%.o,narrow reach)
$(BUILD)/sotto-http: $(BUILD)/obj/helpers/sotto-http.o $(HTTP_OBJ) $(BUILD)/libengine.a
	$(call say,ld,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -pie -o $@ $< $(HTTP_OBJ) $(BUILD)/libengine.a -Wl,--as-needed $(ENGINE_LIBS) -lcurl -lseccomp

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# --- checks -----------------------------------------------------------------------------------------------------------------

lint: lint-lua layers lint-c

lint-lua:
	luacheck -q lua plugins examples spec docs

# Each source is looked at once, and again when it or a header of its changes. cppcheck's uninitvar cannot follow out-parameters
# that are set on success only, and its unknownMacro is jansson's json_array_foreach; the compilers and clang-tidy see both.
LINT_C = $(ENGINE_SRC) $(BINDINGS_SRC) $(wildcard bindings/main/*.c helpers/*.c)
lint-c: $(LINT_C:%.c=$(BUILD)/lint/%.ok)
	@echo "cppcheck, clang-tidy: $(words $(LINT_C)) files"

LINT_HINTS = $(if $(filter engine/base/err.c,$<),,spec/lint/analysis.h)
$(BUILD)/lint/%.ok: %.c $(BUILD)/obj/%.o .clang-tidy spec/lint/analysis.h Makefile
	@mkdir -p $(@D)
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem --suppress=uninitvar --suppress=unknownMacro $(filter -D% -I%,$(CPPFLAGS_ALL)) \
		$(LINT_HINTS:%=--include=%) $<
	clang-tidy --quiet --warnings-as-errors='*' $< -- -std=c11 $(LINT_HINTS:%=-include %) $(CPPFLAGS_ALL) $(CFLAGS_PC) 2>$(BUILD)/lint/$*.log || \
		{ cat $(BUILD)/lint/$*.log >&2; exit 1; }
	@touch $@

layers:
	$(LUA) spec/lint/layers.lua

# busted's own exit status says nothing of zero specs or of a crash: spec/support/run.lua holds every file to its closing line.
# The specs wait more than they compute: one more at a time than there are cores
SPEC_JOBS ?= $(shell n=$$(nproc); echo $$((n < 8 ? n + 1 : 8)))
# (CI asks a file that failed once more, alone: its machine may have stood still. What was unsteady is printed.)
SPEC_RUN = $(if $(CI),SOTTO_SPEC_AGAIN=1) SOTTO_SPEC_BUILD=$(BUILD) SOTTO_SPEC_JOBS=$(SPEC_JOBS) $(LUA) spec/support/run.lua $(BUSTED)

spec: all $(BUILD)/support.so $(BUILD)/sim $(BUILD)/model $(PRELOADS)
	$(SPEC_RUN) $(SPEC)

SIM_RUNS ?= 100000
sim: deps-test
	@$(MAKE) --no-print-directory -s $(BUILD)/sim
	@$(LUA) spec/sim/epoch/run.lua $(BUILD)/sim $(SIM_RUNS)

# each rule of the ordering broken once: the simulator is to see it
MUTANT_RUNS ?= 20000
mutants: deps-test
	@$(MAKE) --no-print-directory -s $(BUILD)/sim
	@CC='$(CC)' CFLAGS='$(CPPFLAGS_ALL) $(CFLAGS_ALL)' LIBS='$(LDFLAGS_ALL) $(SIM_WRAPS) -pie $(ENGINE_LIBS)' \
		$(LUA) spec/sim/epoch/mutants.lua $(BUILD) $(MUTANT_RUNS) $(MUTANTS)

MODEL_ROUNDS ?= 3
model: deps-test
	@$(MAKE) --no-print-directory -s $(BUILD)/model
	@$(BUILD)/model $(MODEL_ROUNDS)

# two Tox clients to compare with; needed by nothing else
$(BUILD)/bench/tox: spec/bench/tox.c
	@mkdir -p $(@D)
	$(CC) -std=c11 $(OPT) $(WARN) -D_GNU_SOURCE $$(pkg-config --cflags toxcore) -o $@ $< $$(pkg-config --libs toxcore)

bench: deps-bench
	@$(MAKE) --no-print-directory -s all $(BUILD)/support.so $(BUILD)/bench/tox
	@$(LUA) spec/bench/run.lua

MEMBERS ?= 32
bench-many: deps-test
	@$(MAKE) --no-print-directory -s all $(BUILD)/support.so
	@$(LUA) spec/bench/many.lua $(MEMBERS)

# what scripts cost, and what those that mean harm cost everybody else
bench-scripts: deps-test
	@$(MAKE) --no-print-directory -s all $(BUILD)/support.so
	@$(LUA) spec/bench/scripts.lua $(PARTS)

# in network namespaces: as root
bench-lan: deps-test
	@$(MAKE) --no-print-directory -s all $(BUILD)/support.so
	@$(LUA) spec/bench/lan.lua $(CORES)
	@SOTTO_SPEC_FLOOD_SECONDS=10 $(LUA) spec/support/run.lua $(BUSTED) spec/scenario/lan_wire_spec.lua

include docs/install.mk
include spec/sanitize/targets.mk

clean:
	rm -rf $(BUILD)
